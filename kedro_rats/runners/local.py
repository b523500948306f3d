"""``LocalRunner``: Kedro's door to the local engine."""

from __future__ import annotations

import json
import logging
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from kedro.io.core import generate_timestamp
from kedro.runner import AbstractRunner

from kedro_rats.engines.execution.redaction import (
    Redaction,
    secret_environment,
    secret_values,
)
from kedro_rats.engines.execution.surroundings import STORE_SECRETS
from kedro_rats.engines.local import LocalEngine, RunFailed
from kedro_rats.engines.local.limits import left_out
from kedro_rats.engines.local.workers import InProcess, Isolated
from kedro_rats.engines.run_record import write_run_record
from kedro_rats.errors import RatsError
from kedro_rats.runners.catalogs import outputs_of, parameters_of, save_version
from kedro_rats.runners.preparing import Asked, prepare
from kedro_rats.runners.project import of_catalog
from kedro_rats.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor
    from pathlib import Path

    from kedro.io import AbstractDataset
    from kedro.pipeline import Pipeline
    from pluggy import PluginManager

    from kedro_rats.runners.preparing import Prepared

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalOptions:
    """What ``kedro rats run`` asks for beyond what a runner is given.

    Attributes:
        isolate: Whether each task runs in a process of its own.
        from_run: An earlier run whose outputs stand in for free inputs.
    """

    isolate: bool = False
    from_run: str | None = None


_NO_OPTIONS = LocalOptions()


class LocalRunner(AbstractRunner):
    """Runs a pipeline as a plan on this machine.

    Each task reads its inputs from the store and commits what it makes before the next
    one starts, so a crash loses at most the task that it hits. Tasks run one after the
    other: more workers are not there yet. Nothing is reused between runs yet either, so
    ``cache`` changes nothing; take an earlier run's results with
    ``kedro rats run --from-run``.

    Args:
        workers: How many tasks run at once: 1, or None for the same.
        cache: Whether results may be reused.
        keep_going: Whether tasks that do not depend on a failed one still run.
        is_async: Refused: tasks already save before others load.

    Raises:
        RatsError: If ``workers`` is not 1, or for ``is_async``.

    Example:
        >>> getfixture("monkeypatch").chdir(getfixture("tmp_path"))
        >>> from kedro.io import DataCatalog, MemoryDataset
        >>> from kedro.pipeline import node, pipeline
        >>> from kedro_rats import LocalRunner
        >>> run = LocalRunner().run(pipeline([node(sorted, "X", "Z")]),
        ...                         DataCatalog({"X": MemoryDataset([2, 1])}))
        >>> run["Z"].load()
        [1, 2]
    """

    def __init__(
        self,
        *,
        workers: int | None = None,
        cache: bool = True,
        keep_going: bool = False,
        is_async: bool = False,
        _options: LocalOptions = _NO_OPTIONS,
    ) -> None:
        if workers not in (None, 1):
            msg = (
                f"LocalRunner, workers: expected 1, got {workers!r}. Tasks run one after "
                "the other in this version; ParallelRunner of Kedro runs in parallel."
            )
            raise RatsError(msg)
        if is_async:
            msg = (
                "LocalRunner, is_async: expected False, got True. Leave --async out: "
                "each task loads and saves on its own."
            )
            raise RatsError(msg)
        super().__init__(is_async=False)
        self._cache = cache
        self._keep_going = keep_going
        self._options = _options

    def run(
        self,
        pipeline: Pipeline,
        catalog: Any,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
        only_missing_outputs: bool = False,  # noqa: FBT001, FBT002 - Kedro's signature
    ) -> dict[str, AbstractDataset[Any, Any]]:
        """Run a pipeline.

        Args:
            pipeline: The pipeline.
            catalog: Its catalog.
            hook_manager: Calls hooks.
            run_id: The run's id; default the time.
            only_missing_outputs: Refused: a file that exists may be an old or half one.

        Returns:
            The pipeline's free outputs by name, as datasets.

        Raises:
            DefinitionError: If the pipeline cannot be run, with all that is wrong.
            Exception: What a node raised, as other runners raise it.
        """
        if only_missing_outputs:
            msg = (
                "LocalRunner, --only-missing-outputs: expected to run all that is "
                "selected. A file that is there may be old or half written: take results "
                "of an earlier run with `kedro rats run --from-run RUN`."
            )
            raise RatsError(msg)
        view = of_catalog(catalog, hook_manager, isolate=self._options.isolate)
        prepared = prepare(
            pipeline,
            view,
            parameters=parameters_of(pipeline, catalog),
            asked=Asked(
                run=run_id or generate_timestamp(),
                save_version=run_id or save_version(view),
                from_run=self._options.from_run,
            ),
        )
        run_prepared(
            prepared,
            hooks=hook_manager.hook if hook_manager is not None else None,
            isolate=self._options.isolate,
            keep_going=self._keep_going,
        )
        return outputs_of(pipeline, catalog, prepared)

    def _get_executor(self, max_workers: int) -> Executor | None:  # noqa: ARG002
        return None

    def _run(self, *_: object, **__: object) -> None:
        """Not called: ``run`` lowers the pipeline instead."""


def run_prepared(
    prepared: Prepared, *, hooks: Any, isolate: bool, keep_going: bool
) -> None:
    """Run what was prepared, and write the record of the run.

    Raises:
        RunFailed: If a task failed in a process of its own, or several failed.
        Exception: What a node raised, if one task failed in this process.
    """
    request = prepared.request
    worker = _isolated(prepared) if isolate else _in_process(prepared, hooks)
    _logger.info("Run %s: %d tasks.", request.run, len(prepared.lowered.plan))
    for line in left_out(prepared.lowered.plan, isolate=isolate):
        _logger.warning(line)
    engine = LocalEngine(worker, keep_going=keep_going)
    try:
        with _recorded(prepared):
            engine.run(prepared.lowered.plan, request.run)
    except RunFailed as failed:
        first, *others = failed.failures
        if others or first.error is None:
            raise
        # The line names the task and how to go on; the error is what the user knows.
        _logger.error("%s", failed)  # noqa: TRY400 - Kedro prints the traceback
        error = first.error
    else:
        _logger.info("Run %s is done.", request.run)
        return
    # Out here, so that it keeps the cause that it has.
    raise error


@contextmanager
def _recorded(prepared: Prepared) -> Iterator[None]:
    """Write the record of the run at its end, however it ends."""
    try:
        yield
    except BaseException:
        # What went wrong counts, not that a full disk takes no note of it.
        with suppress(StoreError):
            _write_record(prepared)
        raise
    _write_record(prepared)


def _write_record(prepared: Prepared) -> None:
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    plan = prepared.lowered.plan
    write_run_record(prepared.store, prepared.request, plan, finished=now)


def _in_process(prepared: Prepared, hooks: Any) -> InProcess:
    from kedro_rats.engines.execution.hooks import NoHooks

    environment = secret_environment(os.environ)
    around = prepared.surroundings()
    hidden = {s for n, v in around.parameters.items() for s in secret_values(v, n)}
    redact = Redaction(
        lambda: environment, lambda: hidden, prepared.view.credentials.secrets
    )
    return InProcess(around, hooks or NoHooks(), redact)


def _isolated(prepared: Prepared) -> Isolated:
    view = prepared.view
    if view.credentials and not view.in_project:
        msg = (
            "Credentials in code: expected them by name in credentials.yml, since each "
            "task runs in a process of its own. Leave --isolate out, or name them."
        )
        raise RatsError(msg)
    named = view.settings.store.credentials
    secrets = (
        {STORE_SECRETS: json.dumps(dict(view.credentials[named]))} if named else {}
    )
    folder: Path = view.folder
    return Isolated(prepared.store.uri, prepared.request.digest, folder, secrets)
