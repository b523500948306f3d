"""How a run gets on: states, attempts, pods and times, and the lines of what failed."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from typing import Any

import pytest
from pipelines.recordings import TASK, plan_of, plan_of_one, recorded, seen, seen_task

from kedro_rats.engines.argo.progress import failure_lines, progress
from kedro_rats.engines.argo.progress.tasks import stuck_message
from kedro_rats.errors import RatsError

Json = dict[str, Any]


def workflow(situation: str) -> Json:
    return dict(recorded(situation)["workflow"])


@pytest.mark.parametrize(
    ("situation", "state", "code"),
    [
        ("succeeded", "succeeded", 0),
        ("exit-2", "failed", 75),
        ("out-of-memory", "failed", 137),
        ("exit-75-retrying", "running", 1),
        ("deleted-retried", "succeeded", 0),
        ("stopped", "stopped", 1),
    ],
)
def test_a_run_ends_as_its_first_failed_task(
    situation: str, state: str, code: int
) -> None:
    found = seen(situation)

    assert (found.state, found.code) == (state, code)


@pytest.mark.parametrize(
    ("situation", "attempts"),
    [
        ("succeeded", 1),
        ("exit-75-retried", 2),
        ("deleted-retried", 2),
        ("ladder", 2),
        ("ladder-too-low", 2),
        ("ladder-not-needed", 1),
    ],
)
def test_attempts_are_the_pods_of_a_task(situation: str, attempts: int) -> None:
    assert seen_task(situation).attempts == attempts


@pytest.mark.parametrize(
    "situation", ["succeeded", "exit-75-retried", "ladder", "image-missing", "killed"]
)
def test_pods_have_the_names_that_they_have(situation: str) -> None:
    names = {pod["metadata"]["name"] for pod in recorded(situation)["pods"]}

    assert {pod.pod for pod in seen_task(situation).pods} == names


def test_the_attempts_of_a_retried_task_are_in_the_order_in_which_they_were_made() -> (
    None
):
    task = seen_task("deleted-retried")

    assert [pod.message for pod in task.pods] == ["pod deleted", ""]
    assert task.pod == task.pods[1].pod


@pytest.mark.parametrize("step", [1, -1])
def test_pods_of_the_same_second_are_in_the_order_of_their_numbers(step: int) -> None:
    found = workflow("exit-75-retried")
    nodes = found["status"]["nodes"]
    found["status"]["nodes"] = dict(list(nodes.items())[::step])
    for node in nodes.values():
        node["startedAt"] = found["status"]["startedAt"]

    task = progress(found, plan_of_one()).tasks[TASK]

    display = {n["id"]: n["displayName"] for n in found["status"]["nodes"].values()}
    assert [display[pod.node] for pod in task.pods] == ["fit(0)", "fit(1)"]


def test_times_are_those_of_the_first_and_the_last_pod() -> None:
    task = seen_task("exit-75-retried")

    assert task.started == task.pods[0].started
    assert task.finished == task.pods[1].finished
    assert seen_task("image-missing").finished is None


def test_a_task_of_which_there_is_nothing_waits_and_at_the_end_was_skipped() -> None:
    plan = plan_of("clf.fit", "clf.apply")
    running, ended = workflow("image-missing"), workflow("exit-1")
    for each in (running, ended):
        # Both tasks are in the workflow; one has not begun.
        (dag,) = each["spec"]["templates"]
        dag["dag"]["tasks"] = [_in_dag("clf-fit"), _in_dag("clf-apply")]
        for node in each["status"]["nodes"].values():
            for parameter in node.get("inputs", {}).get("parameters", []):
                parameter["value"] = "clf-fit"

    assert progress(running, plan).tasks["clf-apply"].state == "waiting"
    assert progress(ended, plan).tasks["clf-apply"].state == "skipped"


def _in_dag(task: str) -> Json:
    value = [{"name": "task", "value": task}]
    return {"name": task, "template": "c0", "arguments": {"parameters": value}}


def test_what_a_retry_leaves_out_is_done() -> None:
    tasks = progress(workflow("exit-1"), plan_of("other")).tasks

    assert tasks["other"].state == "done"


def test_before_the_controller_has_seen_it_a_workflow_is_running() -> None:
    found = workflow("exit-1")
    del found["status"]

    seen_now = progress(found, plan_of_one())

    assert (seen_now.state, seen_now.tasks[TASK].state) == ("running", "waiting")
    assert "controller has not taken it up" in seen_now.message


def test_between_two_steps_of_a_ladder_a_task_is_tried_again() -> None:
    found = workflow("ladder")
    nodes = found["status"]["nodes"]
    # As it was before the second step was made.
    found["status"]["phase"] = "Running"
    for key in [k for k, n in nodes.items() if n["displayName"] == "fit-m1"]:
        del nodes[key]

    task = progress(found, plan_of_one()).tasks[TASK]

    assert (task.state, task.kind) == ("retrying", "memory")


def test_nodes_that_argo_has_packed_are_unpacked() -> None:
    found = workflow("exit-75-retried")
    packed = copy.deepcopy(found)
    data = json.dumps(packed["status"].pop("nodes")).encode()
    packed["status"]["compressedNodes"] = base64.b64encode(gzip.compress(data)).decode()

    assert progress(packed, plan_of_one()) == progress(found, plan_of_one())


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"compressedNodes": "CwWAaGVsbG8gd29ybGQD"}, "packed with gzip"),
        ({"compressedNodes": "?"}, "packed with gzip"),
        ({"offloadNodeStatusVersion": "fnv:123"}, "Argo's database"),
    ],
)
def test_nodes_that_cannot_be_read_are_said_to_be_so(status: Json, words: str) -> None:
    found = workflow("exit-1")
    del found["status"]["nodes"]
    found["status"].update(status)

    with pytest.raises(RatsError, match=words) as raised:
        progress(found, plan_of_one())

    assert found["metadata"]["name"] in str(raised.value)
    assert "kedro rats runs" in str(raised.value)


def test_why_a_workflow_was_given_up_is_known_later() -> None:
    stuck = seen("image-missing").stuck
    found = workflow("stopped")
    found["metadata"]["annotations"]["rats.kedro/stopped"] = stuck_message(stuck)

    later = progress(found, plan_of_one())

    assert later.state == "failed"
    assert (later.tasks[TASK].state, later.tasks[TASK].kind) == ("failed", "image")
    assert later.tasks[TASK].cause == stuck[0].cause


# ------------------------------------------------------------------------------- lines


def line(situation: str, **options: Any) -> str:
    plan = plan_of_one(**options.pop("plan", {}))
    (only,) = failure_lines(seen(situation, plan), plan, "r1", **options)
    return only


def test_a_line_names_node_cause_and_the_next_command() -> None:
    assert line("killed") == (
        "Node 'clf.fit' failed: it was killed by SIGKILL (exit code 137). See `kedro "
        "rats logs clf.fit --run r1`; after mending it: `kedro rats retry r1`."
    )


def test_commands_in_a_line_are_for_the_same_environment() -> None:
    assert "`kedro rats retry r1 --env=cluster`" in line("killed", env="cluster")
    assert "--run r1 --env=cluster`" in line("killed", env="cluster")


def test_a_task_of_several_nodes_is_named_as_one() -> None:
    assert line("killed", plan={"nodes": 3}).startswith(
        "Task 'clf.fit' (3 nodes) failed"
    )


def test_a_name_that_a_shell_would_read_is_quoted() -> None:
    name = "f([a;b]) -> [c]"
    plan = plan_of(name)
    found = workflow("exit-1")
    (dag,) = found["spec"]["templates"]
    dag["dag"]["tasks"] = [_in_dag(name)]
    for node in found["status"]["nodes"].values():
        for parameter in node.get("inputs", {}).get("parameters", []):
            parameter["value"] = name

    (only,) = failure_lines(progress(found, plan), plan, "r1")

    assert f"kedro rats logs '{name}' --run r1" in only


def test_a_run_that_goes_on_or_went_well_has_no_lines() -> None:
    for situation in ("succeeded", "image-missing"):
        assert failure_lines(seen(situation), plan_of_one(), "r1") == []


def test_a_task_that_has_failed_has_its_line_while_the_run_goes_on() -> None:
    assert "exit code 1" in line("exit-1-in-backoff")


def test_a_stopped_run_says_what_is_done() -> None:
    assert line("stopped") == (
        "Run r1 was stopped: 0 of 1 tasks are done. `kedro rats retry r1` runs the rest."
    )


def test_a_workflow_that_fails_by_itself_says_what_argo_says() -> None:
    found = workflow("exit-1")
    found["status"] = {"phase": "Error", "message": "invalid spec: no entrypoint"}

    (only,) = failure_lines(progress(found, plan_of_one()), plan_of_one(), "r1")

    assert "failed: invalid spec: no entrypoint. 0 of 1 tasks are done." in only
