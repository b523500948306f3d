"""What a shell completes: environments, pipelines and nodes of the project.

Click completes commands and options by itself; these know the values. Somebody who presses
a key asks no question that can go wrong: whatever does, there is nothing to complete.
"""

from __future__ import annotations

import contextlib
import io
from functools import wraps
from typing import TYPE_CHECKING, Any

from kedro.framework.cli.utils import env_option as kedros_env_option

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import click

    Values = Callable[[click.Context], Iterable[str]]
    Completion = Callable[[click.Context, click.Parameter, str], list[str]]


def completion(values: Values) -> Completion:
    """Return what click calls for the values that a text begins."""

    @wraps(values)
    def complete(ctx: click.Context, _: click.Parameter, begun: str) -> list[str]:
        # Several are separated by commas: the last one is not whole yet.
        before, comma, last = begun.rpartition(",")
        found: list[str] = []
        # What a project prints while it is imported would be taken for a value.
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.suppress(Exception),
        ):
            found = sorted({value for value in values(ctx) if value.startswith(last)})
        return [f"{before}{comma}{value}" for value in found]

    return complete


@completion
def environments(ctx: click.Context) -> Iterable[str]:
    """Yield the environments of the configuration."""
    from kedro.framework.project import settings

    folder = ctx.obj.project_path / settings.CONF_SOURCE
    return [path.name for path in folder.iterdir() if path.is_dir()]


@completion
def pipelines(ctx: click.Context) -> Iterable[str]:  # noqa: ARG001 - click gives it
    """Yield the names of the registered pipelines."""
    from kedro.framework.project import pipelines as registered

    return list(registered)


@completion
def nodes(ctx: click.Context) -> Iterable[str]:  # noqa: ARG001 - click gives it
    """Yield the names of all nodes that are registered."""
    from kedro.framework.project import pipelines as registered

    return [node.name for pipeline in registered.values() for node in pipeline.nodes]


def env_option(command: Any) -> Any:
    """Give a command Kedro's option for the environment."""
    return kedros_env_option(command, shell_complete=environments)
