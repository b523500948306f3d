"""Publishing: whole files at the places of the catalog, and nothing that no record names."""

from __future__ import annotations

import dataclasses
import os
import stat
import threading
from typing import TYPE_CHECKING, ClassVar

import fsspec
import pytest
from store import making
from store.contract import BIG

from kedro_rats.errors import DefinitionError
from kedro_rats.store import layout, publishing, records, staging
from kedro_rats.store.artifacts import Artifact
from kedro_rats.store.errors import CorruptObject, StoreError
from kedro_rats.store.local import LocalStore
from kedro_rats.store.publishing import Place, publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kedro_rats.store.records import Record


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "rats")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def committed(store: LocalStore, run: str = "r1", **files: bytes) -> Record:
    record = making.record({"x": making.kept(store, **files)}, run=run)
    return records.commit(store, record)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_what_was_not_committed_is_not_published(store: LocalStore, data: Path) -> None:
    winner = committed(store, x_csv=b"winner")
    loser = dataclasses.replace(
        winner, attempt="a2", outputs={"x": making.kept(store, x_csv=b"loser")}
    )
    never = dataclasses.replace(loser, task="never")
    for record in (loser, never):
        with pytest.raises(StoreError, match="Commit first"):
            publish(store, record, {"x": Place(str(data / "x.csv"))})
    assert not data.exists()


def test_a_place_for_what_the_task_does_not_make_is_an_error(
    store: LocalStore, data: Path
) -> None:
    record = committed(store, x_csv=b"1")
    with pytest.raises(DefinitionError, match=r"datasets that it makes \(x\), got xx"):
        publish(store, record, {"xx": Place(str(data / "x.csv"))})


def test_what_is_in_place_already_is_not_published(store: LocalStore) -> None:
    record = records.commit(store, making.record({"x": Artifact("in_place")}))
    assert publish(store, record, {"x": Place("sql://never used")})


def test_a_file_is_one_file(store: LocalStore, data: Path) -> None:
    record = committed(store, a=b"1", b=b"2")
    with pytest.raises(DefinitionError, match="expected one file, got a, b"):
        publish(store, record, {"x": Place(str(data / "x"))})


def test_published_files_are_the_users(store: LocalStore, data: Path) -> None:
    before = os.umask(0o027)
    try:
        record = committed(store, a=b"1", b=b"2")
        publish(store, record, {"x": Place(str(data / "p"), folder=True)})
    finally:
        os.umask(before)
    assert stat.S_IMODE((data / "p").stat().st_mode) == 0o750
    assert stat.S_IMODE((data / "p" / "a").stat().st_mode) == 0o640


def test_permissions_that_the_user_gave_are_kept(store: LocalStore, data: Path) -> None:
    data.mkdir()
    (data / "x.csv").write_bytes(b"old")
    (data / "x.csv").chmod(0o604)
    (data / "p").mkdir(mode=0o700)
    (data / "p").chmod(0o701)
    publish(store, committed(store, x=b"1"), {"x": Place(str(data / "x.csv"))})
    publish(store, committed(store, "r2", y=b"1"), {"x": Place(str(data / "p"), True)})
    assert (data / "x.csv").read_bytes() == b"1"
    assert stat.S_IMODE((data / "x.csv").stat().st_mode) == 0o604
    assert stat.S_IMODE((data / "p").stat().st_mode) == 0o701


def test_who_reads_while_it_is_published_reads_the_old_or_the_new(
    store: LocalStore, data: Path
) -> None:
    (data / "p").mkdir(parents=True)
    (data / "x.csv").write_bytes(b"old")
    (data / "p" / "a").write_bytes(b"old")
    with (data / "x.csv").open("rb") as file, (data / "p" / "a").open("rb") as inside:
        publish(store, committed(store, x=BIG), {"x": Place(str(data / "x.csv"))})
        place = Place(str(data / "p"), folder=True, additive=True)
        publish(store, committed(store, "r2", a=BIG), {"x": place})
        assert (file.read(), inside.read()) == (b"old", b"old")
    assert tree(data) == {"x.csv": BIG, "p/a": BIG}


def test_a_link_of_the_users_stays_a_link(
    store: LocalStore, data: Path, tmp_path: Path
) -> None:
    data.mkdir()
    (tmp_path / "large-disk").mkdir()
    (data / "x.csv").symlink_to(tmp_path / "large-disk" / "x.csv")
    publish(store, committed(store, x=b"1"), {"x": Place(str(data / "x.csv"))})
    assert (data / "x.csv").is_symlink()
    assert (tmp_path / "large-disk" / "x.csv").read_bytes() == b"1"


def test_a_file_that_is_right_already_is_not_touched(
    store: LocalStore, data: Path
) -> None:
    (data / "p").mkdir(parents=True)
    for path, content in ((data / "x", b"1"), (data / "p" / "y", b"2")):
        path.write_bytes(content)
    numbers = [(data / "x").stat().st_ino, (data / "p").stat().st_ino]
    publish(store, committed(store, x=b"1"), {"x": Place(str(data / "x"))})
    publish(store, committed(store, "r2", y=b"2"), {"x": Place(str(data / "p"), True)})
    assert numbers == [(data / "x").stat().st_ino, (data / "p").stat().st_ino]
    # As long, and other bytes.
    publish(store, committed(store, "r3", x=b"3"), {"x": Place(str(data / "x"))})
    publish(store, committed(store, "r4", y=b"4"), {"x": Place(str(data / "p"), True)})
    assert tree(data) == {"x": b"3", "p/y": b"4"}


def test_a_folder_is_replaced_whole(store: LocalStore, data: Path) -> None:
    (data / "p" / "deep").mkdir(parents=True)
    (data / "p" / "deep" / "old").write_bytes(b"old")
    record = committed(store, a=b"1", b=BIG)
    publish(store, record, {"x": Place(str(data / "p"), folder=True)})
    assert tree(data) == {"p/a": b"1", "p/b": BIG}


def test_an_empty_folder_is_published_as_one(store: LocalStore, data: Path) -> None:
    (data / "p").mkdir(parents=True)
    (data / "p" / "old").write_bytes(b"old")
    record = committed(store)
    publish(store, record, {"x": Place(str(data / "p"), folder=True)})
    assert tree(data) == {}
    assert (data / "p").is_dir()


def test_an_additive_folder_keeps_what_it_has(store: LocalStore, data: Path) -> None:
    (data / "p" / "deep").mkdir(parents=True)
    (data / "p" / "deep" / "old").write_bytes(b"old")
    (data / "p" / "a").write_bytes(b"old")
    record = committed(store, a=b"1", b=BIG)
    publish(store, record, {"x": Place(str(data / "p"), folder=True, additive=True)})
    assert tree(data) == {"p/deep/old": b"old", "p/a": b"1", "p/b": BIG}


def test_a_prefix_of_the_artifacts_paths_is_stripped(
    store: LocalStore, data: Path
) -> None:
    file = making.file_of(b"1", "p/a.csv")
    store.put(b"1")
    record = making.record({"x": Artifact("dataset", (file,))})
    records.commit(store, record)
    place = Place(str(data / "p"), folder=True, strip="p/")
    publish(store, record, {"x": place})
    assert tree(data) == {"p/a.csv": b"1"}


def test_an_unfinished_file_is_never_in_an_additive_folder(
    store: LocalStore, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    copy_into = LocalStore.copy_into

    def look(self: LocalStore, *arguments: object, **named: object) -> None:
        seen.extend(path.name for path in (data / "p").iterdir())
        copy_into(self, *arguments, **named)

    monkeypatch.setattr(LocalStore, "copy_into", look)
    record = committed(store, a=b"1", b=b"2")
    publish(store, record, {"x": Place(str(data / "p"), folder=True, additive=True)})
    assert seen == ["a"]


def test_corrupt_bytes_are_not_published(store: LocalStore, data: Path) -> None:
    data.mkdir()
    (data / "x.csv").write_bytes(b"old")
    record = committed(store, x=BIG)
    digest = record.outputs["x"].files[0].sha256
    (store.root / layout.object_key(digest)).write_bytes(BIG[:-1] + b"!")
    with pytest.raises(CorruptObject, match=digest):
        publish(store, record, {"x": Place(str(data / "x.csv"))})
    assert tree(data) == {"x.csv": b"old"}
    assert not records.is_published(store, record.run, record.task)


def test_a_place_that_cannot_be_written_is_one_line(
    store: LocalStore, data: Path
) -> None:
    data.mkdir()
    (data / "file").write_bytes(b"")
    record = committed(store, x=b"1")
    with pytest.raises(StoreError) as caught:
        publish(store, record, {"x": Place(str(data / "file" / "x.csv"))})
    assert str(caught.value).startswith("dataset 'x', '")
    assert "\n" not in str(caught.value)
    assert not records.is_published(store, record.run, record.task)


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(
    store: LocalStore, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "p").mkdir(parents=True)
    (data / "p" / "old").write_bytes(b"old")
    replace = type(data).replace

    def fail(self: Path, target: Path) -> Path:
        if target == data / "p" and (self / "a").exists():
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(type(data), "replace", fail)
    record = committed(store, a=b"1")
    with pytest.raises(StoreError, match="the disk is full"):
        publish(store, record, {"x": Place(str(data / "p"), folder=True)})
    assert tree(data) == {"p/old": b"old"}


def test_what_a_killed_publisher_left_is_swept(store: LocalStore, data: Path) -> None:
    data.mkdir()
    (data / f"{staging.PREFIX}dead").write_bytes(b"half")
    with staging.new_file(data) as alive:
        publish(store, committed(store, x=b"1"), {"x": Place(str(data / "x"))})
        assert alive.path.exists()
    assert tree(data) == {"x": b"1"}


def test_two_who_swap_one_folder_at_once_leave_one_of_theirs(
    store: LocalStore, data: Path
) -> None:
    contents = [{"a": b"1", "b": b"1"}, {"a": b"2", "c": b"2"}]
    for number in range(20):
        made = [
            committed(store, f"r{number}-{k}", **files)
            for k, files in enumerate(contents)
        ]
        start = threading.Barrier(2)
        failed: list[BaseException] = []

        def go(record: Record, start=start, failed=failed) -> None:
            start.wait()
            try:
                publish(store, record, {"x": Place(str(data / "p"), folder=True)})
            except BaseException as error:  # noqa: BLE001 - shown below
                failed.append(error)

        threads = [threading.Thread(target=go, args=(record,)) for record in made]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert tree(data / "p") in contents
        assert [path.name for path in data.iterdir()] == ["p"]


class Unatomic(fsspec.get_filesystem_class("memory")):
    """A server that shows a file while it is written, as SFTP's do."""

    protocol = "unatomic"
    store: ClassVar[dict[str, object]] = {}
    pseudo_dirs: ClassVar = [""]
    put_to: ClassVar[list[str]] = []

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        return super()._strip_protocol(path.removeprefix("unatomic:/"))

    def put_file(self, lpath: str, rpath: str, **named: object) -> None:
        self.put_to.append(rpath.rpartition("/")[2])
        super().put_file(lpath, rpath, **named)


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    filesystem = fsspec.filesystem("memory")
    filesystem.store.clear()
    yield filesystem
    filesystem.store.clear()


def test_a_place_on_a_server_gets_the_same(
    store: LocalStore, memory: fsspec.AbstractFileSystem
) -> None:
    memory.pipe("/bucket/p/old", b"old")
    memory.pipe("/bucket/q/old", b"old")
    record = committed(store, "r1", a=b"1", b=BIG)
    publish(store, record, {"x": Place("memory://bucket/p", folder=True)})
    record = committed(store, "r2", a=b"1")
    publish(store, record, {"x": Place("memory://bucket/q", True, additive=True)})
    record = committed(store, "r3", x_csv=b"1")
    publish(store, record, {"x": Place("memory://bucket/deep/x.csv")})
    assert {path: memory.cat_file(path) for path in memory.find("/")} == {
        "/bucket/p/a": b"1",
        "/bucket/p/b": BIG,
        "/bucket/q/a": b"1",
        "/bucket/q/old": b"old",
        "/bucket/deep/x.csv": b"1",
    }


def test_a_server_that_shows_parts_gets_a_file_under_another_name_first(
    store: LocalStore,
) -> None:
    fsspec.register_implementation("unatomic", Unatomic, clobber=True)
    record = committed(store, x_csv=b"1")
    publish(store, record, {"x": Place("unatomic://folder/x.csv")})
    filesystem = fsspec.filesystem("unatomic")
    assert filesystem.cat_file("/folder/x.csv") == b"1"
    assert [name[: len(staging.PREFIX)] for name in Unatomic.put_to] == [staging.PREFIX]
    assert filesystem.find("/") == ["/folder/x.csv"]


def test_a_server_that_cannot_be_reached_is_named_without_its_password(
    store: LocalStore,
) -> None:
    record = committed(store, x_csv=b"1")
    place = Place("ftp://me:geheim@127.0.0.1:1/x.csv", options={"password": "geheim"})
    with pytest.raises(StoreError) as caught:
        publish(store, record, {"x": place})
    assert str(caught.value) == (
        "dataset 'x', 'ftp://127.0.0.1:1/x.csv': expected that it can be written, got "
        "ConnectionRefusedError from its file system. Check the address, the credentials "
        "and the network, then run again."
    )
    assert caught.value.transient
    assert "geheim" not in repr(place).replace(place.uri, "")


def test_publishing_is_marked_last(
    store: LocalStore, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    record = committed(store, x=b"1")
    with monkeypatch.context() as patch:
        patch.setattr(publishing, "_publish_file", fail)
        with pytest.raises(StoreError, match="the disk is full"):
            publish(store, record, {"x": Place(str(data / "x"))})
    assert not records.is_published(store, record.run, record.task)
    assert publish(LocalStore(store.root), record, {"x": Place(str(data / "x"))})
    assert tree(data) == {"x": b"1"}
