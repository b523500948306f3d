"""When two node functions do the same."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pytest
from pipelines import toys

from kedro_rats.estimators.equality import same_function
from kedro_rats.estimators.node_function import node_function


@dataclass(frozen=True)
class Sum:
    """Adds a constant."""

    argument_names: tuple[str, ...]
    constant: int = 0

    @node_function
    def total(self, *values: int) -> int:
        """Return the sum of all and the constant."""
        return sum(values) + self.constant


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (toys.double, toys.double, True),
        (toys.double, toys.halve, False),
        (Sum(("a",)).total, Sum(("a",)).total, True),
        (Sum(("a",)).total, Sum(("b",)).total, False),
        (Sum(("a",), 1).total, Sum(("a",), 2).total, False),
        (functools.partial(max, 1), functools.partial(max, 1), True),
        (functools.partial(max, 1), functools.partial(max, 2), False),
        (functools.partial(max, 1), functools.partial(min, 1), False),
        (functools.partial(max, key=abs), functools.partial(max, key=len), False),
        (np.sin, np.sin, True),
        (np.sin, np.cos, False),
        (toys.Centre().fit, toys.Centre().transform, False),
        (toys.Centre().fit, toys.Centre().fit, True),
        (toys.Centre().fit, toys.FusedCentre().fit, False),
        (len, toys.double, False),
    ],
)
def test_functions_are_the_same_if_identical_or_of_one_class_with_equal_arguments(
    one: object, other: object, same: bool
) -> None:
    assert same_function(one, other) is same
    assert same_function(other, one) is same


def test_arguments_that_hold_themselves_are_compared() -> None:
    first, second = toys.Centre(), toys.Centre()
    first.scale, second.scale = [first], [second]  # type: ignore[assignment]

    assert same_function(first.fit, second.fit)
