"""From a pipeline to a plan.

One pass over nodes and edges for each step. Nothing is built and nothing imported: the
pipeline is there already, and of the catalog only the configuration is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kedro_rats.encoding.canonical import digest, to_bytes
from kedro_rats.encoding.objects import ObjectEncoder
from kedro_rats.encoding.values import Unencodable
from kedro_rats.errors import Breach, raise_if
from kedro_rats.names import is_parameter
from kedro_rats.plan.datasets import Datasets
from kedro_rats.plan.document import plan_to_bytes
from kedro_rats.plan.grouping import TaskGraph, cycle_breaches, grouped
from kedro_rats.plan.inlining import inlined_nodes, joined_gathers, readers_through
from kedro_rats.plan.inputs import input_breaches
from kedro_rats.plan.model import Header, Plan
from kedro_rats.plan.tasks import TaskWriter
from kedro_rats.plan.wiring import Wiring

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from kedro.pipeline import Pipeline

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.plan.catalog import CatalogEntries
    from kedro_rats.plan.grouping import Grouping
    from kedro_rats.plan.tasks import Placing


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What a task needs to know of the project that it comes from.

    Attributes:
        package: The project's package; None outside a project.
        source: The folder of its source, relative to the project.
        hooks: The hooks around nodes and datasets, in the order in which Kedro
            registered them.
        plugins: Entry points of plugins whose hooks run there too.
        context: Whether one of them waits for a Kedro context; then the project's hooks
            are those of its settings.
    """

    package: str | None = None
    source: str | None = None
    hooks: tuple[object, ...] = ()
    plugins: tuple[str, ...] = ()
    context: bool = False


NO_PROJECT = Project()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowered:
    """A plan and the objects that it names by digest.

    Attributes:
        plan: The plan.
        document: Its bytes.
        parameters: The bytes of the parameters' object.
        pickles: Bytes of what only a pickle can carry, by digest.
    """

    plan: Plan
    document: bytes = field(repr=False)
    parameters: bytes = field(repr=False)
    pickles: Mapping[str, bytes] = field(repr=False)

    @property
    def digest(self) -> str:
        """The name of the plan."""
        return digest(self.document)


def lower(
    pipeline: Pipeline,
    *,
    catalog: CatalogEntries,
    parameters: Mapping[str, object],
    placing: Placing,
    given: Collection[str] = (),
    project: Project = NO_PROJECT,
) -> Lowered:
    """Return the plan of a pipeline.

    Args:
        pipeline: The pipeline, as selected.
        catalog: The catalog's configuration.
        parameters: Values by the names of Kedro's datasets: ``parameters``, ``params:…``.
        placing: Decides which nodes run together and where.
        given: Free inputs without a catalog entry for which a run brings values.
        project: What tasks need to know of the project.

    Raises:
        DefinitionError: If the pipeline cannot be a plan, with all that is wrong.
    """
    wiring = Wiring.of(pipeline.nodes)
    pickles: dict[str, bytes] = {}
    encoder = ObjectEncoder(lambda data: pickles.setdefault(digest(data), data))
    datasets = Datasets(_datasets(wiring), catalog, encoder)
    found = input_breaches(wiring, datasets, parameters=parameters, given=given)
    breaches = [*datasets.breaches, *found]
    grouping, graph = _tasks(wiring, datasets, placing, breaches)
    writer = TaskWriter(wiring, datasets, grouping, graph, encoder)
    tasks = writer.tasks(placing)
    stored = _parameters(wiring, parameters, encoder, breaches)
    hooks = tuple(_hooks(project.hooks, encoder, breaches))
    raise_if([*breaches, *writer.breaches, *datasets.breaches])
    header = Header(
        parameters=digest(stored),
        pickles=tuple(sorted(pickles)),
        hooks=hooks,
        plugins=project.plugins,
        context=project.context,
        source=project.source,
        package=project.package,
    )
    plan = Plan(header, {task.name: task for task in tasks})
    document = plan_to_bytes(plan)
    return Lowered(plan=plan, document=document, parameters=stored, pickles=pickles)


def _datasets(wiring: Wiring) -> Iterator[str]:
    for inputs, node in zip(wiring.inputs, wiring.nodes, strict=True):
        yield from inputs
        yield from node.outputs
        yield from node.confirms


def _tasks(
    wiring: Wiring, datasets: Datasets, placing: Placing, breaches: list[Breach]
) -> tuple[Grouping, TaskGraph]:
    by_name, found = placing.groups(wiring.nodes)
    breaches += found
    groups = {i: by_name[n] for i, n in enumerate(wiring.names) if n in by_name}
    inlined = inlined_nodes(wiring, datasets.catalogued)
    joined = [
        (gather, reader, f"gathering {wiring.names[gather]!r}")
        for gather, reader in joined_gathers(wiring, inlined, datasets.catalogued)
        if gather not in groups and _fit_together(placing, wiring, gather, reader)
    ]
    joined += _joined_by_memory(wiring, datasets, inlined)
    grouping = grouped(wiring, inlined=inlined, groups=groups, joined=joined)
    graph = TaskGraph.of(wiring, grouping, inlined)
    breaches += cycle_breaches(wiring, grouping, graph)
    return grouping, graph


def _joined_by_memory(
    wiring: Wiring, datasets: Datasets, inlined: set[int]
) -> Iterator[tuple[int, int, str]]:
    for base, (maker, name) in wiring.maker.items():
        if datasets.in_memory(name) and maker not in inlined:
            for reader in readers_through(wiring, inlined, base):
                yield maker, reader, f"MemoryDataset {name!r}"


def _fit_together(placing: Placing, wiring: Wiring, gather: int, reader: int) -> bool:
    """Say whether a gathering may run where its reader does: nobody asked for it."""
    nodes = [wiring.nodes[gather], wiring.nodes[reader]]
    return not placing.together(nodes, wiring.names[reader])[1]


def _parameters(
    wiring: Wiring,
    parameters: Mapping[str, object],
    encoder: ObjectEncoder,
    breaches: list[Breach],
) -> bytes:
    used = {n for node in wiring.nodes for n in node.inputs if is_parameter(n)}
    used &= parameters.keys()  # of the others a breach was found before
    found: dict[str, Json] = {}
    for name in sorted(used):
        try:
            found[name] = encoder.encode(parameters[name])
        except Unencodable as error:
            breaches.append(
                Breach(
                    f"{name}{error.path}",
                    "a value that another process can read",
                    f"a {error.type_name}",
                    "Give plain data, a dataclass or a pydantic model.",
                )
            )
    return to_bytes(found)


def _hooks(
    hooks: Iterable[object], encoder: ObjectEncoder, breaches: list[Breach]
) -> Iterator[Json]:
    for hook in hooks:
        try:
            yield encoder.encode(hook)
        except Unencodable as error:
            breaches.append(
                Breach(
                    f"hook {type(hook).__name__}{error.path}",
                    "a hook that another process can make",
                    f"one with a {error.type_name} in it",
                    "Make in its methods what cannot be pickled.",
                )
            )
