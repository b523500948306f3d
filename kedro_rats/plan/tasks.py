"""Tasks as data: their nodes, what they read, what they keep and where they run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from kedro_rats.encoding.values import Unencodable
from kedro_rats.errors import Breach
from kedro_rats.names import base_name
from kedro_rats.plan.model import PlannedNode, Source, Task
from kedro_rats.plan.naming import task_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kedro.pipeline.node import Node

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.encoding.objects import ObjectEncoder
    from kedro_rats.plan.datasets import Datasets
    from kedro_rats.plan.grouping import Grouping, TaskGraph
    from kedro_rats.plan.wiring import Wiring


class Placing(Protocol):
    """Decides where nodes run: see ``kedro_rats.placement``."""

    def groups(self, nodes: Sequence[Node]) -> tuple[dict[str, str], list[Breach]]:
        """Return the group of each node that has one, by the node's name."""

    def together(
        self, nodes: Sequence[Node], subject: str
    ) -> tuple[Mapping[str, Any], list[Breach]]:
        """Return where nodes run that are one task, as JSON."""


@dataclass(frozen=True, slots=True)
class TaskWriter:
    """Writes the tasks of one pipeline as data.

    Attributes:
        breaches: What is wrong, found on the way.
    """

    wiring: Wiring
    datasets: Datasets
    grouping: Grouping
    graph: TaskGraph
    encoder: ObjectEncoder
    breaches: list[Breach] = field(default_factory=list)

    def tasks(self, placing: Placing) -> list[Task]:
        """Return the tasks, in an order in which they can run."""
        names = task_names(self.grouping.labels)
        # What waits for itself has no order, and is looked at all the same: its other
        # breaches are said at once.
        order = list(dict.fromkeys([*self.graph.order, *range(len(names))]))
        reads = {task: self._reads(task, names) for task in order}
        crossing = {
            source.dataset
            for sources in reads.values()
            for source in sources.values()
            if source.dataset is not None
        }
        found = []
        for position, task in enumerate(order):
            own = self.grouping.members[task]
            label = self.grouping.labels[task]
            placement, breaches = placing.together(
                [self.wiring.nodes[i] for i in own], label
            )
            self.breaches.extend(breaches)
            inside = self.graph.contents[task]
            found.append(
                Task(
                    name=names[task],
                    label=label,
                    position=position,
                    nodes=tuple(self._node(i) for i in inside),
                    after=tuple(sorted(names[t] for t in self.graph.before[task])),
                    reads=reads[task],
                    writes=self._writes(own, crossing),
                    inside=self._inside(inside),
                    confirms=self._confirms(inside),
                    placement=placement,
                )
            )
        return found

    def _node(self, i: int) -> PlannedNode:
        node = self.wiring.nodes[i]
        return PlannedNode(
            # Kedro's own names for nodes without one are none that may be given.
            name=node._name,
            namespace=node.namespace,
            function=self._function(node),
            inputs=node._inputs,  # type: ignore[arg-type]
            outputs=node._outputs,  # type: ignore[arg-type]
            tags=tuple(sorted(node.tags)),
            confirms=tuple(node.confirms),
        )

    def _function(self, node: Node) -> Json:
        try:
            return self.encoder.encode(node.func)
        except Unencodable as error:
            self.breaches.append(
                Breach(
                    f"node {node.name!r}, function",
                    "one that another process can import or unpickle",
                    f"one with a {error.type_name} in it, which cannot be pickled",
                    "Define the function at the top of a module, and make inside it "
                    "what cannot be pickled.",
                )
            )
            return None

    def _reads(self, task: int, names: Sequence[str]) -> dict[str, Source]:
        inside = self.graph.contents[task]
        here = set(inside)
        reads: dict[str, Source] = {}
        for node in inside:
            for name in self.wiring.inputs[node]:
                made = self.wiring.maker.get(base_name(name))
                entry = (
                    self.datasets.entry(name)
                    if self.datasets.catalogued(name)
                    else None
                )
                if made is None:
                    reads[name] = Source(entry=entry)
                elif made[0] not in here:
                    maker = names[self.graph.task_of[made[0]]]
                    reads[name] = Source(task=maker, dataset=made[1], entry=entry)
        return reads

    def _writes(self, own: Sequence[int], crossing: set[str]) -> dict[str, Json]:
        """Return what is kept: what has a place, is read elsewhere, or by nobody."""
        writes: dict[str, Json] = {}
        for node in own:
            for name in self.wiring.nodes[node].outputs:
                if self.datasets.catalogued(name):
                    writes[name] = self.datasets.entry(name)
                elif name in crossing or base_name(name) not in self.wiring.readers:
                    writes[name] = None
        return writes

    def _inside(self, inside: Sequence[int]) -> dict[str, Json]:
        made = {name for node in inside for name in self.wiring.nodes[node].outputs}
        bases = {base_name(name) for name in made}
        read = {name for node in inside for name in self.wiring.inputs[node]}
        names = {
            name
            for name in made | read
            if self.datasets.in_memory(name)
            or (name not in made and base_name(name) in bases)
        }
        return {name: self.datasets.entry(name) for name in sorted(names)}

    def _confirms(self, inside: Sequence[int]) -> dict[str, Json]:
        names = {n for node in inside for n in self.wiring.nodes[node].confirms}
        return {name: self.datasets.entry(name) for name in sorted(names)}
