"""Whether two node functions do the same."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from functools import partial
from types import FunctionType, MethodType
from typing import Any


def same_function(one: object, other: object) -> bool:
    """Say whether two node functions do the same.

    They do if they are identical, or methods of one class with equal arguments.

    Example:
        >>> same_function(len, len), same_function(len, max)
        (True, False)
    """
    return _equal(one, other, set())


def _equal(one: object, other: object, seen: set[tuple[int, int]]) -> bool:
    if one is other or (id(one), id(other)) in seen:
        return True
    if type(one) is not type(other) or isinstance(one, (FunctionType, type)):
        return False
    seen.add((id(one), id(other)))
    mine, theirs = _parts(one), _parts(other)
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        return mine.keys() == theirs.keys() and all(
            _equal(value, theirs[key], seen) for key, value in mine.items()
        )
    if mine is not None and theirs is not None:
        return len(mine) == len(theirs) and all(
            _equal(value, theirs[i], seen) for i, value in enumerate(mine)
        )
    return _equal_objects(one, other, seen)


def _parts(value: object) -> Mapping[Any, Any] | Sequence[Any] | None:
    """Return what a value of a known structure is made of."""
    if isinstance(value, MethodType):
        return (value.__name__, value.__self__)
    if isinstance(value, partial):
        return (value.func, value.args, value.keywords)
    if is_dataclass(value):
        return vars(value)
    return value if isinstance(value, (dict, list, tuple)) else None


def _equal_objects(one: object, other: object, seen: set[tuple[int, int]]) -> bool:
    if type(one).__eq__ is object.__eq__ and hasattr(one, "__dict__"):
        return _equal(vars(one), vars(other), seen)
    try:
        verdict = one == other
    except Exception:  # noqa: BLE001 - arrays of other shapes raise, each in its way
        verdict = None
    if isinstance(verdict, bool) and type(one).__eq__ is not object.__eq__:
        return verdict or (one != one and other != other)
    # Arrays and tables compare element by element; what they pickle says it all.
    return _pickled(one) == _pickled(other) is not None


def _pickled(value: object) -> bytes | None:
    try:
        return pickle.dumps(value)
    except Exception:  # noqa: BLE001 - pickling calls any code
        return None
