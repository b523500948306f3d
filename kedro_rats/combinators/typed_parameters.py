"""Parameters as instances of the class that a node asks for: dataclasses and models."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Sequence


def is_model(kind: Any) -> bool:
    """Say whether a type is a dataclass or a pydantic model."""
    is_dataclass = isinstance(kind, type) and dataclasses.is_dataclass(kind)
    return is_dataclass or hasattr(kind, "model_validate")


def not_none(hint: Any) -> Any:
    """Return the only type of an optional one, as Kedro takes it; else the same."""
    others = [part for part in get_args(hint) if part is not type(None)]
    is_union = get_origin(hint) in (Union, UnionType)
    return others[0] if is_union and len(others) == 1 else hint


def plain(value: Any) -> Any:
    """Return a copy of parameters in which typed ones are dicts, by field."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)
        }
    if hasattr(value, "model_dump"):
        fields = (*type(value).model_fields, *(value.model_extra or ()))
        return {name: plain(getattr(value, name)) for name in fields}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return copy.deepcopy(value)


def by_field(value: Any, kind: Any) -> Any:
    """Return parameters in which what has an alias is under the name of its field."""
    if not is_model(kind) or not isinstance(value, Mapping):
        return value
    hints, fields = _hints(kind), fields_of(kind)
    named = {_field_of(fields, key): item for key, item in value.items()}
    return {key: by_field(item, hints.get(key)) for key, item in named.items()}


def built(value: Any, kind: Any) -> Any:
    """Return parameters, given by field, as an instance of a class."""
    if kind is None or not isinstance(value, Mapping):
        return value
    hints, fields = _hints(kind), fields_of(kind)
    derived = set()
    if not hasattr(kind, "model_validate"):
        derived = {field.name for field in dataclasses.fields(kind)} - fields.keys()
    items = {
        fields.get(key, (key,))[0]: built(item, hints[key])
        if is_model(hints.get(key))
        else item
        for key, item in value.items()
        if key not in derived
    }
    if hasattr(kind, "model_validate"):
        return kind.model_validate(items)
    return kind(**items)


def fields_of(kind: Any) -> dict[str, tuple[str, ...]]:
    """Return the fields of a class that can be given, and the keys of each.

    The class is built with the first key: the name of the field, unless it has an alias.
    """
    models = getattr(kind, "model_fields", getattr(kind, "__pydantic_fields__", None))
    if models is None:
        return {f.name: (f.name,) for f in dataclasses.fields(kind) if f.init}
    config = getattr(kind, "model_config", getattr(kind, "__pydantic_config__", {}))
    by_name = config.get("populate_by_name") or config.get("validate_by_name")
    found = {}
    for name, field in models.items():
        choices = getattr(field.validation_alias, "choices", [field.validation_alias])
        # What is lost on a path of pydantic's, `lost_field` finds.
        aliases = [alias for alias in choices if isinstance(alias, str)]
        found[name] = (name, *aliases) if by_name else (*aliases, name)
    return found


def in_fields(keys: Sequence[str], kind: Any) -> list[str]:
    """Return the keys of a path, each by the name of the field that it means."""
    found = []
    for key in keys:
        field, kind = _step(key, kind)
        found.append(field)
    return found


def unknown_key(keys: Sequence[str], kind: Any) -> tuple[Any, str] | None:
    """Return the first key of a path that a class has no field for, with that class.

    Example:
        >>> @dataclasses.dataclass
        ... class Options:
        ...     C: float = 1.0
        >>> unknown_key(["C"], Options) is None, unknown_key(["c"], Options)[1]
        (True, 'c')
    """
    for key in keys:
        if not is_model(kind):
            return None
        if _field_of(fields_of(kind), key) not in fields_of(kind):
            takes_any = getattr(kind, "model_config", {}).get("extra") == "allow"
            return None if takes_any else (kind, key)
        _, kind = _step(key, kind)
    return None


def lost_field(made: Any, keys: Sequence[str]) -> str | None:
    """Return the field on a path that was not set when an instance was built."""
    for key in keys:
        kind = type(made)
        if not is_model(kind):
            return None
        fields = fields_of(kind)
        field = _field_of(fields, key)
        if field in fields and field not in getattr(made, "model_fields_set", fields):
            return field
        made = getattr(made, field, None)
    return None


def _step(key: str, kind: Any) -> tuple[str, Any]:
    """Return the field that a key means, and its type."""
    if not is_model(kind):
        return key, None
    field = _field_of(fields_of(kind), key)
    return field, _hints(kind).get(field)


def _field_of(fields: Mapping[str, tuple[str, ...]], key: str) -> str:
    """Return the field that has a key; the key itself where there is none."""
    if key in fields:
        return key
    return next((field for field, keys in fields.items() if key in keys), key)


def _hints(kind: Any) -> dict[str, Any]:
    return {key: not_none(hint) for key, hint in get_type_hints(kind).items()}
