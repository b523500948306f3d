"""The functions of the nodes that learn and apply objects such as scikit-learn's."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import RatsError, shown
from kedro_rats.estimators.arguments import bind
from kedro_rats.estimators.node_function import node_function

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PARAMETERS = "set_params"
"""The argument whose value is given to ``set_params`` and not to ``fit``."""


@dataclass(frozen=True, eq=False)
class FitObject:
    """Fits a fresh copy of an object.

    Attributes:
        obj: The object, which is never changed.
        keywords: How each input reaches ``fit``; ``PARAMETERS`` stands for parameters.
        argument_names: What Kedro's argument check and people see.
    """

    obj: Any
    keywords: tuple[str | None, ...]
    argument_names: tuple[str, ...]

    @node_function
    def fit(self, *values: object) -> object:
        """Return a copy of the object, fitted."""
        fitted, args, kwargs = self.prepared(values)
        fitted.fit(*args, **kwargs)
        return fitted

    @node_function
    def fit_transform(self, *values: object) -> list[object]:
        """Return a copy of the object, fitted, and what it transformed meanwhile."""
        fitted, args, kwargs = self.prepared(values)
        transformed = fitted.fit_transform(*args, **kwargs)
        return [fitted, transformed]

    def prepared(
        self, values: Sequence[object]
    ) -> tuple[Any, list[object], dict[str, object]]:
        """Return an unfitted copy, and the arguments of its fit."""
        args, kwargs = bind(self.keywords, values)
        fresh = unfitted(self.obj)
        if PARAMETERS in kwargs:
            set_parameters(fresh, kwargs.pop(PARAMETERS))
        return fresh, args, kwargs


@dataclass(frozen=True, eq=False)
class ApplyState:
    """Calls methods of a fitted object, which the node reads as its first input."""

    methods: tuple[str, ...]
    keywords: tuple[str | None, ...]
    argument_names: tuple[str, ...]

    @node_function
    def apply(self, *values: object) -> object:
        """Return what the methods of the fitted object give."""
        return call_methods(values[0], self.methods, self.keywords, values[1:])


@dataclass(frozen=True, eq=False)
class ApplyObject:
    """Calls methods of an object that needs no fit."""

    obj: Any
    methods: tuple[str, ...]
    keywords: tuple[str | None, ...]
    argument_names: tuple[str, ...]

    @node_function
    def apply(self, *values: object) -> object:
        """Return what the methods of the object give."""
        return call_methods(self.obj, self.methods, self.keywords, values)


@dataclass(frozen=True, eq=False)
class CallFunction:
    """Calls a function whose signature Python cannot tell, which Kedro would refuse.

    NumPy's universal functions are such, before NumPy 2.4.
    """

    func: Callable[..., Any]
    keywords: tuple[str | None, ...]
    argument_names: tuple[str, ...]

    @node_function
    def call(self, *values: object) -> object:
        """Return what the function gives."""
        args, kwargs = bind(self.keywords, values)
        return self.func(*args, **kwargs)


def call_methods(
    obj: object,
    methods: Sequence[str],
    keywords: Sequence[str | None],
    values: Sequence[object],
) -> object:
    """Return what one method of ``obj`` gives, or a list of what several give."""
    args, kwargs = bind(keywords, values)
    results = [getattr(obj, method)(*args, **kwargs) for method in methods]
    return results[0] if len(results) == 1 else results


def unfitted(obj: object) -> Any:
    """Return a copy of ``obj`` with the same parameters and without what it learned.

    Objects that follow scikit-learn's conventions are copied by ``sklearn.base.clone``
    (a ``FrozenEstimator`` keeps what it learned); any other is copied whole.
    """
    if hasattr(obj, "get_params") or hasattr(obj, "__sklearn_clone__"):
        from sklearn.base import clone

        return clone(obj)
    return copy.deepcopy(obj)


def set_parameters(obj: Any, value: object) -> None:
    """Give ``value``, a mapping or a typed parameter, to ``obj.set_params``.

    Raises:
        RatsError: If the value is no mapping, or holds what ``obj`` does not take.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    elif hasattr(value, "model_dump"):
        value = value.model_dump()
    if not isinstance(value, Mapping):
        msg = (
            f"Parameters of {type(obj).__name__}: expected a mapping of parameter names "
            f"to values, got {shown(value)}. Write `name: value` lines in parameters.yml."
        )
        raise RatsError(msg)
    try:
        obj.set_params(**value)
    except (TypeError, ValueError) as error:
        msg = (
            f"Parameters of {type(obj).__name__}: expected what set_params takes, "
            f"got {shown(dict(value))}. {error}"
        )
        raise RatsError(msg) from error
