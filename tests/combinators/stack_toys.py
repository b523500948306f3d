"""What the tests of `stack` and `map_over` share: bases, their peers, and witnesses.

All is at the top of a module, so that it pickles and other processes can import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from combinators import toys
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kedro_rats import Estimator, estimator, map_over, stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from combinators.toys import Array

FINAL_OUTPUTS = {"predict": "label", "predict_proba": "p"}


def linear(**options: Any) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(**options))


def model(obj: Any, outputs: Any, name: str, reads: str = "X") -> Estimator:
    """Return an estimator of an object of scikit-learn, which is copied."""
    return estimator(
        clone(obj),
        fit_inputs={"X": reads, "y": "y"},
        inputs=reads,
        outputs=outputs,
        name=name,
    )


def stacked(
    objects: Mapping[str, Any],
    final: Any,
    *,
    method: str,
    outputs: Any = None,
    **options: Any,
) -> Estimator:
    """Return a stack of objects whose ``method`` makes the features."""
    given = {
        "splitter": StratifiedKFold(3),
        "rows": ["X", "y"],
        "stratify": "y",
        "features": [f"{name}_out" for name in objects],
        "name": "stack",
        **options,
    }
    bases = [model(o, {method: f"{name}_out"}, name) for name, o in objects.items()]
    last = model(final, outputs or FINAL_OUTPUTS, "final", reads="features")
    return stack(bases, last, **given)


def small() -> Estimator:
    """Return a stack of few nodes, for runs in several processes."""
    return stacked(
        {"linear": linear(), "bayes": GaussianNB()},
        linear(C=0.5),
        method="predict_proba",
        splitter=KFold(2, shuffle=True, random_state=0),
        stratify=None,
        passthrough=["X"],
    )


def mapped() -> Estimator:
    """Return a model for each of two targets of the same rows."""
    return map_over(
        toys.scaled(LogisticRegression(), {"predict_proba": "p"}),
        keys=["first", "second"],
        over=["y"],
        shared=["X"],
        name="target",
    )


# --- witnesses ----------------------------------------------------------------------------


class Witness:
    """Learns which rows it saw, and whether what it got was made by a fit that saw them.

    It reads pairs of columns: the number of a row, and whether any fit that the row went
    through had seen it. It gives one such pair. Rows without the second column are new.
    """

    def fit(self, X: Array, y: Array | None = None) -> Witness:
        numbers, seen = X[:, ::2], X[:, 1::2]
        self.rows_ = np.unique(numbers[:, 0])
        self.of_seen_ = bool(seen.any())
        self.aligned_ = bool((numbers == numbers[:, :1]).all())
        return self

    def transform(self, X: Array) -> Array:
        numbers, seen = X[:, 0], X[:, 1::2].any(axis=1)
        return np.column_stack([numbers, seen | np.isin(numbers, self.rows_)])


def witness(inputs: str, outputs: str, name: str) -> Estimator:
    return estimator(Witness(), inputs=inputs, outputs=outputs, name=name)


def witnessed(
    name: str = "stack",
    bases: list[Estimator] | None = None,
    *,
    splitter: Any = None,
    output: str = "out",
) -> Estimator:
    """Return a stack of witnesses: two of their own chains, or those that are given."""
    if bases is None:
        twice = witness("X", f"{name}_Z", f"{name}_scale")
        bases = [
            twice + witness(f"{name}_Z", f"{name}_a", f"{name}_after"),
            witness("X", f"{name}_b", f"{name}_alone"),
        ]
    into = f"{name}_features"
    return stack(
        bases,
        witness(into, output, f"{name}_final"),
        splitter=splitter or KFold(3, shuffle=True, random_state=0),
        rows=["X"],
        features=[output for base in bases for output in base.outputs],
        into=into,
        name=name,
    )


# --- exact arithmetic -----------------------------------------------------------------------


class Add:
    """Learns the sum of what it sees, and adds it: exact for whole numbers."""

    def __init__(self, times: int = 1, columns: int = 0) -> None:
        self.times = times
        self.columns = columns

    def fit(self, X: Array) -> Add:
        self.sum_ = self.times * X.sum()
        return self

    def transform(self, X: Array) -> Array:
        """Return a vector, or a matrix of so many columns."""
        first = 1000 * X[:, 0] + self.sum_
        if not self.columns:
            return first
        return np.column_stack([first + column for column in range(self.columns)])
