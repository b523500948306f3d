"""Nodes that put the results of folds together."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.combinators import rows as row_data
from kedro_rats.combinators.alignment import (
    aligned,
    are_by_target,
    check_columns,
    with_failed_rows,
)
from kedro_rats.combinators.guarding import Failed
from kedro_rats.errors import RatsError
from kedro_rats.estimators.arguments import bind
from kedro_rats.estimators.node_function import node_function
from kedro_rats.estimators.scoring import summarized

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from kedro_rats.combinators.folds import Folds
    from kedro_rats.estimators.metrics import Metric

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ClassesOf:
    """Tells the classes that a fitted object knows, so that nobody need load it again."""

    argument_names: tuple[str, ...] = ("fitted",)

    @node_function
    def classes(self, *values: Any) -> Any:
        """Return ``classes_`` of the fitted object, or None if it has none."""
        (fitted,) = values
        return (
            fitted if isinstance(fitted, Failed) else getattr(fitted, "classes_", None)
        )


@dataclass(frozen=True)
class GatherRows:
    """Puts the outputs of folds back into the order of the input rows.

    Attributes:
        dataset: The output's name, for messages.
        folds: Number of folds.
        method: The method of a classifier that made the output, if its columns stand
            for classes; else None.
        for_pooling: Only a pooled metric reads it: one failed fold fails it all.
        guarded: Whether rows of a failed fold become NaN; it then reads the first rows
            too, whose labels these rows get.
    """

    dataset: str
    folds: int
    method: str | None
    for_pooling: bool = False
    guarded: bool = False

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The folds, the output of each, and the classes of each where they matter."""
        numbers = range(self.folds)
        classes = [f"classes_{k}" for k in numbers] if self.method else []
        labels = ["rows"] if self.guarded else []
        return ("folds", *(f"fold_{k}" for k in numbers), *classes, *labels)

    @node_function
    def gather(self, *values: Any) -> Any:
        """Return the out-of-fold values of all rows."""
        folds: Folds = values[0]
        parts = list(values[1 : 1 + self.folds])
        failed = [part for part in parts if isinstance(part, Failed)]
        if failed and self.for_pooling:
            return failed[0]
        if self.method is not None:
            classes = values[1 + self.folds : 1 + 2 * self.folds]
            parts = aligned(parts, classes, self.method)
        check_columns(self.dataset, parts)
        sizes = [len(positions) for positions in folds["eval"]]
        if failed:
            # Lists and arrays of Arrow have a method of this name.
            index = values[-1].index if hasattr(values[-1], "iloc") else None
            parts = with_failed_rows(self.dataset, parts, folds["eval"], index)
        if are_by_target(parts, sizes, self.method):
            return [
                row_data.put_together(target, folds["eval"])
                for target in zip(*parts, strict=True)
            ]
        for fold, (part, size) in enumerate(zip(parts, sizes, strict=True)):
            if row_data.count(part) != size:
                msg = (
                    f"output {self.dataset!r} in fold {fold}: expected {size} rows, as "
                    f"many as are evaluated, got {row_data.count(part)}. What changes "
                    "the number of rows is train_only; of map_over's outputs, name "
                    "those to gather with outputs=, or give it gather=False."
                )
                raise RatsError(msg)
        return row_data.put_together(parts, folds["eval"])


@dataclass(frozen=True)
class GatherScores:
    """Puts the scores of folds under each other."""

    name: str
    tables: int
    guarded: bool

    @property
    def argument_names(self) -> tuple[str, ...]:
        """A table for each fold and part."""
        return tuple(f"scores_{i}" for i in range(self.tables))

    @node_function
    def gather(self, *values: Any) -> pd.DataFrame:
        """Return the scores of all folds in one table, or raise if all failed."""
        import pandas as pd

        scores = pd.concat(list(values), ignore_index=True)
        if self.guarded and scores["value"].isna().all():
            msg = (
                f"{self.name!r}: expected a score in at least one fold, got a failure or "
                "NaN in all. The log names the error of each."
            )
            raise RatsError(msg)
        return scores


@dataclass(frozen=True)
class SummarizeFolds:
    """Reduces the scores of folds to a mean and a spread, and pools the rows of all folds.

    Attributes:
        metrics: The metrics that are also computed once over all out-of-fold rows.
        datasets: What they read.
        tables: Number of tables of scores.
        guarded: Whether a failure of a metric is the value NaN. What it reads is a
            failure where a fold has failed.
    """

    metrics: tuple[tuple[str, Metric], ...]
    datasets: tuple[str, ...]
    tables: int
    guarded: bool

    @property
    def argument_names(self) -> tuple[str, ...]:
        """A table of scores for each fold, then what pooled metrics read."""
        tables = [f"scores_{i}" for i in range(self.tables)]
        return (*tables, *(f"input_{i}" for i, _ in enumerate(self.datasets)))

    @node_function
    def summarize(self, *values: Any) -> dict[str, dict[str, float]]:
        """Return mean, standard deviation (ddof 0) and pooled value of each metric."""
        import pandas as pd

        scores = pd.concat(list(values[: self.tables]), ignore_index=True)
        given = dict(zip(self.datasets, values[self.tables :], strict=True))
        summary = summarized(scores)
        for name, metric in self.metrics:
            summary[name]["pooled"] = self._pooled(name, metric, given)
        return summary

    def _pooled(self, name: str, metric: Metric, given: Mapping[str, Any]) -> float:
        """Return the value over the rows of all folds; NaN if one of them has none."""
        read = [given[dataset] for dataset in metric.arguments.datasets]
        if any(isinstance(value, Failed) for value in read):
            return math.nan
        try:
            return _judged(metric, given)
        except Exception:
            if not self.guarded:
                raise
            logger.exception("Metric %s failed over all folds", name)
            return math.nan


def _judged(metric: Metric, data: Mapping[str, Any]) -> float:
    values = [data[dataset] for dataset in metric.arguments.datasets]
    args, kwargs = bind(metric.arguments.keywords, values)
    value: Any = metric.func(*args, **kwargs)
    return float(value)
