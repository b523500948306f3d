"""``kedro rats status``: how far a run on a cluster is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from kedro_rats.cli.selection import plain_errors, require_project
from kedro_rats.cli.stores import store_options, stored_runs
from kedro_rats.cli.tables import output_option

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata


@click.command()
@click.argument("run", required=False, shell_complete=stored_runs)
@output_option
@store_options
@click.pass_obj
def status(
    metadata: ProjectMetadata | None,
    run: str | None,
    output: str,
    env: str | None,
    conf_source: str | None,
) -> None:
    """Show how far a run on the cluster is, and what is wrong with it.

    RUN is a run's id or the name of a workflow; without it, the project's latest run. A
    namespace is one line where all of it is done, or nothing of it has begun.
    """
    from kedro_rats.cli.following import project_cluster
    from kedro_rats.engines.argo.progress.text import as_text, headline, tree

    project = require_project(metadata, "status")
    with plain_errors() as out:
        on = project_cluster(project, env=env, conf_source=conf_source)
        followed = on.run(run)
        found = followed.progress()
        if output == "json":
            text = json.dumps(followed.document(found), indent=2, sort_keys=True)
        else:
            where = f"Workflow {found.workflow} in namespace {on.cluster.namespace}."
            address = [f"Argo shows it: {followed.address}"] if followed.address else []
            head = [headline(found, followed.found.run), where, *address]
            body = as_text(tree(found))
            advice = followed.advice(found)
            text = "\n".join([*head, "", *body, *([""] if advice else []), *advice])
        click.echo(text, file=out)
