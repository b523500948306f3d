"""Methods that look to Kedro and Kedro-Viz like functions of their own.

Kedro asks a node's function for its signature (to check the inputs), its annotations
(for typed parameters) and whether it pickles; Kedro-Viz asks for its source, which it
finds for functions and bound methods only. So our own node functions are bound methods
of small module-level classes. What one of them takes depends on the instance, and Python
reads a bound method's signature off the function below it: hence each access binds a
copy of that function which carries the signature of its instance.
"""

from __future__ import annotations

import inspect
from functools import partial
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_SELF = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)


class HasArguments(Protocol):
    """The class of a node function: it knows what an instance takes."""

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The names of the arguments, in the order of the node's inputs."""


class node_function:  # noqa: N801 - a decorator, like property
    """Decorate a method so that it can be the function of a Kedro node.

    The bound method has a ``__signature__`` with the arguments of its instance. It pickles as any bound method does: by its instance and its name.
    """

    def __init__(self, method: Callable[..., object]) -> None:
        if not isinstance(method, FunctionType):
            msg = f"node_function decorates a method, not {method!r}"
            raise TypeError(msg)
        self._method = method

    def __get__(
        self, instance: HasArguments | None, owner: type | None = None
    ) -> Callable[..., object]:
        if instance is None:
            return self._method
        method = self._method
        function = FunctionType(
            method.__code__, method.__globals__, method.__name__, None, None
        )
        function.__module__ = method.__module__
        function.__qualname__ = method.__qualname__
        function.__doc__ = method.__doc__
        parameters = [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            for name in instance.argument_names
        ]
        function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [_SELF, *parameters]
        )
        return MethodType(function, instance)


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
    if type(one) is not type(other):
        return False
    seen.add((id(one), id(other)))
    if isinstance(one, MethodType) and isinstance(other, MethodType):
        return one.__name__ == other.__name__ and _equal(
            one.__self__, other.__self__, seen
        )
    if isinstance(one, (FunctionType, type)):
        return False
    if isinstance(one, partial) and isinstance(other, partial):
        mine, theirs = ((part.func, part.args, part.keywords) for part in (one, other))
        return _equal(mine, theirs, seen)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            _equal(value, other[key], seen) for key, value in one.items()
        )
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(
            _equal(mine, theirs, seen) for mine, theirs in zip(one, other, strict=True)
        )
    return _equal_objects(one, other, seen)


def _equal_objects(one: object, other: object, seen: set[tuple[int, int]]) -> bool:
    if type(one).__eq__ is not object.__eq__:
        verdict = one == other
        if isinstance(verdict, bool):
            return verdict or (one != one and other != other)
        # Arrays and tables compare element by element; their state says it all.
    try:
        mine, theirs = (_state(value) for value in (one, other))
    except TypeError:
        return False
    return _equal(mine, theirs, seen)


def _state(value: object) -> object:
    """Return what an object is made of: its attributes, or else what it pickles."""
    if hasattr(value, "__dict__"):
        return vars(value)
    if hasattr(value, "tobytes"):
        return (str(getattr(value, "dtype", "")), value.tobytes())
    reduced = value.__reduce_ex__(2)
    return reduced if isinstance(reduced, str) else reduced[1:3]
