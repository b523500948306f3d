"""How a run on a cluster gets on: the state of each task, and why it is in that state."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from kedro_rats.engines.argo.cluster.client import STOPPED, has_ended, phase_of
from kedro_rats.engines.argo.progress.causes import Cause, why_ended
from kedro_rats.engines.argo.progress.nodes import by_task, pods_by_node, tasks_in
from kedro_rats.engines.argo.progress.not_started import why_pending
from kedro_rats.placement.quantities import size_in_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kedro_rats.engines.argo.progress.nodes import PodNode, TaskNodes
    from kedro_rats.plan.model import Plan, Task

TaskState = Literal[
    "waiting",
    "pending",
    "running",
    "retrying",
    "done",
    "failed",
    "skipped",
    "stopped",
]
RunState = Literal["running", "succeeded", "failed", "stopped"]

ENDED: Final = ("done", "failed", "skipped", "stopped")
"""States that a task does not leave."""

_FAILED: Final = ("Failed", "Error")
_LIVE: Final = ("", "Pending", "Running")
_UNRUN: Final = ("Skipped", "Omitted")


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskProgress:
    """How one task gets on.

    Attributes:
        name: The task.
        label: What people call it.
        state: How far it is.
        attempts: How many pods there were for it.
        started: When the first was made, ISO 8601, UTC.
        finished: When the last ended.
        pod: The last pod.
        cause: Why it failed, or does not start: with the cure; None if nothing is wrong.
        kind: What sort of cause that is.
        code: How its process ended, where it failed and that is known.
        pods: All its pods, in the order of their start.
    """

    name: str
    label: str
    state: TaskState = "waiting"
    attempts: int = 0
    started: str | None = None
    finished: str | None = None
    pod: str | None = None
    cause: str | None = None
    kind: str | None = None
    code: int | None = None
    pods: tuple[PodNode, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How a run gets on.

    Attributes:
        workflow: Its workflow.
        state: ``running`` until it has ended.
        tasks: By name, in an order in which they can run.
        message: What Argo says of the workflow as a whole.
        started: When the workflow was made, ISO 8601, UTC.
        finished: When it ended.
    """

    workflow: str
    state: RunState
    tasks: Mapping[str, TaskProgress]
    message: str = ""
    started: str | None = None
    finished: str | None = None

    @property
    def stuck(self) -> tuple[TaskProgress, ...]:
        """Tasks that have not started, and for which there is a cause."""
        return tuple(t for t in self.tasks.values() if t.state == "pending" and t.kind)

    @property
    def failed(self) -> tuple[TaskProgress, ...]:
        """Tasks that have failed, the one that failed first at the front."""
        found = [t for t in self.tasks.values() if t.state == "failed"]
        return tuple(sorted(found, key=lambda t: t.finished or "~"))

    @property
    def code(self) -> int:
        """How a command ends that followed this run: as the first task that failed."""
        if self.state == "succeeded":
            return 0
        codes = [task.code for task in self.failed if task.code]
        return codes[0] if codes else 1

    def count(self, *states: str) -> int:
        """Return how many tasks are in one of these states."""
        return sum(task.state in states for task in self.tasks.values())


def progress(
    workflow: Mapping[str, Any],
    plan: Plan,
    pods: Iterable[Mapping[str, Any]] = (),
    events: Mapping[str, Iterable[Mapping[str, Any]]] | None = None,
) -> Progress:
    """Return how a run gets on.

    Args:
        workflow: The workflow, as the cluster has it.
        plan: The plan of the run.
        pods: Those of its pods that are known; they say more than the workflow does.
        events: Those of pods, by pod, the latest first.

    Raises:
        RatsError: If the state of its nodes cannot be read.
    """
    view = _View(
        nodes=by_task(workflow),
        tasks=tasks_in(workflow),
        pods=pods_by_node(iter(pods)),
        events=events or {},
        ended=has_ended(workflow),
        given_up=_given_up(workflow),
    )
    tasks = {task.name: view.task(task) for task in plan}
    status = workflow.get("status", {})
    metadata = workflow["metadata"]
    return Progress(
        workflow=str(metadata["name"]),
        state=_run_state(workflow, tasks),
        tasks=tasks,
        message=str(status.get("message") or ("" if phase_of(workflow) else _UNSEEN)),
        started=status.get("startedAt") or metadata.get("creationTimestamp"),
        finished=status.get("finishedAt"),
    )


_UNSEEN: Final = (
    "Argo's controller has not taken it up yet; if that goes on, it is down, or not one "
    "for this namespace"
)


def _run_state(
    workflow: Mapping[str, Any], tasks: Mapping[str, TaskProgress]
) -> RunState:
    if not has_ended(workflow):
        return "running"
    if phase_of(workflow) == "Succeeded":
        return "succeeded"
    if any(task.state == "failed" for task in tasks.values()):
        return "failed"
    return "stopped" if workflow.get("spec", {}).get("shutdown") else "failed"


_STUCK: Final = re.compile(r"^stuck (\S+) (\S+): (.*)$", re.MULTILINE)


def stuck_message(tasks: Iterable[TaskProgress]) -> str:
    """Return what is noted at a workflow that is stopped since tasks cannot start.

    Argo forgets why a pod was pending when it is stopped.
    """
    return "\n".join(f"stuck {t.name} {t.kind}: {t.cause}" for t in tasks)


def _given_up(workflow: Mapping[str, Any]) -> Mapping[str, tuple[str, str]]:
    annotations = workflow["metadata"].get("annotations") or {}
    found = _STUCK.findall(annotations.get(STOPPED, ""))
    return {task: (kind, cause) for task, kind, cause in found}


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """A workflow, as its tasks are read off it."""

    nodes: Mapping[str, TaskNodes]
    tasks: Mapping[str, int]
    pods: Mapping[str, Mapping[str, Any]]
    events: Mapping[str, Iterable[Mapping[str, Any]]]
    ended: bool
    given_up: Mapping[str, tuple[str, str]]

    def task(self, task: Task) -> TaskProgress:
        """Return how a task gets on."""
        found = TaskProgress(name=task.name, label=task.label)
        if self.tasks and task.name not in self.tasks:
            # A retry leaves out what is done.
            return replace(found, state="done")
        nodes = self.nodes.get(task.name)
        if nodes is None:
            return replace(found, state="skipped" if self.ended else "waiting")
        pods = [pod for pod in nodes.pods if pod.phase not in _UNRUN]
        state = self._state(task.name, nodes)
        found = replace(
            found,
            state=state,
            attempts=len(pods),
            started=(pods[0].started or None) if pods else None,
            finished=pods[-1].finished if pods and state in ENDED else None,
            pod=pods[-1].pod if pods else None,
            pods=tuple(pods),
        )
        return self._with_cause(found, task, nodes)

    def _state(self, name: str, nodes: TaskNodes) -> TaskState:
        phases = [phase for phase, _ in nodes.heads]
        if "Succeeded" in phases:
            return "done"
        live = [phase for phase in phases if phase in _LIVE]
        if live and not self.ended:
            last = nodes.pods[-1].phase if nodes.pods else ""
            if last in _FAILED:
                return "retrying"
            return "running" if last == "Running" else "pending"
        if any(phase in _FAILED for phase in phases):
            return "retrying" if self._has_more(name, nodes) else "failed"
        return "skipped"

    def _has_more(self, name: str, nodes: TaskNodes) -> bool:
        """Say whether the next step of a memory ladder is made in a moment."""
        return not self.ended and len(nodes.heads) < self.tasks.get(name, 0)

    def _with_cause(
        self, found: TaskProgress, task: Task, nodes: TaskNodes
    ) -> TaskProgress:
        if found.state == "pending" and found.pods:
            cause = self._why_pending(found.pods[-1])
            # That a container is being made is nothing to worry about.
            if cause is None or cause.kind == "starting":
                return found
            return replace(found, cause=str(cause), kind=cause.kind)
        if found.state in ("failed", "retrying") and found.pods:
            cause = self._why_ended(found.pods[-1], task, nodes)
            if task.name in self.given_up:
                kind, text = self.given_up[task.name]
                return replace(found, cause=text, kind=kind, code=1)
            if cause.kind == "stopped":
                return replace(found, state="stopped", cause=str(cause), kind="stopped")
            # Argo waits for the pause before it sees that there is no retry.
            over = cause.is_final and not self._has_more(task.name, nodes)
            return replace(
                found,
                state="failed" if over else found.state,
                finished=found.pods[-1].finished,
                cause=str(cause),
                kind=cause.kind,
                code=cause.code,
            )
        return found

    def _why_pending(self, pod: PodNode) -> Cause | None:
        return why_pending(
            pod.message, self.pods.get(pod.node), self.events.get(pod.pod, ())
        )

    def _why_ended(self, pod: PodNode, task: Task, nodes: TaskNodes) -> Cause:
        return why_ended(
            pod.message,
            phase=pod.phase,
            code=pod.code,
            pod=self.pods.get(pod.node),
            memory=_memory_of(task, nodes),
        )


def _memory_of(task: Task, nodes: TaskNodes) -> str | None:
    """Return the memory that the last pod of a task had at most."""
    resources = task.placement.get("resources", {})
    first = (resources.get("limits") or {}).get("memory") or resources.get("memory")
    if first is None:
        return None
    ladder = task.placement.get("policy", {}).get("memory_ladder", ())
    least = size_in_bytes(first)
    steps = [first, *(step for step in ladder if size_in_bytes(step) > least)]
    tried = sum(phase not in _UNRUN for phase, _ in nodes.heads)
    return str(steps[min(tried, len(steps)) - 1])
