"""``kedro rats exec``: one task of a stored plan, as an engine runs it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata


@click.command(name="exec")
@click.option("--store", required=True, help="A folder or s3://bucket/prefix.")
@click.option("--request", required=True, help="Digest of the run's request.")
@click.option("--task", required=True, help="Name of the task.")
@click.pass_obj
def exec_(
    metadata: ProjectMetadata | None, store: str, request: str, task: str
) -> None:
    """Run one task of a run that is in a store.

    It does what a pod does: fetches the plan by digest, imports what the task's nodes
    need, runs them, commits and publishes. A task that is committed does nothing again.
    Engines start the same as `python -m kedro_rats.engines.execution`, which does not
    import the project first.
    """
    from kedro_rats.engines.execution.__main__ import run_task

    project = Path(metadata.project_path) if metadata is not None else Path.cwd()
    sys.exit(run_task(store=store, request=request, task=task, project=project))
