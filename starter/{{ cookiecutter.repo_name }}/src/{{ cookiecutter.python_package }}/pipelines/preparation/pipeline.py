"""The preparation: nothing is learned, so training and evaluation do the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats import transformer

from .nodes import features, sex

if TYPE_CHECKING:
    from kedro_rats import Estimator


def preparation() -> Estimator:
    """Return the chain that makes the features ``X`` and the target ``y``."""
    return transformer(features, inputs="penguins", outputs="X") + transformer(
        sex, inputs="penguins", outputs="y"
    )
