"""Goes on with a run that stopped: its frozen plan, and only what is not committed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.engines.request import request_of
from kedro_rats.engines.run_record import write_run_record
from kedro_rats.errors import RatsError
from kedro_rats.plan.document import plan_from_bytes
from kedro_rats.plan.lowering import Lowered
from kedro_rats.runners.local import run_prepared
from kedro_rats.runners.preparing import Prepared, store_of

if TYPE_CHECKING:
    from kedro_rats.runners.local import LocalOptions
    from kedro_rats.runners.project import ProjectView


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
