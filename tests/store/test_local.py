"""The store in a folder: the contract, and what only a file system can do wrong."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from store import making
from store.contract import BIG, StoreContract

from kedro_rats.store import layout, local, records, staging
from kedro_rats.store.artifacts import put_folder
from kedro_rats.store.errors import CorruptObject, StoreError
from kedro_rats.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def all_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


class TestLocalStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> LocalStore:
        return LocalStore(tmp_path / "rats")

    @pytest.fixture
    def overwrite(self, store: LocalStore) -> Callable[[str, bytes], None]:
        def write(key: str, data: bytes) -> None:
            (store.root / key).parent.mkdir(parents=True, exist_ok=True)
            (store.root / key).write_bytes(data)

        return write


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "rats")


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_only_the_user_can_read_a_store_whatever_the_umask(
    store: LocalStore, tmp_path: Path, umask: Callable[[int], int], mask: int
) -> None:
    (tmp_path / "x").write_bytes(b"moved")
    (tmp_path / "x").chmod(0o666)
    umask(mask)
    store.put(b"some bytes")
    store.put_file(tmp_path / "x", move=True)
    store.replace(layout.run_key("r1"), b"1")
    records.commit(store, making.record())
    with store.staged() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    umask(0o022)
    for path in [store.root, *store.root.rglob("*")]:
        expected = 0o700 if path.is_dir() else 0o600
        assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_a_store_is_out_of_git_and_has_nothing_but_what_was_put(
    store: LocalStore,
) -> None:
    digest = store.put(b"some bytes")
    with store.staged() as folder:
        (folder / "x").write_bytes(b"x")
    assert (store.root / ".gitignore").read_text() == "*\n"
    assert (store.root / layout.MARKER).read_bytes() == b'{"format":"rats/0"}\n'
    assert all_of(store.root) == [
        ".gitignore",
        "objects",
        f"objects/{digest[:2]}",
        layout.object_key(digest),
        layout.MARKER,
        "staging",
    ]


def test_reading_makes_no_store(store: LocalStore) -> None:
    assert store.read(layout.run_key("r1")) is None
    assert store.keys("runs") == []
    assert not store.has("ab" * 32)
    assert not store.root.exists()


def test_a_folder_with_other_files_does_not_become_a_store(store: LocalStore) -> None:
    store.root.mkdir()
    (store.root / "thesis.tex").write_text("…")
    with pytest.raises(StoreError, match=r"with other files \('thesis.tex'\)"):
        store.put(b"some bytes")
    assert all_of(store.root) == ["thesis.tex"]


def test_a_start_that_was_cut_short_is_gone_on_with(store: LocalStore) -> None:
    (store.root / layout.STAGING).mkdir(parents=True)
    store.put(b"some bytes")
    assert (store.root / layout.MARKER).exists()


@pytest.mark.parametrize("link", ["objects", "runs", "runs/r1", "staging"])
def test_a_link_in_the_store_that_leads_out_of_it_is_refused(
    store: LocalStore, tmp_path: Path, link: str
) -> None:
    outside = tmp_path / "outside"
    (outside / "r1").mkdir(parents=True)
    LocalStore(store.root).put(b"first")
    path = store.root / link
    if path.exists():
        path.rename(tmp_path / "away")
    path.parent.mkdir(exist_ok=True)
    path.symlink_to(outside, target_is_directory=True)

    with pytest.raises(StoreError, match="symbolic link"):
        store.put(b"some bytes")
        store.create(layout.run_key("r1"), b"1")
    assert [path for path in outside.rglob("*") if path.is_file()] == []


def test_a_link_in_place_of_an_object_is_refused(
    store: LocalStore, tmp_path: Path
) -> None:
    digest = store.put(b"some bytes")
    (tmp_path / "secret").write_bytes(b"some bytes")
    path = store.root / layout.object_key(digest)
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    with pytest.raises(StoreError, match="symbolic link"):
        store.get(digest)
    assert not store.has(digest)
    store.put(b"some bytes")
    assert not path.is_symlink()
    assert store.get(digest) == b"some bytes"


def test_a_device_in_place_of_an_object_does_not_hang(store: LocalStore) -> None:
    digest = store.put(b"some bytes")
    path = store.root / layout.object_key(digest)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(StoreError, match="special file"):
        store.get(digest)


def test_a_file_of_the_same_disk_is_moved_and_not_copied(store: LocalStore) -> None:
    with store.staged() as folder:
        source = folder / "x"
        source.write_bytes(BIG)
        number = source.stat().st_ino
        digest, _ = store.put_file(source, move=True)
        assert not source.exists()
    assert (store.root / layout.object_key(digest)).stat().st_ino == number


def test_a_file_that_has_two_names_is_not_moved(store: LocalStore) -> None:
    with store.staged() as folder:
        source = folder / "x"
        source.write_bytes(b"some bytes")
        (folder / "y").hardlink_to(source)
        digest, _ = store.put_file(source, move=True)
        (folder / "y").write_bytes(b"other bytes")
    assert store.get(digest) == b"some bytes"


def test_a_file_that_changes_while_it_is_read_is_not_kept_as_it_was(
    store: LocalStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "x"
    source.write_bytes(BIG)
    hashed = local.hashed

    def slow(*arguments: object) -> tuple[str, int]:
        found = hashed(*arguments)
        with source.open("ab") as file:
            file.write(b"more")
        return found

    monkeypatch.setattr(local, "hashed", slow)
    with pytest.raises(StoreError, match="changed while it was read"):
        store.put_file(source)


def test_a_corrupt_object_is_kept_for_who_wants_to_look(store: LocalStore) -> None:
    digest = store.put(b"some bytes")
    (store.root / layout.object_key(digest)).write_bytes(b"other byte")
    with pytest.raises(CorruptObject):
        store.get(digest)
    aside = store.root / "staging" / f"corrupt-{digest}"
    assert aside.read_bytes() == b"other byte"


def test_an_object_that_was_repaired_meanwhile_is_not_set_aside(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = store.put(b"some bytes")
    path = store.root / layout.object_key(digest)
    path.write_bytes(b"stump")
    everything = local.everything

    def slow(source: int) -> bytes:
        data = everything(source)
        if data == b"stump":
            LocalStore(store.root).put(b"some bytes")
        return data

    monkeypatch.setattr(local, "everything", slow)
    with pytest.raises(CorruptObject):
        store.get(digest)
    assert store.get(digest) == b"some bytes"


def test_what_killed_processes_left_is_swept_and_what_lives_is_not(
    store: LocalStore,
) -> None:
    store.put(b"first")
    folder = store.root / layout.STAGING
    (folder / f"{staging.PREFIX}dead").write_bytes(b"half")
    (folder / f"{staging.PREFIX}dead-folder").mkdir()
    (folder / f"{staging.PREFIX}dead-folder" / "x").write_bytes(b"half")
    with store.staged() as alive, staging.new_file(folder) as file:
        LocalStore(store.root).put(b"second")
        assert alive.exists()
        assert file.path.exists()
        assert len(list(folder.iterdir())) == 2
    assert list(folder.iterdir()) == []


def test_a_new_file_that_is_swept_at_once_is_made_again(tmp_path: Path) -> None:
    stop = threading.Event()

    def sweeper() -> None:
        while not stop.is_set():
            staging.sweep(tmp_path)

    thread = threading.Thread(target=sweeper)
    thread.start()
    try:
        for number in range(100):
            with staging.new_file(tmp_path) as file:
                file.write(b"%d" % number)
                file.rename(tmp_path / "x", durable=False)
            assert (tmp_path / "x").read_bytes() == b"%d" % number
            with staging.new_folder(tmp_path) as folder:
                (folder / "y").write_bytes(b"y")
    finally:
        stop.set()
        thread.join()


def test_a_file_system_without_links_is_refused(
    store: LocalStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(self: Path, target: Path) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", no_links)
    with pytest.raises(StoreError, match="expected a file system with hard links"):
        store.probe()


def test_too_many_open_files_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    script = """
import os, resource, sys
from pathlib import Path
from kedro_rats.store.errors import StoreError
from kedro_rats.store.local import LocalStore
store = LocalStore(Path(sys.argv[1]))
store.put(b"first")
free = os.open("/", os.O_RDONLY)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
try:
    store.put(b"second")
except StoreError as error:
    print(error.transient, error)
"""
    found = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "rats")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith("True store "), found.stderr
    assert "too many open files in this process. Raise its limit" in found.stdout
    assert found.stdout.count("\n") == 1
    assert list((tmp_path / "rats" / "staging").iterdir()) == []


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/etc")])
def test_links_and_devices_in_a_folder_are_refused(
    store: LocalStore, tmp_path: Path, make: Callable[[Path], None]
) -> None:
    folder = tmp_path / "folder"
    (folder / "deep").mkdir(parents=True)
    (folder / "x").write_bytes(b"x")
    make(folder / "deep" / "y")
    with pytest.raises(StoreError, match="deep/y"):
        put_folder(store, folder, "dataset")


def test_the_local_store_imports_no_library() -> None:
    script = """
import sys
import kedro_rats.store.local, kedro_rats.store.publishing, kedro_rats.store.opening
heavy = {"kedro", "fsspec", "s3fs", "botocore", "pandas", "numpy", "asyncio", "tempfile"}
print(sorted(heavy & set(sys.modules)))
"""
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout == "[]\n"
