"""A task's process killed at any moment: who comes next finishes, and nothing runs twice.

The process kills itself as it is about to do its N-th thing that others can see: to open
a file to write, to rename, link or remove one. `RATS_SOAK=1` takes every N.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from pipelines import engine_steps as steps
from pipelines.prepared import prepared
from pipelines.random_pipelines import RowsFile

if TYPE_CHECKING:
    from pathlib import Path

    from kedro_rats.runners.preparing import Prepared

SOAK = os.environ.get("RATS_SOAK") == "1"
SAMPLE = 24

# Started once for many kills: it forks a process for each, after all imports.
KILLER = """
import json, os, signal, sys, warnings
from pathlib import Path
import pipelines.engine_steps, pipelines.random_pipelines
import kedro_rats.engines.execution.data, kedro_rats.engines.execution.running
import kedro_rats.engines.execution.places, kedro_rats.store.publishing
from kedro_rats.engines.execution.__main__ import run_task

EVENTS = {"os.rename", "os.link", "os.remove", "os.mkdir", "os.rmdir", "os.chmod"}

def watch(point, log):
    seen = [0]
    def hook(event, args):
        writes = event == "open" and isinstance(args[2], int) and args[2] & 3
        if event in EVENTS or writes:
            seen[0] += 1
            if point is None:
                os.write(log, b".")
            elif seen[0] == point:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

for line in sys.stdin:
    asked = json.loads(line)
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        watch(asked["point"], writing)
        code = run_task(store=asked["store"], request=asked["request"],
                        task=asked["task"], project=Path(asked["project"]))
        os._exit(code)
    os.close(writing)
    events = len(os.fdopen(reading, "rb").read())
    _, status = os.waitpid(child, 0)
    print(json.dumps([os.waitstatus_to_exitcode(status), events]), flush=True)
"""


NEAR_THE_END = 4


class Killer:
    """Runs tasks in processes that may be killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", KILLER],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True,
        )  # fmt: skip

    def run(self, made: Prepared, task: str, point: int | None) -> tuple[int, int]:
        """Return the exit code, and how many points there are if none was given."""
        self.ask(made, task, point)
        return self.answer()

    def ask(self, made: Prepared, task: str, point: int | None) -> None:
        asked = {
            "store": made.store.uri,
            "request": made.request.digest,
            "task": task,
            "project": str(made.view.folder),
            "point": point,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()

    def answer(self) -> tuple[int, int]:
        assert self._process.stdout is not None
        code, events = json.loads(self._process.stdout.readline())
        return code, events

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture
def killer(folder: Path) -> Any:
    made = Killer()
    yield made
    made.close()


def ready(folder: Path, name: str) -> Prepared:
    """Prepare a run whose task makes a file, a versioned file and a value.

    It has a folder and a store of its own.
    """
    (folder / name).mkdir()
    os.chdir(folder / name)
    pipeline = Pipeline(
        [
            node(steps.first, "x", "y", name="first"),
            node(steps.second, "y", ["z", "about"], name="second"),
        ]
    ).tag("group.one")
    config = {
        "y": {
            "type": f"{RowsFile.__module__}.RowsFile",
            "filepath": "data/y.json",
        },
        "z": {
            "type": f"{RowsFile.__module__}.RowsFile",
            "filepath": "data/z.json",
            "versioned": True,
        },
    }
    catalog = DataCatalog.from_config(config)
    catalog["x"] = MemoryDataset([1, 2, 3])
    return prepared(pipeline, catalog)


def left(made: Prepared) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return what the record says of the data, and what is published."""
    (record,) = (made.view.folder / ".rats/runs/r1/records").iterdir()
    data = made.view.folder / "data"
    return json.loads(record.read_text())["outputs"], {
        path.relative_to(data).as_posix(): path.read_bytes()
        for path in data.rglob("*")
        if path.is_file()
    }


def test_a_task_that_is_killed_anywhere_is_finished_by_the_next(
    killer: Killer, folder: Path
) -> None:
    undisturbed = ready(folder, "whole")
    task = next(iter(undisturbed.lowered.plan)).name
    code, points = killer.run(undisturbed, task, None)
    assert code == 0
    assert points > 25
    outputs, files = left(undisturbed)
    chosen = list(range(1, points + 1))
    if not SOAK:
        chosen = sorted(random.Random(0).sample(chosen, SAMPLE))  # noqa: S311
    committed_before = 0
    for point in chosen:
        made = ready(folder, f"k{point}")
        before = len(steps.calls())
        code, _ = killer.run(made, task, point)
        if code == 0 and point > points - NEAR_THE_END:
            # Objects whose digests begin alike share a folder, which is made once.
            continue
        assert code == -9, point
        committed = (made.view.folder / f".rats/runs/r1/records/{task}.json").exists()
        ran = len(steps.calls()) - before
        assert killer.run(made, task, None)[0] == 0
        again = len(steps.calls()) - before - ran
        assert again == (0 if committed else 2), point
        committed_before += committed
        assert left(made) == (outputs, files)
        assert killer.run(made, task, None)[0] == 0
        assert len(steps.calls()) - before - ran == again
    # Some were killed before the commit, and some after.
    assert 0 < committed_before < len(chosen)


def test_a_task_at_once_in_two_processes_has_one_record(folder: Path) -> None:
    for attempt in range(6 if SOAK else 2):
        made = ready(folder, f"both{attempt}")
        task = next(iter(made.lowered.plan)).name
        two = [Killer(), Killer()]
        for each in two:
            each.ask(made, task, None)
        assert [each.answer()[0] for each in two] == [0, 0]
        for each in two:
            each.close()
        outputs, files = left(made)
        assert sorted(name.partition("/")[0] for name in files) == ["y.json", "z.json"]
        assert set(outputs) == {"y", "z", "about"}
        assert attempt < steps.calls().count("first") <= 2 * attempt + 2
