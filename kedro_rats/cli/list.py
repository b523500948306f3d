"""``kedro rats list``: the runs of this project that are on the cluster."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from kedro_rats.cli.selection import plain_errors, require_project
from kedro_rats.cli.stores import store_options
from kedro_rats.cli.tables import output_option, table

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.engines.argo.cluster.runs import ClusterRun

_HEADER = ("run", "state", "pipeline", "created", "workflow")


@click.command(name="list")
@click.option("--limit", default=20, show_default=True, help="How many, latest first.")
@output_option
@store_options
@click.pass_obj
def list_(
    metadata: ProjectMetadata | None,
    limit: int,
    output: str,
    env: str | None,
    conf_source: str | None,
) -> None:
    """List the runs of this project on the cluster.

    A workflow is deleted some time after its end (ext.argo.keep); `kedro rats runs` lists
    all runs in the store.
    """
    from kedro_rats.cli.following import project_cluster

    project = require_project(metadata, "list")
    with plain_errors() as out:
        on = project_cluster(project, env=env, conf_source=conf_source)
        found = on.runs()[:limit]
        if output == "json":
            text = json.dumps([asdict(run) for run in found], indent=2, sort_keys=True)
        else:
            text = "\n".join(table(_HEADER, [_row(run) for run in found]))
        click.echo(text, file=out)


def _row(run: ClusterRun) -> tuple[str, ...]:
    created = run.created[:19].replace("T", " ")
    return run.run, run.state, run.pipeline, created, run.workflow
