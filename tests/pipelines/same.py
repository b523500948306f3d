"""Equality to the last bit, of all that estimators of scikit-learn make."""

from __future__ import annotations

from typing import Any

import numpy as np


def assert_identical(one: Any, other: Any) -> None:
    """Compare values, types, dtypes and labels, without any tolerance."""
    assert type(one) is type(other)
    if isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for mine, theirs in zip(one, other, strict=True):
            assert_identical(mine, theirs)
    elif hasattr(one, "toarray"):
        assert one.dtype == other.dtype
        assert one.format == other.format
        np.testing.assert_array_equal(one.toarray(), other.toarray())
    elif hasattr(one, "iloc"):
        assert one.equals(other)
        assert one.index.equals(other.index)
        assert list(one.columns) == list(other.columns)
        assert list(one.dtypes) == list(other.dtypes)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other or (one != one and other != other)


def assert_same_learned(one: Any, other: Any) -> None:
    """Compare the numbers that two fitted objects learned."""
    assert type(one) is type(other)
    mine, theirs = (
        {
            name: value
            for name, value in vars(fitted).items()
            if name.endswith("_") and name != "refit_time_" and is_plain(value)
        }
        for fitted in (one, other)
    )
    assert mine.keys() == theirs.keys()
    for name, value in mine.items():
        assert_identical(value, theirs[name])


def is_plain(value: Any) -> bool:
    """Say whether a value has its numbers in itself, not in objects."""
    if isinstance(value, np.ndarray):
        return value.dtype != object
    return isinstance(value, (float, int, str, np.generic))
