"""The store of a project, for commands that only look into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from kedro.framework.cli.utils import validate_conf_source

from kedro_rats.cli.completion import completion, env_option
from kedro_rats.cli.selection import Selection, session_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.store.base import Store


def store_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that say which configuration names the store."""
    conf_source = click.option(
        "--conf-source",
        default=None,
        callback=validate_conf_source,
        help="Folder of the configuration.",
    )
    return conf_source(env_option(command))  # type: ignore[no-any-return]


def project_store(
    metadata: ProjectMetadata, *, env: str | None, conf_source: str | None
) -> Store:
    """Return the store that a project's ``rats.yml`` names.

    Raises:
        DefinitionError: If ``rats.yml`` is wrong.
    """
    from kedro_rats.placement.loading import load_settings
    from kedro_rats.store.opening import open_store

    asked = Selection(params={}, load_versions={}, env=env, conf_source=conf_source)
    # The catalog is left alone: it may need parameters that a run was given.
    context = session_of(metadata, asked).load_context()
    said = load_settings(context.config_loader).store
    credentials = (
        context._get_config_credentials()[said.credentials]
        if said.credentials
        else None
    )
    return open_store(said.uri, base=context.project_path, credentials=credentials)


@completion
def stored_runs(ctx: click.Context) -> Iterable[str]:
    """Return the runs that the store has, for a shell that completes them."""
    from kedro_rats.engines.run_record import names_of_runs

    env, conf_source = ctx.params.get("env"), ctx.params.get("conf_source")
    return names_of_runs(project_store(ctx.obj, env=env, conf_source=conf_source))


from_run_option = click.option(
    "--from-run",
    default=None,
    shell_complete=stored_runs,
    help="A run whose outputs stand in for free inputs.",
)
"""What ``run`` and ``submit`` take from an earlier run, and those that only look do too."""
