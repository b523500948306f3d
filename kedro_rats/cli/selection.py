"""Kedro's own options that select what is run, and the project that they select from."""

from __future__ import annotations

import contextlib
import inspect
import sys
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click
from kedro.framework.cli.utils import (
    _split_load_versions,
    _split_params,
    split_node_names,
    split_string,
    validate_conf_source,
)

from kedro_rats.cli import completion
from kedro_rats.cli.configuration import check_environment, plain_error
from kedro_rats.cli.filtering import filtered
from kedro_rats.cli.registry import sum_of_pipelines
from kedro_rats.errors import Breach, DefinitionError, RatsError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kedro.framework.context import KedroContext
    from kedro.framework.session import KedroSession
    from kedro.framework.startup import ProjectMetadata
    from kedro.pipeline import Pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is selected, as ``kedro run`` is told it."""

    pipelines: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    node_names: tuple[str, ...] = ()
    from_nodes: tuple[str, ...] = ()
    to_nodes: tuple[str, ...] = ()
    from_inputs: tuple[str, ...] = ()
    to_outputs: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    params: dict[str, Any]
    load_versions: dict[str, str]
    env: str | None = None
    conf_source: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The pipelines that are run."""
        return self.pipelines or ("__default__",)

    def filters(self) -> dict[str, Any]:
        """Return the arguments of ``Pipeline.filter``, empty ones left out."""
        asked = {
            "tags": self.tags,
            "node_names": self.node_names,
            "from_nodes": self.from_nodes,
            "to_nodes": self.to_nodes,
            "from_inputs": self.from_inputs,
            "to_outputs": self.to_outputs,
            "node_namespaces": self.namespaces,
        }
        return {name: list(value) for name, value in asked.items() if value}


def _params(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Do what Kedro does, but for bytes of the command line that are no text."""
    try:
        return _split_params(ctx, param, value)
    except UnicodeError as error:
        got = ascii(value)[:200]
        msg = f"expected text, got bytes that are none: {got}. Write them as UTF-8."
        raise click.BadParameter(msg) from error


_OPTIONS = (
    click.option("--pipelines", "--pipeline", "-p", "pipelines", default="",
                 callback=split_string,
                 shell_complete=completion.pipelines,
                 help="Registered pipelines, separated by commas."),
    click.option("--tags", "-t", default="", callback=split_string,
                 help="Nodes with one of these tags."),
    click.option("--nodes", "-n", "node_names", default="", callback=split_node_names,
                 shell_complete=completion.nodes,
                 help="Nodes of these names."),
    click.option("--from-nodes", default="", callback=split_node_names,
                 shell_complete=completion.nodes,
                 help="These nodes and what follows them."),
    click.option("--to-nodes", default="", callback=split_node_names,
                 shell_complete=completion.nodes,
                 help="These nodes and what they need."),
    click.option("--from-inputs", default="", callback=split_node_names,
                 help="What follows from these datasets."),
    click.option("--to-outputs", default="", callback=split_node_names,
                 help="What these datasets need."),
    click.option("--namespaces", "-ns", default="", callback=split_node_names,
                 help="Nodes in these namespaces."),
    click.option("--params", type=click.UNPROCESSED, default="", callback=_params,
                 help="Parameters that replace those of the project: a.b=1,c=2."),
    click.option("--load-versions", "-lv", default="", callback=_split_load_versions,
                 help="Versions to load: dataset:version."),
    click.option("--conf-source", default=None, callback=validate_conf_source,
                 help="Folder of the configuration."),
    completion.env_option,
)  # fmt: skip


def selection_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command Kedro's options; it is called with ``selection=``."""

    @wraps(command)
    def selected(**options: Any) -> Any:
        fields = Selection.__slots__
        asked = {name: options.pop(name) for name in fields if name in options}
        for name, value in asked.items():
            if isinstance(value, list):
                asked[name] = tuple(value)
        return command(selection=Selection(**asked), **options)

    for option in reversed(_OPTIONS):
        selected = option(selected)
    return selected


@contextlib.contextmanager
def plain_errors(*, logs_aside: bool = True) -> Iterator[TextIO]:
    """Show what is wrong in a line for each thing, without a traceback.

    Bad input ends the command with 2, anything else that is ours with 1.

    Args:
        logs_aside: Whether what is logged goes to stderr: stdout gets the result alone.

    Yields:
        Where results go: standard output.
    """
    out = sys.stdout
    aside = sys.stderr if logs_aside else sys.stdout
    try:
        with contextlib.redirect_stdout(aside):
            yield out
    except Exception as error:
        ours = error if isinstance(error, RatsError) else plain_error(error)
        if ours is None:
            raise
        failure = click.ClickException(str(ours))
        # click reads it off the object, and says that it is of the class.
        failure.exit_code = 2 if isinstance(ours, DefinitionError) else 1  # type: ignore[misc]
        raise failure from error


def require_project(metadata: ProjectMetadata | None, command: str) -> ProjectMetadata:
    """Return the project that a command runs in.

    Raises:
        click.UsageError: If it runs outside one.
    """
    if metadata is None:
        msg = (
            f"kedro rats {command}: expected to be run in a Kedro project, got a folder "
            "outside one. Change into the folder that has the project's pyproject.toml."
        )
        raise click.UsageError(msg)
    return metadata


def session_of(metadata: ProjectMetadata, selection: Selection) -> KedroSession:
    """Return a Kedro session of the project.

    Raises:
        DefinitionError: If the configuration has no environment as the one asked for.
    """
    from kedro.framework.session import KedroSession

    folder = Path(metadata.project_path)
    check_environment(selection.env, selection.conf_source, folder)
    return KedroSession.create(
        metadata.project_path,
        env=selection.env,
        conf_source=selection.conf_source,
        runtime_params=selection.params or None,
    )


def selected_pipeline(selection: Selection) -> Pipeline:
    """Return what is selected of the registered pipelines.

    Raises:
        DefinitionError: If there is no such pipeline, or nothing is selected.
    """
    whole = sum_of_pipelines(selection.pipelines)
    describe = "kedro rats describe"
    if len(selection.pipelines) == 1:
        describe += f" --pipeline {selection.pipelines[0]}"
    return filtered(whole, selection.filters(), describe=describe)


def context_of(session: KedroSession, selection: Selection) -> KedroContext:
    """Return a context whose typed parameters are those of the selected pipelines."""
    context = session.load_context()
    if selection.pipelines and hasattr(context, "_pipelines_to_validate"):
        context._pipelines_to_validate = list(selection.pipelines)
    return context


def run_arguments(session: KedroSession, selection: Selection) -> dict[str, Any]:
    """Return the arguments of ``session.run`` of the installed Kedro.

    Raises:
        DefinitionError: If it cannot run several pipelines, and several are selected.
    """
    arguments: dict[str, Any] = {
        **selection.filters(),
        "load_versions": selection.load_versions or None,
    }
    if "node_namespaces" in arguments:
        arguments["namespaces"] = arguments.pop("node_namespaces")
    if "pipeline_names" in inspect.signature(session.run).parameters:
        return {**arguments, "pipeline_names": list(selection.pipelines)}
    if len(selection.pipelines) > 1:
        raise DefinitionError(
            Breach(
                "--pipelines",
                "one pipeline, with this version of Kedro",
                listed(selection.pipelines),
                "Install Kedro 1.2 or newer, or register their sum.",
            )
        )
    return {**arguments, "pipeline_name": selection.names[0]}
