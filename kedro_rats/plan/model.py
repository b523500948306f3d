"""What a plan is made of. Every part can be written as JSON and read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kedro_rats.encoding.canonical import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedNode:
    """A Kedro node as data.

    Attributes:
        name: As given to Kedro, without the namespace; None if Kedro named it.
        namespace: As in Kedro.
        function: The function, encoded: see ``kedro_rats.encoding.objects``.
        inputs: As given to Kedro: a name, a list, a mapping or None.
        outputs: As given to Kedro.
        tags: In sorted order.
        confirms: Datasets that are confirmed when the node has run.
    """

    name: str | None
    namespace: str | None
    function: Json
    inputs: Json
    outputs: Json
    tags: tuple[str, ...] = ()
    confirms: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the node as JSON; what is empty is left out."""
        return _present(
            name=self.name,
            namespace=self.namespace,
            function=self.function,
            inputs=_ordered(self.inputs),
            outputs=_ordered(self.outputs),
            tags=list(self.tags),
            confirms=list(self.confirms),
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> PlannedNode:
        """Return the node that JSON describes."""
        return cls(
            name=value.get("name"),
            namespace=value.get("namespace"),
            function=value["function"],
            inputs=_unordered(value.get("inputs")),
            outputs=_unordered(value.get("outputs")),
            tags=tuple(value.get("tags", ())),
            confirms=tuple(value.get("confirms", ())),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a task gets a dataset from.

    Attributes:
        task: The task that makes it; None for an input of the whole plan.
        dataset: The name under which that task writes it: with transcoding it is not
            the name under which it is read.
        entry: How the catalog says it is read (encoded); None if it has no entry.
    """

    task: str | None = None
    dataset: str | None = None
    entry: Json = None

    def to_json(self) -> dict[str, Any]:
        """Return the source as JSON; what is empty is left out."""
        return _present(task=self.task, dataset=self.dataset, entry=self.entry)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Source:
        """Return the source that JSON describes."""
        return cls(**value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One or more nodes that run together in one process.

    Attributes:
        name: ``slug-hhhhhh``; the same for the same definition.
        label: What people call it: a node, a group or a namespace.
        position: Its place in an order in which tasks can run one after the other.
        nodes: In the order in which they run.
        after: The tasks that make what this one reads, sorted.
        reads: What it reads from outside itself, parameters apart.
        writes: What it keeps: the dataset's catalog entry (encoded), or None.
        inside: Catalog entries (encoded) of what stays inside the task: memory-only data,
            and how what it makes is read under another (transcoded) name.
        confirms: Catalog entries (encoded) of the datasets that its nodes confirm.
        placement: Where it runs, as ``kedro_rats.placement`` writes it.
    """

    name: str
    label: str
    position: int
    nodes: tuple[PlannedNode, ...]
    after: tuple[str, ...] = ()
    reads: Mapping[str, Source] = field(default_factory=dict)
    writes: Mapping[str, Json] = field(default_factory=dict)
    inside: Mapping[str, Json] = field(default_factory=dict)
    confirms: Mapping[str, Json] = field(default_factory=dict)
    placement: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the task as JSON, without its name; what is empty is left out."""
        return _present(
            label=self.label,
            position=self.position,
            nodes=[node.to_json() for node in self.nodes],
            after=list(self.after),
            reads={name: source.to_json() for name, source in self.reads.items()},
            writes=dict(self.writes),
            inside=dict(self.inside),
            confirms=dict(self.confirms),
            placement=dict(self.placement),
        )

    @classmethod
    def from_json(cls, name: str, value: Mapping[str, Any]) -> Task:
        """Return the task that JSON describes."""
        reads = value.get("reads", {})
        return cls(
            name=name,
            label=value["label"],
            position=value["position"],
            nodes=tuple(PlannedNode.from_json(node) for node in value.get("nodes", ())),
            after=tuple(value.get("after", ())),
            reads={key: Source.from_json(source) for key, source in reads.items()},
            writes=value.get("writes", {}),
            inside=value.get("inside", {}),
            confirms=value.get("confirms", {}),
            placement=value.get("placement", {}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What all tasks of a plan share.

    Attributes:
        parameters: Digest of the parameters' object.
        pickles: Digests of the objects that only a pickle can carry, sorted.
        hooks: The hooks that run around nodes and datasets, encoded, in the order in
            which Kedro registered them.
        plugins: Entry points of plugins whose hooks run there too.
        context: Whether one of them waits for a Kedro context; then the project's hooks
            are those of its settings.
        source: The folder of the project's source, relative to the project.
        package: The project's package; None outside a project.
    """

    parameters: str
    pickles: tuple[str, ...] = ()
    hooks: tuple[Json, ...] = ()
    plugins: tuple[str, ...] = ()
    context: bool = False
    source: str | None = None
    package: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the header as JSON; what is empty is left out."""
        return _present(
            parameters=self.parameters,
            pickles=list(self.pickles),
            hooks=list(self.hooks),
            plugins=list(self.plugins),
            context=self.context or None,
            source=self.source,
            package=self.package,
        )

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Header:
        """Return the header that JSON describes."""
        return cls(
            parameters=value["parameters"],
            pickles=tuple(value.get("pickles", ())),
            hooks=tuple(value.get("hooks", ())),
            plugins=tuple(value.get("plugins", ())),
            context=value.get("context", False),
            source=value.get("source"),
            package=value.get("package"),
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A pipeline, ready for an engine.

    Attributes:
        header: What all tasks share.
        tasks: By name, in an order in which they can run one after the other.
    """

    header: Header
    tasks: Mapping[str, Task]

    def __iter__(self) -> Iterator[Task]:
        return iter(self.tasks.values())

    def __len__(self) -> int:
        return len(self.tasks)


def _present(**items: Any) -> dict[str, Any]:
    return {k: v for k, v in items.items() if v is not None and v not in ([], {})}


def _ordered(binding: Any) -> Any:
    # JSON objects are written with sorted keys; the order of a binding is the order in
    # which Kedro loads and saves.
    if isinstance(binding, dict):
        return {"arguments": [[name, item] for name, item in binding.items()]}
    return list(binding) if isinstance(binding, tuple) else binding


def _unordered(binding: Any) -> Any:
    return dict(binding["arguments"]) if isinstance(binding, dict) else binding
