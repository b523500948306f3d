"""Records and stores as tests need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats.encoding import canonical
from kedro_rats.store.artifacts import Artifact, File
from kedro_rats.store.records import Record

if TYPE_CHECKING:
    from kedro_rats.store.base import Store

TIME = "2026-11-21T13:40:05.123456Z"


def record(
    outputs: dict[str, Artifact] | None = None,
    *,
    run: str = "r1",
    task: str = "fit-0a1b2c",
    attempt: str = "a1",
) -> Record:
    return Record(
        run=run,
        task=task,
        plan="0" * 64,
        attempt=attempt,
        inputs={"X": "1" * 64, "y": None},
        outputs=outputs or {},
        started=TIME,
        finished=TIME,
        host="here",
        versions={"python": "3.11"},
    )


def kept(store: Store, **files: bytes) -> Artifact:
    """Put files (``x_csv=b"…"`` is ``x.csv``) and return the artifact."""
    return Artifact(
        "dataset",
        tuple(
            File(name.replace("_", "."), store.put(data), len(data))
            for name, data in files.items()
        ),
    )


def file_of(data: bytes, path: str = "x.csv") -> File:
    return File(path, canonical.digest(data), len(data))
