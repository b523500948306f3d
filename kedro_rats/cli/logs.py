"""``kedro rats logs``: what a node wrote, where it ran on a cluster."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TextIO

import click

from kedro_rats.cli import completion
from kedro_rats.cli.selection import plain_errors, require_project
from kedro_rats.cli.stores import store_options, stored_runs
from kedro_rats.cli.tables import output_option

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.cli.following import FollowedRun
    from kedro_rats.engines.argo.logs.reading import Archive, Tried
    from kedro_rats.plan import Task


@click.command()
@click.argument("node", shell_complete=completion.nodes)
@click.option("--follow", "-f", is_flag=True, help="Wait for more, until its end.")
@click.option(
    "--run",
    default=None,
    shell_complete=stored_runs,
    help="A run, or a workflow's name.  [default: the latest]",
)
@click.option(
    "--attempt", type=int, default=None, help="Which attempt.  [default: the last]"
)
@output_option
@store_options
@click.pass_obj
def logs(
    metadata: ProjectMetadata | None,
    /,
    node: str,
    follow: bool,  # noqa: FBT001 - a command's flag
    attempt: int | None,
    output: str,
    **where: str | None,
) -> None:
    """Show the log of NODE: of its pod, or the archived one where the pod is gone.

    NODE is a node's name, or the label or name of a task. A task's nodes share one log.
    """
    project = require_project(metadata, "logs")
    run = where.pop("run")
    with plain_errors() as out:
        from kedro_rats.cli.following import project_cluster
        from kedro_rats.engines.argo.logs.reading import find_task

        followed = project_cluster(project, **where).run(run)
        task = find_task(followed.plan, node)
        tried = _attempt(followed, task, attempt, follow=follow)
        if output == "json":
            document = _document(followed, task, tried, follow=follow)
            click.echo(json.dumps(document, indent=2, sort_keys=True), file=out)
        else:
            _write(followed, tried, out, follow=follow)


def _attempt(
    followed: FollowedRun, task: Task, number: int | None, *, follow: bool
) -> Tried:
    from kedro_rats.engines.argo.logs.reading import attempts_on, chosen

    cluster = followed.on.cluster
    *latest, newest = reversed(followed.found.workflows)
    earlier = [cluster.get(name) for name in latest]
    workflow = cluster.get(newest)
    tried = attempts_on([*earlier, workflow], task.name)
    if follow and not tried:
        # The task has not begun: wait for its first pod.
        for workflow in cluster.watch(newest):
            tried = attempts_on([*earlier, workflow], task.name)
            if tried:
                break
    return chosen(tried, number, task.label)


def _archive(followed: FollowedRun) -> Archive:
    from kedro_rats.engines.argo.logs.reading import Archive

    on = followed.on
    return Archive(credentials=on.credentials, server=on.settings.server)


def _write(followed: FollowedRun, tried: Tried, out: TextIO, *, follow: bool) -> None:
    from kedro_rats.engines.argo.logs.reading import log_of

    cluster = followed.on.cluster
    for line in log_of(cluster, tried, _archive(followed), follow=follow):
        click.echo(line, file=out)


def _document(
    followed: FollowedRun, task: Task, tried: Tried, *, follow: bool
) -> dict[str, Any]:
    from kedro_rats.engines.argo.logs.reading import log_of

    lines = log_of(followed.on.cluster, tried, _archive(followed), follow=follow)
    return {
        "run": followed.found.run,
        "workflow": str(tried.workflow["metadata"]["name"]),
        "task": task.name,
        "label": task.label,
        "attempt": tried.number,
        "pod": tried.pod.pod,
        "lines": list(lines),
    }
