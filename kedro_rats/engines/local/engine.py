"""Runs the tasks of a plan in their order, one at a time."""

from __future__ import annotations

import logging
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kedro_rats.engines.execution.exit_codes import ExitCode
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kedro_rats.plan.model import Plan, Task

_logger = logging.getLogger(__name__)

_RETRIED = (ExitCode.INFRASTRUCTURE,)


@dataclass(frozen=True, slots=True)
class TaskFailure:
    """How a task ended that is not done.

    Attributes:
        task: The task.
        code: How its process ended, or would have.
        cause: What it said, on one line.
        error: What was raised, where it ran in this process.
    """

    task: Task
    code: int
    cause: str
    error: BaseException | None = None


class RunFailed(RatsError):  # noqa: N818 - says what happened
    """Some tasks of a run failed; what others made is kept.

    Attributes:
        run: The run.
        failures: The tasks that failed, in the order in which they did.
    """

    def __init__(self, run: str, failures: Sequence[TaskFailure]) -> None:
        super().__init__(run, failures)
        self.run = run
        self.failures = tuple(failures)

    def __str__(self) -> str:
        lines = [f"Task {f.task.label!r}: {f.cause}" for f in self.failures]
        return "\n".join([*lines, *_how_to_go_on(self.run, self.failures[0].task)])


def _how_to_go_on(run: str, task: Task) -> list[str]:
    """Return the lines that say how to go on with a run that stopped at a task."""
    again = f"`kedro rats run --resume {run}`"
    same = "goes on with the same plan, parameters and inputs"
    lines = [f"After mending the code of a node, {again} {same}."]
    first = task.nodes[0]
    if first.name is not None:
        name = ".".join(filter(None, (first.namespace, first.name)))
        lines.append(
            "After mending anything else, `kedro rats run --from-nodes "
            f"{shlex.quote(name)} --from-run {run}` begins there anew."
        )
    return lines


class Worker(Protocol):
    """Runs one task, here or in another process."""

    def run(self, task: Task) -> TaskFailure | None:
        """Run a task; return how it failed, or None if it is done."""


class LocalEngine:
    """Runs a plan, task by task, in the plan's order.

    Args:
        worker: Runs a task.
        keep_going: Whether tasks that do not depend on a failed one still run.
    """

    def __init__(self, worker: Worker, *, keep_going: bool = False) -> None:
        self._worker = worker
        self._keep_going = keep_going

    def run(self, plan: Plan, run: str) -> None:
        """Run all tasks.

        Raises:
            RunFailed: If a task failed.
        """
        failures: list[TaskFailure] = []
        undone: set[str] = set()
        for number, task in enumerate(plan, 1):
            if failures and not self._keep_going:
                break
            if undone.intersection(task.after):
                undone.add(task.name)
                continue
            begun = time.monotonic()
            failure = self._with_retries(task)
            if failure is None:
                seconds = time.monotonic() - begun
                _logger.info(
                    "%d/%d %s done, %.1f s", number, len(plan), task.label, seconds
                )
            else:
                failures.append(failure)
                undone.add(task.name)
        if failures:
            raise RunFailed(run, failures)

    def _with_retries(self, task: Task) -> TaskFailure | None:
        for pause in pauses(task):
            failure = self._worker.run(task)
            if failure is None or failure.code not in _RETRIED:
                return failure
            _logger.warning("Task %r: %s Trying again.", task.label, failure.cause)
            time.sleep(pause)
        return self._worker.run(task)


def pauses(task: Task) -> Iterator[float]:
    """Yield the seconds to wait before each retry that the task's policy allows.

    Example:
        >>> from kedro_rats.plan import Task
        >>> policy = {"retries": 4, "backoff": {"delay": 10, "max": 60}}
        >>> list(pauses(Task(name="a", label="a", position=0, nodes=(),
        ...                  placement={"policy": policy})))
        [10.0, 20.0, 40.0, 60.0]
    """
    policy = task.placement.get("policy", {})
    backoff = policy.get("backoff", {})
    pause = float(backoff.get("delay", 0))
    longest = float(backoff.get("max", "inf"))
    for _ in range(policy.get("retries", 0)):
        yield min(pause, longest)
        # Twice as long is what rats.yml leaves out.
        pause *= float(backoff.get("factor", 2))
