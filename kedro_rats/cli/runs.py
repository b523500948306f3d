"""``kedro rats runs``: what ran, and how it ended."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from kedro_rats.cli.selection import plain_errors, require_project
from kedro_rats.cli.stores import project_store, store_options, stored_runs
from kedro_rats.cli.tables import output_option, table

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata


@click.command()
@click.argument("run", required=False, shell_complete=stored_runs)
@click.option("--limit", default=20, show_default=True, help="How many, latest first.")
@output_option
@store_options
@click.pass_obj
def runs(
    metadata: ProjectMetadata | None,
    run: str | None,
    limit: int,
    output: str,
    env: str | None,
    conf_source: str | None,
) -> None:
    """List the runs in the store; with RUN, the tasks of one."""
    from kedro_rats.engines import run_record

    project = require_project(metadata, "runs")
    with plain_errors():
        store = project_store(project, env=env, conf_source=conf_source)
        if run is not None:
            found = [run_record.saved_run_record(store, run)]
        else:
            names = run_record.runs(store)[:limit]
            found = [run_record.saved_run_record(store, name) for name in names]
    if output == "json":
        document = found[0] if run is not None else found
        click.echo(json.dumps(document, indent=2, sort_keys=True))
    elif run is not None:
        click.echo("\n".join(table(_TASK, [*map(_task_row, _tasks(found[0]))])))
    else:
        click.echo("\n".join(table(_RUN, [*map(_run_row, found)])))


_RUN = ("run", "state", "tasks", "started", "finished")
_TASK = ("task", "state", "attempts", "started", "finished", "error")


def _run_row(record: dict[str, Any]) -> tuple[str, ...]:
    tasks = record["tasks"].values()
    done = sum(task["state"] == "done" for task in tasks)
    return (
        record["run"],
        record["state"],
        f"{done}/{len(tasks)}",
        _second(record["started"]),
        _second(record["finished"]),
    )


def _tasks(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the tasks in an order in which they can run; JSON sorts them by name."""
    return sorted(record["tasks"].values(), key=lambda task: task["position"])


def _task_row(task: dict[str, Any]) -> tuple[str, ...]:
    errors = [attempt["error"] for attempt in task["attempts"] if "error" in attempt]
    return (
        task["label"],
        task["state"],
        str(len(task["attempts"])),
        _second(task.get("started")),
        _second(task.get("finished")),
        errors[-1][:100] if errors and task["state"] != "done" else "",
    )


def _second(time: str | None) -> str:
    return (time or "")[:19].replace("T", " ")
