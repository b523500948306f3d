"""The part of a pipeline that some datasets need, and no method more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kedro_rats import names
from kedro_rats.estimators.calls import ApplyObject, ApplyState

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node


def pruned(pipeline: Pipeline, wanted: Iterable[str]) -> list[Node]:
    """Return the nodes that make some datasets, in running order.

    Of a node of ours that calls several methods of an object, only those remain whose
    outputs are needed: a trial that is judged by decisions predicts no probabilities.
    """
    needed = set(wanted)
    kept = []
    for node in reversed(pipeline.nodes):
        outputs = [names.base_name(output) for output in node.outputs]
        if needed & set(outputs):
            narrow = _narrowed(node, [output in needed for output in outputs])
            kept.append(narrow)
            needed |= {names.base_name(name) for name in narrow.inputs}
    return kept[::-1]


def _narrowed(node: Node, needed: list[bool]) -> Node:
    call = getattr(node.func, "__self__", None)
    if all(needed) or not isinstance(call, (ApplyObject, ApplyState)):
        return node
    pairs = list(zip(call.methods, node.outputs, needed, strict=True))
    fewer = replace(call, methods=tuple(method for method, _, keep in pairs if keep))
    outputs = [output for _, output, keep in pairs if keep]
    return node._copy(
        func=fewer.apply, outputs=outputs[0] if len(outputs) == 1 else outputs
    )
