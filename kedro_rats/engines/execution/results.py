"""Copies small results to a folder from which an engine takes them to show them."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kedro_rats.store.artifacts import DATASET
from kedro_rats.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro_rats.plan.model import Task
    from kedro_rats.store.artifacts import File
    from kedro_rats.store.base import Store
    from kedro_rats.store.records import Record

VARIABLE: Final = "KEDRO_RATS_RESULTS"
"""The variable that names the folder; without it nothing is copied."""

SUFFIXES: Final = frozenset(
    {".csv", ".gif", ".html", ".jpeg", ".jpg", ".json", ".md", ".png", ".svg", ".txt"}
    | {".webp", ".yaml", ".yml"}
)
"""What people look at in a browser."""

LARGEST: Final = 2**20
"""Bytes of the largest file that is copied."""

MOST: Final = 2**24
"""Bytes of all files of a task together."""

_logger = logging.getLogger("kedro_rats")


def show_results(task: Task, record: Record, store: Store) -> list[str]:
    """Copy what a task made, as far as people want to look at it; return what was.

    Only outputs that the catalog gives a place, and only small files. A task never fails
    because of it: its outputs are committed.

    Args:
        task: The task.
        record: What it made.
        store: Where that is.
    """
    folder = os.environ.get(VARIABLE)
    if not folder:
        return []
    copied: list[str] = []
    try:
        for path, file in _small(task, record):
            target = Path(folder, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(store.get(file.sha256, size=file.size))
            copied.append(path)
    except (OSError, StoreError) as error:
        _logger.warning("Results of task %s cannot be shown: %s", task.name, error)
    return copied


def _small(task: Task, record: Record) -> Iterator[tuple[str, File]]:
    left = MOST
    for name, artifact in sorted(record.outputs.items()):
        if task.writes.get(name) is None or artifact.format != DATASET:
            continue
        for file in artifact.files:
            suffix = Path(file.path).suffix.lower()
            if suffix in SUFFIXES and file.size <= min(LARGEST, left):
                left -= file.size
                yield f"{_folder(name)}/{file.path}", file


def _folder(name: str) -> str:
    """Return a dataset's name as that of a folder, whatever is in it."""
    return re.sub(r"[^\w.@-]", "_", name).lstrip(".") or "_"
