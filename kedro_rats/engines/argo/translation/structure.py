"""The shape of a workflow: a DAG for each namespace, none too large, none in a circle."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from kedro_rats.engines.argo.naming import Namer
from kedro_rats.engines.argo.translation.bands import bands
from kedro_rats.engines.argo.translation.joins import JOIN, joined
from kedro_rats.engines.argo.translation.units import in_order, units

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kedro_rats.plan.model import Task

    Edges = list[tuple[int, int]]

MOST: Final = 250
"""Tasks of a DAG: Argo's work for each grows with their number."""

# One in so many is kept free for joins.
_ROOM_FOR_JOINS: Final = 25
_DEEPEST: Final = 20
_MOST_ENDS: Final = 20
_PART: Final = "part"
_SLICE: Final = "rats.take"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One task of a DAG of Argo.

    Attributes:
        name: Its name, which no other of this DAG has.
        after: The names of those that it waits for.
        task: The plan's task that it runs; None for a DAG or a join.
        dag: The DAG that it runs; None for a task or a join.
    """

    name: str
    after: tuple[str, ...] = ()
    task: str | None = None
    dag: Dag | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dag:
    """A DAG of Argo.

    Attributes:
        label: What it is: a namespace, or a part of one.
        items: In an order in which they can run.
        ends: How many nodes of Argo its readers will be linked to.
    """

    label: str
    items: tuple[Item, ...]
    ends: int


def dag_of(tasks: Iterable[Task], *, most: int = MOST) -> Dag:
    """Return the DAG of a plan's tasks.

    Args:
        tasks: In an order in which they can run. What they come after and is not among
            them is done already.
        most: Items that a DAG may have; at least 3.
    """
    return _Builder(list(tasks), most).build()


class _Builder:
    """Builds DAGs from the outside to the inside; tasks are numbers, in their order."""

    def __init__(self, tasks: list[Task], most: int) -> None:
        self._tasks = tasks
        self._most = most
        self._spaces = [_namespace(task) for task in tasks]
        self._number = {task.name: number for number, task in enumerate(tasks)}

    def build(self) -> Dag:
        edges = [
            (self._number[earlier], number)
            for number, task in enumerate(self._tasks)
            for earlier in task.after
            if earlier in self._number
        ]
        return self._dag(list(range(len(self._tasks))), edges, depth=0, label="")

    def _dag(self, some: list[int], edges: Edges, *, depth: int, label: str) -> Dag:
        """Return the DAG of some tasks that share ``depth`` parts of their namespace."""
        owners = [
            self._spaces[number][depth] if len(self._spaces[number]) > depth else number
            for number in some
        ]
        found = units(some, owners, edges)
        namer = Namer()
        items = [
            self._item(unit.members, unit.edges, depth=depth, namer=namer)
            for unit in found.units
        ]
        form = _Form(label=label, most=self._most, whole=depth == 0)
        return _bounded(items, found.edges, form)

    def _item(
        self,
        members: list[int],
        edges: Edges,
        *,
        depth: int,
        namer: Namer,
    ) -> Item:
        if len(members) == 1:
            task = self._tasks[members[0]]
            return Item(name=namer.name(self._inside(task, depth)), task=task.name)
        space = _common([self._spaces[number] for number in members])
        label = ".".join(space)
        dag = self._dag(members, edges, depth=len(space), label=label)
        return Item(name=namer.name(".".join(space[depth:])), dag=dag)

    def _inside(self, task: Task, depth: int) -> str:
        """Return what a task is called in a namespace."""
        space = self._spaces[self._number[task.name]][:depth]
        return task.label.removeprefix("".join(f"{part}." for part in space))


def _namespace(task: Task) -> tuple[str, ...]:
    """Return the namespace that the nodes of a task share."""
    own = [node for node in task.nodes if _SLICE not in node.tags] or task.nodes
    spaces = [tuple((node.namespace or "").split(".")) for node in own]
    common = _common([() if space == ("",) else space for space in spaces])
    # Argo refuses what is nested too deeply.
    return common[:_DEEPEST]


def _common(spaces: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    first, last = min(spaces, default=()), max(spaces, default=())
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return first[:length]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Form:
    """What a DAG must be like, whatever is in it."""

    label: str
    most: int
    whole: bool


def _bounded(items: list[Item], edges: Edges, form: _Form) -> Dag:
    """Return a DAG of items, with DAGs inside it where there are too many."""
    most = form.most - max(1, form.most // _ROOM_FOR_JOINS)
    while len(items) > most:
        pieces = bands(range(len(items)), edges, most=most)
        piece_of = {item: n for n, piece in enumerate(pieces) for item in piece}
        inside: defaultdict[int, Edges] = defaultdict(list)
        across: dict[tuple[int, int], None] = {}
        for one, other in edges:
            if piece_of[one] == piece_of[other]:
                inside[piece_of[one]].append((one, other))
            else:
                across[piece_of[one], piece_of[other]] = None
        order, edges = in_order(len(pieces), across)
        namer = Namer()
        items = [
            _piece(pieces[n], items, inside[n], form=form, namer=namer) for n in order
        ]
    return _finished(items, edges, form)


def _piece(
    piece: list[int], items: list[Item], edges: Edges, *, form: _Form, namer: Namer
) -> Item:
    if len(piece) == 1:
        only = items[piece[0]]
        return replace(only, name=namer.name(only.name))
    place = {item: index for index, item in enumerate(piece)}
    inside = [(place[one], place[other]) for one, other in edges]
    label = f"{form.label}.{_PART}" if form.label else _PART
    chosen = [items[item] for item in piece]
    dag = _finished(chosen, inside, replace(form, label=label, whole=False))
    return Item(name=namer.name(_PART), dag=dag)


def _finished(items: list[Item], edges: Edges, form: _Form) -> Dag:
    """Return a DAG with joins in it where they are worth it."""
    ends = [item.dag.ends if item.dag else 1 for item in items]
    count, edges = joined(ends, edges, most=form.most - len(items) - 1)
    ends += [1] * count
    last = sorted(set(range(len(ends))) - {one for one, _ in edges})
    out = sum(ends[item] for item in last)
    if out > _MOST_ENDS and not form.whole:
        edges = edges + [(item, len(ends)) for item in last]
        ends.append(1)
        out = 1
    names = Namer(item.name for item in items)
    every = [*items, *(Item(name=names.name(JOIN)) for _ in ends[len(items) :])]
    order, edges = in_order(len(every), dict.fromkeys(edges))
    found = [every[index] for index in order]
    after: defaultdict[int, list[str]] = defaultdict(list)
    for one, other in edges:
        after[other].append(found[one].name)
    linked = tuple(replace(item, after=tuple(after[n])) for n, item in enumerate(found))
    return Dag(label=form.label, items=linked, ends=out)
