"""``kedro rats describe``: what the nodes of a registered pipeline do."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import click

from kedro_rats import names
from kedro_rats.cli import completion
from kedro_rats.cli.registry import check_pipelines, registered_pipelines
from kedro_rats.cli.selection import plain_errors, require_project
from kedro_rats.cli.tables import output_option, table
from kedro_rats.errors import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kedro.framework.startup import ProjectMetadata
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDescription:
    """One node; ``type`` is None for a node that is not made by kedro-rats."""

    name: str
    type: str | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StateDescription:
    """A fitted state; ``made_by`` is None where the pipeline only reads it."""

    name: str
    made_by: str | None
    read_by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineDescription:
    """A pipeline as its reader sees it: nodes in the order in which they run."""

    pipeline: str
    nodes: tuple[NodeDescription, ...]
    state: tuple[StateDescription, ...]
    inputs: tuple[str, ...]
    parameters: tuple[str, ...]
    outputs: tuple[str, ...]


def describe_pipeline(
    name: str, registered: Mapping[str, Pipeline]
) -> PipelineDescription:
    """Return the description of a pipeline, read off its wiring and its type tags.

    A state is what a fit node makes first, in any of the registered pipelines: so an
    evaluation that only reads one shows it as such.

    Example:
        >>> from kedro.pipeline import node, pipeline
        >>> train = pipeline([node(len, "X", "model", name="fit", tags="rats.fit")])
        >>> test = pipeline([node(max, ["model", "X"], "q", name="apply")])
        >>> described = describe_pipeline("test", {"train": train, "test": test})
        >>> described.state
        (StateDescription(name='model', made_by=None, read_by=('apply',)),)
        >>> described.inputs, described.outputs
        (('X',), ('q',))
    """
    pipeline = registered[name]
    known = {
        names.base_name(node.outputs[0])
        for each in registered.values()
        for node in each.nodes
        if names.FIT in node.tags
    }
    free = sorted(pipeline.inputs())
    return PipelineDescription(
        pipeline=name,
        nodes=tuple(map(_describe_node, pipeline.nodes)),
        state=tuple(_states(pipeline.nodes, known)),
        inputs=tuple(
            dataset
            for dataset in free
            if not names.is_parameter(dataset) and names.base_name(dataset) not in known
        ),
        parameters=tuple(filter(names.is_parameter, free)),
        outputs=tuple(
            dataset
            for dataset in sorted(pipeline.outputs())
            if names.base_name(dataset) not in known
        ),
    )


def as_text(described: PipelineDescription) -> str:
    """Return a description for people: a table of nodes, one of state, and the rest."""
    nodes = [
        (node.type or "-", node.name, listed(node.outputs)) for node in described.nodes
    ]
    state = [
        (part.name, part.made_by or "-", listed(part.read_by))
        for part in described.state
    ]
    lines = [
        f"pipeline {described.pipeline}: {len(nodes)} nodes",
        "",
        *table(("type", "node", "makes"), nodes),
        "",
        *table(("state", "made by", "read by"), state),
        "",
        f"inputs      {listed(described.inputs)}",
        f"parameters  {listed(described.parameters)}",
        f"outputs     {listed(described.outputs)}",
    ]
    return "\n".join(lines)


def as_json(described: PipelineDescription) -> str:
    """Return a description for programs."""
    return json.dumps(asdict(described), indent=2, sort_keys=True)


@click.command()
@click.option(
    "--pipeline",
    "--pipelines",
    "-p",
    "name",
    shell_complete=completion.pipelines,
    default="__default__",
    show_default=True,
    help="Name of a registered pipeline.",
)
@output_option
@click.pass_obj
def describe(metadata: ProjectMetadata | None, name: str, output: str) -> None:
    """Show the nodes of a pipeline by type, its state and its free inputs.

    A node's type says what it does: fit learns a state, apply uses one (or needs none),
    train_only prepares rows for fitting, score judges predictions.
    """
    require_project(metadata, "describe")
    with plain_errors():
        registered = registered_pipelines()
        check_pipelines([name], registered, option="--pipeline")
        described = describe_pipeline(name, _pipelines_of(registered))
    click.echo(as_json(described) if output == "json" else as_text(described))


def _pipelines_of(registered: Mapping[str, object]) -> dict[str, Pipeline]:
    from kedro.pipeline import Pipeline

    return {n: found for n, found in registered.items() if isinstance(found, Pipeline)}


def _describe_node(node: Node) -> NodeDescription:
    kind = names.node_type(node.tags)
    return NodeDescription(
        name=node.name,
        type=kind and kind.removeprefix(names.TYPE_PREFIX),
        inputs=tuple(node.inputs),
        outputs=tuple(node.outputs),
        tags=tuple(sorted(node.tags)),
    )


def _states(nodes: Sequence[Node], known: set[str]) -> Iterable[StateDescription]:
    """Find the states that nodes make or read, in the order in which they run."""
    made = {names.base_name(name): node.name for node in nodes for name in node.outputs}
    readers: dict[str, list[str]] = {}
    for node in nodes:
        for dataset in map(names.base_name, node.inputs):
            readers.setdefault(dataset, []).append(node.name)
        for dataset in map(names.base_name, node.outputs):
            readers.setdefault(dataset, [])
    for name, read_by in readers.items():
        if name in known:
            yield StateDescription(
                name=name, made_by=made.get(name), read_by=tuple(read_by)
            )
