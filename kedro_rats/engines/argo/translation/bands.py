"""Cuts a large graph into pieces that a DAG of Argo can hold.

Argo looks at every task of a DAG for every task of it, so a DAG must stay small. What is
cut here is a graph of numbers; an edge goes from the smaller number to the larger one.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Edges = list[tuple[int, int]]


def bands(items: Sequence[int], edges: Edges, *, most: int) -> list[list[int]]:
    """Return the items in pieces of at most ``most``; the graph of pieces has no cycle.

    Parts that are not connected are never made to wait for each other, except for small
    ones that fill one piece. A part that is too large is cut between two levels of its
    order, near the middle; so the time grows with the size and its logarithm.

    Args:
        items: Numbers, rising.
        edges: Pairs of items, the earlier one first.
        most: Items in a piece.

    Example:
        >>> bands([0, 1, 2, 3], [(0, 1), (2, 3)], most=2)
        [[0, 1], [2, 3]]
    """
    pieces: list[list[int]] = []
    left = [(list(items), edges)]
    while left:
        some, links = left.pop()
        small: list[list[int]] = []
        for part, inside in _connected(some, links):
            if len(part) <= most:
                small.append(part)
            else:
                left += _halves(part, inside)
        pieces += _packed(small, most)
    return sorted(pieces)


def _connected(items: list[int], edges: Edges) -> list[tuple[list[int], Edges]]:
    """Return the parts of a graph between which there are no edges."""
    root = {item: item for item in items}

    def find(item: int) -> int:
        while root[item] != item:
            root[item] = root[root[item]]
            item = root[item]
        return item

    for one, other in edges:
        low, high = sorted((find(one), find(other)))
        root[high] = low
    parts: defaultdict[int, tuple[list[int], Edges]] = defaultdict(lambda: ([], []))
    for item in items:
        parts[find(item)][0].append(item)
    for edge in edges:
        parts[find(edge[0])][1].append(edge)
    return list(parts.values())


def _halves(items: list[int], edges: Edges) -> list[tuple[list[int], Edges]]:
    """Cut a connected graph between two levels, as near to the middle as can be."""
    level = levels(items, edges)
    widths = [0] * (max(level.values()) + 1)
    for item in items:
        widths[level[item]] += 1
    cut, before, best = 1, 0, len(items)
    for index, width in enumerate(widths[:-1], 1):
        before += width
        if abs(2 * before - len(items)) < best:
            cut, best = index, abs(2 * before - len(items))
    halves: list[tuple[list[int], Edges]] = [([], []), ([], [])]
    for item in items:
        halves[level[item] >= cut][0].append(item)
    for one, other in edges:
        if (level[one] >= cut) == (level[other] >= cut):
            halves[level[one] >= cut][1].append((one, other))
    return halves


def levels(items: Iterable[int], edges: Edges) -> dict[int, int]:
    """Return how many items come one after the other before each.

    Args:
        items: Numbers, rising.
        edges: Pairs of items, the earlier one first.

    Example:
        >>> levels([0, 1, 2], [(0, 2), (1, 2)])
        {0: 0, 1: 0, 2: 1}
    """
    before = defaultdict(list)
    for one, other in edges:
        before[other].append(one)
    found: dict[int, int] = {}
    for item in items:
        found[item] = 1 + max((found[one] for one in before[item]), default=-1)
    return found


def _packed(parts: list[list[int]], most: int) -> list[list[int]]:
    """Fill pieces with small parts, in their order."""
    pieces: list[list[int]] = []
    for part in parts:
        if pieces and len(pieces[-1]) + len(part) <= most:
            pieces[-1] += part
        else:
            pieces.append(list(part))
    return [sorted(piece) for piece in pieces]
