"""One attempt of a task with two outputs, as an engine makes it; also as a program.

``python attempting.py STORE DATA RUN TASK ATTEMPT`` makes one attempt. Without a task it
makes one for every line that it reads.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kedro_rats.store.artifacts import put_folder
from kedro_rats.store.errors import reported
from kedro_rats.store.local import LocalStore
from kedro_rats.store.publishing import Place, publish
from kedro_rats.store.records import Record, commit

if TYPE_CHECKING:
    from kedro_rats.store.base import Store

TIME = "2026-11-21T13:40:05Z"


def contents(run: str, task: str, attempt: str) -> dict[str, dict[str, bytes]]:
    """Return what an attempt makes: other bytes than any other attempt."""
    name = f"{run} {task} {attempt} ".encode()
    return {
        "x": {"x.csv": name * 700},
        "p": {"a": b"a " + name * 10, f"only-{attempt}": name},
    }


def places(data: Path) -> dict[str, Place]:
    return {"x": Place(str(data / "x.csv")), "p": Place(str(data / "p"), folder=True)}


def put(store: Store, run: str, task: str, attempt: str) -> Record:
    outputs = {}
    for name, files in contents(run, task, attempt).items():
        with store.staged() as folder:
            with reported("outputs"):
                for path, data in files.items():
                    (folder / path).write_bytes(data)
            outputs[name] = put_folder(store, folder, "dataset", move=True)
    host, versions = "here", {"python": "3"}
    return Record(
        run, task, "0" * 64, attempt, {}, outputs, TIME, TIME, host, versions
    )  # fmt: skip


def attempt(store: Store, data: Path, run: str, task: str, name: str) -> Record:
    winner = commit(store, put(store, run, task, name))
    publish(store, winner, places(data))
    return winner


def main(root: str, data: str, run: str, task: str = "", name: str = "") -> None:
    # Something that strace sees: from here on it counts.
    os.access("/rats-begin", os.F_OK)
    if task:
        attempt(LocalStore(Path(root)), Path(data), run, task, name)
        os.access("/rats-end", os.F_OK)
        return
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        this, folder, name = line.split()
        winner = attempt(LocalStore(Path(root)), Path(folder), run, this, name)
        sys.stdout.write(f"{winner.attempt}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
