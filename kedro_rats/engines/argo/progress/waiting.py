"""Follows a workflow to its end, and gives up where it will not get on by itself."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.cluster.client import (
    ClusterError,
    NoSuchWorkflow,
    has_ended,
)
from kedro_rats.engines.argo.progress.failures import explained
from kedro_rats.engines.argo.progress.not_started import (
    says_too_little,
    waiting_reasons,
)
from kedro_rats.engines.argo.progress.patience import Patience
from kedro_rats.engines.argo.progress.tasks import (
    Progress,
    TaskProgress,
    progress,
    stuck_message,
)
from kedro_rats.engines.request import request_of
from kedro_rats.engines.run_record import saved_run_record, write_run_record
from kedro_rats.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kedro_rats.engines.argo.cluster.client import Cluster
    from kedro_rats.engines.argo.settings import ArgoSettings
    from kedro_rats.plan.model import Plan
    from kedro_rats.store.base import Store

Json = dict[str, Any]

_logger = logging.getLogger(__name__)

_STOPPING_SECONDS: Final = 30.0
"""So long we wait for a workflow to end that was told to."""

_SILENT_SECONDS: Final = 5.0
"""Events are asked for when a pod has not said for so long why it waits."""

_MOST_ASKED: Final = 5
"""So many pods are asked for their events at once."""


def wait(  # noqa: PLR0913 - a run on a cluster is all of this
    cluster: Cluster,
    name: str,
    plan: Plan,
    *,
    store: Store,
    run: str,
    settings: ArgoSettings,
    show: Callable[[Progress], None],
    patience: Patience | None = None,
) -> Progress:
    """Follow a workflow to its end, and finish the record of its run.

    A task whose image or secret is not there, or that waits too long for a machine or a
    registry, will not get on by itself: then the workflow is stopped.

    Args:
        cluster: Where it is.
        name: The workflow.
        plan: The plan of the run.
        store: Where the run is.
        run: The run.
        settings: How long tasks may wait for a machine.
        show: Is told how the run gets on, at each change.
        patience: Decides when to give up; default by the policies and the settings.

    Returns:
        How it has ended.

    Raises:
        ClusterError: If the cluster does not answer for some minutes, or refuses.
        RatsError: If the state of its nodes cannot be read.
    """
    looking = Looking(cluster, name, plan, store=store, run=run)
    patience = patience or Patience(plan, settings.pending)
    found = None
    for found in _until_ended(looking):
        show(found)
        stuck = patience.lost(found)
        if stuck or patience.is_over(found):
            found = _given_up(looking, found, stuck)
            show(found)
            break
    if found is None:  # pragma: no cover - a watched workflow is yielded at once
        raise NoSuchWorkflow(f"Workflow {name!r}: expected to see it, got nothing.")
    finish_record(store, run, plan, found)
    return found


def _until_ended(looking: Looking) -> Iterator[Progress]:
    try:
        for workflow in looking.cluster.watch(looking.name):
            yield looking.at(workflow)
    except NoSuchWorkflow:
        yield looking.without_workflow()


@dataclass(slots=True)
class Looking:
    """Looks at a run on a cluster, again and again.

    Attributes:
        cluster: Where it is.
        name: Its workflow.
        plan: Its plan.
        store: Where it keeps what its tasks make and say.
        run: Its id.
    """

    cluster: Cluster
    name: str
    plan: Plan
    store: Store = field(kw_only=True)
    run: str = field(kw_only=True)
    _silent: dict[str, float] = field(default_factory=dict, init=False)
    _blind: bool = field(default=False, init=False)

    def at(self, workflow: Json) -> Progress:
        """Return how the run gets on, given its workflow.

        What cannot be asked for besides is left out: the workflow says most of it.
        """
        found = progress(workflow, self.plan)
        if found.count("pending") and not has_ended(workflow):
            pods = self._pods()
            events = self._events(pods)
            found = progress(workflow, self.plan, pods, events)
        elif found.failed:
            found = progress(workflow, self.plan, self._pods(phase="Failed"))
        try:
            return explained(found, self.store, self.run)
        except StoreError as error:
            _logger.warning("%s", error)
            return found

    def without_workflow(self) -> Progress:
        """Return how the run has ended whose workflow is gone, as the store knows it."""
        return progress_in_store(self.store, self.run, self.plan, self.name)

    def _pods(self, phase: str = "Pending") -> list[Json]:
        try:
            return self.cluster.pods(self.name, phase=phase)
        except ClusterError as error:
            _logger.debug("%s", error)
            return []

    def _events(self, pods: Iterable[Json]) -> dict[str, list[Json]]:
        """Return the events of pods that do not say for long why they wait."""
        now = time.monotonic()
        silent = [p["metadata"]["name"] for p in pods if _is_silent(p)]
        self._silent = {pod: self._silent.get(pod, now) for pod in silent}
        long = [p for p, t in self._silent.items() if now - t >= _SILENT_SECONDS]
        found = {}
        for pod in long[:_MOST_ASKED] if not self._blind else ():
            try:
                found[pod] = self.cluster.events(pod)
            except ClusterError as error:
                # Whoever may not see events waits a little longer.
                self._blind = not error.transient
        return found


def _is_silent(pod: Json) -> bool:
    """Say whether a pod has a machine, and no reason why it does not start."""
    status = pod["status"]
    has_containers = status.get("initContainerStatuses") or status.get(
        "containerStatuses"
    )
    return bool(has_containers) and all(
        says_too_little(reason, message) for reason, message in waiting_reasons(pod)
    )


def _given_up(
    looking: Looking, found: Progress, stuck: tuple[TaskProgress, ...]
) -> Progress:
    """Stop a workflow, and return how it has ended: its stuck tasks have failed."""
    cluster, name = looking.cluster, looking.name
    noted = [
        replace(t, cause=t.cause or _TOO_LONG, kind=t.kind or "time") for t in stuck
    ]
    cluster.stop(name, stuck_message(noted), now=True)
    deadline = time.monotonic() + _STOPPING_SECONDS
    last = found
    with suppress(NoSuchWorkflow):
        for workflow in cluster.watch(name):
            last = looking.at(workflow)
            if time.monotonic() > deadline:
                break
    failed = {
        t.name: replace(
            last.tasks[t.name], state="failed", cause=t.cause, kind=t.kind, code=1
        )
        for t in noted
    }
    return replace(last, state="failed", tasks={**last.tasks, **failed})


_TOO_LONG: Final = (
    "it did not start in the time that its policy gives. Raise pending of its policy "
    "in rats.yml, or ask for other machines."
)


def progress_in_store(store: Store, run: str, plan: Plan, name: str = "") -> Progress:
    """Return how a run gets on as far as the store knows: also one without a workflow.

    Raises:
        StoreError: If the store cannot be read.
    """
    record = saved_run_record(store, run)
    tasks = {t.name: _of_record(t.name, record["tasks"][t.name]) for t in plan}
    return Progress(
        workflow=name,
        state="succeeded" if record["state"] == "done" else "failed",
        tasks=tasks,
        message="" if record["state"] == "done" else "it is no longer on the cluster",
        started=record["started"],
        finished=record["finished"],
    )


def _of_record(name: str, said: Mapping[str, Any]) -> TaskProgress:
    attempts = said["attempts"]
    last: Mapping[str, Any] = attempts[-1] if attempts else {}
    states = {"done": "done", "failed": "failed", "not finished": "failed"}
    state = states.get(said["state"], "skipped")
    return TaskProgress(
        name=name,
        label=said["label"],
        state=state,  # type: ignore[arg-type]
        attempts=len(attempts),
        started=attempts[0].get("started") if attempts else None,
        finished=said.get("finished") or last.get("finished"),
        cause=last.get("error", "it was killed") if state == "failed" else None,
        kind="exit" if state == "failed" else None,
        code=1 if state == "failed" else None,
    )


def finish_record(store: Store, run: str, plan: Plan, found: Progress) -> None:
    """Write the record of a run that has ended, in place of an earlier one.

    That it cannot be written is said, and no more: it can be made again at any time.
    """
    if found.state == "running":
        return
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
    try:
        request = request_of(store, run)
        write_run_record(store, request, plan, finished=found.finished or now)
    except StoreError as error:
        _logger.warning("%s", error)
