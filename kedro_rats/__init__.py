"""Estimators, combinators and placement for Kedro pipelines.

Every ``kedro`` command imports this module, because the plugin's entry points live
below it. So the public names are imported when they are first used (:pep:`562`).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kedro_rats.combinators import (
        Space,
        cross_validate,
        holdout,
        map_over,
        pseudolabel,
        select,
        stack,
        tune,
    )
    from kedro_rats.errors import LeakWarning
    from kedro_rats.estimators import (
        Estimator,
        Metric,
        estimator,
        metric,
        train_only,
        transformer,
    )
    from kedro_rats.runners import ArgoRunner, LocalRunner

__version__ = "0.1.0"

__all__ = [
    "ArgoRunner",
    "Estimator",
    "LeakWarning",
    "LocalRunner",
    "Metric",
    "Space",
    "cross_validate",
    "estimator",
    "holdout",
    "map_over",
    "metric",
    "pseudolabel",
    "select",
    "stack",
    "train_only",
    "transformer",
    "tune",
]

_ROOMS = {
    **dict.fromkeys(__all__, "kedro_rats.estimators"),
    "LeakWarning": "kedro_rats.errors",
    "ArgoRunner": "kedro_rats.runners",
    "LocalRunner": "kedro_rats.runners",
    "cross_validate": "kedro_rats.combinators",
    "holdout": "kedro_rats.combinators",
    "map_over": "kedro_rats.combinators",
    "pseudolabel": "kedro_rats.combinators",
    "select": "kedro_rats.combinators",
    "Space": "kedro_rats.combinators",
    "stack": "kedro_rats.combinators",
    "tune": "kedro_rats.combinators",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_ROOMS[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
