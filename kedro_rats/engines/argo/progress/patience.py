"""How long a task may be without what it needs before its run is given up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from kedro_rats.engines.argo.progress.not_started import NEVER_STARTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro_rats.engines.argo.progress.tasks import Progress, TaskProgress
    from kedro_rats.plan.model import Plan

STABLE_SECONDS: Final = 10.0
"""So long a task may be without its image, or a secret."""

_MAY_COME: Final = ("unschedulable", "delayed")

OVER_SECONDS: Final = 12.0
"""So long nothing may happen in a workflow of which a task has failed."""


class Patience:
    """Decides when a task will not get on by itself.

    What is missing must be missing for some time. That no machine takes a task, or that
    a registry or a volume makes it wait, counts only while none of the run works: else it
    may wait for its own siblings.

    Args:
        plan: The plan; its policies may say how long a task may wait.
        pending: Seconds that a task may wait for a machine, or for what may still come.
        now: The time, in seconds.
    """

    def __init__(
        self, plan: Plan, pending: float, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._plan = plan
        self._pending = pending
        self._now = now
        self._since: dict[tuple[str, str], float] = {}
        self._idle: float | None = None
        self._over: float | None = None

    def lost(self, found: Progress) -> tuple[TaskProgress, ...]:
        """Return the tasks that are given up, now that this is known of the run."""
        now = self._now()
        idle = found.count("running", "retrying") == 0
        self._idle = (self._idle if self._idle is not None else now) if idle else None
        waiting = {_key(task): task for task in found.tasks.values() if _waits(task)}
        self._since = {key: self._since.get(key, now) for key in waiting}
        return tuple(
            task
            for key, task in waiting.items()
            if self._waited(task, since=self._since[key], now=now)
        )

    def is_over(self, found: Progress) -> bool:
        """Say whether a task has failed and nothing else goes on.

        Argo ends such a workflow only when the pause before a retry is over, of which it
        then sees that there is none.
        """
        active = found.count("running", "retrying", "pending")
        if found.state != "running" or not found.failed or active:
            self._over = None
            return False
        now = self._now()
        self._over = now if self._over is None else self._over
        return now - self._over >= OVER_SECONDS

    def _waited(self, task: TaskProgress, *, since: float, now: float) -> bool:
        if task.kind in NEVER_STARTS:
            return now - since >= STABLE_SECONDS
        policy = self._plan.tasks[task.name].placement.get("policy", {})
        if policy.get("pending") is not None:
            return now - since >= float(policy["pending"])
        if task.kind not in _MAY_COME or self._idle is None:
            return False
        return now - max(since, self._idle) >= self._pending


def _waits(task: TaskProgress) -> bool:
    return task.state == "pending"


def _key(task: TaskProgress) -> tuple[str, str]:
    """Return what must stay the same: a pod that is tried again starts anew."""
    if task.kind in NEVER_STARTS:
        sort = "missing"
    else:
        sort = "delayed" if task.kind == "delayed" else "machine"
    return task.pod or task.name, sort
