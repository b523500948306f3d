"""``kedro rats plan``: what would run, where, and what crosses between tasks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from kedro_rats.cli.registry import registered_pipelines
from kedro_rats.cli.selection import (
    Selection,
    context_of,
    plain_errors,
    require_project,
    selected_pipeline,
    selection_options,
    session_of,
)
from kedro_rats.cli.stores import from_run_option
from kedro_rats.cli.tables import output_option, table
from kedro_rats.errors import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.framework.startup import ProjectMetadata
    from kedro.pipeline.node import Node

    from kedro_rats.plan import Lowered, Plan, Task

_HEADER = ("task", "nodes", "image", "cpu", "memory", "gpu", "retries", "keeps")


@click.command()
@selection_options
@from_run_option
@output_option
@click.pass_obj
def plan(
    metadata: ProjectMetadata | None,
    selection: Selection,
    from_run: str | None,
    output: str,
) -> None:
    """Show the tasks of a run without running it.

    A task is one or more nodes that run in one process. The table says where each runs
    and what it keeps for others: in the store, or also at a place of the catalog.
    """
    project = require_project(metadata, "plan")
    with plain_errors():
        lowered = _lowered(project, selection, from_run)
    text = _as_json(lowered) if output == "json" else "\n".join(_as_text(lowered))
    click.echo(text)


def _lowered(
    metadata: ProjectMetadata, selection: Selection, from_run: str | None
) -> Lowered:
    from kedro_rats.engines.importing import outputs_of_run
    from kedro_rats.placement import unmatched
    from kedro_rats.plan import lower, verify
    from kedro_rats.plan.placing import SettingsPlacing
    from kedro_rats.runners.preparing import store_of
    from kedro_rats.runners.project import of_context, parameter_values

    pipeline = selected_pipeline(selection)
    session = session_of(metadata, selection)
    context = context_of(session, selection)
    view = of_context(context, session._hook_manager)
    if view.settings.assign:
        for line in unmatched(_nodes_of_all_pipelines(), view.settings):
            click.echo(f"Warning: {line}", err=True)
    given = outputs_of_run(store_of(view), from_run) if from_run else {}
    lowered = lower(
        pipeline,
        catalog=view.entries,
        parameters=parameter_values(pipeline, context.params),
        placing=SettingsPlacing(view.settings),
        given=given,
        project=view.project,
    )
    verify(lowered.plan)
    return lowered


def _nodes_of_all_pipelines() -> list[Node]:
    """Return the nodes of all pipelines: one ``rats.yml`` serves them all."""
    registered = registered_pipelines().values()
    return [node for each in registered for node in getattr(each, "nodes", ())]


def _as_json(lowered: Lowered) -> str:
    tasks = [{"name": t.name, **t.to_json()} for t in lowered.plan]
    document = {"plan": lowered.digest, "tasks": tasks}
    return json.dumps(document, indent=2, sort_keys=True)


def _as_text(lowered: Lowered) -> Iterator[str]:
    plan = lowered.plan
    yield f"plan {lowered.digest[:12]}: {len(plan)} tasks"
    yield ""
    yield from table(_HEADER, [_row(task) for task in plan])
    crossing = _crossing(plan)
    if crossing:
        yield ""
        yield from table(("dataset", "from", "to", "kept"), crossing)


def _row(task: Task) -> tuple[str, ...]:
    placement = task.placement
    resources = placement.get("resources", {})
    gpu = resources.get("gpu", {})
    image = placement.get("image", {}).get("ref", "")
    return (
        task.label,
        str(len(task.nodes)),
        image,
        str(resources.get("cpu", "")),
        str(resources.get("memory", "")),
        str(gpu.get("count", "") if isinstance(gpu, dict) else gpu),
        str(placement.get("policy", {}).get("retries", "")),
        listed(_kept(n, e) for n, e in task.writes.items()) if task.writes else "",
    )


def _crossing(plan: Plan) -> list[tuple[str, ...]]:
    """Return what one task reads of another, or of the outside."""
    readers: dict[tuple[str, str | None], list[str]] = {}
    kept: dict[str, str] = {}
    for task in plan:
        for name, source in task.reads.items():
            readers.setdefault((source.dataset or name, source.task), []).append(
                task.label
            )
            kept[source.dataset or name] = _place(source.entry)
    return [
        (
            name,
            plan.tasks[maker].label if maker else "(input)",
            _several(labels),
            kept[name],
        )
        for (name, maker), labels in readers.items()
    ]


def _several(labels: list[str]) -> str:
    first, *others = labels
    return f"{first} and {len(others)} more" if others else first


def _kept(name: str, entry: Any) -> str:
    return name if entry is None else f"{name} → {_place(entry)}"


def _place(entry: Any) -> str:
    if not isinstance(entry, dict):
        return "the store"
    # An entry whose keys are not in sorted order is written as pairs.
    found = dict(entry["$dict"]) if "$dict" in entry else entry
    place = found.get("filepath") or found.get("path") or found.get("type")
    return str(place)
