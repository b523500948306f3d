"""What failed in a run, why, and what to do: in a line for each task."""

from __future__ import annotations

import shlex
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kedro_rats.store.records import attempts_of

if TYPE_CHECKING:
    from kedro_rats.engines.argo.progress.tasks import Progress, TaskProgress
    from kedro_rats.plan.model import Plan, Task
    from kedro_rats.store.base import Store


def explained(found: Progress, store: Store, run: str) -> Progress:
    """Return it with what the tasks themselves said when they failed.

    A task notes in the store what it raised; what was killed has noted nothing.

    Raises:
        StoreError: If the store cannot be read.
    """
    failed = [task for task in found.tasks.values() if task.state == "failed"]
    if not failed:
        return found
    said = store.each(lambda task: _said(store, run, task), failed)
    named = zip(failed, said, strict=True)
    better = {task.name: _saying(task, text) for task, text in named if text}
    return replace(found, tasks={**found.tasks, **better})


def _saying(task: TaskProgress, text: str) -> TaskProgress:
    # What a task of ours says has the cure in it already.
    return replace(task, cause=text)


def _said(store: Store, run: str, task: TaskProgress) -> str | None:
    """Return what the last attempt of a task noted as its error."""
    attempts = attempts_of(store, run, task.name)
    if task.pod is not None:
        # The name of a host is cut.
        host = task.pod[:63].rstrip("-.")
        attempts = [a for a in attempts if a.begun.get("host") == host] or [
            a for a in attempts if task.code in _SAID_BY_TASKS
        ]
    attempts.sort(key=lambda a: str(a.begun.get("started", "")))
    ended = attempts[-1].ended if attempts else None
    return str(ended["error"]) if ended and ended.get("error") else None


_SAID_BY_TASKS: Final = (1, 2, 75)
"""Exit codes before which a task has noted what is wrong."""


def failure_lines(
    found: Progress, plan: Plan, run: str, *, env: str | None = None
) -> list[str]:
    """Return a line for each task that failed: which, why, and what to do next.

    Args:
        found: How the run has ended.
        plan: Its plan.
        run: Its id.
        env: Kedro's environment, for the commands in the lines.
    """
    where = f" --env={env}" if env else ""
    lines = [
        f"{_failure(plan.tasks[task.name], task)} "
        f"See `kedro rats logs {shlex.quote(task.label)} --run {run}{where}`; after mending "
        f"it: `kedro rats retry {run}{where}`."
        for task in found.failed
    ]
    if lines or found.state in ("succeeded", "running"):
        return lines
    done = f"{found.count('done')} of {len(found.tasks)} tasks are done"
    rest = f"`kedro rats retry {run}{where}` runs the rest."
    if found.state == "stopped":
        return [f"Run {run} was stopped: {done}. {rest}"]
    said = _sentence(found.message or "Argo gives no reason")
    return [f"Run {run}: workflow {found.workflow!r} failed: {said} {done}. {rest}"]


def _failure(task: Task, found: TaskProgress) -> str:
    cause = _sentence(found.cause or "it gave no reason")
    if cause.startswith(("Node ", "Task ")):
        return cause
    if len(task.nodes) == 1:
        return f"Node {found.label!r} failed: {cause}"
    return f"Task {found.label!r} ({len(task.nodes)} nodes) failed: {cause}"


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "!", "?")) else f"{text}."
