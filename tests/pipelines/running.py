"""Running pipelines as a project does: with a stock runner and Kedro's own datasets."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.pipeline import Pipeline
    from kedro.runner import AbstractRunner

    from kedro_rats import Estimator


class KeptDataset(MemoryDataset):
    """Is not emptied after its last reader, so that a test can look at it."""

    def _release(self) -> None:
        pass


def run(
    pipeline: Pipeline,
    data: Mapping[str, Any],
    runner: AbstractRunner | None = None,
    *,
    copies: bool = True,
) -> dict[str, Any]:
    """Return every dataset of a pipeline after a run on ``data``.

    Each node gets a copy of what it reads, as Kedro does it by itself; or, without
    ``copies``, the very objects.
    """
    mode = None if copies else "assign"
    made = {n: KeptDataset(copy_mode=mode) for n in pipeline.datasets() - data.keys()}
    given = {n: KeptDataset(value, copy_mode=mode) for n, value in data.items()}
    catalog = DataCatalog({**given, **made})

    with warnings.catch_warnings():
        # Of the runner, not of ours: kedro 1.0 asks for datasets that it knows.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="kedro")
        (runner or SequentialRunner()).run(pipeline, catalog)

    return {name: catalog[name].load() for name in sorted(pipeline.datasets())}


def train_then_eval(
    estimator: Estimator,
    train: Mapping[str, Any],
    held_out: Mapping[str, Any],
    *,
    copies: bool = True,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what training makes, and what evaluation makes of other rows."""
    trained = run(estimator.train, train, copies=copies)
    state = {name: trained[name] for name in estimator.state}
    return trained, run(estimator.eval, {**held_out, **state}, copies=copies)
