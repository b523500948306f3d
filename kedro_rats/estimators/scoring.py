"""Nodes that judge outputs: a table of scores, and a summary of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats import names
from kedro_rats.errors import Breach, RatsError, raise_if, shown
from kedro_rats.estimators.arguments import bind
from kedro_rats.estimators.metrics import Metric
from kedro_rats.estimators.node_function import node_function
from kedro_rats.estimators.nodes import make_node
from kedro_rats.estimators.preview import NodePreview

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    from kedro.pipeline.node import Node

COLUMNS = ("fold", "part", "metric", "value", "rows")


@dataclass(frozen=True)
class Score:
    """Judges one set of rows by several metrics.

    Attributes:
        metrics: Pairs of a name and a metric.
        datasets: What the node reads, each once: all that the metrics read.
        rows: Row inputs and row outputs; the first of them that a metric reads tells how
            many rows it judges.
        fold: The number of the fold that the rows belong to.
        part: ``"train"`` or ``"eval"``.
    """

    metrics: tuple[tuple[str, Metric], ...]
    datasets: tuple[str, ...]
    rows: tuple[str, ...]
    fold: int = 0
    part: str = "eval"

    @node_function
    def score(self, *values: object) -> pd.DataFrame:
        """Return one row of the table of scores for each metric."""
        return self.table(values)

    @node_function
    def score_and_summarize(self, *values: object) -> list[object]:
        """Return the table of scores, and the mean and spread of each metric."""
        scores = self.table(values)
        return [scores, summarized(scores)]

    def table(self, values: Sequence[object]) -> pd.DataFrame:
        """Return the scores of some data, in the order of ``datasets``."""
        data = dict(zip(self.datasets, values, strict=True))
        return _table(
            [
                (
                    self.fold,
                    self.part,
                    name,
                    _judged(name, metric, data),
                    self._count(metric, data),
                )
                for name, metric in self.metrics
            ]
        )

    def _count(self, metric: Metric, data: Mapping[str, Any]) -> int:
        """Return how many rows a metric judges; 0 if it reads none."""
        read = metric.arguments.datasets
        return next((_rows(data[name]) for name in self.rows if name in read), 0)

    @property
    def argument_names(self) -> tuple[str, ...]:
        """Datasets have dots and such, which arguments cannot have."""
        return tuple(f"input_{i}" for i, _ in enumerate(self.datasets))


def summarized(scores: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return the mean and the standard deviation (ddof 0) of each metric over the folds.

    Only what was judged on rows that were not trained on counts. One score of NaN makes
    the mean NaN, as in scikit-learn.
    """
    import numpy as np

    judged = scores[scores["part"] == "eval"]
    return {
        str(metric): {
            "mean": float(np.mean(rows["value"].to_numpy())),
            "std": float(np.std(rows["value"].to_numpy())),
        }
        for metric, rows in judged.groupby("metric", sort=False)
    }


def scoring_node(
    namespace: str, metrics: Mapping[str, Metric], renamed: Mapping[str, str]
) -> Node:
    """Return the node that writes ``NAMESPACE.scores`` and ``NAMESPACE.summary``.

    It is one node, because a table that went through a file of text may have lost the
    last digit.

    Args:
        namespace: Where the node and the two datasets live.
        metrics: The metrics by name.
        renamed: For each dataset that a metric reads, its name in the pipeline.
    """
    read = dict.fromkeys(
        name for metric in metrics.values() for name in metric.arguments.datasets
    )
    # What is the same everywhere keeps its name: the state, parameters, shared inputs.
    rows = tuple(name for name in read if renamed[name] != name)
    judge = Score(tuple(metrics.items()), tuple(read), rows)
    return make_node(
        judge.score_and_summarize,
        [renamed[name] for name in read],
        [f"{namespace}.scores", f"{namespace}.summary"],
        name="score",
        namespace=namespace,
        node_type=names.SCORE,
        tags=(),
        preview=NodePreview(names.SCORE, Score, ", ".join(metrics)),
    )


def check_metrics(subject: str, metrics: object) -> None:
    """Raise if ``metrics`` is not a dict of named metrics with at least one."""
    if not isinstance(metrics, dict) or not metrics:
        expected, remedy = "a dict of named metrics", "Give {'auc': metric(…)}."
        raise_if([Breach(subject, expected, shown(metrics), remedy)])
        return
    breaches = []
    for name, value in metrics.items():
        breaches += names.check_name(f"{subject}, name", name)
        if not isinstance(value, Metric):
            remedy = "Wrap the function: metric(func, inputs=[…])."
            got = shown(value)
            breaches.append(Breach(f"{subject} {name!r}", "a metric", got, remedy))
    raise_if(breaches)


def _judged(name: str, metric: Metric, data: Mapping[str, Any]) -> float:
    values = [data[dataset] for dataset in metric.arguments.datasets]
    args, kwargs = bind(metric.arguments.keywords, values)
    value: Any = metric.func(*args, **kwargs)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        func = getattr(metric.func, "__name__", "its function")
        msg = (
            f"metric {name!r}: expected one number, got {shown(value)}. "
            f"Let {func} return a float (for scikit-learn: choose an average)."
        )
        raise RatsError(msg) from error


def _rows(data: Any) -> int:
    if getattr(data, "shape", ()):
        return int(data.shape[0])
    return len(data) if hasattr(data, "__len__") else 0


def _table(rows: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError as error:
        msg = (
            "Table of scores: expected pandas, got an environment without it. "
            "Install kedro-rats[sklearn]."
        )
        raise RatsError(msg) from error
    return pd.DataFrame(rows, columns=list(COLUMNS))
