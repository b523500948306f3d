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
        function.__annotations__ = dict(getattr(instance, "annotations", {}))
        parameters = [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            for name in instance.argument_names
        ]
        function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [_SELF, *parameters]
        )
        return MethodType(function, instance)
