"""The process of one task: ``python -m kedro_rats.engines.execution``.

It is what ``kedro rats exec`` is for people; engines start it directly, since ``kedro``
imports a whole project before it looks at its first argument.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any

from kedro_rats.encoding.canonical import from_bytes
from kedro_rats.encoding.objects import ObjectDecoder
from kedro_rats.engines.execution.containers import say_last, writable_home
from kedro_rats.engines.execution.credentials import project_credentials
from kedro_rats.engines.execution.exit_codes import BadInput, ExitCode, exit_code
from kedro_rats.engines.execution.redaction import (
    RedactingFormatter,
    Redaction,
    secret_environment,
    secret_values,
    texts,
)
from kedro_rats.engines.execution.results import show_results
from kedro_rats.engines.execution.surroundings import STORE_SECRETS, Surroundings
from kedro_rats.engines.request import Request
from kedro_rats.errors import RatsError
from kedro_rats.plan.document import task_from_bytes
from kedro_rats.store.opening import open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro.io import DataCatalog

    from kedro_rats.engines.execution.task import Outcome
    from kedro_rats.plan.model import Header
    from kedro_rats.store.base import Store

_logger = logging.getLogger("kedro_rats")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one task; return the exit code of its process."""
    asked = _parser().parse_args(arguments)
    if asked.lifeline is not None:
        _end_with(asked.lifeline)
    writable_home()
    code = run_task(
        store=asked.store, request=asked.request, task=asked.task, project=Path.cwd()
    )
    say_last(code)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kedro_rats.engines.execution",
        description="Run one task of a stored plan, in the project's folder.",
    )
    parser.add_argument("--store", required=True, help="Folder or s3://bucket/prefix.")
    parser.add_argument("--request", required=True, help="Digest of the run's request.")
    parser.add_argument("--task", required=True, help="Name of the task.")
    parser.add_argument(
        "--lifeline",
        type=int,
        help="End of a pipe; when the other closes, end at once.",
    )
    return parser


def _end_with(pipe: int) -> None:
    """End this process group when the process that started it is gone."""
    # What a node starts must not hold it, nor be taken for the one who started us.
    os.set_inheritable(pipe, False)  # noqa: FBT003 - takes no keyword

    def wait() -> None:
        os.read(pipe, 1)
        os.killpg(os.getpgrp(), signal.SIGKILL)

    Thread(target=wait, name="lifeline", daemon=True).start()


def run_task(*, store: str, request: str, task: str, project: Path) -> int:
    """Run one task of a request; return the exit code of its process.

    Args:
        store: Folder, relative to the project, or ``s3://bucket/prefix``.
        request: Digest of the request.
        task: Name of the task.
        project: The project's folder.
    """
    environment = secret_environment(os.environ)
    # Taken out, so that neither a node nor what it starts finds them.
    secrets = json.loads(os.environ.pop(STORE_SECRETS, "{}"))
    redaction = Redaction(lambda: environment, lambda: texts(secrets))
    _configure_logging(redaction)
    try:
        opened = open_store(store, base=project, credentials=secrets or None)
        outcome = _run(opened, request, task, project=project, redaction=redaction)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        code = exit_code(error)
        _configure_logging(redaction)
        _logger.error(  # noqa: TRY400 - only what a user raised has a traceback
            "Task %s: %s", task, error, exc_info=_traceback_of(error, code)
        )
        return code
    done = "done" if outcome.ran else "was done before"
    _logger.info("Task %s %s.", task, done)
    return ExitCode.DONE


def _run(
    store: Store, digest: str, name: str, *, project: Path, redaction: Redaction
) -> Outcome:
    from kedro_rats.engines.execution.task import execute

    request = Request.from_bytes(store.get(digest))
    header, task = task_from_bytes(store.get(request.plan), name)
    parameters: Any = from_bytes(store.get(header.parameters))
    credentials = project_credentials(
        project,
        package=header.package,
        env=request.env,
        conf_source=request.conf_source,
    )
    hidden = set().union(*(secret_values(v, n) for n, v in parameters.items()))
    redaction.add(lambda: hidden)
    redaction.add(credentials.secrets)
    decoder = ObjectDecoder(store.get)
    around = Surroundings(
        store=store,
        request=request,
        project=project,
        credentials=credentials,
        decoder=decoder,
        parameters=parameters,
    )
    if header.source:
        sys.path.insert(0, str(project / header.source))

    def hooks(catalog: DataCatalog) -> Any:
        caller = _hooks(header, decoder, request, project=project, catalog=catalog)
        # Kedro has a logging of its own, which it sets up when hooks or credentials
        # are loaded; what a node raises would be shown as it is.
        _configure_logging(redaction)
        return caller

    outcome = execute(
        task,
        around,
        hooks=hooks,
        redact=redaction,
    )
    show_results(task, outcome.record, store)
    return outcome


def _hooks(
    header: Header,
    decoder: ObjectDecoder,
    request: Request,
    *,
    project: Path,
    catalog: DataCatalog,
) -> Any:
    from kedro_rats.engines.execution import hooks

    try:
        if header.context:
            caller = hooks.project_hook_caller(header, request, project)
        else:
            made = [decoder.decode(hook) for hook in header.hooks]
            caller = hooks.hook_caller(made, header.plugins)
    except ImportError as error:
        msg = (
            f"The project's hooks: expected them where the task runs, got {error}. "
            "Install what they import there."
        )
        raise BadInput(msg) from error
    hooks.announce_catalog(caller, catalog)
    return caller


def _configure_logging(redaction: Redaction) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(redaction))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


def _traceback_of(error: BaseException, code: ExitCode) -> BaseException | None:
    """Return what a traceback helps with: what the user's own code raised."""
    cause = error.__cause__
    if code is ExitCode.USER_ERROR and isinstance(error, RatsError) and cause:
        return cause
    return None if isinstance(error, RatsError) else error


if __name__ == "__main__":
    sys.exit(main())
