"""Runs one Kedro node, with Kedro's hooks around it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node


def run_node(node: Node, catalog: DataCatalog, hooks: Any, run_id: str) -> None:
    """Load a node's inputs, call it, and save its outputs, as Kedro's runners do.

    Args:
        node: The node.
        catalog: Has its inputs and takes its outputs.
        hooks: Calls the hooks: ``hook_manager.hook`` of pluggy.
        run_id: Of the run, for hooks.

    Raises:
        TypeError: If a ``before_node_run`` hook returns neither None nor a dictionary.
        Exception: Whatever the node, a hook or a dataset raises.
    """
    inputs = {name: _load(name, node, catalog, hooks) for name in node.inputs}
    common = {"node": node, "catalog": catalog, "is_async": False, "run_id": run_id}
    # A hook may replace inputs by what it returns, not by what it does to the mapping.
    replies = hooks.before_node_run(inputs=dict(inputs), **common) or ()
    inputs.update(_replaced(replies))
    try:
        outputs = node.run(inputs)
    except Exception as error:
        hooks.on_node_error(error=error, inputs=inputs, **common)
        raise
    hooks.after_node_run(inputs=inputs, outputs=outputs, **common)
    for name, data in _chunks(node, outputs):
        hooks.before_dataset_saved(dataset_name=name, data=data, node=node)
        catalog.save(name, data)
        hooks.after_dataset_saved(dataset_name=name, data=data, node=node)


def _load(name: str, node: Node, catalog: DataCatalog, hooks: Any) -> object:
    hooks.before_dataset_loaded(dataset_name=name, node=node)
    data = catalog.load(name)
    hooks.after_dataset_loaded(dataset_name=name, data=data, node=node)
    return data


def _replaced(replies: Iterable[object]) -> dict[str, object]:
    found: dict[str, object] = {}
    for reply in replies:
        if isinstance(reply, dict):
            found.update(reply)
        elif reply is not None:
            msg = (
                "A before_node_run hook: expected None or a dictionary of dataset names "
                f"and values, got {type(reply).__name__}. Return one of them."
            )
            raise TypeError(msg)
    return found


def _chunks(node: Node, outputs: dict[str, Any]) -> Iterator[tuple[str, object]]:
    """Yield what is to be saved: of a generator node, chunk by chunk, in turn."""
    if not (outputs and inspect.isgeneratorfunction(node.func)):
        yield from outputs.items()
        return
    # Kedro stops with the shortest stream.
    for chunks in zip(*outputs.values(), strict=False):
        yield from zip(outputs, chunks, strict=True)
