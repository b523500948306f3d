"""Parameters in which a search has set some values."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from kedro_rats.combinators.guarding import Failed, Masked
from kedro_rats.estimators.arguments import Arguments
from kedro_rats.estimators.node_function import node_function

if TYPE_CHECKING:
    from kedro.pipeline.node import Node


@dataclass(frozen=True)
class Merge:
    """Sets what a search chose in the parameters that a node reads.

    Attributes:
        dataset: The parameters as the node names them, e.g. ``params:clf``.
        paths: The searched paths.
        kind: The annotated type of the node's argument, which the value is built in;
            None for plain values.
    """

    dataset: str
    paths: tuple[str, ...]
    kind: Any = None
    argument_names: tuple[str, ...] = ("chosen", "parameters")

    @node_function
    def merge(self, *values: Any) -> Any:
        """Return the parameters with the chosen values."""
        chosen, original = values
        if isinstance(chosen, (Failed, Masked)):
            return chosen
        chosen = chosen.get("params", chosen) if "number" in chosen else chosen
        merged: Any = plain(original)
        for path in self.paths:
            if path in chosen:
                merged = _set(merged, self.dataset, path, chosen[path])
        return built(merged, self.kind)


def reads(dataset: str, path: str) -> bool:
    """Say whether a node that reads ``dataset`` sees a searched path.

    Example:
        >>> reads("params:clf", "params:clf.C"), reads("params:clfs", "params:clf.C")
        (True, False)
    """
    return (
        dataset in {path, "parameters"}
        or path.startswith(f"{dataset}.")
        or dataset.startswith(f"{path}.")
    )


def kind_of(node: Node, dataset: str) -> Any:
    """Return the typed-parameter class that a node asks of a dataset, or None."""
    arguments = Arguments.parse(node._inputs) if node._inputs else Arguments((), ())
    try:
        hints = get_type_hints(node.func)
    except (NameError, TypeError, AttributeError):
        return None
    by_dataset = dict(
        zip(arguments.datasets, arguments.named_after(node.func), strict=True)
    )
    kind = _not_none(hints.get(by_dataset.get(dataset, "")))
    return kind if _is_model(kind) else None


def plain(value: Any) -> Any:
    """Return a copy of parameters in which typed ones are dicts."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)
        }
    if hasattr(value, "model_dump"):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return copy.deepcopy(value)


def built(value: Any, kind: Any) -> Any:
    """Return parameters as an instance of a dataclass or pydantic model."""
    if kind is None or not isinstance(value, Mapping):
        return value
    hints = {key: _not_none(hint) for key, hint in get_type_hints(kind).items()}
    items = {
        key: built(item, hints[key]) if _is_model(hints.get(key)) else item
        for key, item in value.items()
    }
    if hasattr(kind, "model_validate"):
        fields = kind.model_fields
        alias = {k: fields[k].alias for k in items if k in fields and fields[k].alias}
        return kind.model_validate({alias.get(k, k): v for k, v in items.items()})
    derived = {f.name for f in dataclasses.fields(kind) if not f.init}
    return kind(**{key: item for key, item in items.items() if key not in derived})


def _is_model(kind: Any) -> bool:
    is_dataclass = isinstance(kind, type) and dataclasses.is_dataclass(kind)
    return is_dataclass or hasattr(kind, "model_validate")


def _not_none(hint: Any) -> Any:
    """Return the only type of an optional one, as Kedro takes it; else the same."""
    others = [part for part in get_args(hint) if part is not type(None)]
    is_union = get_origin(hint) in (Union, UnionType)
    return others[0] if is_union and len(others) == 1 else hint


def _set(original: Any, dataset: str, path: str, value: Any) -> Any:
    """Return the parameters of ``dataset`` in which ``path`` has a value."""
    if dataset == path:
        return value
    if dataset.startswith(f"{path}."):
        for key in dataset.removeprefix(f"{path}.").split("."):
            value = value[key]
        return value
    prefix = "params:" if dataset == "parameters" else f"{dataset}."
    *parents, last = path.removeprefix(prefix).split(".")
    # A key with nothing below it is None in YAML, and means an empty mapping here.
    level = whole = {} if original is None else original
    for key in parents:
        if level.get(key) is None:
            level[key] = {}
        level = level[key]
    level[last] = value
    return whole
