"""What goes wrong with pods: a run ends right, or says in time and in one line why not.

All runs go on at once; each test looks at one of them. Then what was wrong is mended, and
the runs that failed are retried.
"""

from __future__ import annotations

import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cluster import harness
from cluster.committed import assert_committed_once
from cluster.faulting import (
    IN_TIME,
    PENDING,
    Case,
    commands_of,
    configure,
    new_faulty,
)
from kubernetes import client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cluster.harness import Done, Json, Project

# Alone, since what is told in time cannot be told so on a machine with no time left.
pytestmark = [pytest.mark.cluster, pytest.mark.alone]

FAILING = {
    "hungry": "hungry",
    "raising": "raising",
    "imageless": "waiting",
    "homeless": "waiting",
}
"""By pipeline: the node that cannot do what it should."""


def deleted(case: Case) -> None:
    """Delete a pod as a machine that is lost does, and retry the run too early."""
    pod = case.running_pod("slow")
    harness.core().delete_namespaced_pod(
        pod.metadata.name, harness.namespace(), grace_period_seconds=0
    )
    case.meanwhile = case.project.rats("retry", case.key, code=None)


def evicted(case: Case) -> None:
    """Evict a pod as whoever empties a machine does it."""
    name = case.running_pod("slow").metadata.name
    eviction = client.V1Eviction(metadata=client.V1ObjectMeta(name=name))
    harness.core().create_namespaced_pod_eviction(name, harness.namespace(), eviction)


@dataclass(frozen=True)
class Ran:
    """All cases, which go on at once: each is waited for where it is looked at."""

    project: Project
    waiting: Mapping[str, Future[Any]]

    def __getitem__(self, name: str) -> Any:
        return self.waiting[name].result(timeout=400)

    def all_ended(self) -> None:
        for each in self.waiting.values():
            each.exception(timeout=400)


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[Project], Project],
) -> Iterator[Ran]:
    project = cleaned(new_faulty(tmp_path_factory.mktemp("p")))
    configure(project)
    # Those first that are timed: all at once would only be slow together.
    calls: dict[str, Callable[[], Any]] = {
        **{name: Case(project, name, name).watched for name in FAILING},
        "deleted": lambda: Case(project, "deleted", "steady").while_waiting(deleted),
        "evicted": lambda: Case(project, "evicted", "steady").while_waiting(evicted),
        "killed": Case(project, "killed", "killed").submit_and_wait,
        "twice": lambda: twice_at_once(project),
    }
    with ThreadPoolExecutor(len(FAILING)) as workers:
        waiting = {name: workers.submit(call) for name, call in calls.items()}
        yield Ran(project, waiting)


def twice_at_once(project: Project) -> tuple[Case, list[Json], Done]:
    """Submit one thing twice at the same time, and another under the same name."""
    case = Case(project, "twice", "steady")
    submit = [lambda: project.submit(*case.arguments(), code=None)] * 2
    both = harness.all_at_once(*submit)
    other = project.rats(
        "submit", *case.arguments(), "--params=case=twice,seconds=1", code=None
    )
    case.submit_and_wait()
    return case, both, other


# -------------------------------------------------------------------- it ends right


def test_a_pod_that_is_deleted_is_run_again(ran: Ran) -> None:
    case: Case = ran["deleted"]

    case.went_well({"begin": 1, "slow": 2, "finish": 1})
    lost, done = case.run.attempts("slow")
    assert lost.ended is None
    assert done.ended is not None


def test_a_pod_that_is_evicted_is_run_again(ran: Ran) -> None:
    case: Case = ran["evicted"]

    case.went_well({"begin": 1, "slow": 2, "finish": 1})


def test_a_node_whose_process_is_killed_is_run_again(ran: Ran) -> None:
    case: Case = ran["killed"]

    case.went_well({"begin": 1, "killed": 2, "finish": 1})


def test_what_is_submitted_twice_at_once_is_one_workflow(ran: Ran) -> None:
    case, both, other = ran["twice"]

    assert {said["workflow"] for said in both} == {case.workflow}
    assert sorted(said["created"] for said in both) == [False, True]
    case.went_well({"begin": 1, "slow": 1, "finish": 1})
    runs = [
        each["metadata"]["labels"]["rats.kedro/run"] for each in ran.project.workflows()
    ]
    assert runs.count(case.key) == 1
    assert "was submitted before" in case.text
    # Another thing under the same name is refused.
    assert other.code not in (0, None)
    assert case.key in other.err
    assert "another key" in other.err


def test_a_pod_that_runs_again_after_success_changes_nothing(ran: Ran) -> None:
    case: Case = ran["killed"]
    before = ran.project.found()
    (pod, *_) = [p for p in case.pods("killed") if p.status.phase == "Succeeded"]

    code, log = run_again(pod)

    assert code == 0, log
    assert "was done before" in log
    here = {key: tag for key, tag in ran.project.found().items() if _is_of(key, case)}
    assert here == {key: tag for key, tag in before.items() if _is_of(key, case)}


def _is_of(key: str, case: Case) -> bool:
    """Say whether an object is of a case, while others go on."""
    return case.key in key or f"/{case.name}" in key


def run_again(pod: Any) -> tuple[int, str]:
    """Run what the main container of a pod ran, in a pod of its own."""
    old = harness.main_of(pod)
    command = [*(old.command or ()), *(old.args or ())]
    name = f"{pod.metadata.name[:50]}-again"
    spec = client.V1PodSpec(
        restart_policy="Never",
        automount_service_account_token=False,
        security_context=pod.spec.security_context,
        volumes=[v for v in pod.spec.volumes if v.config_map or v.empty_dir],
        containers=[
            client.V1Container(
                name="main",
                image=old.image,
                image_pull_policy=old.image_pull_policy,
                command=command[command.index("--") + 1 :],
                env=[e for e in old.env if not e.name.startswith("ARGO_")],
                env_from=old.env_from,
                security_context=old.security_context,
                volume_mounts=[
                    mount
                    for mount in old.volume_mounts
                    if not mount.mount_path.startswith("/var/run")
                ],
            )
        ],
    )
    core, where = harness.core(), harness.namespace()
    body = client.V1Pod(metadata=client.V1ObjectMeta(name=name), spec=spec)
    core.create_namespaced_pod(where, body)

    def phase() -> str:
        return str(core.read_namespaced_pod(name, where).status.phase)

    try:
        harness.until(lambda: phase() in ("Succeeded", "Failed"), seconds=90)
        log = str(core.read_namespaced_pod_log(name, where))
        return (0 if phase() == "Succeeded" else 1), log
    finally:
        core.delete_namespaced_pod(name, where, grace_period_seconds=0)


# -------------------------------------------------------------------- it says why not


def test_out_of_memory_is_not_tried_again_and_is_told(ran: Ran) -> None:
    case: Case = ran["hungry"]

    line = case.failure()

    assert "'hungry'" in line
    assert "out of memory" in line
    assert "512Mi" in line
    assert case.late("hungry") <= IN_TIME
    assert case.ticks("hungry") == 1
    assert case.ticks("finish") == 0
    assert_committed_once(case.run, only={"begin"})


def test_what_a_node_raises_is_told_and_not_tried_again(ran: Ran) -> None:
    case: Case = ran["raising"]

    line = case.failure()

    assert line.startswith("Node 'raising' failed: ValueError: no row is right")
    assert case.late("raising") <= IN_TIME
    assert case.ticks("raising") == 1
    assert case.done is not None
    assert case.done.code == 1


def test_an_image_that_is_not_there_is_told(ran: Ran) -> None:
    case: Case = ran["imageless"]

    line = case.failure()

    assert "'waiting'" in line
    assert "image cannot be pulled" in line
    assert "localhost/kedro-rats-nowhere:0" in line
    assert case.late("waiting") <= IN_TIME


def test_that_no_machine_takes_a_task_is_told(ran: Ran) -> None:
    case: Case = ran["homeless"]

    line = case.failure()

    assert "'waiting'" in line
    assert "no machine can take it" in line
    assert "affinity/selector" in line
    assert case.late("waiting") <= IN_TIME + PENDING


@pytest.mark.parametrize("name", FAILING)
def test_a_failure_names_the_command_that_runs_the_rest(ran: Ran, name: str) -> None:
    case: Case = ran[name]

    commands = commands_of(case.failure())

    assert ["kedro", "rats", "retry", case.key, "--env=cluster"] in commands


def test_the_command_for_the_log_that_a_failure_names_shows_it(ran: Ran) -> None:
    case: Case = ran["raising"]
    (logs,) = [c for c in commands_of(case.failure()) if c[2] == "logs"]

    said = ran.project.kedro(*logs[1:])

    assert "ValueError: no row is right" in said.out


@pytest.mark.parametrize("name", ["hungry", "homeless"])
def test_status_says_the_same_afterwards(ran: Ran, name: str) -> None:
    case: Case = ran[name]

    status = ran.project.asked("status", case.key)

    states = {task["label"]: task["state"] for task in status["tasks"]}
    assert status["state"] == "failed"
    assert states["begin"] == "done"
    assert states[FAILING[name]] == "failed"
    assert states["finish"] not in ("done", "failed", "running")
    (cause,) = [t["cause"] for t in status["tasks"] if t["label"] == FAILING[name]]
    assert re.split(r"[.:]", cause)[0] in case.failure()


def test_a_run_that_goes_on_is_not_retried(ran: Ran) -> None:
    case: Case = ran["deleted"]

    assert case.meanwhile is not None
    assert case.meanwhile.code not in (0, None)
    assert "expected that it has ended" in case.meanwhile.err
    assert "Traceback" not in case.meanwhile.text


def test_a_catalog_that_needs_parameters_of_its_run_hides_no_run(ran: Ran) -> None:
    case: Case = ran["raising"]
    catalog = ran.project.path / "conf/cluster/catalog.yml"
    kept = catalog.read_text()
    catalog.write_text(kept.replace("runtime_params:case,none", "runtime_params:case"))
    try:
        status = ran.project.asked("status", case.key)
        logs = ran.project.rats("logs", "raising", "--run", case.key)
    finally:
        catalog.write_text(kept)

    assert status["state"] == "failed"
    assert "ValueError: no row is right" in logs.out


# -------------------------------------------------------------------- what is mended


@pytest.fixture(scope="module")
def mended(ran: Ran) -> dict[str, Json]:
    """Mend what was wrong, and retry all that failed; return what was said."""
    ran.all_ended()
    configure(ran.project, mended=True)
    calls = [
        lambda name=name: ran.project.asked("retry", ran[name].key) for name in FAILING
    ]
    said = dict(zip(FAILING, harness.all_at_once(*calls), strict=True))
    for each in said.values():
        harness.succeeded(each["workflow"])
    return said


@pytest.mark.parametrize("name", FAILING)
def test_only_what_failed_runs_again_once_it_is_mended(
    ran: Ran, mended: dict[str, Json], name: str
) -> None:
    case: Case = ran[name]
    node = FAILING[name]

    assert mended[name]["tasks"] == 2
    assert mended[name]["run"] == case.key
    assert mended[name]["workflow"].endswith("-r2")
    # What is done is not even looked at by a pod.
    pods = harness.pods(mended[name]["workflow"])
    assert {harness.task_of(pod).rpartition("-")[0] for pod in pods} == {node, "finish"}
    assert_committed_once(case.run)
    assert case.ticks("begin") == 1
    assert case.ticks("finish") == 1
    assert case.ticks(node) == (2 if name in ("hungry", "raising") else 1)
    assert case.answer() == {"sum": 12}


def test_status_is_that_of_the_retry(ran: Ran, mended: dict[str, Json]) -> None:
    status = ran.project.asked("status", ran["hungry"].key)

    assert status["state"] == "succeeded"
    assert {task["state"] for task in status["tasks"]} == {"done"}


def test_a_run_that_is_done_has_nothing_to_retry(
    ran: Ran, mended: dict[str, Json]
) -> None:
    before = {each["metadata"]["name"] for each in ran.project.workflows()}

    said = ran.project.rats("retry", mended["hungry"]["workflow"])

    assert "nothing to retry" in said.out
    assert {each["metadata"]["name"] for each in ran.project.workflows()} == before
