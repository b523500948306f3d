"""Goes on with a run that stopped: its frozen plan, and only what is not committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


def changed_parameters(
    view: ProjectView, run: str, parameters: Mapping[str, Any]
) -> list[str]:
    """Return a line for each parameter that is another one now than when a run began.

    Args:
        view: The project.
        run: The run.
        parameters: All parameters of the project, as they are now.

    Raises:
        RatsError: If there is no such run.
    """
    store = store_of(view)
    plan = plan_from_bytes(store.get(request_of(store, run).plan))
    frozen: Any = from_bytes(store.get(plan.header.parameters))
    encoder = ObjectEncoder(lambda _: None)
    now = {n: encoder.encode(v) for n, v in values_of(frozen, parameters).items()}
    return [
        f"Parameter {name!r} is another one now. Run {run} keeps the one that it was "
        f"given; for the new one begin a new run, with --from-run {run}."
        for name in sorted(now)
        if now[name] != frozen[name]
    ]


def resumed(
    view: ProjectView,
    run: str,
    *,
    hooks: Any,
    options: LocalOptions,
    keep_going: bool,
) -> None:
    """Run what is not done of a run: the plan, the parameters and the inputs are its own.

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
    parameters = store.get(plan.header.parameters)
    lowered = Lowered(plan=plan, document=document, parameters=parameters, pickles={})
    prepared = Prepared(lowered=lowered, request=request, store=store, view=view)
    write_run_record(store, request, plan, finished=None)
    run_prepared(prepared, hooks=hooks, isolate=options.isolate, keep_going=keep_going)
