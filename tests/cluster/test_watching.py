"""Following runs on the real cluster: the client, the commands, and what goes wrong."""

from __future__ import annotations

import os
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cluster import harness, situations
from cluster.situations import SITUATIONS, TASK
from pipelines.recordings import plan_of_one

from kedro_rats.engines.argo.cluster.client import (
    Cluster,
    ClusterError,
    NoSuchWorkflow,
    WorkflowExists,
    has_ended,
    phase_of,
)
from kedro_rats.engines.argo.progress import Progress, progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cluster.harness import Project

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

TOY = Path(__file__).parent / "projects" / "toy"
NOWHERE = {"node_selector": {"rats.test/nowhere": "yes"}}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster.connect(namespace=harness.namespace())


@pytest.fixture
def make(cluster: Cluster) -> Iterator[Callable[..., str]]:
    """Returns a function that makes the workflow of a situation, and cleans up."""
    made: list[str] = []

    def begin(situation: str | situations.Situation, **spec: Any) -> str:
        found = SITUATIONS[situation] if isinstance(situation, str) else situation
        name = f"watching-{uuid.uuid4().hex[:12]}"
        cluster.create(situations.workflow(found, name=name, **spec))
        made.append(name)
        return name

    yield begin
    for name in made:
        try:
            cluster.delete(name)
        except NoSuchWorkflow:
            continue


# ------------------------------------------------------------------------ the client


def test_a_workflow_is_made_once_followed_and_deleted(cluster: Cluster) -> None:
    name = f"watching-{uuid.uuid4().hex[:12]}"
    manifest = situations.workflow(SITUATIONS["succeeded"], name=name)
    manifest["metadata"]["labels"]["test"] = name

    cluster.create(manifest, dry_run=True)
    assert cluster.list({"test": name}) == []

    cluster.create(manifest)
    with pytest.raises(WorkflowExists):
        cluster.create(manifest)
    with pytest.raises(WorkflowExists):
        cluster.create(manifest, dry_run=True)

    seen = list(cluster.watch(name))
    assert phase_of(seen[-1]) == "Succeeded"
    assert [has_ended(each) for each in seen] == [False] * (len(seen) - 1) + [True]
    (head,) = cluster.list({"test": name})
    assert (head["metadata"]["name"], phase_of(head)) == (name, "Succeeded")
    (pod,) = cluster.pods(name)
    assert "hello" in list(cluster.log(pod["metadata"]["name"]))

    cluster.delete(name)
    with pytest.raises(NoSuchWorkflow):
        cluster.get(name)


def test_what_the_cluster_does_not_take_is_one_line(cluster: Cluster) -> None:
    with pytest.raises(ClusterError, match=r"spec\.entrypoint") as raised:
        cluster.create({"metadata": {"name": "watching-x"}, "spec": {"entrypoint": 3}})

    assert "\n" not in str(raised.value)
    assert raised.value.status == 422


def test_a_namespace_that_is_not_there_is_said_to_be_missing() -> None:
    elsewhere = Cluster.connect(namespace="watching-nowhere")

    with pytest.raises(ClusterError, match="namespace 'watching-nowhere'"):
        elsewhere.create(
            situations.workflow(SITUATIONS["succeeded"], name="watching-x")
        )


def test_rights_are_those_that_the_cluster_gives(cluster: Cluster) -> None:
    account = os.environ["ARGO_SERVICE_ACCOUNT"]
    pods = f"system:serviceaccount:{cluster.namespace}:{account}"
    results = "workflowtaskresults"

    assert cluster.allowed("create", "workflows", group="argoproj.io")
    assert cluster.allowed("get", "pods/log")
    assert cluster.allowed("create", results, group="argoproj.io", user=pods)
    assert not cluster.allowed("delete", results, group="argoproj.io", user=pods)
    assert not cluster.allowed("get", "secrets", user=pods)


def test_a_log_is_followed_while_it_is_written(
    cluster: Cluster, make: Callable[..., str]
) -> None:
    code = "import time\nfor i in range(4): print(i, flush=True); time.sleep(1)"
    name = make(situations.Situation(situations.python(code)))
    pod = a_running_pod(cluster, name)

    times = [time.monotonic() for _ in cluster.log(pod, follow=True)]

    assert times[-1] - times[0] > 1.5


def a_running_pod(cluster: Cluster, name: str) -> str:
    harness.until(lambda: bool(cluster.pods(name, phase="Running")))
    return str(cluster.pods(name, phase="Running")[0]["metadata"]["name"])


# ----------------------------------------------------------------- what goes wrong

NOW: dict[str, tuple[str, str, str]] = {
    # Without our word beside it, that code is of Argo's own helper.
    "exit-2": ("failed", "lost", "before the task began"),
    "out-of-memory": ("failed", "memory", "out of memory"),
    "deleted": ("failed", "lost", "its pod was deleted"),
    "stopped": ("stopped", "stopped", "the workflow was stopped"),
    "exit-1-in-backoff": ("failed", "exit", "raised (exit code 1)"),
    "exit-75-retrying": ("retrying", "exit", "could not be reached"),
    "ladder-too-low": ("failed", "memory", "out of memory"),
    "image-missing": ("pending", "image", "its image cannot be pulled"),
    "unschedulable": ("pending", "unschedulable", "no machine can take it"),
    "quota": ("pending", "unschedulable", "exceeded quota: watching-quota"),
    "volume-not-ready": ("pending", "delayed", "a volume that it binds is not ready"),
    "secret-missing": ("pending", "config", "watching-nope"),
    "secret-file-missing": ("pending", "config", "watching-nope"),
}


def test_situations_are_told_as_they_were_when_they_were_recorded(
    cluster: Cluster, make: Callable[..., str]
) -> None:
    with situations.used_up(cluster):
        last, found = looked_at_until_told(cluster, {each: make(each) for each in NOW})

    assert last == {each: expected[:2] for each, expected in NOW.items()}
    for each, (_, _, words) in NOW.items():
        assert words in str(found[each].tasks[TASK].cause)


def looked_at_until_told(
    cluster: Cluster, making: dict[str, str]
) -> tuple[dict[str, tuple[str | None, ...]], dict[str, Progress]]:
    """Return what was last seen of each situation, and those that were as expected."""
    found: dict[str, Progress] = {}
    last: dict[str, tuple[str | None, ...]] = {}
    begun = time.monotonic()

    while making.keys() - found.keys() and time.monotonic() < begun + 240:
        for each in making.keys() - found.keys():
            if act := SITUATIONS[each].act:
                situations.act_on(cluster, making[each], act)
            seen = looked_at(cluster, making[each])
            last[each] = seen.tasks[TASK].state, seen.tasks[TASK].kind
            if last[each] == NOW[each][:2]:
                found[each] = seen
        time.sleep(0.5)
    return last, found


def looked_at(cluster: Cluster, name: str) -> Progress:
    look = situations.recorded(cluster, name)
    return progress(look["workflow"], plan_of_one(), look["pods"], look["events"])


# -------------------------------------------------------------------- the commands


@dataclass
class Runs:
    """A project with a run that went well, one that failed, and one that cannot start."""

    project: Project
    good: Json
    bad: Json
    stuck: Json


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, cleaned: Callable[[Project], Project]
) -> Runs:
    project = cleaned(harness.new_plain(tmp_path_factory.mktemp("w"), "toy", TOY))
    project.configure(resources={"tiny": NOWHERE})
    stuck = project.submit("--key=stuck")
    project.configure()
    bad = project.submit("--key=bad", "--params=n=-1")
    return Runs(project, project.submit("--key=good"), bad, stuck)


def test_a_run_is_watched_to_its_end(runs: Runs) -> None:
    done = runs.project.rats("watch", "good")

    said = [line.partition(" ")[2] for line in done.out.splitlines()]
    assert any(line.startswith("squares: done after ") for line in said)
    assert any(line.startswith("doubled: done after ") for line in said)
    assert "\x1b" not in done.out
    assert "Run good succeeded: 3 of 3 tasks done" in done.out
    (record,) = [r for r in runs.project.asked("runs") if r["run"] == "good"]
    assert (record["state"], bool(record["finished"])) == ("done", True)


def test_a_run_that_fails_ends_the_watch_as_its_task_ended(runs: Runs) -> None:
    done = runs.project.rats("watch", runs.bad["workflow"], code=1)

    (line,) = [each for each in done.err.splitlines() if "ValueError" in each]
    assert line.startswith("Node 'squares' failed: ValueError: n must not be negative")
    assert "`kedro rats logs squares --run bad --env=cluster`" in line
    assert "`kedro rats retry bad --env=cluster`" in line


def test_the_status_is_a_tree_and_a_document(runs: Runs) -> None:
    runs.project.rats("watch", "bad", code=1)

    text = runs.project.rats("status", "bad").out
    document = runs.project.asked("status", "bad")

    assert "Run bad failed: 0 of 3 tasks done, 1 failed" in text
    assert "Node 'squares' failed: ValueError" in text
    states = {task["label"]: task["state"] for task in document["tasks"]}
    assert states == {"squares": "failed", "total": "skipped", "doubled": "skipped"}
    assert (document["state"], document["tasks"][0]["code"]) == ("failed", 1)


def test_a_run_that_does_not_start_says_why_and_is_stopped(runs: Runs) -> None:
    harness.until(lambda: "no machine can take it" in status_of(runs, "stuck"))

    done = runs.project.rats("stop", "stuck", "--yes")

    assert "Run stuck was stopped: 0 of 3 tasks" in done.out
    assert "kedro rats retry stuck --env=cluster" in done.out
    again = runs.project.asked("stop", "stuck", "--yes")
    assert again["state"] == "stopped"
    (record,) = [r for r in runs.project.asked("runs") if r["run"] == "stuck"]
    assert (record["state"], bool(record["finished"])) == ("failed", True)


def status_of(runs: Runs, run: str) -> str:
    return runs.project.rats("status", run).out


def test_without_an_answer_nothing_is_stopped(runs: Runs) -> None:
    runs.project.configure(resources={"tiny": NOWHERE})
    runs.project.submit("--key=asked")
    runs.project.configure()

    done = runs.project.rats("stop", "asked", code=1)

    assert "Stop run asked" in done.err
    assert runs.project.asked("status", "asked")["state"] == "running"
    runs.project.rats("stop", "asked", "--yes")


def test_a_log_is_that_of_the_pod_and_later_that_of_the_archive(
    runs: Runs, cluster: Cluster
) -> None:
    project = runs.project
    project.rats("watch", "bad", code=1)
    live = project.rats("logs", "squares", "--run=bad").out
    assert "n must not be negative: -1" in live
    assert "argo=true" not in live

    for pod in cluster.pods(runs.bad["workflow"]):
        situations.delete_pod(cluster, pod["metadata"]["name"])
    from_s3 = project.asked("logs", "squares", "--run=bad")
    project.configure(ext={"argo": {"server": os.environ["ARGO_SERVER_URL"]}})
    from_server = project.rats("logs", "squares", "--run=bad", ARGO_TOKEN=token()).out
    wrong = "Bearer of-nobody"
    refused = project.rats("logs", "squares", "--run=bad", code=1, ARGO_TOKEN=wrong)
    project.configure()

    assert from_s3["attempt"] == 1
    assert "\n".join(from_s3["lines"]) in live
    assert "\n".join(from_s3["lines"]) in from_server
    assert "Argo's server" in refused.err
    assert "of-nobody" not in refused.text


def token() -> str:
    """Return what Argo's server is told: a token of its own, or that of kubeconfig."""
    kubeconfig = yaml.safe_load(Path(os.environ["KUBECONFIG"]).read_text())
    user = kubeconfig["users"][0]["user"]
    return os.environ.get("ARGO_TOKEN") or f"Bearer {user.get('token')}"


def test_a_node_is_named_as_the_user_knows_it(runs: Runs) -> None:
    done = runs.project.rats("logs", "squaers", "--run=bad", code=2)

    assert "Did you mean 'squares'?" in done.err


def test_following_a_log_waits_for_the_task_to_begin(runs: Runs) -> None:
    runs.project.submit("--key=follow", "--params=n=4")

    done = runs.project.rats("logs", "doubled", "--run=follow", "--follow")

    assert "Running node: doubled" in done.out


def test_runs_are_listed_and_those_of_another_store_are_not(
    runs: Runs,
    tmp_path: Path,
    cleaned: Callable[[Project], Project],
) -> None:
    # Somebody else's project of the same name, in the same namespace.
    other = cleaned(harness.new_plain(tmp_path, "toy", TOY))
    other.configure()

    listed = {each["run"]: each["state"] for each in runs.project.asked("list")}

    assert {"good", "bad", "stuck"} <= listed.keys()
    assert listed["bad"] == "failed"
    assert other.asked("list") == []
    assert "kedro rats submit" in other.rats("status", code=1).err
    assert "expected a run or a workflow" in other.rats("status", "good", code=1).err


def test_what_looks_at_a_run_does_not_need_the_catalog(runs: Runs) -> None:
    entry = 'late: {type: json.JSONDataset, filepath: "${runtime_params:case}.json"}\n'
    late = runs.project.path / "conf" / harness.ENV / "catalog_late.yml"
    late.write_text(entry)
    try:
        runs.project.rats("status", "bad")
        runs.project.rats("list")
        runs.project.rats("logs", "squares", "--run=bad")
    finally:
        late.unlink()
