"""Whether something learns from rows before they are split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats import names
from kedro_rats.estimators.wiring import made_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node


def leaks(train: Pipeline) -> Iterator[str]:
    """Find rows that something learned from before they are split.

    Args:
        train: A pipeline that may split rows, by nodes of type ``rats.split`` and
            ``rats.take``.

    Yields:
        A sentence for each dataset.
    """
    splitting: dict[str, Node] = {}
    for node in train.nodes:
        if node.tags & {names.SPLIT, names.TAKE}:
            for dataset in map(names.base_name, node.inputs):
                splitting.setdefault(dataset, node)
    makers = made_by(train.nodes) if splitting else {}
    for dataset in sorted(splitting.keys() & makers.keys()):
        if names.SPLIT in makers[dataset].tags:
            continue
        learner = _learner(makers[dataset], makers)
        if learner is not None:
            yield (
                f"rows {dataset!r} of {splitting[dataset].name!r}: expected rows that "
                f"nothing learned from, got rows that {learner.name!r} saw before they "
                "are split. Put that estimator inside the combinator."
            )


def _learner(maker: Node, makers: dict[str, Node]) -> Node | None:
    """Return a node that learned and on which a dataset's maker depends, if any."""
    waiting, seen = [maker], {maker.name}
    while waiting:
        node = waiting.pop()
        if names.FIT in node.tags:
            return node
        if names.GATHER in node.tags:
            # Out-of-fold values: each row was made by a fit that had not seen it.
            continue
        for dataset in map(names.base_name, node.inputs):
            parent = makers.get(dataset)
            if parent is not None and parent.name not in seen:
                seen.add(parent.name)
                waiting.append(parent)
    return None
