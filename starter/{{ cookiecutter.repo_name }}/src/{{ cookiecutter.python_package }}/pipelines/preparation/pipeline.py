"""The preparation: nothing is learned, so training and evaluation do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats import transformer

from .nodes import bird, features, sex

if TYPE_CHECKING:
    from kedro_rats import Estimator


def preparation(table: str = "penguins") -> Estimator:
    """Return the chain that makes the features ``X`` and the target ``y`` of a table."""
    return transformer(features, inputs=table, outputs="X") + transformer(
        sex, inputs=table, outputs="y"
    )


def birds(table: str = "penguins") -> Estimator:
    """Return the transformer that makes ``bird``: which rows may be the same one."""
    return transformer(bird, inputs=table, outputs="bird")
