"""Whether it is said that nodes would run what the project no longer is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kedro_rats.engines.images.building import wanted
from kedro_rats.engines.images.outdated import files_with_refs, outdated
from kedro_rats.placement.schema import parse

if TYPE_CHECKING:
    from pathlib import Path

REPOSITORY = "registry.example:5000/app"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "Dockerfile": "FROM scratch\n",
        "src/a.py": "a = 1\n",
        "conf/cluster/rats.yml": "image: {}\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def settings(**refs: str | None) -> Any:
    images = {
        name: {"build": {"name": REPOSITORY}, **({"ref": ref} if ref else {})}
        for name, ref in refs.items()
    }
    return parse({"image": images})


def built(project: Path) -> str:
    """Return what `kedro rats build` would write now."""
    (image,) = wanted(
        settings(default=None),
        project,
        names=["default"],
        version="1",
        written=files_with_refs(project / "conf"),
    )
    return image.image


def found(project: Path, said: Any, used: set[str] | None = None) -> list[str]:
    return outdated(said, project, conf=project / "conf", version="1", used=used)


@pytest.mark.parametrize("digest", ["", "@sha256:" + "5" * 64])
def test_an_image_is_outdated_once_its_files_are_others(
    project: Path, digest: str
) -> None:
    said = settings(default=built(project) + digest)

    # Where its name stands is no part of it.
    (project / "conf/cluster/rats.yml").write_text("image: {default: 1}\n")
    assert found(project, said) == []
    (project / "src/a.py").write_text("a = 2\n")
    assert found(project, said) == ["default"]


def test_only_images_of_nodes_that_run_are_looked_at(project: Path) -> None:
    old, other = f"{REPOSITORY}:{'0' * 12}", f"{REPOSITORY}:{'1' * 12}"
    said = settings(default=old, large=other)

    assert found(project, said) == ["default", "large"]
    assert found(project, said, {other}) == ["large"]
    assert found(project, said, set()) == []


@pytest.mark.parametrize(
    "ref",
    [
        f"{REPOSITORY}:1.2",
        f"{REPOSITORY}@sha256:" + "5" * 64,
        "other.example/app:" + "0" * 12,
        "python:3.12",
    ],
)
def test_an_image_that_was_not_built_by_us_is_nobodys_business(
    project: Path, ref: str
) -> None:
    assert found(project, settings(default=ref)) == []


def test_what_cannot_be_built_is_left_to_whoever_builds(project: Path) -> None:
    (project / "Dockerfile").unlink()

    assert found(project, settings(default=f"{REPOSITORY}:{'0' * 12}")) == []
