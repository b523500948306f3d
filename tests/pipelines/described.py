"""Nodes as plain data: Kedro's pipelines have no equality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kedro.pipeline.node import Node

    from kedro_rats import Estimator


def node_data(node: Node) -> list[Any]:
    """Return all of a node but its function, as JSON can hold it."""
    return [
        node.name,
        node.func.__qualname__,
        # As given, not sorted: the order of a dict is the order of the arguments.
        node._inputs,
        node._outputs,
        sorted(node.tags),
    ]


def described(estimator: Estimator) -> dict[str, Any]:
    """Return all of an estimator but functions; nodes in Kedro's order."""
    return {
        "train": [node_data(node) for node in estimator.train.nodes],
        "eval": [node_data(node) for node in estimator.eval.nodes],
        "state": list(estimator.state),
        "outputs": list(estimator.outputs),
    }


def identities(nodes: Iterable[Node]) -> list[Any]:
    """Return nodes with the very functions they call, in order."""
    return [(node_data(node), id(node.func)) for node in nodes]
