"""``kedro rats stop``: ends a run on a cluster."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from kedro_rats.cli.selection import plain_errors, require_project
from kedro_rats.cli.stores import store_options, stored_runs
from kedro_rats.cli.tables import output_option

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.cli.following import FollowedRun
    from kedro_rats.engines.argo.progress import Progress

_LONGEST_SECONDS = 60.0
"""So long the command waits for what runs to end."""


@click.command()
@click.argument("run", required=False, shell_complete=stored_runs)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@output_option
@store_options
@click.pass_obj
def stop(
    metadata: ProjectMetadata | None,
    run: str | None,
    yes: bool,  # noqa: FBT001 - a command's flag
    output: str,
    env: str | None,
    conf_source: str | None,
) -> None:
    """Stop a run on the cluster: what runs is ended, nothing more is started.

    RUN is a run's id or the name of a workflow; without it, the project's latest run.
    What is done stays done: `kedro rats retry RUN` runs the rest.
    """
    from kedro_rats.cli.following import project_cluster
    from kedro_rats.engines.argo.progress.text import headline

    project = require_project(metadata, "stop")
    with plain_errors() as out:
        on = project_cluster(project, env=env, conf_source=conf_source)
        followed = on.run(run)
        found = followed.progress()
        if found.state == "running":
            named = f"run {followed.found.run} (workflow {found.workflow})"
            if not yes:
                click.confirm(f"Stop {named}?", abort=True, err=True)
            found = _stopped(followed)
        if output == "json":
            text = json.dumps(followed.document(found), indent=2, sort_keys=True)
        else:
            lines = [headline(found, followed.found.run), *followed.advice(found)]
            text = "\n".join(lines)
        click.echo(text, file=out)


def _stopped(followed: FollowedRun) -> Progress:
    """Stop a run and return how it has ended, or how far that is after a while."""
    cluster, name = followed.on.cluster, followed.found.workflow
    cluster.stop(name, "Stopped by a user.")
    deadline = time.monotonic() + _LONGEST_SECONDS
    for _ in cluster.watch(name):
        if time.monotonic() > deadline:
            break
    return followed.progress()
