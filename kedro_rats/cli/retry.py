"""``kedro rats retry``: what is not done of a run on a cluster, once more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kedro_rats.cli.following import project_cluster
from kedro_rats.cli.selection import plain_errors, require_project
from kedro_rats.cli.stores import store_options, stored_runs
from kedro_rats.cli.tables import output_option

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata


@click.command()
@click.argument("run", shell_complete=stored_runs)
@output_option
@store_options
@click.pass_obj
def retry(
    metadata: ProjectMetadata | None,
    run: str,
    output: str,
    env: str | None,
    conf_source: str | None,
) -> None:
    """Run what is not done of RUN: only the tasks that failed, and what follows them.

    RUN is a run's id or the name of a workflow.
    The plan, the parameters and the inputs are those of RUN; images, machine sizes and
    policies are those that rats.yml gives now.
    """
    from kedro_rats.engines.argo import submission
    from kedro_rats.runners.argo import outdated_in, where_to_look

    project = require_project(metadata, "retry")
    with plain_errors():
        on = project_cluster(project, env=env, conf_source=conf_source)
        run = on.stored_run(run)
        folder = Path(project.project_path)
        for line in outdated_in(on.rats_yml, folder, env=on.env):
            click.echo(line, err=True)
        submitted = submission.retry(
            on.cluster,
            run,
            store=on.store,
            rats_yml=on.rats_yml,
            settings=on.settings,
        )
    if output == "json":
        workflow = submitted.workflow if submitted is not None else None
        tasks = submitted.tasks if submitted is not None else 0
        address = submitted.address if submitted is not None else None
        document = {
            "run": run,
            "workflow": workflow,
            "tasks": tasks,
            "address": address,
        }
        click.echo(json.dumps(document, indent=2, sort_keys=True))
    elif submitted is None:
        click.echo(f"Run {run}: all its tasks are done, there is nothing to retry.")
    else:
        click.echo("\n".join(where_to_look(submitted, env=env)))
