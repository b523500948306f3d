"""What must hold of a store and its places, at any moment and at the end."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from store import attempting

from kedro_rats.store import layout, records, staging

if TYPE_CHECKING:
    from pathlib import Path

    from kedro_rats.store.local import LocalStore
    from kedro_rats.store.records import Record

Tree = dict[str, bytes] | None

OLD = {"x": {"x.csv": b"old"}, "p": {"old": b"old"}}


def prepare(data: Path) -> None:
    """Put something at the places that was there before."""
    shutil.rmtree(data, ignore_errors=True)
    (data / "p").mkdir(parents=True)
    (data / "p" / "old").write_bytes(b"old")
    (data / "x.csv").write_bytes(b"old")


def published(data: Path) -> dict[str, Tree]:
    """Return what a reader sees at the places."""
    file, folder = data / "x.csv", data / "p"
    return {
        "x": {"x.csv": file.read_bytes()} if file.exists() else None,
        "p": {path.name: path.read_bytes() for path in folder.iterdir()}
        if folder.exists()
        else None,
    }


def made_by(store: LocalStore, record: Record) -> dict[str, Tree]:
    """Return what a record names, verified."""
    return {
        name: {
            file.path: store.get(file.sha256, size=file.size) for file in artifact.files
        }
        for name, artifact in record.outputs.items()
    }


def never_wrong(store: LocalStore, data: Path, run: str, task: str) -> None:
    """Check what must hold at every moment, also after a kill."""
    record = records.record_of(store, run, task)
    named = made_by(store, record) if record else {}
    if record:
        assert named == attempting.contents(run, task, record.attempt)
    for name, tree in published(data).items():
        # A folder may be missing for a moment, between the old one and the new one.
        moving = tree is None and name == "p" and record is not None
        assert moving or tree in (OLD[name], named.get(name)), (name, tree)
    if records.is_published(store, run, task):
        assert published(data) == named


def finished(
    store: LocalStore, data: Path, run: str, task: str, *, tidy: bool = True
) -> Record:
    """Check what must hold once somebody has finished the task."""
    record = records.record_of(store, run, task)
    assert record is not None
    assert published(data) == made_by(store, record)
    assert records.is_published(store, run, task)
    assert store.keys(layout.records_folder(run)).count(
        layout.record_key(run, task)
    ) == 1  # fmt: skip
    if tidy:
        nothing_left(store, data)
    return record


def nothing_left(store: LocalStore, data: Path) -> None:
    """Check that there is nothing that only a killed process can have left."""
    assert list((store.root / layout.STAGING).iterdir()) == []
    assert list(data.rglob(f"{staging.PREFIX}*")) == []
