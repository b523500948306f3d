"""Where the nodes of a task run, as ``rats.yml`` says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, listed, raise_if
from kedro_rats.placement.placing import place
from kedro_rats.plan.model import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kedro_rats.placement.placements import Placement
    from kedro_rats.placement.placing import NamedNode
    from kedro_rats.placement.settings import Settings
    from kedro_rats.plan.model import PlannedNode

_KINDS = ("image", "resources", "policy", "bind")


@dataclass(frozen=True, slots=True)
class _Nobody:
    """A node about which nothing is said: it gets the defaults."""

    name: str = ""
    namespace: str | None = None
    tags: frozenset[str] = frozenset()


class SettingsPlacing:
    """Places the nodes of one pipeline by ``rats.yml``.

    Args:
        settings: What ``rats.yml`` says.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._placed: dict[str, Placement] = {}
        nobody = _Nobody()
        self._default = place([nobody], settings)[0][nobody.name]  # type: ignore[list-item]

    def groups(self, nodes: Sequence[NamedNode]) -> tuple[dict[str, str], list[Breach]]:
        """Place the nodes; return the group of each that has one, by its name."""
        self._placed, breaches = place(nodes, self._settings)
        groups = {n: p.group for n, p in self._placed.items() if p.group is not None}
        return groups, breaches

    def together(
        self, nodes: Sequence[NamedNode], subject: str
    ) -> tuple[Mapping[str, Any], list[Breach]]:
        """Return where nodes run that are one task.

        What is asked for one of them holds for all: only nodes that ask for different
        things cannot be together.
        """
        placed = {node.name: self._placed[node.name] for node in nodes}
        found: dict[str, Any] = {}
        breaches = []
        for kind in _KINDS:
            default = getattr(self._default, kind)
            asked = {n: getattr(p, kind) for n, p in placed.items()}
            asked = {n: value for n, value in asked.items() if value != default}
            value = next(iter(asked.values()), default)
            if value:
                found[kind] = value
            others = [name for name, other in asked.items() if other != value]
            if others:
                first = next(iter(asked))
                breaches.append(_disagreement(subject, kind, [first, *others]))
        if not all(placement.cache for placement in placed.values()):
            found["cache"] = False
        return found, breaches


def placed_again(plan: Plan, settings: Settings) -> Plan:
    """Return a plan whose tasks run where ``rats.yml`` says now.

    What they do stays as it is; which nodes are together does too. A task with a node
    that Kedro has named stays where it was, since patterns cannot be told of it.

    Raises:
        DefinitionError: If nodes that run together ask for different things now.
    """
    placing = SettingsPlacing(settings)
    nodes = {task.name: [_Again.of(node) for node in task.nodes] for task in plan}
    named = {n: some for n, some in nodes.items() if all(node.named for node in some)}
    _, breaches = placing.groups([node for some in named.values() for node in some])
    tasks = dict(plan.tasks)
    for name, some in named.items():
        found, different = placing.together(some, tasks[name].label)
        breaches += different
        tasks[name] = replace(tasks[name], placement=found)
    raise_if(breaches)
    return Plan(plan.header, tasks)


@dataclass(frozen=True, slots=True)
class _Again:
    """A node of a plan, as placing looks at it."""

    name: str
    namespace: str | None
    tags: set[str]
    named: bool

    @classmethod
    def of(cls, node: PlannedNode) -> _Again:
        full = ".".join(filter(None, (node.namespace, node.name)))
        return cls(full, node.namespace, set(node.tags), node.name is not None)


def _disagreement(subject: str, kind: str, names: Sequence[str]) -> Breach:
    shown = listed(names[:4]) + (" and more" if len(names) > 4 else "")
    return Breach(
        f"task {subject!r}, {kind}",
        "the same for all its nodes, since they run together",
        f"different ones for {shown}",
        f"Give them one {kind}, or take them apart.",
    )
