"""Copies of an estimator's nodes under other names."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from kedro_rats import names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kedro.pipeline.node import Node

_GROUP = "group."


def renamed(
    nodes: Iterable[Node],
    namespace: str,
    kept: Mapping[str, str],
    parameters: Callable[[Node, str], str] | None = None,
) -> list[Node]:
    """Return copies of nodes in a namespace, with all their datasets prefixed.

    Parameters keep their names. A group of nodes becomes a group of this namespace:
    copies of a task are tasks of their own.

    Args:
        nodes: The nodes of an operand.
        namespace: Prefix of the nodes and datasets.
        kept: For datasets (without transcoding) that are not prefixed: their names.
        parameters: What a node reads in place of some parameters; None: the same.
    """

    def rename(node: Node, dataset: str) -> str:
        if names.is_parameter(dataset):
            return dataset if parameters is None else parameters(node, dataset)
        base, at, transcoding = dataset.partition("@")
        return f"{kept.get(base, f'{namespace}.{base}')}{at}{transcoding}"

    return [_copied(node, namespace, partial(rename, node)) for node in nodes]


def _copied(node: Node, namespace: str, rename: Callable[[str], str]) -> Node:
    tags = {
        f"{_GROUP}{namespace}.{tag.removeprefix(_GROUP)}"
        if tag.startswith(_GROUP)
        else tag
        for tag in node.tags
    }
    return node._copy(
        inputs=_mapped(node._inputs, rename),
        outputs=_mapped(node._outputs, rename),
        confirms=_mapped(node._confirms, rename),
        namespace=f"{namespace}.{node.namespace}" if node.namespace else namespace,
        tags=tags,
    )


def _mapped(datasets: Any, rename: Callable[[str], str]) -> Any:
    if isinstance(datasets, str):
        return rename(datasets)
    if isinstance(datasets, list):
        return [rename(dataset) for dataset in datasets]
    if isinstance(datasets, dict):
        return {key: rename(dataset) for key, dataset in datasets.items()}
    return datasets
