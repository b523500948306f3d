"""A list of scikit-learn steps as a chain of estimators."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from kedro_rats import estimator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro_rats import Estimator


def chain_of(
    steps: Sequence[tuple[str, Any]],
    outputs: Sequence[str],
    *,
    fit_y: bool = True,
    weight: str | None = None,
) -> Estimator:
    """Return what `sklearn.pipeline.Pipeline(steps)` is, as estimators.

    It reads ``X`` (and ``y``, and for the last step the weight), and writes an output
    for each method of the last step under the method's name.
    """
    parts, reads = [], "X"
    for i, (name, step) in enumerate(steps):
        last = i == len(steps) - 1
        fit_inputs: Any = [reads, "y"] if fit_y else [reads]
        if weight is not None and last:
            fit_inputs = {"X": reads, "y": "y", "sample_weight": weight}
        made = f"after_{name}"
        parts.append(
            estimator(
                step,
                fit_inputs=fit_inputs,
                inputs=reads,
                outputs={m: m for m in outputs} if last else {"transform": made},
                name=name,
            )
        )
        reads = made
    return reduce(add, parts)
