"""``kedro rats doctor``: what a run on a cluster would lack."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from kedro_rats.cli.selection import (
    Selection,
    plain_errors,
    require_project,
    session_of,
)
from kedro_rats.cli.stores import project_store, store_options
from kedro_rats.cli.tables import output_option

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.engines.argo.doctor.checks import Patient


@click.command()
@click.option("--no-pod", is_flag=True, help="Run no pods: look from outside only.")
@click.option(
    "--timeout",
    type=click.IntRange(10, 3600),
    default=120,
    show_default=True,
    help="Seconds that pods may take.",
)
@output_option
@store_options
@click.pass_obj
def doctor(
    metadata: ProjectMetadata | None,
    /,
    output: str,
    env: str | None,
    conf_source: str | None,
    timeout: int,
    no_pod: bool,  # noqa: FBT001 - a command's flag
) -> None:
    """Look at all that a run on a cluster needs.

    Each line is well (ok), doubtful (warn) or wrong (fail), and says what to do. A pod of
    each image tries the store from inside. Nothing is left behind.
    """
    from kedro_rats.engines.argo.doctor.checks import examine
    from kedro_rats.engines.argo.doctor.findings import is_well

    project = require_project(metadata, "doctor")
    asked = Selection(params={}, load_versions={}, env=env, conf_source=conf_source)
    findings = []
    with plain_errors() as out:
        patient = _patient(project, asked, pod=not no_pod, seconds=timeout)
        for finding in examine(patient):
            findings.append(finding)
            if output == "text":
                click.echo(str(finding), file=out)
    if output == "json":
        found = [finding.to_json() for finding in findings]
        click.echo(json.dumps(found, indent=2, sort_keys=True))
    if not is_well(findings):
        raise SystemExit(1)


def _patient(
    metadata: ProjectMetadata, asked: Selection, *, pod: bool, seconds: int
) -> Patient:
    import kedro_rats
    from kedro_rats.engines.argo.doctor.checks import Patient
    from kedro_rats.engines.argo.reading import argo_settings
    from kedro_rats.placement.loading import load_settings

    # The catalog is left alone: it may need parameters.
    said = load_settings(session_of(metadata, asked).load_context().config_loader)
    return Patient(
        settings=said,
        argo=argo_settings(said),
        store=project_store(metadata, env=asked.env, conf_source=asked.conf_source),
        version=kedro_rats.__version__,
        env=asked.env,
        pod=pod,
        seconds=seconds,
    )
