"""What goes wrong with the cluster itself, in the middle of a run that somebody waits for.

Each of these stops a program that all runs of the cluster need, so they run one after the
other, and each starts it again, whatever happens.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from cluster import harness
from cluster.faulting import Case, configure, new_faulty, program, stops_programs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cluster.harness import Done, Project

pytestmark = [pytest.mark.cluster, pytest.mark.alone, stops_programs]


LONG = 30
"""Seconds that a node takes, long enough for what happens meanwhile."""


@pytest.fixture(scope="module")
def project(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[Project], Project],
) -> Project:
    project = cleaned(new_faulty(tmp_path_factory.mktemp("p")))
    configure(project)
    return project


@contextmanager
def without(name: str) -> Iterator[None]:
    """Kill a program of the cluster; start it again when this is over."""
    program(name, "kill")
    try:
        yield
    finally:
        program(name, "start")


def test_a_controller_that_is_killed_takes_the_run_up_again(project: Project) -> None:
    def happens(case: Case) -> None:
        pod = case.running_pod("slow")
        with without("argo-controller"):
            # The node ends while nobody looks.
            harness.until(lambda: _has_ended(pod.metadata.name))

    case = Case(project, "controller", "steady").while_waiting(happens)

    case.went_well({"begin": 1, "slow": 1, "finish": 1})


def _has_ended(pod: str) -> bool:
    found = harness.core().read_namespaced_pod(pod, harness.namespace())
    return found.status.phase in ("Succeeded", "Failed")


def test_who_waits_watches_or_reads_does_not_notice_that_the_api_server_was_restarted(
    project: Project,
) -> None:
    others: list[Done] = []

    def look(case: Case) -> None:
        case.running_pod("slow")
        commands = [
            ("watch", case.key),
            ("logs", "slow", "--follow", f"--run={case.key}"),
        ]
        calls = [lambda each=each: project.rats(*each) for each in commands]
        others.extend(harness.all_at_once(*calls))

    def happens(case: Case) -> None:
        case.running_pod("slow")
        time.sleep(5)  # for those who look to have begun
        with without("apiserver"):
            time.sleep(8)
        harness.until(_answers)

    case = Case(project, "apiserver", "steady", more=f"seconds={LONG}")
    harness.all_at_once(lambda: case.while_waiting(happens), lambda: look(case))

    case.went_well({"begin": 1, "slow": 1, "finish": 1})
    watched, log = others
    assert "finish" in watched.out
    lines = [line for line in log.out.splitlines() if line.startswith("slow: ")]
    assert lines == [f"slow: {second}" for second in range(LONG)]


def _answers() -> bool:
    try:
        harness.core().list_namespaced_pod(harness.namespace(), limit=1)
    except Exception:  # noqa: BLE001 - whatever a server says that is not there
        return False
    return True


def test_a_run_outlives_half_a_minute_without_s3(project: Project) -> None:
    def happens(case: Case) -> None:
        case.running_pod("slow")
        with without("s3"):
            time.sleep(30)

    case = Case(project, "s3", "steady").while_waiting(happens)

    # The node may have been done when its outputs could not be stored.
    slow = case.ticks("slow")
    case.went_well({"begin": 1, "slow": slow, "finish": 1})
    assert 1 <= slow <= 3
    assert slow == len(case.run.attempts("slow"))
