"""Slices go where they are read, instead of being stored.

A slice (``rats.take``) is quick to make from its rows and as large as they are: stored,
K folds would keep the data K times. So it is no task of its own: each task that reads it
makes it anew. A gathering of folds that one node reads joins that node.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats.names import GATHER, TAKE, base_name, node_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro_rats.plan.wiring import Wiring


def inlined_nodes(wiring: Wiring, catalogued: Callable[[str], bool]) -> set[int]:
    """Return the slices that are read and that the catalog does not ask to keep."""
    return {
        i
        for i, node in enumerate(wiring.nodes)
        if TAKE in node.tags
        and all(
            base_name(name) in wiring.readers and not catalogued(name)
            for name in node.outputs
        )
        and not node.confirms
    }


def needed_slices(wiring: Wiring, inlined: set[int], members: list[int]) -> list[int]:
    """Return the inlined nodes that ``members`` read from, directly or through others."""
    found: set[int] = set()
    waiting = list(members)
    while waiting:
        for maker, _ in wiring.makers_of(waiting.pop()):
            if maker in inlined and maker not in found:
                found.add(maker)
                waiting.append(maker)
    return sorted(found)


def readers_through(wiring: Wiring, inlined: set[int], dataset: str) -> list[int]:
    """Return the nodes that read a dataset, themselves or by slices that they make."""
    found: set[int] = set()
    seen: set[int] = set()
    waiting = list(wiring.readers.get(dataset, ()))
    while waiting:
        reader = waiting.pop()
        if reader not in inlined:
            found.add(reader)
        elif reader not in seen:
            seen.add(reader)
            waiting += wiring.readers_of(reader)
    return sorted(found)


def joined_gathers(
    wiring: Wiring, inlined: set[int], catalogued: Callable[[str], bool]
) -> list[tuple[int, int]]:
    """Return pairs of a gathering and the one node that reads it."""
    pairs = []
    for i, node in enumerate(wiring.nodes):
        if node_type(node.tags) == GATHER and not any(map(catalogued, node.outputs)):
            readers = wiring.readers_of(i)
            read = all(base_name(name) in wiring.readers for name in node.outputs)
            if len(readers) == 1 and read and readers[0] not in inlined:
                pairs.append((i, readers[0]))
    return pairs
