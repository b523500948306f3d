"""Goes on with a run that stopped: its frozen plan, and only what is not committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from kedro_rats.encoding.canonical import from_bytes
from kedro_rats.encoding.objects import ObjectEncoder
from kedro_rats.engines.request import request_of
from kedro_rats.engines.run_record import write_run_record
from kedro_rats.errors import RatsError
from kedro_rats.plan.document import plan_from_bytes
from kedro_rats.plan.lowering import Lowered
from kedro_rats.runners.local import run_prepared
from kedro_rats.runners.preparing import Prepared, store_of
from kedro_rats.runners.project import values_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro_rats.runners.local import LocalOptions
    from kedro_rats.runners.project import ProjectView


def resumed(
    view: ProjectView,
    run: str,
    *,
    parameters: Mapping[str, Any],
    hooks: Any,
    options: LocalOptions,
    keep_going: bool,
) -> None:
    """Run what is not done of a run: the plan, the parameters and the inputs are its own.

    Args:
        view: The project.
        run: The run.
        parameters: All parameters of the project as they are now: changes are said.
        hooks: Called around nodes and datasets.
        options: How tasks run.
        keep_going: Whether tasks that do not depend on a failed one still run.

    Raises:
        RatsError: If there is no such run, or a task fails.
    """
    store = store_of(view)
    request = request_of(store, run)
    if request.env != view.env:
        asked = f"--env={request.env}" if request.env else "no --env"
        msg = (
            f"Run {run!r}: expected the environment that it was started in ({asked}), "
            f"got {view.env!r}. Give the same one to --resume."
        )
        raise RatsError(msg)
    document = store.get(request.plan)
    plan = plan_from_bytes(document)
    frozen = store.get(plan.header.parameters)
    values: Any = from_bytes(frozen)
    for line in _changed(run, values, parameters):
        click.echo(line, err=True)
    lowered = Lowered(plan=plan, document=document, parameters=frozen, pickles={})
    prepared = Prepared(lowered=lowered, request=request, store=store, view=view)
    write_run_record(store, request, plan, finished=None)
    run_prepared(prepared, hooks=hooks, isolate=options.isolate, keep_going=keep_going)


def _changed(
    run: str, frozen: Mapping[str, Any], parameters: Mapping[str, Any]
) -> list[str]:
    """Return a line for each parameter that is another one now than when a run began."""
    encoder = ObjectEncoder(lambda _: None)
    now = {n: encoder.encode(v) for n, v in values_of(frozen, parameters).items()}
    return [
        f"Parameter {name!r} is another one now. Run {run} keeps the one that it was "
        f"given; for the new one begin a new run, with --from-run {run}."
        for name in sorted(now)
        if now[name] != frozen[name]
    ]
