"""What every store must do: a class whose tests run for each kind of store."""

from __future__ import annotations

import hashlib
import pickle
import threading
from typing import TYPE_CHECKING

import pytest
from store import making

from kedro_rats.encoding import canonical
from kedro_rats.errors import DefinitionError
from kedro_rats.store import layout, records
from kedro_rats.store.artifacts import Artifact, fetch_folder, put_folder
from kedro_rats.store.errors import (
    CorruptObject,
    DocumentError,
    MissingObject,
    StoreError,
)
from kedro_rats.store.publishing import Place, publish

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kedro_rats.store.base import Store

BIG = bytes(range(256)) * (5 << 12) + b"not a round number"
"""5 MiB: more than is read or written at once."""


def flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


class StoreContract:
    """Subclasses give ``store`` (new and empty), ``damage`` and ``overwrite``."""

    @pytest.fixture
    def store(self) -> Store:
        raise NotImplementedError

    @pytest.fixture
    def overwrite(self, store: Store) -> Callable[[str, bytes], None]:
        """Write bytes at a key behind the store's back."""
        raise NotImplementedError

    @pytest.mark.parametrize("data", [b"", b"some bytes", BIG], ids=len)
    def test_bytes_come_back_by_their_digest(self, store: Store, data: bytes) -> None:
        digest = store.put(data)
        assert digest == hashlib.sha256(data).hexdigest()
        assert store.get(digest, size=len(data)) == data
        assert store.has(digest)
        assert store.has(digest, size=len(data))
        assert not store.has(digest, size=len(data) + 1)

    @pytest.mark.parametrize("move", [False, True])
    @pytest.mark.parametrize("data", [b"", b"some bytes", BIG], ids=len)
    def test_a_file_comes_back_by_its_digest(
        self, store: Store, tmp_path: Path, data: bytes, move: bool
    ) -> None:
        with store.staged() as folder:
            source = folder / "x.bin"
            source.write_bytes(data)
            found = store.put_file(source, move=move)
            again = tmp_path / "again"
            again.write_bytes(data)
            assert store.put_file(again, move=move) == found
        assert not folder.exists()
        assert found == (hashlib.sha256(data).hexdigest(), len(data))
        store.fetch(found[0], tmp_path / "back", size=found[1])
        assert (tmp_path / "back").read_bytes() == data

    def test_a_file_that_is_not_moved_stays_as_it_is(
        self, store: Store, tmp_path: Path
    ) -> None:
        source = tmp_path / "x.bin"
        source.write_bytes(b"some bytes")
        source.chmod(0o640)
        digest, _ = store.put_file(source)
        source.write_bytes(b"other bytes")
        assert source.stat().st_mode & 0o777 == 0o640
        assert store.get(digest) == b"some bytes"

    def test_a_link_is_no_file(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "secret").write_bytes(b"secret")
        (tmp_path / "link").symlink_to(tmp_path / "secret")
        with pytest.raises(StoreError, match="symbolic link"):
            store.put_file(tmp_path / "link")

    def test_a_file_that_is_not_there_is_named(
        self, store: Store, tmp_path: Path
    ) -> None:
        with pytest.raises(StoreError, match=r"nothing\.csv"):
            store.put_file(tmp_path / "nothing.csv")

    def test_missing_bytes_are_named(self, store: Store, tmp_path: Path) -> None:
        digest = "ab" * 32
        assert not store.has(digest)
        with pytest.raises(MissingObject, match=digest):
            store.get(digest)
        with pytest.raises(MissingObject, match=digest):
            store.fetch(digest, tmp_path / "x")
        assert list(tmp_path.glob("x*")) == []

    @pytest.mark.parametrize("data", [b"some bytes", BIG], ids=len)
    @pytest.mark.parametrize("damage", [flipped, lambda data: data[:-1]])
    def test_damage_is_found_before_use_and_mended_by_the_next_put(
        self,
        store: Store,
        overwrite: Callable[[str, bytes], None],
        tmp_path: Path,
        data: bytes,
        damage: Callable[[bytes], bytes],
    ) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        digest = store.put(data)
        overwrite(layout.object_key(digest), damage(data))

        with pytest.raises(CorruptObject, match=digest):
            store.fetch(digest, folder / "x", size=len(data))
        assert list(folder.iterdir()) == []
        assert not store.has(digest)
        assert store.put(data) == digest
        assert store.get(digest) == data

        overwrite(layout.object_key(digest), damage(data))
        with pytest.raises(CorruptObject, match=digest):
            store.get(digest)
        (tmp_path / "again").write_bytes(data)
        store.put_file(tmp_path / "again")
        assert store.get(digest) == data

    def test_a_stump_is_mended_by_a_put_that_nobody_read_before(
        self, store: Store, overwrite: Callable[[str, bytes], None], tmp_path: Path
    ) -> None:
        for data in (b"some bytes", BIG):
            digest = store.put(data)
            overwrite(layout.object_key(digest), data[:5])
            store.put(data)
            assert store.get(digest) == data
            overwrite(layout.object_key(digest), b"")
            (tmp_path / "x").write_bytes(data)
            store.put_file(tmp_path / "x", move=True)
            assert store.get(digest) == data

    def test_a_wrong_size_is_the_fault_of_who_asks(self, store: Store) -> None:
        digest = store.put(b"some bytes")
        with pytest.raises(CorruptObject, match="expected 3 bytes, got 10 bytes"):
            store.get(digest, size=3)
        assert store.get(digest) == b"some bytes"

    def test_the_first_to_create_a_document_wins(self, store: Store) -> None:
        key = layout.request_key("r1")
        assert store.read(key) is None
        assert store.create(key, b"first")
        assert not store.create(key, b"second")
        assert not store.create(key, b"first")
        assert store.read(key) == b"first"

    def test_of_twenty_who_create_at_once_one_wins(self, store: Store) -> None:
        for number in range(3):
            key = layout.record_key("r1", f"t-{number}")
            start, won = threading.Barrier(20), []

            def create(name: bytes, start=start, key=key, won=won) -> None:
                start.wait()
                if store.create(key, name):
                    won.append(name)

            threads = [
                threading.Thread(target=create, args=(b"%d" % i * 1000,))
                for i in range(20)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert [store.read(key)] == won

    def test_keys_are_those_of_the_folder(self, store: Store) -> None:
        assert store.keys("runs") == []
        for run in ("r1", "r10"):
            for task in ("b", "a"):
                store.create(layout.record_key(run, task), b"1")
        store.put(b"some bytes")
        assert store.keys(layout.records_folder("r1")) == [
            "runs/r1/records/a.json",
            "runs/r1/records/b.json",
        ]
        assert len(store.keys("runs")) == 4

    def test_only_the_record_of_a_run_is_replaced(self, store: Store) -> None:
        key = layout.run_key("r1")
        store.replace(key, b"1")
        store.replace(key, b"2")
        assert store.read(key) == b"2"
        for other in (
            layout.record_key("r1", "run"),
            layout.request_key("r1"),
            layout.MARKER,
            "runs/run.json",
            "run.json",
        ):
            with pytest.raises(DefinitionError, match=r"runs/RUN/run\.json"):
                store.replace(other, b"2")

    def test_a_probe_says_nothing_of_a_good_store_and_leaves_nothing(
        self, store: Store
    ) -> None:
        store.probe()
        assert store.keys("runs") == []
        assert store.keys("probe") == []

    @pytest.mark.parametrize(
        "key",
        [
            *("", "/", "..", ".", "../x", "runs/../../x", "/etc/passwd", "runs//x"),
            *("runs/", "a\\..\\b", "C:x", "runs/x\n", "runs/\0", ".gitignore", "ü"),
            *("staging/x", "runs/{{x}}", "runs/$(id)", "runs/" + "x" * 300, "~/x"),
        ],
    )
    def test_no_key_leads_out_of_the_store(self, store: Store, key: str) -> None:
        for call in (store.read, store.keys):
            with pytest.raises(DefinitionError, match="key of the store"):
                call(key)
        with pytest.raises(DefinitionError, match="key of the store"):
            store.create(key, b"1")

    @pytest.mark.parametrize(
        "digest", ["", "..", "a" * 63, "A" * 64, "../" * 21 + "x", "a" * 64 + "\n"]
    )
    def test_no_digest_leads_out_of_the_store(
        self, store: Store, digest: str, tmp_path: Path
    ) -> None:
        for call in (store.get, store.has):
            with pytest.raises(DefinitionError, match="name of a digest"):
                call(digest)
        with pytest.raises(DefinitionError, match="name of a digest"):
            store.fetch(digest, tmp_path / "x")

    def test_objects_are_not_documents(self, store: Store) -> None:
        with pytest.raises(DefinitionError, match="named by their digest"):
            store.create(layout.object_key("ab" * 32), b"hostile")

    def test_another_process_sees_the_same(self, store: Store) -> None:
        digest = store.put(b"some bytes")
        store.create(layout.run_key("r1"), b"1")
        other = pickle.loads(pickle.dumps(store))
        assert other.get(digest) == b"some bytes"
        assert other.read(layout.run_key("r1")) == b"1"

    @pytest.mark.parametrize("marker", [b'{"format":"rats/1"}\n', b"", b"[", b"[]"])
    def test_a_store_of_another_format_is_left_alone(
        self, store: Store, overwrite: Callable[[str, bytes], None], marker: bytes
    ) -> None:
        store.create(layout.run_key("r1"), b"1")
        overwrite(layout.MARKER, marker)
        other = pickle.loads(pickle.dumps(store))
        other._known = other._prepared = False
        for call in (
            lambda: other.read(layout.run_key("r1")),
            lambda: other.put(b"some bytes"),
            lambda: other.has("ab" * 32),
        ):
            with pytest.raises(DocumentError, match="expected format 'rats/0'"):
                call()

    def test_a_folder_comes_back_as_it_was(self, store: Store, tmp_path: Path) -> None:
        files = {"x.csv": b"1", "a/b/ü c.txt": b"2", "a/é": BIG, "z": b"", "a.b": b"1"}
        source = tmp_path / "source"
        for name, data in files.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
        artifact = put_folder(store, source, "dataset", {"rows": 3})
        assert [file.path for file in artifact.files] == sorted(files)
        assert Artifact.from_json(artifact.to_json()) == artifact

        target = tmp_path / "new" / "target"
        fetch_folder(store, artifact, target)
        found = {
            path.relative_to(target).as_posix(): path.read_bytes()
            for path in target.rglob("*")
            if path.is_file()
        }
        assert found == files

    def test_the_first_record_is_the_record(self, store: Store) -> None:
        first = making.record({"x": making.kept(store, x_csv=b"1")}, attempt="a1")
        second = making.record({"x": making.kept(store, x_csv=b"2")}, attempt="a2")
        assert records.record_of(store, "r1", first.task) is None
        assert records.commit(store, first) == first
        assert records.commit(store, second) == first
        assert records.commit(store, first) == first
        assert records.record_of(store, "r1", first.task) == first

    def test_nothing_is_committed_that_is_not_in_the_store(self, store: Store) -> None:
        missing = Artifact("dataset", (making.file_of(b"never put"),))
        record = making.record({"x": missing})
        with pytest.raises(MissingObject, match=missing.files[0].sha256):
            records.commit(store, record)
        assert records.record_of(store, record.run, record.task) is None

    def test_nothing_is_committed_that_is_cut_short(
        self, store: Store, overwrite: Callable[[str, bytes], None]
    ) -> None:
        record = making.record({"x": making.kept(store, x_csv=b"some bytes")})
        digest = record.outputs["x"].files[0].sha256
        overwrite(layout.object_key(digest), b"some")
        with pytest.raises(MissingObject, match=digest):
            records.commit(store, record)
        assert records.record_of(store, record.run, record.task) is None

    @pytest.mark.parametrize(
        "data",
        [b"", b"{", b"[]", b'{"format":"rats/1"}', b"null", b"\xff", b"[" * 9999],
    )
    def test_a_record_that_cannot_be_read_is_named(
        self, store: Store, overwrite: Callable[[str, bytes], None], data: bytes
    ) -> None:
        record = making.record()
        store.create(layout.run_key("r1"), b"1")
        overwrite(layout.record_key(record.run, record.task), data)
        with pytest.raises(DocumentError, match=f"record of task '{record.task}'"):
            records.record_of(store, record.run, record.task)
        with pytest.raises(DocumentError, match=f"record of task '{record.task}'"):
            records.commit(store, record)

    def test_a_record_of_another_task_is_refused(
        self, store: Store, overwrite: Callable[[str, bytes], None]
    ) -> None:
        store.create(layout.run_key("r1"), b"1")
        other = making.record(task="other")
        key = layout.record_key("r1", "this")
        overwrite(key, canonical.to_bytes(other.to_json()))
        with pytest.raises(DocumentError, match="got that of task 'other'"):
            records.record_of(store, "r1", "this")

    def test_attempts_say_how_they_began_and_ended(self, store: Store) -> None:
        assert records.begin_attempt(store, "r1", "t", "a1", {"host": "here"})
        assert not records.begin_attempt(store, "r1", "t", "a1", {"host": "there"})
        assert records.begin_attempt(store, "r1", "t", "a2", {})
        assert records.end_attempt(store, "r1", "t", "a2", {"exit": 137})
        first, second = records.attempts_of(store, "r1", "t")
        assert (first.name, first.begun["host"], first.ended) == ("a1", "here", None)
        assert second.ended is not None
        assert (second.name, second.ended["exit"]) == ("a2", 137)
        assert records.attempts_of(store, "r1", "u") == []

    def test_publishing_brings_what_the_record_names_and_is_marked(
        self, store: Store, tmp_path: Path
    ) -> None:
        made = {
            "x": making.kept(store, x_csv=b"1"),
            "p": making.kept(store, a=b"a", b=BIG),
        }
        record = records.commit(store, making.record(made))
        places = {
            "x": Place(str(tmp_path / "data/x.csv")),
            "p": Place(str(tmp_path / "data/p"), folder=True),
        }
        assert not records.is_published(store, record.run, record.task)
        assert publish(store, record, places)
        assert records.is_published(store, record.run, record.task)
        assert (tmp_path / "data/x.csv").read_bytes() == b"1"
        assert (tmp_path / "data/p/b").read_bytes() == BIG
        assert not publish(store, record, places)
