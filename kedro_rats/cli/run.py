"""``kedro rats run``: a pipeline on this machine, task by task, committed as it goes."""

from __future__ import annotations

import contextlib
import os
import traceback
from typing import TYPE_CHECKING, Final

import click

from kedro_rats.cli.configuration import plain_error
from kedro_rats.cli.filtering import OPTIONS
from kedro_rats.cli.selection import (
    Selection,
    plain_errors,
    require_project,
    run_arguments,
    selected_pipeline,
    selection_options,
    session_of,
)
from kedro_rats.cli.stores import from_run_option, project_store, stored_runs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro.framework.startup import ProjectMetadata

    from kedro_rats.runners.local import LocalOptions

_INTERRUPTED: Final = 130


@click.command()
@selection_options
@click.option("--isolate", is_flag=True, help="Run each task in a process of its own.")
@from_run_option
@click.option(
    "--resume",
    default=None,
    shell_complete=stored_runs,
    help="Go on with a run: only what is not done runs.",
)
@click.option(
    "--keep-going", is_flag=True, help="Run what does not depend on a failed task."
)
@click.pass_obj
def run(
    metadata: ProjectMetadata | None,
    selection: Selection,
    isolate: bool,  # noqa: FBT001 - a command's flag
    from_run: str | None,
    resume: str | None,
    keep_going: bool,  # noqa: FBT001 - a command's flag
) -> None:
    """Run a pipeline on this machine.

    Every task reads its inputs from the store and commits what it makes. After a crash
    --resume goes on where the run stopped. The exit code says how a failed task ended:
    1 your code, 2 bad input, 75 disk or network, 130 an interrupt, 137 out of memory.
    """
    from kedro_rats.engines.execution.exit_codes import exit_code
    from kedro_rats.engines.local import RunFailed
    from kedro_rats.errors import DefinitionError
    from kedro_rats.runners.local import LocalOptions, LocalRunner

    project = require_project(metadata, "run")
    options = LocalOptions(isolate=isolate, from_run=from_run)
    with plain_errors(logs_aside=False):
        if resume is not None:
            _refuse_beside_resume(selection, resume, from_run)
        try:
            if resume is not None:
                with _said_how_to_go_on(project, selection, resume):
                    _resume(project, selection, resume, options, keep_going=keep_going)
                return
            # Kedro would say what is wrong with it in another way, and later.
            selected_pipeline(selection)
            session = session_of(project, selection)
            runner = LocalRunner(keep_going=keep_going, _options=options)
            arguments = run_arguments(session, selection)
            with _said_how_to_go_on(project, selection, session.session_id):
                session.run(runner=runner, **arguments)
        except RunFailed as failed:
            click.echo(str(failed), err=True)
            raise SystemExit(int(failed.failures[0].code)) from failed
        except DefinitionError:
            raise
        except Exception as error:
            # What a node raises is the user's own affair, whatever it is.
            plain = None if _is_of_a_task(error) else plain_error(error)
            _show(plain or error)
            raise SystemExit(int(exit_code(plain or error))) from error


@contextlib.contextmanager
def _said_how_to_go_on(
    metadata: ProjectMetadata, selection: Selection, run: str
) -> Iterator[None]:
    """Say after an interrupt how to go on with a run, if it was begun."""
    try:
        yield
    except KeyboardInterrupt:
        if not _is_stored(metadata, selection, run):
            raise
        env = f" --env={selection.env}" if selection.env else ""
        click.echo(
            f"Interrupted. `kedro rats run --resume {run}{env}` goes on.", err=True
        )
        raise SystemExit(_INTERRUPTED) from None


def _is_stored(metadata: ProjectMetadata, selection: Selection, run: str) -> bool:
    from kedro_rats.store.layout import request_key

    env, conf_source = selection.env, selection.conf_source
    with contextlib.suppress(Exception):
        store = project_store(metadata, env=env, conf_source=conf_source)
        return store.read(request_key(run)) is not None
    return False


def _is_of_a_task(error: Exception) -> bool:
    """Say whether something was raised while a task was executed in this process."""
    modules = (
        frame.f_globals.get("__name__", "")
        for frame, _ in traceback.walk_tb(error.__traceback__)
    )
    return any(name.startswith("kedro_rats.engines.execution.") for name in modules)


def _refuse_beside_resume(selection: Selection, run: str, from_run: str | None) -> None:
    """Raise if something else is asked for than what a run has frozen."""
    others = {
        "--pipelines": selection.pipelines,
        "--params": selection.params,
        "--load-versions": selection.load_versions,
        "--from-run": from_run,
    }
    given = [OPTIONS[name] for name in selection.filters()]
    given += [option for option, value in others.items() if value]
    if given:
        msg = (
            f"--resume: expected no {', '.join(given)} beside it, since a run keeps its "
            "plan, its parameters and its inputs. Leave it out, or begin a new run that "
            f"takes results of this one: --from-run {run}."
        )
        raise click.UsageError(msg)


def _show(error: Exception) -> None:
    """Show what was raised, without secrets: a traceback only of what is not ours."""
    from kedro_rats.engines.execution.redaction import (
        Redaction,
        secret_environment,
        secret_values,
        texts,
    )
    from kedro_rats.errors import RatsError
    from kedro_rats.runners.session import memory

    credentials = texts(dict(memory.credentials))
    environment = secret_environment(os.environ)
    hidden = secret_values(memory.parameters())
    redact = Redaction(lambda: credentials, lambda: environment, lambda: hidden)
    if isinstance(error, RatsError):
        click.echo(redact(f"Error: {error}"), err=True)
        return
    click.echo(redact("".join(traceback.format_exception(error))), err=True)


def _resume(
    metadata: ProjectMetadata,
    selection: Selection,
    run: str,
    options: LocalOptions,
    *,
    keep_going: bool,
) -> None:
    from kedro_rats.runners.project import of_context
    from kedro_rats.runners.resuming import resumed

    session = session_of(metadata, selection)
    context = session.load_context()
    manager = session._hook_manager
    view = of_context(context, manager)
    if not options.isolate:
        _ = context.catalog  # hooks in this process are told of it, as in every run
    resumed(
        view,
        run,
        parameters=context.params,
        hooks=manager.hook,
        options=options,
        keep_going=keep_going,
    )
