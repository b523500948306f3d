"""``kedro rats get``: the files of a dataset, out of the store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kedro_rats.cli.selection import plain_errors, require_project
from kedro_rats.cli.stores import project_store, store_options, stored_runs
from kedro_rats.cli.tables import output_option
from kedro_rats.errors import Breach, DefinitionError, RatsError, nearest, shown

if TYPE_CHECKING:
    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.store.artifacts import Artifact
    from kedro_rats.store.base import Store


@click.command()
@click.argument("dataset")
@click.option(
    "--run",
    default=None,
    shell_complete=stored_runs,
    help="The run that made it.  [default: the latest]",
)
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    default=None,
    help="A new folder for the files.  [default: named after the dataset]",
)
@output_option
@store_options
@click.pass_obj
def get(  # noqa: PLR0913 - a command's options
    metadata: ProjectMetadata | None,
    dataset: str,
    run: str | None,
    target: Path | None,
    output: str,
    env: str | None,
    conf_source: str | None,
) -> None:
    """Copy the files of DATASET out of the store.

    The bytes are verified and copied as they are: nothing is loaded. The dataset may be
    one without a catalog entry.
    """
    project = require_project(metadata, "get")
    with plain_errors():
        store = project_store(project, env=env, conf_source=conf_source)
        found, artifact = _found(store, dataset, run)
        folder = target or Path(dataset.replace("@", "-"))
        _copy(store, artifact, folder)
    if output == "json":
        document = {
            "dataset": dataset,
            "run": found,
            "format": artifact.format,
            "files": [str(folder / file.path) for file in artifact.files],
        }
        click.echo(json.dumps(document, indent=2, sort_keys=True))
        return
    names = ", ".join(str(folder / file.path) for file in artifact.files[:5])
    more = f" and {len(artifact.files) - 5} more" if len(artifact.files) > 5 else ""
    click.echo(f"{dataset} of run {found} ({artifact.format}): {names}{more}")


def _found(store: Store, dataset: str, run: str | None) -> tuple[str, Artifact]:
    """Return the run that made a dataset, and what it made."""
    from kedro_rats.engines.run_record import records_of, runs

    known: set[str] = set()
    for each in [run] if run is not None else runs(store):
        for record in records_of(store, each):
            if dataset in record.outputs:
                return each, record.outputs[dataset]
            known.update(record.outputs)
    where = f"run {run!r}" if run is not None else "any run of this store"
    hint = nearest(dataset, known)
    msg = (
        f"Dataset {dataset!r}: expected one that a task of {where} made, got none of "
        f"that name. {hint}Data that stay inside a task are not kept."
    )
    raise RatsError(msg)


def _copy(store: Store, artifact: Artifact, folder: Path) -> None:
    from kedro_rats.store.artifacts import IN_PLACE, fetch_folder

    if artifact.format == IN_PLACE:
        msg = (
            "The dataset: expected one with files, got one that is written in place (a "
            "table, a service). Read it where the catalog says that it is."
        )
        raise RatsError(msg)
    if folder.exists():
        remedy = "Give a new one with --to."
        raise DefinitionError(
            Breach("--to", "a folder that is not there", shown(str(folder)), remedy)
        )
    fetch_folder(store, artifact, folder)
