"""Parameters in which a search has set some values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from kedro_rats.combinators.typed_parameters import (
    built,
    by_field,
    in_fields,
    is_model,
    lost_field,
    not_none,
    plain,
)
from kedro_rats.errors import RatsError
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
        """Return the parameters with the chosen values.

        Raises:
            RatsError: If the class that a node asks for does not take one of them.
        """
        chosen, original = values
        chosen = chosen.get("params", chosen) if "number" in chosen else chosen
        merged: Any = by_field(plain(original), self.kind)
        searched = [path for path in self.paths if path in chosen]
        for path in searched:
            merged = _set(merged, self.dataset, path, chosen[path], self.kind)
        made = built(merged, self.kind)
        for path in searched:
            self._check_set(made, path)
        return made

    def _check_set(self, made: Any, path: str) -> None:
        """Refuse a class that leaves out what is searched, for all trials were equal."""
        lost = lost_field(made, keys_below(self.dataset, path))
        if lost is not None:
            msg = (
                f"{path!r}: expected a field that takes the searched value, got "
                f"{type(made).__name__}, in which {lost!r} stays as it was. Give the "
                "field a plain name or alias."
            )
            raise RatsError(msg)


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
    kind = not_none(hints.get(by_dataset.get(dataset, "")))
    return kind if is_model(kind) else None


def keys_below(dataset: str, path: str) -> list[str]:
    """Return the keys that lead from parameters to a path in them, or none.

    Example:
        >>> keys_below("params:clf", "params:clf.opt.C"), keys_below("params:clf", "params:clf")
        (['opt', 'C'], [])
    """
    prefix = "params:" if dataset == "parameters" else f"{dataset}."
    return path.removeprefix(prefix).split(".") if path.startswith(prefix) else []


def _set(original: Any, dataset: str, path: str, value: Any, kind: Any) -> Any:
    """Return the parameters of ``dataset`` in which ``path`` has a value."""
    if dataset == path:
        return value
    if dataset.startswith(f"{path}."):
        for key in dataset.removeprefix(f"{path}.").split("."):
            value = value[key]
        return value
    *parents, last = in_fields(keys_below(dataset, path), kind)
    # A key with nothing below it is None in YAML, and means an empty mapping here.
    level = whole = {} if original is None else original
    for key in parents:
        if level.get(key) is None:
            level[key] = {}
        level = level[key]
    level[last] = value
    return whole
