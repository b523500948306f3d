"""``kedro rats submit``: a pipeline on a cluster, as a workflow of Argo."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TextIO

import click

from kedro_rats.cli.checking import checked_selection, manifest_of_checked
from kedro_rats.cli.selection import (
    Selection,
    plain_errors,
    require_project,
    selection_options,
)
from kedro_rats.cli.stores import from_run_option
from kedro_rats.cli.tables import output_option

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.runners.argo import OnArgo
    from kedro_rats.runners.preparing import Checked


@click.command()
@selection_options
@from_run_option
@click.option(
    "--key", default=None, help="Names the run: submitted twice, it runs once."
)
@click.option("--wait", is_flag=True, help="Follow the run to its end.")
@click.option(
    "--dry-run", is_flag=True, help="Check all, also on the cluster; change nothing."
)
@output_option
@click.pass_obj
def submit(
    metadata: ProjectMetadata | None,
    /,
    selection: Selection,
    output: str,
    wait: bool,  # noqa: FBT001 - a command's flag
    dry_run: bool,  # noqa: FBT001 - a command's flag
    **named: str | None,
) -> None:
    """Run a pipeline on a cluster, each task in a pod of its own.

    The plan, the parameters and local inputs go into the store first, then the workflow
    is made. All is checked before anything is written. Without --wait nobody ends a run
    that cannot start, for lack of an image say: `kedro rats watch` does.
    """
    from kedro_rats.runners.argo import OnArgo, outdated_images

    project = require_project(metadata, "submit")
    with plain_errors() as out:
        checked = checked_selection(project, selection, **named)
        on = OnArgo.of(checked.view)
        for line in outdated_images(checked.view, checked.lowered.plan):
            click.echo(line, err=True)
        if dry_run:
            _rehearse(checked, on, _Teller(out, output))
        else:
            _submit(checked, on, _Teller(out, output), wait=wait)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Tells people lines, or programs one document."""

    out: TextIO
    output: str

    def line(self, text: str) -> None:
        """Say something to people, at once."""
        if self.output == "text":
            click.echo(text, file=self.out)

    def document(self, value: Mapping[str, Any]) -> None:
        """Say all to a program."""
        if self.output == "json":
            click.echo(json.dumps(value, indent=2, sort_keys=True), file=self.out)


def _submit(checked: Checked, on: OnArgo, tell: _Teller, *, wait: bool) -> None:
    """Submit a run, and say what was done."""
    from kedro_rats.runners import argo
    from kedro_rats.runners.preparing import stored

    prepared = stored(checked)
    submitted = argo.submit(prepared, on)
    state = "submitted"
    for line in argo.where_to_look(submitted, env=checked.view.env):
        tell.line(line)
    if wait:
        try:
            argo.follow(on, prepared, submitted)
        except argo.WorkflowFailed as failed:
            click.echo(str(failed), err=True)
            tell.document({**asdict(submitted), "state": "failed"})
            raise SystemExit(failed.code) from failed
        state = "succeeded"
        tell.line(f"Run {submitted.run} is done.")
    tell.document({**asdict(submitted), "state": state})


def _rehearse(checked: Checked, on: OnArgo, tell: _Teller) -> None:
    """Have the cluster check the workflow, and say what would be done."""
    from kedro_rats.engines.argo.submission import rehearse
    from kedro_rats.engines.argo.translation.sizes import size_report

    manifest = manifest_of_checked(checked, on.settings)
    run, plan = checked.asked.run, checked.lowered.digest
    new = rehearse(on.cluster, manifest, run=run, plan=plan)
    found = {
        "plan": plan,
        "exists": not new,
        "tasks": len(checked.lowered.plan),
        "imports": sorted(checked.found.sources),
        "bytes": size_report(manifest).spec,
        "namespace": on.cluster.namespace,
    }
    tell.document(found)
    if not new:
        tell.line(
            f"Nothing was changed, nor would be: run {run} is the workflow "
            f"{manifest['metadata']['name']} in namespace {found['namespace']} already."
        )
        return
    tell.line(
        f"Nothing was changed. {found['tasks']} tasks would run in namespace "
        f"{found['namespace']}, {len(checked.found.sources)} local inputs would be "
        f"uploaded, and the cluster takes the workflow of {found['bytes']} bytes."
    )
