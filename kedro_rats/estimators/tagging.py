"""Tags that an estimator gives to its nodes, where the inner one wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from kedro.pipeline import Pipeline

from kedro_rats import names
from kedro_rats.estimators.nodes import without_naming_warnings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro.pipeline.node import Node

Only = Literal["fit", "apply"]


def tagged(pipeline: Pipeline, tags: Sequence[str], only: Only | None) -> Pipeline:
    """Return the pipeline with each tag on each node that has none of its kind yet.

    Args:
        pipeline: What to copy.
        tags: Tags; those of no placement kind are always added.
        only: The type of the nodes that get them; None for all.
    """
    with without_naming_warnings():
        return Pipeline([_tagged(node, tags, only) for node in pipeline.nodes])


def _tagged(node: Node, tags: Sequence[str], only: Only | None) -> Node:
    if only is not None and f"{names.TYPE_PREFIX}{only}" not in node.tags:
        return node
    taken = {names.tag_kind(tag) for tag in node.tags} - {None}
    missing = [tag for tag in tags if names.tag_kind(tag) not in taken]
    return node.tag(missing) if missing else node
