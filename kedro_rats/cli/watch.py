"""``kedro rats watch``: follows a run on a cluster to its end."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from kedro_rats.cli.selection import plain_errors, require_project
from kedro_rats.cli.stores import store_options, stored_runs
from kedro_rats.cli.tables import output_option

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.cli.following import FollowedRun
    from kedro_rats.engines.argo.progress import Progress

_INTERRUPTED = 130


@click.command()
@click.argument("run", required=False, shell_complete=stored_runs)
@output_option
@store_options
@click.pass_obj
def watch(
    metadata: ProjectMetadata | None,
    run: str | None,
    output: str,
    env: str | None,
    conf_source: str | None,
) -> None:
    """Follow a run on the cluster to its end.

    RUN is a run's id or the name of a workflow; without it, the project's latest run. The
    exit code is 0, or says how the first task that failed ended. A run that cannot get
    on, for lack of an image say, is stopped. An interrupt ends the command only.
    """
    from kedro_rats.cli.following import project_cluster

    project = require_project(metadata, "watch")
    with plain_errors() as out:
        on = project_cluster(project, env=env, conf_source=conf_source)
        followed = on.run(run)
        shown = out if output == "text" else sys.stderr
        try:
            found = _follow(followed, shown)
        except KeyboardInterrupt:
            where = f"{followed.found.run}{on.env_option}"
            click.echo(
                f"The run goes on. `kedro rats watch {where}` follows it again, "
                f"`kedro rats stop {where}` ends it.",
                err=True,
            )
            raise SystemExit(_INTERRUPTED) from None
        if output == "json":
            text = json.dumps(followed.document(found), indent=2, sort_keys=True)
            click.echo(text, file=out)
        for line in followed.advice(found):
            click.echo(line, err=True)
    raise SystemExit(found.code)


def _follow(followed: FollowedRun, file: object) -> Progress:
    from kedro_rats.engines.argo.progress import wait
    from kedro_rats.engines.argo.progress.showing import live
    from kedro_rats.engines.argo.progress.text import headline

    run = followed.found.run
    with live(followed.plan, run=run, file=file) as show:  # type: ignore[arg-type]
        found = wait(
            followed.on.cluster,
            followed.found.workflow,
            followed.plan,
            store=followed.on.store,
            run=run,
            settings=followed.on.settings,
            show=show,
        )
    click.echo(headline(found, run), file=file)  # type: ignore[arg-type]
    return found
