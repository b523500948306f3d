"""What a plan asks for that this machine does not do, so that nobody takes it for done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats.errors import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro_rats.plan.model import Plan, Task

_SHOWN = 3


def left_out(plan: Plan, *, isolate: bool) -> list[str]:
    """Return a line for each kind of thing that is asked for and not done here.

    Images, machine sizes and places on a cluster are a cluster's business and are not
    mentioned.

    Args:
        plan: The plan.
        isolate: Whether each task has a process of its own.
    """
    asking: dict[str, list[str]] = {}
    for task in plan:
        for what in _left_out(task, isolate=isolate):
            asking.setdefault(what, []).append(task.label)
    return [f"{what}: asked for by {_some(tasks)}." for what, tasks in asking.items()]


def _left_out(task: Task, *, isolate: bool) -> Iterator[str]:
    policy = task.placement.get("policy", {})
    bind = task.placement.get("bind", {})
    if "timeout" in policy and not isolate:
        yield "A timeout holds only with --isolate"
    if "deadline" in policy:
        yield "A deadline is not kept on this machine"
    if any("value" not in said for said in bind.get("env", {}).values()):
        yield "Variables from secrets and config maps are those of your shell here"
    if bind.get("env_from") or bind.get("mounts"):
        yield "Secrets, config maps and volumes of a cluster are not bound here"


def _some(tasks: list[str]) -> str:
    more = len(tasks) - _SHOWN
    return listed(tasks[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
