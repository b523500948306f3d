"""A path stands for what it points to, which is copied."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from pipelines.kept import round_trip

from kedro_rats.store.formats import (
    FormatError,
    UnsavableError,
    format_named,
    load_value,
    save_value,
)


def test_a_file_is_copied_under_its_name(tmp_path: Path) -> None:
    source = tmp_path / "model.tar.gz"
    source.write_bytes(b"weights")

    kept = round_trip(source)
    source.write_bytes(b"changed")

    assert kept.name == "path"
    assert type(kept.value) is type(source)
    assert kept.value.name == "model.tar.gz"
    assert kept.value.read_bytes() == b"weights"
    assert kept.value != source


def test_a_folder_is_copied_with_all_that_is_in_it(tmp_path: Path) -> None:
    source = tmp_path / "model"
    (source / "deep" / "deeper").mkdir(parents=True)
    (source / "empty" / "below").mkdir(parents=True)
    (source / "deep" / "deeper" / "ünï code").write_text("x")
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o755)
    (tmp_path / "elsewhere").write_text("linked")
    (source / "link").symlink_to(tmp_path / "elsewhere")

    copy = round_trip(source).value

    found = {p.relative_to(copy).as_posix() for p in copy.rglob("*")}
    assert found == {
        "deep",
        "deep/deeper",
        "deep/deeper/ünï code",
        "empty",
        "empty/below",
        "run.sh",
        "link",
    }
    assert os.access(copy / "run.sh", os.X_OK)
    assert not (copy / "link").stat().st_mode & stat.S_IXUSR
    assert not (copy / "link").is_symlink()
    assert (copy / "link").read_text() == "linked"


def test_an_empty_folder_and_an_executable_file_are_kept(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "tool").write_text("x")
    (tmp_path / "tool").chmod(0o700)

    nothing = round_trip(tmp_path / "nothing").value
    tool = round_trip(tmp_path / "tool").value

    assert nothing.is_dir()
    assert list(nothing.iterdir()) == []
    assert os.access(tool, os.X_OK)


def test_a_link_has_its_own_name_and_the_content_of_its_target(tmp_path: Path) -> None:
    (tmp_path / "v1.bin").write_bytes(b"1")
    (tmp_path / "latest.bin").symlink_to("v1.bin")

    copy = round_trip(tmp_path / "latest.bin").value

    assert copy.name == "latest.bin"
    assert copy.read_bytes() == b"1"


def test_a_path_where_nothing_is_is_plain_data(tmp_path: Path) -> None:
    kept = round_trip(tmp_path / "nothing")

    assert kept.name == "json"
    assert kept.value == tmp_path / "nothing"


def test_a_folder_with_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")

    with pytest.raises(UnsavableError, match="a link to a folder above it"):
        round_trip(tmp_path / "a")


def test_a_broken_link_and_a_pipe_are_refused(tmp_path: Path) -> None:
    for name in ("link", "pipe"):
        folder = tmp_path / name
        folder.mkdir()
        if name == "link":
            (folder / "x").symlink_to("nowhere")
        else:
            os.mkfifo(folder / "x")
        with pytest.raises(UnsavableError, match="a broken link, a device or a pipe"):
            round_trip(folder)
    with pytest.raises(UnsavableError, match="a device or a pipe"):
        round_trip(tmp_path / "pipe" / "x")


def test_a_folder_that_is_worked_in_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project" / "data").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "project" / "data")

    for place in (Path(), tmp_path / "project", Path("/")):
        with pytest.raises(UnsavableError, match="in which this program works"):
            round_trip(place)
    with pytest.raises(UnsavableError, match="in which this program works"):
        (tmp_path / "out").mkdir()
        monkeypatch.chdir("/")
        save_value(tmp_path, tmp_path / "out")


@pytest.mark.parametrize("name", ["../../x", "/etc/x", "a/../../x"])
def test_meta_cannot_lead_out_of_the_folder(name: str, tmp_path: Path) -> None:
    good = {"name": "x", "empty": [], "executable": []}
    for bad in ({"name": name}, {"empty": [name]}, {"executable": [name]}):
        with pytest.raises(FormatError, match="leads out of the folder"):
            load_value("path", tmp_path, good | bad)


def test_the_reader_is_told_to_keep_the_folder() -> None:
    assert format_named("path").keeps_folder
    assert not format_named("json").keeps_folder
