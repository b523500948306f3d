"""The numbers in pictures of judgement: scores of folds, curves, residuals, confusion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, RatsError, listed
from kedro_rats.estimators.scoring import COLUMNS
from kedro_rats.plots.given import (
    column,
    finite,
    needed,
    numeric,
    refuse_if,
    same_rows,
    table,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro_rats.plots.given import Column, Numbers

MOST_POINTS = 2000
"""More points are thinned out: they would not be told apart, and each costs bytes."""


@dataclass(frozen=True)
class PartScores:
    """The scores of one metric on one part of each fold.

    Attributes:
        part: ``"eval"`` or ``"train"``.
        folds: Numbers of the folds.
        values: A score for each; NaN where the fold failed.
        rows: How many rows were judged in each.
        mean: Mean of the values; NaN if one is.
        std: Their standard deviation, with ddof 0.
    """

    part: str
    folds: list[int]
    values: list[float]
    rows: list[int]
    mean: float
    std: float

    @property
    def is_whole(self) -> bool:
        """Say whether each fold has a score."""
        return not math.isnan(self.mean)

    def spread(self) -> str:
        """Return mean and spread for a heading, or which folds have none."""
        if self.is_whole:
            return f"{self.mean:.4g} ± {self.std:.2g}"
        failed = [
            str(f)
            for f, v in zip(self.folds, self.values, strict=True)
            if math.isnan(v)
        ]
        return f"no score in fold {listed(failed)}"


@dataclass(frozen=True)
class MetricScores:
    """The scores of one metric; what was held out comes first."""

    metric: str
    parts: list[PartScores]

    def heading(self) -> str:
        """Return the metric with its mean and spread on what was held out."""
        return f"{self.metric}: {self.parts[0].spread()}"


@dataclass(frozen=True)
class Curve:
    """A ROC curve of the class ``positive``."""

    false_positives: list[float]
    true_positives: list[float]
    area: float
    positive: str
    rows: int


@dataclass(frozen=True)
class Residuals:
    """What was observed less what was predicted, against what was predicted."""

    predicted: list[float]
    residuals: list[float]
    rmse: float
    rows: int

    def heading(self) -> str:
        """Return the error, and how many rows are drawn where not all are."""
        drawn = len(self.predicted)
        rows = f"{self.rows}" if drawn == self.rows else f"{drawn} of {self.rows}"
        return f"Residuals of {rows} rows, RMSE {self.rmse:.4g}"


@dataclass(frozen=True)
class Counts:
    """A confusion matrix: a row for each true class, a column for each predicted one."""

    classes: list[str]
    counts: list[list[int]]
    shares: list[list[float]]
    accuracy: float


def scores_by_metric(scores: object) -> list[MetricScores]:
    """Return the scores of a table, in its order of metrics."""
    import numpy as np

    subject, remedy = "plots.fold_scores, scores", "Give the table NAME.scores."
    rows = table(subject, scores, COLUMNS, remedy)
    numeric(subject, rows, ["fold", "value", "rows"])
    found = []
    for metric, judged in rows.groupby("metric", sort=False):
        parts = []
        for part, those in judged.groupby("part", sort=True):
            ordered = those.sort_values("fold", kind="stable")
            values = ordered["value"].to_numpy(dtype=np.float64)
            parts.append(
                PartScores(
                    str(part),
                    [int(fold) for fold in ordered["fold"]],
                    values.tolist(),
                    [int(size) for size in ordered["rows"]],
                    float(np.mean(values)),
                    float(np.std(values)),
                )
            )
        found.append(MetricScores(str(metric), parts))
    return found


def roc_of(y: object, scores: object) -> Curve:
    """Return the ROC curve of scores, for the second of two classes in sorted order."""
    import numpy as np

    metrics = needed("sklearn.metrics")
    truth = column("plots.roc, y", y, classes=True)
    given = _decisions(scores)
    same_rows("plots.roc", {"y": truth, "scores": given})
    classes = _classes("plots.roc, y", truth)
    if len(classes) != 2:
        got = f"{len(classes)} ({listed(map(str, classes[:5]))})"
        remedy = "Draw one class against the rest: y == one of them."
        refuse_if([Breach("plots.roc, y", "two classes", got, remedy)])
    is_positive = truth == classes[1]
    wrong, right, _ = metrics.roc_curve(is_positive, given)
    area = float(metrics.roc_auc_score(is_positive, given))
    kept = _thinned(len(wrong))
    return Curve(
        np.asarray(wrong)[kept].tolist(),
        np.asarray(right)[kept].tolist(),
        area,
        str(classes[1]),
        len(truth),
    )


def residuals_of(y: object, predicted: object) -> Residuals:
    """Return residuals; of many rows evenly by size, the largest of both signs included."""
    import numpy as np

    truth = column("plots.residuals, y", y)
    given = column("plots.residuals, predicted", predicted)
    same_rows("plots.residuals", {"y": truth, "predicted": given})
    left = truth - given
    kept = np.sort(np.argsort(left, kind="stable")[_thinned(len(left))])
    rmse = float(needed("sklearn.metrics").root_mean_squared_error(truth, given))
    return Residuals(given[kept].tolist(), left[kept].tolist(), rmse, len(left))


def confusion_of(y: object, label: object) -> Counts:
    """Return how many rows of each class have each label."""
    import numpy as np

    metrics = needed("sklearn.metrics")
    truth = column("plots.confusion, y", y, classes=True)
    given = column("plots.confusion, label", label, classes=True)
    same_rows("plots.confusion", {"y": truth, "label": given})
    try:
        classes = needed("sklearn.utils.multiclass").unique_labels(truth, given)
        counts = metrics.confusion_matrix(truth, given, labels=classes)
    except (TypeError, ValueError) as error:
        got = " ".join(str(error).split()).rstrip(".")
        remedy = "Give labels, not probabilities: the output of predict."
        breach = Breach("plots.confusion", "classes of one kind in each", got, remedy)
        raise RatsError(str(breach)) from error
    sizes = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, sizes, out=np.zeros(counts.shape), where=sizes > 0)
    accuracy = float(np.trace(counts) / counts.sum())
    names = [str(name) for name in classes]
    return Counts(names, counts.tolist(), shares.tolist(), accuracy)


def _decisions(scores: object) -> Numbers:
    """Return one number a row: of two probabilities the second."""
    import numpy as np

    values = np.asarray(scores)
    if values.ndim == 2 and values.shape[1] in (1, 2):
        values = values[:, -1]
    if values.ndim != 1:
        expected = "probabilities of two classes, or one decision value a row"
        remedy = "Name the output of predict_proba or decision_function."
        got = f"shape {values.shape}"
        refuse_if([Breach("plots.roc, scores", expected, got, remedy)])
    return finite("plots.roc, scores", values)


def _classes(subject: str, values: Column) -> Sequence[Any]:
    import numpy as np

    try:
        return list(np.unique(values))
    except TypeError:
        kinds = sorted({type(value).__name__ for value in values})
        breach = Breach(
            subject, "classes of one kind", listed(kinds), "Leave out rows without one."
        )
        raise RatsError(str(breach)) from None


def _thinned(size: int) -> Any:
    """Return positions of at most `MOST_POINTS`, the first and the last included."""
    import numpy as np

    if size <= MOST_POINTS:
        return np.arange(size)
    return np.linspace(0, size - 1, MOST_POINTS).round().astype(np.intp)
