"""Small estimators of every kind, picklable, that keep rows and agree in both phases.

Data is an array of rows with two columns; targets are arrays of numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.float64]


def learn_mean(rows: Rows) -> Rows:
    return rows.mean(axis=0)


def learn_shifted_mean(rows: Rows, target: Rows, shift: float) -> Rows:
    return rows.mean(axis=0) + target.mean() + shift


def subtract(state: Rows, rows: Rows) -> Rows:
    return rows - state


def subtract_and_halve(state: Rows, rows: Rows) -> dict[str, Rows]:
    return {"less": rows - state, "half": (rows - state) / 2}


def double(rows: Rows) -> Rows:
    return rows * 2.0


def halve(rows: Rows) -> Rows:
    return rows / 2.0


def add(left: Rows, right: Rows) -> Rows:
    return left + right


def keep_first_half(rows: Rows, target: Rows) -> tuple[Rows, Rows]:
    half = max(2, len(rows) // 2)  # or a chain of several would learn from nothing
    return rows[:half], target[:half]


@dataclass
class Centre:
    """Subtracts what it learned; has no ``fit_transform``."""

    scale: float = 1.0

    def fit(self, X: Rows, y: Rows | None = None) -> Centre:
        self.mean_ = X.mean(axis=0) * self.scale
        return self

    def transform(self, X: Rows) -> Rows:
        return X - self.mean_

    def set_params(self, **params: Any) -> Centre:
        for name, value in params.items():
            setattr(self, name, value)
        return self


@dataclass
class FusedCentre(Centre):
    """The same, but fits and transforms in one call."""

    def fit_transform(self, X: Rows, y: Rows | None = None) -> Rows:
        return self.fit(X, y).transform(X)


@dataclass
class Model(Centre):
    """Has several methods that make outputs."""

    def predict(self, X: Rows) -> Rows:
        return (X - self.mean_).sum(axis=1, keepdims=True) * np.ones(2)

    def decision_function(self, X: Rows) -> Rows:
        return self.predict(X) / 2
