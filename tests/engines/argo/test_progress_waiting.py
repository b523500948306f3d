"""Waiting for a run: to its end, or until it is clear that it will not get on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from kedro.pipeline import Pipeline, node
from pipelines import engine_steps as steps
from pipelines.prepared import prepared, run_task
from pipelines.recordings import TASK, plan_of, plan_of_one, recorded, seen

from kedro_rats.engines.argo.cluster.client import ClusterError, NoSuchWorkflow
from kedro_rats.engines.argo.progress import (
    Progress,
    TaskProgress,
    explained,
    failure_lines,
    progress_in_store,
    wait,
)
from kedro_rats.engines.argo.progress.patience import (
    OVER_SECONDS,
    STABLE_SECONDS,
    Patience,
)
from kedro_rats.engines.argo.settings import ArgoSettings
from kedro_rats.engines.execution.exit_codes import NodeFailed
from kedro_rats.engines.run_record import saved_run_record
from kedro_rats.store.records import begin_attempt, end_attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro_rats.plan.model import Plan
    from kedro_rats.runners.preparing import Prepared

Json = dict[str, Any]


# ------------------------------------------------------------------------- patience


@dataclass
class Clock:
    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds


class FastClock(Clock):
    """A clock on which each look is long after the one before."""

    def __call__(self) -> float:
        self.seconds += STABLE_SECONDS
        return self.seconds


@dataclass
class Watching:
    """Patience, and a clock that is moved by hand."""

    plan: Plan = field(default_factory=plan_of_one)
    pending: float = 600
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self.patience = Patience(self.plan, self.pending, now=self.clock)

    def lost(self, found: Progress, *, after: float = 0) -> list[str]:
        self.clock.seconds += after
        return [task.name for task in self.patience.lost(found)]


def run(*tasks: TaskProgress, state: str = "running") -> Progress:
    by_name = {task.name: task for task in tasks}
    return Progress(workflow="w", state=state, tasks=by_name)  # type: ignore[arg-type]


def task(
    name: str, state: str, kind: str | None = None, pod: str = "p"
) -> TaskProgress:
    return TaskProgress(
        name=name, label=name, state=state, kind=kind, pod=f"{name}-{pod}"
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "situation",
    [
        *("image-missing", "image-never", "image-invalid"),
        *("secret-missing", "config-map-missing", "secret-file-missing"),
    ],
)
def test_what_is_missing_for_some_time_will_not_come(situation: str) -> None:
    watching, found = Watching(), seen(situation)

    assert watching.lost(found) == []
    assert watching.lost(found, after=STABLE_SECONDS - 1) == []
    assert watching.lost(found, after=1) == [TASK]


def test_the_failure_is_said_within_half_a_minute() -> None:
    assert STABLE_SECONDS + 5 < 30
    assert OVER_SECONDS + 5 < 30


def test_an_image_that_comes_and_a_pod_that_is_made_again_start_anew() -> None:
    watching = Watching(plan_of("a"))
    missing, there = run(task("a", "pending", "image")), run(task("a", "running"))
    again = run(task("a", "pending", "image", pod="q"))

    watching.lost(missing)
    watching.lost(there, after=STABLE_SECONDS)
    assert watching.lost(missing) == []
    assert watching.lost(again, after=STABLE_SECONDS) == []


@pytest.mark.parametrize("situation", ["unschedulable", "too-much-cpu"])
def test_a_task_that_no_machine_takes_is_given_up_after_the_time_set(
    situation: str,
) -> None:
    watching, found = Watching(pending=90), seen(situation)

    assert watching.lost(found) == []
    assert watching.lost(found, after=89) == []
    assert watching.lost(found, after=1) == [TASK]


def test_a_task_that_waits_for_its_siblings_machine_is_not_given_up() -> None:
    watching = Watching(plan_of("a", "b"), pending=90)
    full = run(task("a", "running"), task("b", "pending", "unschedulable"))
    free = run(task("a", "done"), task("b", "pending", "unschedulable"))

    assert watching.lost(full) == []
    assert watching.lost(full, after=5000) == []
    assert watching.lost(free) == []
    assert watching.lost(free, after=90) == ["b"]


def test_what_may_still_come_is_waited_for_as_a_machine_is() -> None:
    watching = Watching(plan_of("a", "b"), pending=90)
    busy = run(task("a", "running"), task("b", "pending", "delayed"))
    idle = run(task("a", "done"), task("b", "pending", "delayed"))
    gone = run(task("a", "done"), task("b", "pending", "image"))

    watching.lost(busy)
    assert watching.lost(busy, after=5000) == []
    watching.lost(idle)
    assert watching.lost(idle, after=89) == []
    # What turns out not to be there is so from now on.
    assert watching.lost(gone, after=STABLE_SECONDS) == []
    assert watching.lost(gone, after=STABLE_SECONDS) == ["b"]


def test_a_pod_that_found_a_machine_late_has_time_for_its_volume() -> None:
    watching = Watching(plan_of("a"), pending=90)

    watching.lost(run(task("a", "pending", "unschedulable")))
    mounting = run(task("a", "pending", "delayed"))
    assert watching.lost(mounting, after=89) == []
    assert watching.lost(mounting, after=89) == []
    assert watching.lost(mounting, after=1) == ["a"]


def test_a_queue_may_take_its_time() -> None:
    watching, found = Watching(pending=90), seen("gated")

    watching.lost(found)
    assert watching.lost(found, after=100_000) == []


def test_a_policy_says_how_long_a_task_may_wait_whatever_for() -> None:
    plan = plan_of_one(policy={"pending": 30})
    for situation in ("gated", "unschedulable"):
        watching, found = Watching(plan, pending=9000), seen(situation, plan)

        assert watching.lost(found) == []
        assert watching.lost(found, after=30) == [TASK]


def test_after_a_failure_a_run_in_which_nothing_happens_is_over() -> None:
    watching = Watching(plan_of("a", "b"))
    idle = run(task("a", "failed"), task("b", "waiting"))
    busy = run(task("a", "failed"), task("b", "running"))

    assert not watching.patience.is_over(idle)
    watching.clock.seconds += OVER_SECONDS
    assert not watching.patience.is_over(busy)
    assert not watching.patience.is_over(idle)
    watching.clock.seconds += OVER_SECONDS
    assert watching.patience.is_over(idle)


# ------------------------------------------------------------------------- waiting


@dataclass
class FakeCluster:
    """A cluster on which a workflow is what was recorded, one look after the other."""

    looks: list[Json]
    gone: bool = False
    stops: list[tuple[str, bool]] = field(default_factory=list)
    blind: bool = False

    def watch(self, name: str) -> Iterator[Json]:
        while self.looks:
            yield self.looks.pop(0)["workflow"]
        if self.gone:
            raise NoSuchWorkflow("gone")

    def pods(self, name: str, phase: str) -> list[Json]:
        if self.blind:
            raise ClusterError("no right", status=403)
        return [p for p in self.last["pods"] if p["status"]["phase"] == phase]

    def events(self, pod: str) -> list[Json]:
        return list(self.last["events"][pod])

    def stop(self, name: str, message: str, *, now: bool) -> None:
        self.stops.append((message, now))

    @property
    def last(self) -> Json:
        return self._last

    def at(self, look: Json) -> None:
        self._last = look


@pytest.fixture
def made(folder: Any) -> Prepared:
    """A run in a store, of one node that refuses its input."""
    return prepared(Pipeline([node(steps.refuse, "x", "y", name="only")]), {"x": 1})


def looks(made: Prepared, *situations: str) -> list[Json]:
    """What was recorded, as if it had been of a run."""
    (only,) = made.lowered.plan
    return [
        json.loads(json.dumps(recorded(each)).replace(TASK, only.name))
        for each in situations
    ]


def waited(
    made: Prepared, cluster: FakeCluster, *, patience: Patience | None = None
) -> Progress:
    shown: list[Progress] = []
    found = wait(
        cluster,  # type: ignore[arg-type]
        "watching",
        made.lowered.plan,
        store=made.store,
        run="r1",
        settings=ArgoSettings(),
        show=shown.append,
        patience=patience,
    )
    assert shown[-1] == found
    return found


def looking_at(made: Prepared, *situations: str, **more: Any) -> FakeCluster:
    found = looks(made, *situations)
    cluster = FakeCluster(found, **more)
    cluster.at(found[-1])
    return cluster


def test_a_run_that_has_ended_has_a_finished_record(made: Prepared) -> None:
    found = waited(made, looking_at(made, "image-missing", "exit-1"))

    record = saved_run_record(made.store, "r1")
    assert found.state == "failed"
    assert (record["state"], record["finished"]) == ("failed", found.finished)


def test_what_a_task_has_said_in_the_store_is_its_cause(made: Prepared) -> None:
    with pytest.raises(NodeFailed):
        run_task(made, next(iter(made.lowered.plan)))

    found = waited(made, looking_at(made, "exit-1"))

    (line,) = failure_lines(found, made.lowered.plan, "r1")
    assert line.startswith("Node 'only' failed: KeyError: 'cannot use 1'. See `kedro")


def test_a_pod_that_was_killed_does_not_say_what_another_attempt_said(
    made: Prepared,
) -> None:
    (only,) = made.lowered.plan
    found = _seen(made, "killed")
    (pod,) = found.tasks[only.name].pods
    _attempt(made, "first", host="another-pod", error="Node 'only' failed: long ago")
    # It was killed before it could note anything, and after it had noted its beginning.
    assert explained(found, made.store, "r1") == found
    _attempt(made, "second", host=pod.pod, error=None)

    assert explained(found, made.store, "r1") == found


def test_the_attempt_of_a_pod_is_known_by_its_host(made: Prepared) -> None:
    (only,) = made.lowered.plan
    found = _seen(made, "exit-1")
    (pod,) = found.tasks[only.name].pods
    # The name of a host is not longer than 63 characters.
    long = replace(pod, pod=f"{pod.pod}-{'x' * 80}")
    task = replace(found.tasks[only.name], pods=(long,), pod=long.pod)
    found = replace(found, tasks={only.name: task})
    _attempt(made, "first", host="another", error="Node 'only' failed: long ago")
    _attempt(made, "own", host=long.pod[:63], error="Node 'only' failed: now")

    cause = explained(found, made.store, "r1").tasks[only.name].cause

    assert cause == "Node 'only' failed: now"


def test_without_its_image_the_run_is_stopped_and_has_failed(made: Prepared) -> None:
    cluster = looking_at(made, "image-missing", "image-missing", "stopped")
    patience = Patience(made.lowered.plan, 600, now=FastClock())

    found = waited(made, cluster, patience=patience)

    ((message, now),) = cluster.stops
    assert now
    assert "image" in message
    assert found.state == "failed"
    (line,) = failure_lines(found, made.lowered.plan, "r1")
    assert line.startswith("Node 'only' failed: its image cannot be pulled:")
    assert "kedro rats retry r1" in line
    assert saved_run_record(made.store, "r1")["state"] == "failed"


def test_a_workflow_that_was_deleted_ends_as_the_store_knows(made: Prepared) -> None:
    found = waited(made, looking_at(made, "image-missing", gone=True))

    assert found.state == "failed"
    assert "no longer on the cluster" in found.message


def test_a_deleted_workflow_whose_tasks_are_all_committed_succeeded(
    folder: Any,
) -> None:
    made = prepared(Pipeline([node(steps.first, "x", "y", name="only")]), {"x": [1]})
    run_task(made, next(iter(made.lowered.plan)))

    found = waited(made, looking_at(made, "image-missing", gone=True))

    assert (found.state, found.count("done")) == ("succeeded", 1)


def test_whoever_may_not_see_pods_sees_what_the_workflow_says(made: Prepared) -> None:
    found = waited(made, looking_at(made, "image-missing", "exit-1", blind=True))

    assert (found.state, found.code) == ("failed", 1)


def test_a_run_that_only_the_store_knows_is_shown_too(made: Prepared) -> None:
    with pytest.raises(NodeFailed):
        run_task(made, next(iter(made.lowered.plan)))

    found = progress_in_store(made.store, "r1", made.lowered.plan)

    (only,) = found.failed
    assert only.cause == "Node 'only' failed: KeyError: 'cannot use 1'"


def _seen(made: Prepared, situation: str) -> Progress:
    from kedro_rats.engines.argo.progress import progress

    (look,) = looks(made, situation)
    return progress(look["workflow"], made.lowered.plan, look["pods"])


def _attempt(made: Prepared, name: str, *, host: str, error: str | None) -> None:
    (only,) = made.lowered.plan
    begun = {"started": f"2026-11-21T10:00:0{len(name)}Z", "host": host}
    begin_attempt(made.store, "r1", only.name, name, begun)
    if error is not None:
        said = {"outcome": "user_error", "error": error}
        end_attempt(made.store, "r1", only.name, name, said)
