"""``kedro rats compile``: the plan, or the workflow of Argo, as a file to look at."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kedro_rats.cli.checking import checked_selection, manifest_of_checked
from kedro_rats.cli.selection import (
    Selection,
    plain_errors,
    require_project,
    selection_options,
)
from kedro_rats.cli.stores import from_run_option

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata


@click.command("compile")
@selection_options
@from_run_option
@click.option(
    "--target",
    type=click.Choice(["argo", "plan"]),
    default="argo",
    show_default=True,
    help="The workflow that Argo would get, or the plan that it is made of.",
)
@click.option(
    "--output",
    "-o",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=None,
    help="The file to write.  [default: standard output]",
)
@click.pass_obj
def compile_(
    metadata: ProjectMetadata | None,
    selection: Selection,
    from_run: str | None,
    target: str,
    path: Path | None,
) -> None:
    """Write what would be submitted, as JSON; the same definition gives the same bytes.

    It is for people and checks such as `argo lint`: nothing is put into the store, so
    where the workflow names what it was asked to do there are zeros.
    """
    from kedro_rats.encoding.canonical import to_bytes
    from kedro_rats.engines.argo.reading import argo_settings

    project = require_project(metadata, "compile")
    with plain_errors():
        checked = checked_selection(
            project, selection, from_run=from_run, key="compiled"
        )
        settings = argo_settings(checked.view.settings)
        data = (
            to_bytes(manifest_of_checked(checked, settings)) + b"\n"
            if target == "argo"
            else checked.lowered.document
        )
    if path is None:
        click.echo(data, nl=False)
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        msg = (
            f"--output {str(path)!r}: expected a file that can be written, got "
            f"{error.strerror}. Give another."
        )
        raise click.ClickException(msg) from error
    click.echo(f"{path}: {len(checked.lowered.plan)} tasks, {len(data)} bytes")
