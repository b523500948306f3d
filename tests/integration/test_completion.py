"""What a shell completes, asked for as bash asks: commands, options, and their values."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pipelines.project import QUIET, KedroProject

if TYPE_CHECKING:
    from pipelines.project import Ran

NODES = """
    from kedro.pipeline import node

    print("a project that talks")


    def doubled(x):
        return x * 2


    PIPELINE = [
        node(doubled, "params:x", "y", name="one"),
        node(doubled, "y", "z", name="two"),
    ]
    """


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> KedroProject:
    folder = tmp_path_factory.mktemp("p") / "shop"
    files = {
        "conf/logging.yml": QUIET,
        "nodes.py": NODES,
        "conf/base/parameters.yml": "x: 3\n",
        "conf/elsewhere/rats.yml": "store: somewhere\n",
    }
    made = KedroProject.make(folder, files)
    made.run().ok()
    return made


def asked(project: KedroProject, *words: str, cwd: Path | None = None) -> Ran:
    return project.python(
        str(Path(sys.executable).with_name("kedro")),
        cwd=cwd,
        _KEDRO_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(["kedro", *words]),
        COMP_CWORD=str(len(words)),
    )


def completed(project: KedroProject, *words: str) -> list[str]:
    """Return what the last word may become."""
    lines = [line for line in asked(project, *words).ok().out.splitlines() if line]
    assert all(line.startswith("plain,") for line in lines), lines
    return [line.removeprefix("plain,") for line in lines]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("rats", "sub"), ["submit"]),
        (("rats", "logs", "--fol"), ["--follow"]),
        (("rats", "status", "--output", "j"), ["json"]),
        (("rats", "submit", "--env", ""), ["base", "elsewhere", "local"]),
        (("rats", "build", "-e", "el"), ["elsewhere"]),
        (("rats", "plan", "--pipelines", "__d"), ["__default__"]),
        (("rats", "describe", "-p", ""), ["__default__"]),
        (("rats", "logs", ""), ["one", "two"]),
        (("rats", "run", "--nodes", "one,t"), ["one,two"]),
        (("rats", "run", "--to-nodes", "x"), []),
    ],
)
def test_words_are_completed(
    project: KedroProject, words: tuple[str, ...], expected: list[str]
) -> None:
    assert completed(project, *words) == expected


@pytest.mark.parametrize(
    "words",
    [
        ("runs",),
        ("status",),
        ("retry",),
        ("get", "z", "--run"),
        ("logs", "one", "--run"),
        ("run", "--resume"),
        ("submit", "--from-run"),
    ],
)
def test_runs_are_completed_from_the_store(
    project: KedroProject, words: tuple[str, ...]
) -> None:
    assert completed(project, "rats", *words, "") == project.runs()


def test_runs_are_those_of_the_environment_asked_for(project: KedroProject) -> None:
    assert completed(project, "rats", "status", "--env=elsewhere", "") == []


def test_where_there_is_no_project_nothing_is_completed_and_nothing_fails(
    project: KedroProject, tmp_path: Path
) -> None:
    ran = asked(project, "rats", "logs", "", cwd=tmp_path)

    assert ran.code == 0
    assert "plain," not in ran.out
    assert "Traceback" not in ran.said


def test_what_is_wrong_in_a_project_is_not_told_to_somebody_who_types(
    tmp_path: Path,
) -> None:
    broken = KedroProject.make(
        tmp_path / "shop", {"conf/logging.yml": QUIET, "nodes.py": "1/0"}
    )

    assert completed(broken, "rats", "logs", "") == []
