"""The log of one attempt of a task: from its pod, or from where Argo has archived it."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.cluster.client import ClusterError, has_ended
from kedro_rats.engines.argo.logs.archive import archived
from kedro_rats.engines.argo.progress.nodes import by_task
from kedro_rats.engines.argo.progress.not_started import why_pending
from kedro_rats.errors import Breach, DefinitionError, RatsError, nearest, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kedro_rats.engines.argo.cluster.client import Cluster
    from kedro_rats.engines.argo.progress.nodes import PodNode
    from kedro_rats.plan.model import Plan, Task

Json = dict[str, Any]

# What Argo's own program writes into a task's log around it.
_ARGOS: Final = re.compile(r"^time=\S+ level=\w+ msg=.*\bargo=true\b")

_NOT_STARTED: Final = (HTTPStatus.BAD_REQUEST,)


@dataclass(frozen=True, slots=True)
class Tried:
    """One attempt of a task on a cluster.

    Attributes:
        number: 1 for the first of the run.
        workflow: The workflow that it was part of.
        pod: Its pod.
    """

    number: int
    workflow: Mapping[str, Any]
    pod: PodNode


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """How archived logs are read.

    Attributes:
        credentials: What the store's own S3 access takes; None for the environment's.
        server: URL of Argo's server; None if there is none.
    """

    credentials: Mapping[str, Any] | None = None
    server: str | None = None


def find_task(plan: Plan, name: str) -> Task:
    """Return the task of a plan that is called so, or in which a node is.

    Args:
        plan: The plan.
        name: A node, or the label or the name of a task.

    Raises:
        DefinitionError: If there is none; the nearest names are in the message.
    """
    known: dict[str, Task] = {}
    for task in plan:
        for node in task.nodes:
            inner = ".".join(filter(None, (node.namespace, node.name)))
            known.setdefault(inner, task)
    for task in plan:
        known[task.label] = known[task.name] = task
    if name in known:
        return known[name]
    remedy = f"{nearest(name, known)}`kedro rats status` shows the tasks of a run."
    breach = Breach("NODE", "a node or a task of the run", shown(name), remedy)
    raise DefinitionError(breach)


def attempts_on(workflows: Iterable[Mapping[str, Any]], task: str) -> list[Tried]:
    """Return the attempts of a task in the workflows of a run, the first one first.

    Args:
        workflows: The workflows, the oldest first.
        task: Name of the task.

    Raises:
        RatsError: If the state of their nodes cannot be read.
    """
    found: list[tuple[Mapping[str, Any], PodNode]] = []
    for workflow in workflows:
        nodes = by_task(workflow).get(task)
        for pod in nodes.pods if nodes is not None else ():
            if pod.phase not in ("Skipped", "Omitted"):
                found.append((workflow, pod))
    return [Tried(number, *each) for number, each in enumerate(found, 1)]


def chosen(tried: list[Tried], number: int | None, label: str) -> Tried:
    """Return one attempt, the last if no number is given.

    Raises:
        RatsError: If there is none.
    """
    if not tried:
        msg = (
            f"Task {label!r}: expected a pod of it, got none so far. `kedro rats status` "
            "says what it waits for; --follow waits with it."
        )
        raise RatsError(msg)
    if number is None:
        return tried[-1]
    if not 1 <= number <= len(tried):
        breach = Breach(
            "--attempt", f"1 to {len(tried)}", str(number), "Leave it out for the last."
        )
        raise DefinitionError(breach)
    return tried[number - 1]


def log_of(
    cluster: Cluster, attempt: Tried, archive: Archive, *, follow: bool = False
) -> Iterator[str]:
    """Yield the lines of an attempt's log, without those that Argo adds.

    Args:
        cluster: Where its pod is.
        attempt: The attempt.
        archive: How archived logs are read.
        follow: Whether to wait for more until its container has ended.

    Raises:
        RatsError: If there is neither a pod nor an archived log, or it cannot be read.
    """
    lines = _from_pod(cluster, attempt, follow=follow)
    try:
        first = next(lines, None)
    except ClusterError as error:
        if error.status != HTTPStatus.NOT_FOUND:
            raise
        lines = archived(
            attempt.workflow,
            attempt.pod,
            credentials=archive.credentials,
            server=archive.server,
        )
        first = next(lines, None)
    if first is not None:
        yield from (line for line in _chain(first, lines) if not _ARGOS.match(line))


def _chain(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest


def _from_pod(cluster: Cluster, attempt: Tried, *, follow: bool) -> Iterator[str]:
    name = attempt.pod.pod
    while True:
        try:
            yield from cluster.log(name, follow=follow)
        except ClusterError as error:
            if error.status not in _NOT_STARTED:
                raise
            if not follow or _is_over(cluster, attempt):
                raise _not_started(attempt) from error
            # Each look is a call: not more often than each second.
            time.sleep(1)
        else:
            return


def _is_over(cluster: Cluster, attempt: Tried) -> bool:
    return has_ended(cluster.get(str(attempt.workflow["metadata"]["name"])))


def _not_started(attempt: Tried) -> RatsError:
    cause = why_pending(attempt.pod.message)
    said = cause.text if cause is not None else "that it has not"
    msg = (
        f"Pod {attempt.pod.pod!r}: expected that its container has started, got: {said}. "
        "`kedro rats status` says what it waits for; --follow waits with it."
    )
    return RatsError(msg)
