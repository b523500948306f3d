"""Joins: nodes without a pod, between many tasks and many that read all of them.

Argo keeps a link from each node to each that waits for it. A join makes M + K of M x K.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    Edges = list[tuple[int, int]]

JOIN: Final = "join"
"""What joins are called."""

LEAST_SAVED: Final = 64
"""Links for which a join is worth a node of Argo."""


class _Bunch(NamedTuple):
    """Makers that all have the same readers, or readers with the same makers."""

    saved: int
    makers: tuple[int, ...]
    readers: tuple[int, ...]


def joined(
    ends: Sequence[int], edges: Edges, *, most: int
) -> tuple[int, list[tuple[int, int]]]:
    """Return how many joins were put in, and the edges; joins are the highest numbers.

    Args:
        ends: For each item, how many nodes of Argo its readers are linked to.
        edges: Pairs of items, the earlier one first.
        most: How many joins there may be.

    Example:
        >>> wide = [(one, 20 + other) for one in range(20) for other in range(20)]
        >>> count, edges = joined([1] * 40, wide, most=10)
        >>> count, len(edges)
        (1, 40)
    """
    count = 0
    for by_reader in (False, True):
        bunches = [
            bunch
            for bunch in _bunches(ends, edges, by_reader)
            if bunch.saved >= LEAST_SAVED
        ]
        bunches = sorted(bunches, reverse=True)[: most - count]
        edges = _through(bunches, edges, first=len(ends))
        ends = [*ends, *(1 for _ in bunches)]
        count += len(bunches)
    return count, edges


def _bunches(ends: Sequence[int], edges: Edges, by_reader: bool) -> list[_Bunch]:  # noqa: FBT001
    others: defaultdict[int, list[int]] = defaultdict(list)
    for maker, reader in sorted(edges):
        one, other = (reader, maker) if by_reader else (maker, reader)
        others[one].append(other)
    alike: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    for one, found in others.items():
        alike[tuple(found)].append(one)
    pairs = ((tuple(some), same) for same, some in alike.items())
    return [
        _bunch(ends, *((same, some) if by_reader else (some, same)))
        for some, same in pairs
    ]


def _bunch(
    ends: Sequence[int], makers: tuple[int, ...], readers: tuple[int, ...]
) -> _Bunch:
    out = sum(ends[maker] for maker in makers)
    return _Bunch(out * len(readers) - out - len(readers), makers, readers)


def _through(bunches: Sequence[_Bunch], edges: Edges, *, first: int) -> Edges:
    """Lead the edges of each bunch through a join of its own."""
    gone: dict[tuple[int, int], None] = {}
    added: Edges = []
    for join, bunch in enumerate(bunches, first):
        gone |= {(one, other): None for one in bunch.makers for other in bunch.readers}
        added += [(maker, join) for maker in bunch.makers]
        added += [(join, reader) for reader in bunch.readers]
    return [edge for edge in edges if edge not in gone] + added
