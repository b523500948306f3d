"""Whether something learns from rows before they are split."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kedro_rats import names
from kedro_rats.estimators.wiring import made_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

_SPLITTING = {names.SPLIT, names.TAKE}

_PHASES = re.compile(r"\.(refit|fold_\d+|round_\d+(\.trial_\d+)?)(\.\w+)?$")
"""What a combinator adds to its name, to say of which part a node is."""


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
        if node.tags & _SPLITTING:
            for dataset in map(names.base_name, node.inputs):
                splitting.setdefault(dataset, node)
    makers = made_by(train.nodes) if splitting else {}
    told: dict[str, str] = {}
    seen: set[str] = set()
    waiting = list(splitting.items())
    # It grows: what is passed on to be split is looked at under its own name, and once.
    for dataset, splits in waiting:
        if dataset in seen or dataset not in makers:
            continue
        seen.add(dataset)
        learner, passed_on = _before(makers[dataset], makers)
        waiting += [(name, splits) for name in passed_on]
        if learner is not None:
            told[dataset] = (
                f"rows {dataset!r} of {splits.name!r}: expected rows that "
                f"nothing learned from, got rows that {learner.name!r} saw before they "
                "are split. Put that estimator inside the combinator."
            )
    for dataset in sorted(told):
        yield told[dataset]


def _before(maker: Node, makers: dict[str, Node]) -> tuple[Node | None, list[str]]:
    """Return a node that learned and on which a dataset's maker depends, if any.

    And the datasets on which it depends that a combinator was given from outside.
    """
    waiting, seen, passed_on = [maker], {maker.name}, []
    while waiting:
        node = waiting.pop()
        if names.FIT in node.tags:
            return node, []
        if node.tags & _SPLITTING:
            # Rows of rows that are split already: these are looked at themselves.
            continue
        read = [names.base_name(dataset) for dataset in node.inputs]
        if names.GATHER in node.tags:
            passed_on += _from_outside(node, read, makers)
            continue
        for dataset in read:
            parent = makers.get(dataset)
            if parent is not None and parent.name not in seen:
                seen.add(parent.name)
                waiting.append(parent)
    return None, passed_on


def _from_outside(node: Node, read: list[str], makers: dict[str, Node]) -> list[str]:
    """Return what a combinator's gathering node passes on that the combinator was given."""
    parents = (makers[dataset] for dataset in read if dataset in makers)
    if any(names.SPLIT in parent.tags for parent in parents):
        # Out-of-fold values: each row was made by a fit that had not seen it.
        return []
    # What it made itself, such as pseudo-labels, is not what somebody learned before. Of
    # rows that are put below others, these tell enough.
    own = _PHASES.sub("", node.namespace or "")
    given = [dataset for dataset in read if not dataset.startswith(f"{own}.")]
    return given[:1]
