"""A process killed at any moment of a commit: the next one finishes, nobody is misled.

``strace`` kills the process as it enters the N-th system call of a kind. What a machine
does to the disk when the power fails is not tested here; syncing in the right order is.
"""

from __future__ import annotations

import collections
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from store import attempting, judging

from kedro_rats.store import layout, records, staging
from kedro_rats.store.errors import StoreError
from kedro_rats.store.local import LocalStore

pytestmark = pytest.mark.slow


SOAK = os.environ.get("RATS_SOAK") == "1"
SAMPLE = 28
CALLS = (
    *("openat", "write", "fsync", "link", "linkat", "rename", "renameat", "renameat2"),
    *("mkdir", "mkdirat", "unlink", "unlinkat", "rmdir", "close", "fchmod", "chmod"),
    *("fchmodat", "flock", "getdents64"),
)
STRACE = ["strace", "-f", "-qq"]
ENVIRONMENT = {
    **os.environ,
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}


def can_trace() -> bool:
    if not sys.platform.startswith("linux") or shutil.which("strace") is None:
        return False
    return (
        subprocess.run([*STRACE, "-o", "/dev/null", "true"], check=False).returncode
        == 0
    )


traced = pytest.mark.skipif(
    not can_trace(), reason="needs strace, and the right to use it"
)


class Scene:
    """A store, places, and children that make attempts on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root, self.data = folder / "rats", folder / "data"
        self.reset()

    def reset(self) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        judging.prepare(self.data)

    @property
    def store(self) -> LocalStore:
        return LocalStore(self.root)

    def command(self, attempt: str) -> list[str]:
        program = str(Path(attempting.__file__))
        place = [str(self.root), str(self.data)]
        return [sys.executable, program, *place, "r1", "t", attempt]

    def run(self, attempt: str, *strace: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*(STRACE if strace else []), *strace, *self.command(attempt)],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )

    def counted(self) -> list[tuple[str, int]]:
        """Return all calls between begin and end, each with its number of its kind."""
        log = self.folder / "strace.log"
        done = self.run("a1", "-o", str(log), "-e", f"trace={','.join(CALLS)},access")
        assert done.returncode == 0, done.stderr
        counts: collections.Counter[str] = collections.Counter()
        found, within = [], False
        for line in log.read_text().splitlines():
            if "/rats-begin" in line or "/rats-end" in line:
                within = "begin" in line
                continue
            match = re.match(r"(?:\d+\s+)?(\w+)\(", line)
            if match:
                counts[match[1]] += 1
                if within and match[1] != "access":
                    found.append((match[1], counts[match[1]]))
        self.reset()
        return found

    def inject(self, call: str, number: int, what: str) -> list[str]:
        rule = f"inject={call}:{what}:when={number}"
        return ["-o", "/dev/null", "-e", f"trace={call}", "-e", rule]


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def drawn() -> random.Random:
    """Return a source of numbers that are the same in every run."""
    return random.Random(0)  # noqa: S311 - to be repeated, not kept secret


def sampled(points: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return all points, or some with each kind of call among them."""
    if SOAK:
        return points
    chosen = {call: (call, number) for call, number in reversed(points)}
    rest = [point for point in points if point not in chosen.values()]
    more = drawn().sample(rest, SAMPLE - len(chosen))
    return [point for point in points if point in {*chosen.values(), *more}]


@traced
def test_after_a_kill_at_any_call_the_next_process_finishes(scene: Scene) -> None:
    points = scene.counted()
    assert len(points) > 100
    early = late = 0
    for call, number in sampled(points):
        scene.reset()
        killed = scene.run("a1", *scene.inject(call, number, "signal=KILL"))
        assert killed.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), killed
        judging.never_wrong(scene.store, scene.data, "r1", "t")
        committed = records.record_of(scene.store, "r1", "t") is not None

        assert scene.run("a2").returncode == 0
        winner = judging.finished(scene.store, scene.data, "r1", "t")
        # Whoever finds a record finishes that; whoever finds none makes one.
        assert winner.attempt == ("a1" if committed else "a2"), (call, number)
        early, late = early + (not committed), late + committed
    assert early
    assert late


@traced
def test_what_gets_a_name_is_synced_before_and_the_name_after(scene: Scene) -> None:
    log = scene.folder / "strace.log"
    calls = "write,fsync,link,linkat,rename,renameat,renameat2,openat"
    done = scene.run("a1", "-y", "-s", "300", "-o", str(log), "-e", f"trace={calls}")
    assert done.returncode == 0, done.stderr
    synced: set[str] = set()
    waiting: set[str] = set()
    named = 0
    for line in log.read_text().splitlines():
        call = line.split(None, 1)[-1]
        paths = re.findall(r"[<\"](/[^>\"]*)[>\"]", call)
        if call.startswith("write(") and paths:
            synced.discard(paths[0])
        elif call.startswith("fsync("):
            synced.add(paths[0])
            waiting.discard(paths[0])
        elif call.startswith(("link", "rename")) and staging.PREFIX in paths[0]:
            assert paths[0] in synced, line
            if "/records/" in paths[1]:
                # All that the record names lasts before it does.
                assert waiting == set(), line
            waiting.add(str(Path(paths[1]).parent))
            named += 1
    assert waiting == set()
    # Marker, .gitignore, three objects, record, as many published files, folder, mark.
    assert named == 11


def test_after_a_kill_at_any_time_the_next_process_finishes(scene: Scene) -> None:
    draw = drawn()
    for number in range(200 if SOAK else 12):
        scene.reset()
        child = subprocess.Popen(scene.command("a1"), env=ENVIRONMENT)
        while not scene.root.exists() and child.poll() is None:
            time.sleep(0.0005)
        time.sleep(draw.uniform(0, 0.03))
        child.kill()
        child.wait()
        judging.never_wrong(scene.store, scene.data, "r1", "t")
        attempting.attempt(scene.store, scene.data, "r1", "t", "a2")
        judging.finished(scene.store, scene.data, "r1", "t")
        assert number >= 0


ERRORS = [
    *(("write", "ENOSPC", "the disk is full"), ("fsync", "EIO", "input/output error")),
    *(("fsync", "ENOSPC", "the disk is full"), ("link", "ENOSPC", "the disk is full")),
    *(("rename", "EROFS", "a read-only file system"), ("write", "EIO", "input/output")),
    *(("openat", "EMFILE", "too many open files"), ("mkdir", "EACCES", "permission")),
]


@traced
@pytest.mark.parametrize(("call", "error", "words"), ERRORS)
def test_an_error_at_any_call_is_one_line_and_leaves_nothing(
    scene: Scene, call: str, error: str, words: str
) -> None:
    points = [point for point in scene.counted() if point[0] == call]
    if not SOAK:
        points = drawn().sample(points, min(3, len(points)))
    for kind, number in points:
        scene.reset()
        failed = scene.run("a1", *scene.inject(kind, number, f"error={error}"))
        judging.never_wrong(scene.store, scene.data, "r1", "t")
        if failed.returncode == 0:
            # It was the sweeping up that failed, or a look at what is there.
            judging.finished(scene.store, scene.data, "r1", "t", tidy=False)
            continue
        last = failed.stderr.strip().splitlines()[-1]
        assert words in last, (kind, number, failed.stderr)
        assert last.startswith(f"{StoreError.__module__}.StoreError: "), last
        if (scene.root / layout.STAGING).exists():
            judging.nothing_left(scene.store, scene.data)
        assert scene.run("a2").returncode == 0
        judging.finished(scene.store, scene.data, "r1", "t")


@pytest.fixture
def small_disk(tmp_path: Path):
    """A disk of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        done = False
    if not done:
        pytest.skip("needs the right to mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_one_line_and_leaves_nothing(
    small_disk: Path, tmp_path: Path
) -> None:
    store = LocalStore(small_disk / "rats")
    small = store.put(b"some bytes")
    (tmp_path / "x").write_bytes(bytes(1 << 20))
    for call in (
        lambda: store.put(bytes(1 << 20)),
        lambda: store.put_file(tmp_path / "x"),
        lambda: store.create(layout.request_key("r1"), bytes(1 << 20)),
    ):
        with pytest.raises(
            StoreError, match=r"the disk is full\. Free space"
        ) as caught:
            call()
        assert caught.value.transient
        assert "\n" not in str(caught.value)
        assert list((store.root / layout.STAGING).iterdir()) == []
    assert store.keys("runs") == []
    assert store.get(small) == b"some bytes"
    store.put(bytes(1 << 16))


def test_a_full_disk_at_the_place_leaves_what_was_there(
    small_disk: Path, tmp_path: Path
) -> None:
    store = LocalStore(tmp_path / "rats")
    (small_disk / "p").mkdir()
    (small_disk / "x.csv").write_bytes(b"old")
    (small_disk / "p" / "old").write_bytes(b"old")
    before = judging.published(small_disk)
    from store import making

    from kedro_rats.store.publishing import publish

    big = os.urandom(1 << 20)
    made = {"x": making.kept(store, x_csv=big), "p": making.kept(store, a=b"a", b=big)}
    record = records.commit(store, making.record(made))
    for name, place in attempting.places(small_disk).items():
        with pytest.raises(StoreError, match="the disk is full") as caught:
            publish(store, record, {name: place})
        assert str(caught.value).startswith(f"dataset '{name}', ")
    assert judging.published(small_disk) == before
    assert sorted(path.name for path in small_disk.iterdir()) == ["p", "x.csv"]
    assert not records.is_published(store, record.run, record.task)


def test_a_read_only_store_can_be_read_and_says_so(small_disk: Path) -> None:
    store = LocalStore(small_disk / "rats")
    record = records.commit(store, attempting.put(store, "r1", "t", "a1"))
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    store = LocalStore(small_disk / "rats")
    assert records.record_of(store, "r1", "t") == record
    assert judging.made_by(store, record) == attempting.contents("r1", "t", "a1")
    for call in (store.probe, lambda: store.put(b"new"), lambda: commit_other(store)):
        with pytest.raises(
            StoreError, match=r"a read-only file system\. Mount"
        ) as caught:
            call()
        assert not caught.value.transient
    corrupt = store.root / layout.object_key(record.outputs["x"].files[0].sha256)
    assert corrupt.exists()


def commit_other(store: LocalStore) -> None:
    store.create(layout.request_key("r2"), b"1")
