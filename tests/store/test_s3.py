"""The store on S3: the contract on a real server, and what a network does to it."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import threading
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from store import making
from store.contract import BIG, StoreContract

from kedro_rats.store import layout, records
from kedro_rats.store.errors import CorruptObject, MissingObject, StoreError
from kedro_rats.store.local import LocalStore
from kedro_rats.store.opening import open_store
from kedro_rats.store.publishing import Place, publish

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from store.proxy import Proxy

    from kedro_rats.store.base import Store

pytestmark = pytest.mark.cluster

LARGE = os.urandom(1 << 20) * 40
"""40 MiB: sent in parts."""


def bucket() -> str:
    return os.environ["RATS_TEST_BUCKET"]


@functools.cache
def filesystem() -> Any:
    import s3fs

    return s3fs.S3FileSystem(skip_instance_cache=True, use_listings_cache=False)


@pytest.fixture
def prefix() -> Iterator[str]:
    """A prefix of this test's own; empty again when it ends."""
    name = f"test-store-{uuid.uuid4().hex}"
    yield name
    server = filesystem()
    with contextlib.suppress(FileNotFoundError):
        server.rm(f"{bucket()}/{name}", recursive=True)
    assert uploads(name) == []


def uploads(prefix: str) -> list[str]:
    found = filesystem().list_multipart_uploads(bucket())
    return [upload["Key"] for upload in found if upload["Key"].startswith(prefix)]


@pytest.fixture
def store(prefix: str) -> Store:
    return open_store(f"s3://{bucket()}/{prefix}")


@contextlib.contextmanager
def behind(
    prefix: str, faults: Callable[[str, str], str | None], **settings: Any
) -> Iterator[tuple[Store, Proxy]]:
    """Return a store behind a proxy that makes these faults."""
    from store.proxy import Proxy

    with Proxy(faults) as proxy:
        # The environment has the credentials; only the address differs.
        credentials = {"endpoint_url": proxy.uri, "config_kwargs": settings}
        yield open_store(f"s3://{bucket()}/{prefix}", credentials=credentials), proxy


def times(
    count: int, fault: str, *, method: str = "", path: str = ""
) -> Callable[[str, str], str | None]:
    """Return a fault for the first so many requests of a kind."""
    lock, left = threading.Lock(), [count]

    def decide(found: str, where: str) -> str | None:
        with lock:
            if method not in ("", found) or path not in where or not left[0]:
                return None
            left[0] -= 1
            return fault

    return decide


class TestS3Store(StoreContract):
    @pytest.fixture
    def store(self, prefix: str) -> Store:
        return open_store(f"s3://{bucket()}/{prefix}")

    @pytest.fixture
    def overwrite(self, prefix: str) -> Callable[[str, bytes], None]:
        server = filesystem()
        return lambda key, data: server.pipe_file(f"{bucket()}/{prefix}/{key}", data)


def test_a_large_file_goes_in_parts_and_comes_back(
    store: Store, prefix: str, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(LARGE)
    digest, size = store.put_file(tmp_path / "x")
    key = f"{bucket()}/{prefix}/{layout.object_key(digest)}"
    # So many parts is what the server says.
    assert filesystem().info(key)["ETag"].strip('"').endswith("-3")
    store.fetch(digest, tmp_path / "y", size=size)
    assert (tmp_path / "y").read_bytes() == LARGE


def test_a_large_file_that_changes_is_not_stored(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kedro_rats.store import s3

    path = tmp_path / "x"
    path.write_bytes(LARGE)
    hashed = s3.hashed

    def slow(source: int) -> tuple[str, int]:
        found = hashed(source)
        with path.open("r+b") as file:
            file.write(b"other")
        return found

    monkeypatch.setattr(s3, "hashed", slow)
    with pytest.raises(StoreError, match="changed while it was read"):
        store.put_file(path)
    assert store.keys("objects") == []


def test_of_two_processes_that_race_for_a_record_one_wins(
    store: Store, prefix: str
) -> None:
    script = """
import os, sys
from kedro_rats.store.opening import open_store
store = open_store(sys.argv[1])
store.read("runs/r1/run.json")
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    if store.create(f"runs/r1/records/t-{number}.json", sys.argv[2].encode()):
        print(number)
"""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", script, f"s3://{bucket()}/{prefix}", name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("one", "two")
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    won = [set(child.communicate()[0].split()) for child in children]
    assert won[0] | won[1] == {str(number) for number in range(20)}
    assert not won[0] & won[1]
    for number in range(20):
        name = b"one" if str(number) in won[0] else b"two"
        assert store.read(layout.record_key("r1", f"t-{number}")) == name


def commit_and_publish(store: Store, tmp_path: Path) -> None:
    """Do all that a task does to a store, and check it."""
    (tmp_path / "in").write_bytes(LARGE)
    made = {"x": making.kept(store, x_csv=BIG)}
    digest, size = store.put_file(tmp_path / "in")
    record = making.record(made)
    assert records.commit(store, record) == record
    publish(store, record, {"x": Place(str(tmp_path / "x.csv"))})
    assert (tmp_path / "x.csv").read_bytes() == BIG
    store.fetch(digest, tmp_path / "out", size=size)
    assert (tmp_path / "out").read_bytes() == LARGE


@pytest.mark.parametrize("method", ["PUT", "GET", "HEAD", "POST"])
@pytest.mark.parametrize("fault", ["503", "500", "reset", "lost"])
def test_faults_that_pass_are_waited_out(
    prefix: str, tmp_path: Path, method: str, fault: str
) -> None:
    faults = times(2, fault, method=method)
    with behind(prefix, faults) as (store, proxy):
        commit_and_publish(store, tmp_path)
        assert proxy.count(fault) == 2
    if (method, fault) == ("POST", "lost"):
        # Nobody knows the name of an upload whose beginning was not answered: the
        # bucket's own rules must end it.
        for upload in filesystem().list_multipart_uploads(bucket()):
            if upload["Key"].startswith(prefix):
                filesystem().call_s3(
                    "abort_multipart_upload",
                    Bucket=bucket(),
                    Key=upload["Key"],
                    UploadId=upload["UploadId"],
                )


def test_five_times_slow_down_is_waited_out(prefix: str) -> None:
    with behind(prefix, times(5, "503", path="records")) as (store, proxy):
        assert records.commit(store, making.record()) == making.record()
        assert proxy.count("503") == 5


def test_a_fault_that_stays_is_told_in_time(prefix: str) -> None:
    with behind(prefix, lambda method, path: "503") as (store, proxy):
        with pytest.raises(StoreError, match=r"503 \(HTTP 503\)") as caught:
            store.put(b"some bytes")
        assert caught.value.transient
        assert proxy.count("503") == 7


def test_the_winner_whose_answer_is_lost_still_wins(prefix: str) -> None:
    with behind(prefix, times(1, "lost", path="/r1/")) as (store, proxy):
        assert store.create(layout.request_key("r1"), b"mine")
        assert not store.create(layout.request_key("r1"), b"mine")
        assert proxy.count("lost") == 1


def test_a_loser_whose_answer_is_lost_still_loses(prefix: str) -> None:
    other = open_store(f"s3://{bucket()}/{prefix}")
    assert other.create(layout.request_key("r1"), b"theirs")
    with behind(prefix, times(1, "lost", method="PUT")) as (store, proxy):
        assert not store.create(layout.request_key("r1"), b"mine")
        assert proxy.count("lost") == 1
    assert other.read(layout.request_key("r1")) == b"theirs"


def test_a_download_that_is_cut_goes_on_where_it_was(
    store: Store, prefix: str, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(LARGE)
    digest, size = store.put_file(tmp_path / "x")
    with behind(prefix, times(3, "cut", path="objects")) as (cut, proxy):
        cut.fetch(digest, tmp_path / "y", size=size)
        assert proxy.count("cut") == 3
    assert (tmp_path / "y").read_bytes() == LARGE


def test_a_stalled_answer_is_asked_for_again(store: Store, prefix: str) -> None:
    digest = store.put(b"some bytes")
    stall = times(1, "stall", path="objects")
    with behind(prefix, stall, read_timeout=1) as (slow, proxy):
        assert slow.get(digest) == b"some bytes"
        assert proxy.count("stall") == 1


def test_a_byte_that_changes_on_the_way_is_found_and_removes_nothing(
    store: Store, prefix: str, tmp_path: Path
) -> None:
    digest = store.put(b"some bytes")
    with behind(prefix, times(1, "flip", path="objects")) as (bad, _):
        with pytest.raises(CorruptObject, match="changed on the way") as caught:
            bad.fetch(digest, tmp_path / "x")
        assert caught.value.transient
        assert not (tmp_path / "x").exists()
        assert bad.get(digest) == b"some bytes"


def test_an_upload_that_fails_is_given_up_and_seen_by_nobody(
    prefix: str, tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(LARGE)
    never = times(1000, "403", method="PUT", path="partNumber=2")
    with behind(prefix, never) as (store, _):
        with pytest.raises(StoreError, match="HTTP 403") as caught:
            store.put_file(tmp_path / "x")
        assert not caught.value.transient
        assert store.keys("objects") == []
    assert uploads(prefix) == []


def test_a_server_without_if_none_match_is_found_by_the_probe(prefix: str) -> None:
    with behind(prefix, lambda method, path: "blind") as (store, _):
        # So the server does the wrong thing, and not nothing.
        assert store.create(layout.request_key("r1"), b"1")
        assert store.create(layout.request_key("r1"), b"2")
        assert store.read(layout.request_key("r1")) == b"2"
        with pytest.raises(StoreError, match="If-None-Match") as caught:
            store.probe()
        assert not caught.value.transient
        assert store.keys("probe") == []


@pytest.mark.parametrize(
    ("credentials", "message"),
    [
        ({"key": "nobody", "secret": "geheim"}, "expected access with the credentials"),
        ({"secret": "geheim", "key": "KEY"}, "expected access with the credentials"),
    ],
)
def test_wrong_credentials_are_told_at_once_and_not_shown(
    prefix: str, credentials: dict[str, str], message: str
) -> None:
    known = {"KEY": os.environ["AWS_ACCESS_KEY_ID"]}
    credentials = {k: known.get(v, v) for k, v in credentials.items()}
    store = open_store(f"s3://{bucket()}/{prefix}", credentials=credentials)
    with pytest.raises(StoreError, match=message) as caught:
        store.probe()
    assert not caught.value.transient
    assert "\n" not in str(caught.value)
    assert "geheim" not in str(caught.value) + repr(store)


def test_no_credentials_are_told(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    store = open_store(f"s3://{bucket()}/{prefix}")
    with pytest.raises(StoreError, match="Set AWS_ACCESS_KEY_ID") as caught:
        store.put(b"some bytes")
    assert not caught.value.transient


def test_a_bucket_that_is_not_there_is_told_at_once() -> None:
    store = open_store("s3://no-such-bucket-of-ours/x")
    for call in (store.probe, lambda: store.get("ab" * 32), lambda: store.keys("runs")):
        with pytest.raises(StoreError, match="expected a bucket that exists") as caught:
            call()
        assert not isinstance(caught.value, MissingObject)
        assert not caught.value.transient


def test_a_server_that_is_not_there_is_told_in_time(prefix: str) -> None:
    nobody = {"endpoint_url": "http://127.0.0.1:1"}
    store = open_store(f"s3://{bucket()}/{prefix}", credentials=nobody)
    with pytest.raises(StoreError, match="Check the network") as caught:
        store.put(b"some bytes")
    assert caught.value.transient


def test_places_on_the_same_server_get_copies_that_do_not_come_through_here(
    store: Store, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"x": making.kept(store, x_csv=BIG), "p": making.kept(store, a=b"1", b=b"2")}
    record = records.commit(store, making.record(made))
    base, server = f"{bucket()}/{prefix}/places", filesystem()
    server.pipe_file(f"{base}/p/old", b"old")
    monkeypatch.setattr(type(store), "copy_into", None)
    places = {
        "x": Place(f"s3://{base}/x.csv"),
        "p": Place(f"s3://{base}/p", folder=True),
    }
    assert publish(store, record, places)
    assert {path: server.cat_file(path) for path in server.find(base)} == {
        f"{base}/x.csv": BIG,
        f"{base}/p/a": b"1",
        f"{base}/p/b": b"2",
    }


def test_places_on_another_server_get_what_was_verified_here(
    store: Store, prefix: str, tmp_path: Path
) -> None:
    from store.proxy import Proxy

    made = {"x": making.kept(store, x_csv=BIG)}
    local = LocalStore(tmp_path / "rats")
    with Proxy(lambda method, path: None) as proxy:
        for number, origin in enumerate((store, local)):
            record = making.record({"x": making.kept(origin, x_csv=BIG)})
            records.commit(origin, record)
            uri = f"s3://{bucket()}/{prefix}/places/{number}.csv"
            publish(
                origin, record, {"x": Place(uri, options={"endpoint_url": proxy.uri})}
            )
            assert filesystem().cat_file(uri) == BIG
    assert made


def test_a_place_that_may_not_be_written_is_one_line(store: Store) -> None:
    record = records.commit(store, making.record({"x": making.kept(store, x=b"1")}))
    options = {"key": os.environ["AWS_ACCESS_KEY_ID"], "secret": "geheim"}
    place = Place(f"s3://{bucket()}/x.csv", options=options)
    with pytest.raises(StoreError, match="got PermissionError") as caught:
        publish(store, record, {"x": place})
    assert not caught.value.transient
    assert "geheim" not in str(caught.value)


def test_a_full_disk_here_is_not_the_servers_fault(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kedro_rats.store.staging import NewFile

    def full(self: NewFile, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    digest = store.put(b"some bytes")
    monkeypatch.setattr(NewFile, "write", full)
    with pytest.raises(StoreError, match=r"file '.*x': expected free space"):
        store.fetch(digest, tmp_path / "x")


def test_a_forked_process_connects_again(store: Store) -> None:
    digest = store.put(b"some bytes")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, store.get(digest))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"some bytes"
    os.waitpid(child, 0)
