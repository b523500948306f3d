"""Two attempts, or two runs, at once: one record each, and its bytes at the places."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from store import attempting, judging

from kedro_rats.store import records
from kedro_rats.store.local import LocalStore
from kedro_rats.store.publishing import _publish_one, publish

if TYPE_CHECKING:
    from collections.abc import Callable

INTERLEAVINGS = 500 if os.environ.get("RATS_SOAK") == "1" else 50
STEPS = {"open", "os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir"}


class Steps:
    """Runs threads one at a time, each to its next file operation, in a drawn order.

    Python announces file operations to audit hooks. There a thread waits for its turn,
    so the same seed gives the same interleaving of the real thing.
    """

    def __init__(self) -> None:
        self._turns: dict[int, threading.Semaphore] = {}
        self._back = threading.Semaphore(0)
        self._folder = ""
        self.taken = 0
        sys.addaudithook(self._hook)

    def run(self, seed: int, folder: Path, *tasks: Callable[[], object]) -> None:
        order = random.Random(seed)  # noqa: S311 - to be repeated, not kept secret
        failed: list[BaseException] = []
        self._folder, self.taken = str(folder), 0
        alive: dict[int, threading.Semaphore] = {}

        def go(number: int, task: Callable[[], object]) -> None:
            alive[number].acquire()
            self._turns[threading.get_ident()] = alive[number]
            try:
                task()
            except BaseException as error:  # noqa: BLE001 - raised below
                failed.append(error)
            del self._turns[threading.get_ident()]
            del alive[number]
            self._back.release()

        threads = []
        for number, task in enumerate(tasks):
            alive[number] = threading.Semaphore(0)
            threads.append(threading.Thread(target=go, args=(number, task)))
            threads[-1].start()
        while alive:
            alive[order.choice(sorted(alive))].release()
            self._back.acquire()
            self.taken += 1
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        turn = self._turns.get(threading.get_ident())
        if turn and event in STEPS and str(arguments[0]).startswith(self._folder):
            self._back.release()
            turn.acquire()


@pytest.fixture(scope="session")
def steps() -> Steps:
    return Steps()


def lying(store: LocalStore, data: Path, run: str, task: str, name: str) -> None:
    """Publish before the record: what the order of a commit is there to prevent."""
    record = attempting.put(store, run, task, name)
    for dataset, place in attempting.places(data).items():
        _publish_one(store, record.outputs[dataset], place, dataset)
    publish(store, records.commit(store, record), {})


def interleaved(
    steps: Steps, tmp_path: Path, attempt: Callable[..., object], seed: int
) -> tuple[LocalStore, Path]:
    """Let two attempts of one task run in one interleaving."""
    root, data = tmp_path / "rats", tmp_path / "data"
    shutil.rmtree(root, ignore_errors=True)
    judging.prepare(data)
    steps.run(
        seed,
        tmp_path,
        lambda: attempt(LocalStore(root), data, "r1", "t", "a1"),
        lambda: attempt(LocalStore(root), data, "r1", "t", "a2"),
    )
    return LocalStore(root), data


def test_two_attempts_at_once_give_one_record_and_its_bytes(
    steps: Steps, tmp_path: Path
) -> None:
    winners = set()
    for seed in range(INTERLEAVINGS):
        store, data = interleaved(steps, tmp_path, attempting.attempt, seed)
        winners.add(judging.finished(store, data, "r1", "t").attempt)
        assert steps.taken > 50
    assert winners == {"a1", "a2"}


def test_publishing_before_the_record_is_found_out(
    steps: Steps, tmp_path: Path
) -> None:
    """A test of the test above: it must fail for the wrong order."""
    lies = 0
    for seed in range(20):
        store, data = interleaved(steps, tmp_path, lying, seed)
        try:
            judging.finished(store, data, "r1", "t")
        except AssertionError:
            lies += 1
    assert lies > 0


def test_two_runs_at_once_each_have_their_record_and_the_places_one_of_them(
    steps: Steps, tmp_path: Path
) -> None:
    root, data = tmp_path / "rats", tmp_path / "data"
    for seed in range(INTERLEAVINGS):
        shutil.rmtree(root, ignore_errors=True)
        judging.prepare(data)
        steps.run(
            seed,
            tmp_path,
            lambda: attempting.attempt(LocalStore(root), data, "r1", "t", "a1"),
            lambda: attempting.attempt(LocalStore(root), data, "r2", "t", "a1"),
        )
        store = LocalStore(root)
        store.probe()
        found = [records.record_of(store, run, "t") for run in ("r1", "r2")]
        named = [judging.made_by(store, record) for record in found if record]
        assert len(named) == 2
        for name, tree in judging.published(data).items():
            assert tree in [of_run[name] for of_run in named]
        judging.nothing_left(store, data)


def test_two_processes_at_once_give_one_record_and_its_bytes(tmp_path: Path) -> None:
    program, root = str(Path(attempting.__file__)), tmp_path / "rats"
    children = [
        subprocess.Popen(
            [sys.executable, program, str(root), "", "r1"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    winners = []
    for number in range(INTERLEAVINGS):
        data = tmp_path / f"data-{number}"
        judging.prepare(data)
        for child, name in zip(children, ("a1", "a2"), strict=True):
            child.stdin.write(f"t-{number} {data} {name}\n")
            child.stdin.flush()
        said = {child.stdout.readline().strip() for child in children}
        record = judging.finished(LocalStore(root), data, "r1", f"t-{number}")
        assert said == {record.attempt}
        winners.append(record.attempt)
    for child in children:
        child.communicate()
        assert child.returncode == 0
    assert len(winners) == INTERLEAVINGS
