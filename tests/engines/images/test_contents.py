"""The tag of an image: a digest of what goes into it, and of nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kedro_rats.engines.images.contents import content_tag
from kedro_rats.placement.settings import ImageBuild

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

BUILD = ImageBuild()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name, text in {
        "Dockerfile": "FROM scratch\n",
        ".dockerignore": "data\n.dockerignore\nDockerfile*\n",
        "src/a.py": "a = 1\n",
        "src/run.sh": "#!/bin/sh\n",
        "data/x.csv": "1\n",
        "conf/base/rats.yml": "image: {default: app}\n",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "src" / "link").symlink_to("a.py")
    return folder


def tag(project: Path, build: ImageBuild = BUILD, **args: str) -> str:
    written = [project / "conf" / "base" / "rats.yml"]
    return content_tag(project, build, args=args, written=written)


def test_a_tag_is_one_that_every_registry_takes(project: Path) -> None:
    assert len(tag(project)) == 12
    assert set(tag(project)) <= set("0123456789abcdef")


CHANGES: dict[str, Callable[[Path], object]] = {
    "a file": lambda p: (p / "src/a.py").write_text("a = 2\n"),
    "another name": lambda p: (p / "src/a.py").rename(p / "src/b.py"),
    "a new file": lambda p: (p / "src/c.py").write_text(""),
    "a new folder": lambda p: (p / "src/empty").mkdir(),
    "that it can be run": lambda p: (p / "src/run.sh").chmod(0o755),
    "where a link leads": lambda p: [
        (p / "src/link").unlink(),
        (p / "src/link").symlink_to("run.sh"),
    ],
    "a link that is a file now": lambda p: [
        (p / "src/link").unlink(),
        (p / "src/link").write_text("a = 1\n"),
    ],
    "the Dockerfile, though it is ignored": lambda p: (p / "Dockerfile").write_text(
        "FROM a\n"
    ),
    "what is ignored": lambda p: (p / ".dockerignore").write_text("src\n"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_goes_into_the_image_gives_another_tag(
    project: Path, change: Callable[[Path], object]
) -> None:
    before = tag(project)

    change(project)

    assert tag(project) != before


def test_arguments_stage_and_platform_give_another_tag(project: Path) -> None:
    tags = {
        tag(project),
        tag(project, A="1"),
        tag(project, A="2"),
        tag(project, A="1", B="2"),
        tag(project, replace(BUILD, target="run")),
        tag(project, replace(BUILD, platform="linux/arm64")),
    }

    assert len(tags) == 6
    assert tag(project, A="1", B="2") == tag(project, B="2", A="1")


SAME: dict[str, Callable[[Path], object]] = {
    "times": lambda p: os.utime(p / "src/a.py", (1, 1)),
    "rights of others": lambda p: (p / "src/a.py").chmod(0o600),
    "what is kept out": lambda p: (p / "data/y.csv").write_text("2\n"),
    "what the command writes": lambda p: (p / "conf/base/rats.yml").write_text("x: 1"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_nothing_else_gives_another_tag(
    project: Path, change: Callable[[Path], object]
) -> None:
    before = tag(project)

    change(project)

    assert tag(project) == before


def test_the_same_files_elsewhere_have_the_same_tag(
    project: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "another place"
    # Made in another order, so that the file system may list them in another.
    for path in sorted(project.rglob("*"), reverse=True):
        target = copy / path.relative_to(project)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            target.symlink_to(path.readlink())
        elif path.is_file():
            shutil.copy(path, target)

    assert tag(copy) == tag(project)


def test_every_process_makes_the_same_tag(project: Path) -> None:
    program = (
        "import sys; from pathlib import Path;"
        "from kedro_rats.engines.images.contents import content_tag;"
        "from kedro_rats.placement.settings import ImageBuild;"
        "print(content_tag(Path(sys.argv[1]), ImageBuild(), args={'B': '1', 'A': '2'}))"
    )

    tags = {
        subprocess.run(
            [sys.executable, "-c", program, str(project)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(tags) == 1


def test_a_context_may_be_above_the_project(project: Path) -> None:
    build = replace(BUILD, context="..")
    before = tag(project, build)

    (project.parent / "shared.py").write_text("")

    assert tag(project, build) != before
