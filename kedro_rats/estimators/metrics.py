"""Metrics: functions that judge outputs, with the datasets they read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, raise_if, shown
from kedro_rats.estimators.arguments import Arguments, Names, check_call, check_names

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Metric:
    """A function of datasets that gives one number; made by `metric`.

    Attributes:
        func: ``func(*inputs) -> float``.
        arguments: The datasets it reads, and how each reaches it.
        greater_is_better: The direction in which a search goes.
    """

    func: Callable[..., object]
    arguments: Arguments
    greater_is_better: bool = True


def metric(func: Any, *, inputs: Names, greater_is_better: bool = True) -> Metric:
    """Return a metric: a function, and the datasets that it judges.

    Args:
        func: ``func(*inputs) -> float``, e.g. one of ``sklearn.metrics``. Its datasets
            reach it unchanged: a probability matrix has all its columns.
        inputs: The datasets, in the order of the arguments; a dict maps arguments to
            datasets (for weights: ``{"y_true": "y", "y_score": "d",
            "sample_weight": "w"}``).
        greater_is_better: False for a loss.

    Raises:
        DefinitionError: If ``func`` is no function or does not take ``inputs``.

    Example:
        >>> from sklearn.metrics import roc_auc_score
        >>> metric(roc_auc_score, inputs=["y", "d"]).arguments.datasets
        ('y', 'd')
    """
    if not callable(func) or isinstance(func, type):
        breach = Breach(
            "metric",
            "a function that returns a number",
            shown(func),
            "Give it as metric(roc_auc_score, inputs=['y', 'd']).",
        )
        raise_if([breach])
    subject = f"metric {getattr(func, '__name__', 'metric')!r}, inputs"
    raise_if(check_names(subject, inputs))
    arguments = Arguments.parse(inputs)
    raise_if(check_call(subject, func, arguments, follow_wrapped=True))
    return Metric(func, arguments, greater_is_better)
