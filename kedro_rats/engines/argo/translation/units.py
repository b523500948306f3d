"""Which tasks of a DAG are one item of it: a task, or a namespace with all that is in it.

A DAG inside another begins when all is done that anything in it needs, and is done when
all in it is. So a namespace is one item only as far as nothing waits longer for that. A
node that applies what another namespace learns, and nodes that could have run long
before, are not of one item; nor are a node that others wait for and nodes that run long
afterwards.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Final

from kedro_rats.engines.argo.translation.bands import levels

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    Edges = list[tuple[int, int]]
    Links = dict[tuple[int, int], None]


@dataclass(frozen=True, slots=True)
class Unit:
    """Tasks that are one item.

    Attributes:
        members: Numbers of the tasks, rising.
        edges: Between them.
    """

    members: list[int] = field(default_factory=list)
    edges: Edges = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Units:
    """The items of a DAG.

    Attributes:
        units: In an order in which they can run.
        edges: Between their places in ``units``, the earlier one first.
    """

    units: list[Unit]
    edges: Edges


def units(some: Sequence[int], owners: Sequence[Hashable], edges: Edges) -> Units:
    """Return tasks put together by owner, in an order in which they can run.

    Tasks of one owner are one item if what they need is done at one time, and those that
    need them begin at one time, counted in tasks one after the other. So nothing begins
    later than without items. And as the time rises from item to item, items never wait
    for each other in a circle, though owners may.

    Args:
        some: Numbers of the tasks, rising.
        owners: Of each; what only one task has stands for that task alone.
        edges: Pairs of tasks, the earlier one first.

    Example:
        >>> found = units([0, 1, 2], ["a", "b", "a"], [(0, 1), (1, 2)])
        >>> [unit.members for unit in found.units], found.edges
        ([[0], [1], [2]], [(0, 1), (1, 2)])
    """
    level = levels(some, edges)
    part = _numbered(dict(zip(some, owners, strict=True)))
    for _ in range(_ROUNDS):
        # What one cut has made two parts of may need another cut.
        count = len(set(part.values()))
        begins = _begins(part, edges, level)
        part = _cut(part, begins)
        part = _cut(part, _ends(part, edges, begins))
        if len(set(part.values())) == count:
            break
    return _grouped(some, part, edges)


_ROUNDS: Final = 16


def _numbered(values: Mapping[int, Hashable]) -> dict[int, int]:
    index: dict[Hashable, int] = {}
    return {n: index.setdefault(value, len(index)) for n, value in values.items()}


def _cut(part: Mapping[int, int], time: Mapping[int, float]) -> dict[int, int]:
    return _numbered({n: (part[n], time[n]) for n in part})


def _begins(
    part: Mapping[int, int], edges: Edges, level: Mapping[int, int]
) -> dict[int, int]:
    """Return when all is done that each task needs of other parts."""
    found = dict.fromkeys(part, 0)
    for one, other in sorted(edges, key=_second):
        same = part[one] == part[other]
        found[other] = max(found[other], found[one] if same else level[one] + 1)
    return found


def _ends(
    part: Mapping[int, int], edges: Edges, begins: Mapping[int, int]
) -> dict[int, float]:
    """Return when the first other part begins that waits for each task."""
    found = dict.fromkeys(part, inf)
    for one, other in sorted(edges, reverse=True):
        same = part[one] == part[other]
        found[one] = min(found[one], found[other] if same else begins[other])
    return found


def _second(edge: tuple[int, int]) -> int:
    return edge[1]


def _grouped(some: Sequence[int], unit_of: Mapping[int, int], edges: Edges) -> Units:
    found: dict[int, Unit] = {}
    for n in some:
        found.setdefault(unit_of[n], Unit()).members.append(n)
    place = {key: index for index, key in enumerate(found)}
    links: Links = {}
    for one, other in edges:
        if unit_of[one] == unit_of[other]:
            found[unit_of[one]].edges.append((one, other))
        else:
            links[place[unit_of[one]], place[unit_of[other]]] = None
    order, rising = in_order(len(found), links)
    made = list(found.values())
    return Units([made[index] for index in order], rising)


def in_order(count: int, links: Links) -> tuple[list[int], Edges]:
    """Return an order in which items can run, and the links between places in it.

    Of those that can run, the one that was first comes first.

    Args:
        count: How many items there are.
        links: Pairs of items, the earlier one first.

    Example:
        >>> in_order(3, {(2, 0): None})
        ([1, 2, 0], [(1, 2)])
    """
    waiting = [0] * count
    later: defaultdict[int, list[int]] = defaultdict(list)
    for one, other in links:
        waiting[other] += 1
        later[one].append(other)
    ready = [item for item in range(count) if not waiting[item]]
    order: list[int] = []
    while ready:
        item = heapq.heappop(ready)
        order.append(item)
        for other in later[item]:
            waiting[other] -= 1
            if not waiting[other]:
                heapq.heappush(ready, other)
    place = {item: index for index, item in enumerate(order)}
    return order, sorted((place[one], place[other]) for one, other in links)
