"""The plan: a pipeline as tasks, their order, their data and where they run.

``lower`` makes it from a pipeline, the catalog's configuration and ``rats.yml``;
``verify`` checks one. It names no engine, and nothing here builds a dataset. A task's
process reads plans and never makes one, so names are imported when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kedro_rats.plan.catalog import CatalogEntries
    from kedro_rats.plan.lowering import Lowered, Project, lower
    from kedro_rats.plan.model import Plan, PlannedNode, Source, Task
    from kedro_rats.plan.verification import verify

__all__ = [
    "CatalogEntries",
    "Lowered",
    "Plan",
    "PlannedNode",
    "Project",
    "Source",
    "Task",
    "lower",
    "verify",
]

_MODULES = {
    "CatalogEntries": "catalog",
    **dict.fromkeys(("Lowered", "Project", "lower"), "lowering"),
    **dict.fromkeys(("Plan", "PlannedNode", "Source", "Task"), "model"),
    "verify": "verification",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
