"""Which nodes run together: by group, by memory-only data, else each by itself."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kedro_rats.errors import Breach
from kedro_rats.plan.inlining import needed_slices

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kedro_rats.plan.wiring import Wiring


@dataclass(frozen=True, slots=True)
class Grouping:
    """Nodes put into tasks.

    Attributes:
        members: The nodes of each task, in their order; inlined ones are in none.
        labels: What people call each task.
        reasons: Why the nodes of a task are together; ``""`` for a task of one node.
    """

    members: tuple[tuple[int, ...], ...]
    labels: tuple[str, ...]
    reasons: tuple[str, ...]


def grouped(
    wiring: Wiring,
    *,
    inlined: set[int],
    groups: Mapping[int, str],
    joined: Iterable[tuple[int, int, str]],
) -> Grouping:
    """Return the tasks that nodes form.

    Args:
        wiring: The nodes.
        inlined: Nodes that are made anew by every task that reads them.
        groups: The group of each node that has one; nodes of one group are one task.
        joined: Pairs of nodes that must be in one task, each with the reason.
    """
    sets = _Sets(len(wiring.nodes))
    first: dict[str, int] = {}
    reasons: dict[int, str] = {}
    for node, group in groups.items():
        if node not in inlined:
            sets.join(first.setdefault(group, node), node)
            reasons[first[group]] = f"group {group!r}"
    for one, other, reason in joined:
        sets.join(one, other)
        reasons.setdefault(one, reason)
    members: dict[int, list[int]] = {}
    for node in range(len(wiring.nodes)):
        if node not in inlined:
            members.setdefault(sets.root(node), []).append(node)
    tasks = [tuple(nodes) for nodes in members.values()]
    return Grouping(
        tuple(tasks),
        tuple(_label(nodes, groups, wiring) for nodes in tasks),
        tuple(_reason(nodes, reasons) for nodes in tasks),
    )


def _label(nodes: Sequence[int], groups: Mapping[int, str], wiring: Wiring) -> str:
    named = next((groups[node] for node in nodes if node in groups), None)
    # A group and a node may have one name, and must not be one task's name.
    return wiring.names[nodes[-1]] if named is None else f"group {named}"


def _reason(nodes: Sequence[int], reasons: Mapping[int, str]) -> str:
    found = (reasons[node] for node in nodes if node in reasons)
    return next(found, "") if len(nodes) > 1 else ""


class _Sets:
    """Disjoint sets of numbers; the root of a set is its least member."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, item: int) -> int:
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, one: int, other: int) -> None:
        low, high = sorted((self.root(one), self.root(other)))
        self._parent[high] = low


@dataclass(frozen=True, slots=True)
class TaskGraph:
    """The order of tasks.

    Attributes:
        task_of: The task of each node; inlined nodes have none.
        contents: The nodes of each task with the slices that it makes anew, in order.
        before: For each task, the tasks that make what it reads, each with one node and
            dataset for which this is so: ``{task: (maker, dataset, reader)}``.
        order: The tasks in an order in which they can run; shorter than ``before`` if
            there is a cycle.
    """

    task_of: dict[int, int]
    contents: tuple[tuple[int, ...], ...]
    before: tuple[dict[int, tuple[int, str, int]], ...]
    order: tuple[int, ...]

    @classmethod
    def of(cls, wiring: Wiring, grouping: Grouping, inlined: set[int]) -> TaskGraph:
        """Return the order that the data ask for: linear in nodes and edges."""
        task_of = {n: t for t, nodes in enumerate(grouping.members) for n in nodes}
        contents, before = [], []
        for task, nodes in enumerate(grouping.members):
            needed = needed_slices(wiring, inlined, list(nodes))
            inside = sorted([*nodes, *needed])
            links: dict[int, tuple[int, str, int]] = {}
            for node in inside:
                for maker, name in wiring.makers_of(node):
                    made_by = task_of.get(maker, task)
                    if made_by != task:
                        links.setdefault(made_by, (maker, name, node))
            contents.append(tuple(inside))
            before.append(links)
        order = _in_order(before, [nodes[0] for nodes in grouping.members])
        return cls(task_of, tuple(contents), tuple(before), order)

    def cycle(self) -> list[int]:
        """Return tasks that wait for each other, each after the one that it waits for."""
        left = set(range(len(self.before))) - set(self.order)
        if not left:
            return []
        path: dict[int, int] = {}
        task = min(left)
        while task not in path:
            path[task] = len(path)
            task = min(self.before[task].keys() & left)
        return list(path)[path[task] :][::-1]


def _in_order(
    before: Sequence[Mapping[int, object]], position: Sequence[int]
) -> tuple[int, ...]:
    waiting = [len(links) for links in before]
    after: list[list[int]] = [[] for _ in before]
    for task, links in enumerate(before):
        for earlier in links:
            after[earlier].append(task)
    ready = [(position[task], task) for task, count in enumerate(waiting) if not count]
    heapq.heapify(ready)
    order = []
    while ready:
        _, task = heapq.heappop(ready)
        order.append(task)
        for later in after[task]:
            waiting[later] -= 1
            if not waiting[later]:
                heapq.heappush(ready, (position[later], later))
    return tuple(order)


def cycle_breaches(
    wiring: Wiring, grouping: Grouping, graph: TaskGraph
) -> list[Breach]:
    """Return a breach that names the path, if tasks wait for each other."""
    cycle = graph.cycle()
    if not cycle:
        return []
    # From the nodes that somebody put together, out and back again.
    start = next((i for i, t in enumerate(cycle) if grouping.reasons[t]), 0)
    cycle = [*cycle[start:], *cycle[:start]]
    steps = []
    for task, later in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        maker, dataset, reader = graph.before[later][task]
        steps.append(f"{wiring.names[maker]} → {dataset} → {wiring.names[reader]}")
    found = (grouping.reasons[t] for t in sorted(cycle) if grouping.reasons[t])
    together = list(dict.fromkeys(found))
    return [
        Breach(
            " and ".join(together) or "the pipeline",
            "nodes between which nothing else has to run, since they are one task",
            "the path " + ", then ".join(steps),
            "Take a node of this path out of the group, or put all of them in.",
        )
    ]
