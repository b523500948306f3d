"""How an object can be made again: by its constructor, or as its reduction says."""

from __future__ import annotations

import dataclasses
import inspect
import warnings
from typing import TYPE_CHECKING, Any

from kedro_rats.encoding.pickling import pickled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def constructor_arguments(value: Any) -> dict[str, object] | None:
    """Return the arguments that make an object like ``value``, or None if unknown.

    They are known of a dataclass all of whose attributes are fields that its constructor,
    Python's own, takes and keeps; and of an unfitted estimator of scikit-learn, if making
    another one of the same parameters gives the same attributes.
    """
    if dataclasses.is_dataclass(value):
        return _fields(value)
    if any(base.__module__ == "sklearn.base" for base in type(value).__mro__):
        return _parameters(value)
    return None


def _fields(value: Any) -> dict[str, object] | None:
    kind = type(value)
    made_by: object = kind.__new__
    own = hasattr(kind, "__post_init__") or made_by is not object.__new__
    # The constructor that dataclasses write is in no file.
    written = getattr(kind.__init__, "__code__", None)
    if own or written is None or written.co_filename != "<string>":
        return None
    names = sorted(field.name for field in dataclasses.fields(value))
    taken = list(inspect.signature(kind).parameters)
    attributes = getattr(value, "__dict__", {})
    if sorted(taken) != names or not attributes.keys() <= set(names):
        return None
    if not all(hasattr(value, name) for name in names):
        return None
    return {name: getattr(value, name) for name in names}


def _parameters(value: Any) -> dict[str, object] | None:
    given = value.get_params(deep=False)
    attributes = vars(value)
    if not given.keys() <= attributes.keys():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whoever made the first one was warned
        again = vars(type(value)(**given))
    if again.keys() != attributes.keys():
        return None
    if any(again[name] is not attributes[name] for name in given):
        return None
    # Many a constructor sets more than its parameters: always the same, or not.
    rest = attributes.keys() - given.keys()
    if rest and _pickled(attributes, rest) != _pickled(again, rest):
        return None
    return {name: given[name] for name in sorted(given)}


def _pickled(attributes: Mapping[str, object], names: Iterable[str]) -> bytes:
    return pickled({name: attributes[name] for name in sorted(names)})


def rebuilt(
    function: Any, args: Any, state: Any, items: Any, pairs: Any, setter: Any
) -> object:
    """Return the object that a reduction describes, as ``pickle`` would build it."""
    obj = function(*args)
    if items:
        obj.extend(items)
    for key, item in pairs or ():
        obj[key] = item
    if state is None:
        return obj
    if setter is not None:
        setter(obj, state)
    elif hasattr(obj, "__setstate__"):
        obj.__setstate__(state)
    else:
        _set_attributes(obj, state)
    return obj


def _set_attributes(obj: Any, state: Any) -> None:
    attributes, slots = state if _has_slots(state) else (state, None)
    if attributes:
        # Not by setattr: a frozen dataclass would refuse, a property would meddle.
        vars(obj).update(attributes)
    for name, item in (slots or {}).items():
        setattr(obj, name, item)


def _has_slots(state: Any) -> bool:
    return isinstance(state, tuple) and len(state) == 2
