"""Turns what pydantic complains of into sentences for the person who can mend it."""

from __future__ import annotations

import inspect
import typing
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from kedro_rats.errors import Breach, listed, nearest, shown
from kedro_rats.placement.fields import CUSTOM
from kedro_rats.placement.freely import subject

if typing.TYPE_CHECKING:
    from collections.abc import Iterator

_QUOTE: Final = "Write it in quotes."
_NUMBER: Final = "Write a number without quotes."
_SAID: Final[dict[str, tuple[str, str]]] = {
    "string_type": ("a text", _QUOTE),
    "int_type": ("a whole number", _NUMBER),
    "int_from_float": ("a whole number", _NUMBER),
    "float_type": ("a number", _NUMBER),
    "bool_type": ("true or false", "Write true or false."),
    "list_type": ("a list", "Begin each entry with '- '."),
    "dict_type": ("a mapping", "Write keys and values, one a line."),
    "model_type": ("a mapping", "Write keys and values, one a line."),
}
# What stands here may be a secret, so only its type is shown.
_HIDDEN: Final = ("bind", "store", "ext")


def breaches_of(
    error: ValidationError, model: type[BaseModel], source: str
) -> list[Breach]:
    """Return a breach for each complaint.

    Args:
        error: What pydantic raised.
        model: What it checked the file against.
        source: Name of the file.
    """
    return [_breach(dict(each), model, source) for each in error.errors()]


def _breach(error: dict[str, Any], model: type[BaseModel], source: str) -> Breach:
    kind, context = error["type"], error.get("ctx", {})
    path = tuple(str(part) for part in error["loc"] if part != "[key]")
    where = subject((source, *path))
    if kind == "extra_forbidden":
        return _unknown_key(path, model, source)
    if kind == "missing":
        remedy = f"Add it under {'.'.join(path[:-1])}."
        return Breach(where, "a value", "none", remedy)
    got = context.get("got") or _got(error, path)
    if kind == CUSTOM:
        return Breach(where, context["expected"], got, context["remedy"])
    expected, remedy = _SAID.get(kind) or _of_context(kind, context, error)
    if remedy in (_QUOTE, _NUMBER) and isinstance(error["input"], (dict, list)):
        remedy = "Write one value, no list and no mapping."
    return Breach(where, expected, got, remedy)


def _of_context(
    kind: str, context: dict[str, Any], error: dict[str, Any]
) -> tuple[str, str]:
    if kind == "literal_error":
        hint = nearest(str(error["input"])[:100], _quoted(context["expected"]))
        return context["expected"], f"{hint}Write one of these."
    if kind == "greater_than_equal":
        return f"at least {context['ge']}", "Raise it."
    if kind == "less_than_equal":
        return f"at most {context['le']}", "Lower it."
    if kind == "too_short":
        return "at least one entry", "Add one, or leave the key out."
    return f"something else ({error['msg']})", "See the reference of rats.yml."


def _quoted(text: str) -> list[str]:
    """Return what is in quotes: pydantic writes ``'a', 'b' or 'c'``."""
    return text.split("'")[1::2]


def _got(error: dict[str, Any], path: tuple[str, ...]) -> str:
    value = error["input"]
    if error["loc"][-1:] == ("[key]",) or path[0] not in _HIDDEN:
        return shown(value)
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number"}
    names |= {list: "a list", dict: "a mapping", type(None): "nothing"}
    return "another text" if error["type"] == CUSTOM else names[type(value)]


def _unknown_key(path: tuple[str, ...], model: type[BaseModel], source: str) -> Breach:
    known = _keys(model, path[:-1])
    key = path[-1]
    remedy = f"{nearest(key, known)}Rename it, or leave it out."
    where = subject((source, *path[:-1]))
    return Breach(where, f"keys {listed(known)}", shown(key), remedy)


def _keys(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    """Return the keys that the model knows at a place."""
    found: list[type[BaseModel]] = [model]
    for part in path:
        if part in found[0].model_fields:
            inner = list(_models(found[0].model_fields[part].annotation))
            # A name of a profile or an index is no field: stay where we are.
            found = inner or found
    return list(found[0].model_fields)


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """Find the models in a type such as ``dict[str, Annotated[Model, …] | None]``."""
    # Not `isinstance(…, type)`: on Python 3.10 `dict[str, int]` is one.
    if inspect.isclass(annotation) and typing.get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for part in typing.get_args(annotation):
        yield from _models(part)
