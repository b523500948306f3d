"""What Argo makes of our workflows: retries, ladders, deadlines, order, rights, artifacts.

The workflows are translated from plans; only what their pods run is replaced, so that it
fails as it is told. All are sent at once, then each test waits for its own.
"""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from pipelines.plans import SUBMISSION, task

from kedro_rats.engines.argo.cluster.client import Call, Cluster, ClusterError
from kedro_rats.engines.argo.settings import ArgoSettings
from kedro_rats.engines.argo.translation import joins
from kedro_rats.engines.argo.translation.workflow import translate
from kedro_rats.plan.model import Header, Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kedro_rats.plan.model import Task

pytestmark = pytest.mark.cluster

Json = dict[str, Any]

IMAGE = {
    "ref": os.environ.get("RATS_TEST_IMAGE", "localhost/python:3.11"),
    "pull": "IfNotPresent",
}
# Pods are looked at, and go with their workflows.
SETTINGS = ArgoSettings(
    service_account=os.environ.get("ARGO_SERVICE_ACCOUNT"), pods="keep"
)
MINE = {"tests.example.com/of": f"semantics-{uuid4().hex[:8]}"}
SECONDS = 480

FINE = "print('fine')"
EAT = "x = bytearray(100 << 20)\nfor i in range(0, len(x), 4096): x[i] = 1"
LAST_WORDS = (
    "import os; open(os.environ['KEDRO_RATS_LAST_WORDS'], 'w').write('out-of-memory');"
    "raise SystemExit(137)"
)
BAD_INPUT = (
    "import os; open(os.environ['KEDRO_RATS_LAST_WORDS'], 'w').write('bad-input');"
    "raise SystemExit(2)"
)
SLEEP = "import time; print('sleeping', flush=True); time.sleep({})"
KILLED = "import os; os.kill(os.getpid(), 9)"
FILL = "open('/data/x', 'wb').write(b'0' * (30 << 20)); import time; time.sleep(300)"
LOOK = """
import os
assert os.getuid() == 8737, os.getuid()
assert not os.path.isdir('/var/run/secrets/kubernetes.io/serviceaccount/..data')
assert os.listdir('/var/run/secrets/kubernetes.io/serviceaccount') == []
open('/tmp/x', 'w').write('x')
assert os.access(os.environ['KEDRO_RATS_LAST_WORDS'], os.W_OK)
assert 'NoNewPrivs:\\t1' in open('/proc/self/status').read()
assert 'CapEff:\\t0000000000000000' in open('/proc/self/status').read()
"""
RESULTS = """
import os, sys
if sys.argv[1] == 'shows':
    folder = os.path.join(os.environ['KEDRO_RATS_RESULTS'], 'metrics')
    os.makedirs(folder)
    open(os.path.join(folder, 'metrics.json'), 'w').write('{"auc": 0.9}')
print('said by', sys.argv[1])
"""

SMALL = {"cpu": "50m", "memory": "48Mi"}
QUICK = {"delay": 1, "factor": 1}


def plan_of(*tasks: Task) -> Plan:
    return Plan(Header(parameters="0" * 64), {t.name: t for t in tasks})


def one(name: str, *after: str, **placement: Any) -> Task:
    namespace = placement.pop("namespace", None)
    return task(name, *after, namespace=namespace, **{"image": IMAGE, **placement})


LADDER = {"memory_ladder": ["64Mi", "256Mi"], "retries": 1, "backoff": QUICK}

# Name: the plan, what its pods run, and settings where they are not the usual ones.
CASES: dict[str, tuple[Plan, str, ArgoSettings]] = {
    # The first that is looked at.
    "deleted": (
        plan_of(one("t", policy={"retries": 2, "backoff": QUICK})),
        SLEEP.format(20),
        SETTINGS,
    ),
    "oom": (
        plan_of(one("eats", policy=LADDER, resources=SMALL), one("after", "eats")),
        f"import sys\nif sys.argv[1] == 'eats':\n  exec({EAT!r})",
        SETTINGS,
    ),
    "oom-without-ladder": (
        plan_of(one("eats", policy={"retries": 2}, resources=SMALL)),
        EAT,
        SETTINGS,
    ),
    "last-words": (
        plan_of(
            one(
                "t",
                policy={"memory_ladder": ["64Mi"], "retries": 1, "backoff": QUICK},
                resources=SMALL,
            )
        ),
        LAST_WORDS,
        SETTINGS,
    ),
    "bad-input": (
        plan_of(one("t", policy={"retries": 2, "backoff": QUICK})),
        BAD_INPUT,
        SETTINGS,
    ),
    "exit-1": (
        plan_of(one("t", policy=LADDER, resources=SMALL), one("after", "t")),
        "raise SystemExit(1)",
        SETTINGS,
    ),
    "no-oom": (
        plan_of(one("t", policy=LADDER, resources=SMALL), one("after", "t")),
        FINE,
        SETTINGS,
    ),
    "exit-75": (
        plan_of(one("t", policy={"retries": 1, "backoff": QUICK})),
        "raise SystemExit(75)",
        SETTINGS,
    ),
    "killed": (
        plan_of(one("t", policy={"retries": 1, "backoff": QUICK})),
        KILLED,
        SETTINGS,
    ),
    "timeout": (
        plan_of(one("t", policy={"timeout": 3, "retries": 2, "backoff": QUICK})),
        SLEEP.format(90),
        SETTINGS,
    ),
    "deadline": (
        plan_of(one("t", policy={"deadline": 15, "retries": 90, "backoff": QUICK})),
        "raise SystemExit(75)",
        SETTINGS,
    ),
    "disk": (
        plan_of(
            one(
                "t",
                policy={"retries": 2, "backoff": QUICK},
                bind={"mounts": {"/data": {"scratch": "10Mi"}}},
            )
        ),
        FILL,
        SETTINGS,
    ),
    "order": (
        plan_of(
            one("first"),
            *(one(f"m{n}", "first", namespace="space") for n in range(2)),
            *(one(f"r{n}", "m0", "m1") for n in range(2)),
        ),
        FINE,
        SETTINGS,
    ),
    "rights": (plan_of(one("t")), LOOK, SETTINGS),
    "artifacts": (
        plan_of(one("shows"), one("says")),
        RESULTS,
        replace(SETTINGS, artifacts=True),
    ),
}


def manifest(name: str) -> Json:
    """Return a case's workflow with what its pods run."""
    plan, program, settings = CASES[name]
    settings = replace(settings, labels=MINE)
    submission = replace(SUBMISSION, name=f"a-{name}-{uuid4().hex[:6]}")
    with pytest.MonkeyPatch.context() as patch:
        # So that two readers of two makers meet in a join, as hundreds would.
        patch.setattr(joins, "LEAST_SAVED", 0)
        made = translate(plan, submission, settings)
    for template in made["spec"]["templates"]:
        if "container" in template:
            told = template["container"]["command"][-1]
            template["container"]["command"] = ["python", "-c", program, told]
    return made


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster.connect(namespace=os.environ["ARGO_NAMESPACE"])


@contextmanager
def confined_executor(cluster: Cluster) -> Iterator[None]:
    """Have Argo confine its own containers too: only its own configuration says so."""
    config = "workflow-controller-configmap"
    found = cluster.ask(
        Call(verb="get", resource="configmaps", name=config),
        cluster.core.read_namespaced_config_map,
        config,
        cluster.namespace,
    )
    if "executor" in found.get("data", {}):
        yield
        return
    # Over several lines: Argo puts key and value together as text, and ends where that
    # is no YAML.
    said = (
        "securityContext:\n"
        "  allowPrivilegeEscalation: false\n"
        "  capabilities: {drop: [ALL]}\n"
    )

    def patch(executor: str | None) -> None:
        cluster.ask(
            Call(verb="patch", resource="configmaps", name=config),
            cluster.core.patch_namespaced_config_map,
            config,
            cluster.namespace,
            {"data": {"executor": executor}},
        )

    patch(said)
    try:
        time.sleep(3)  # Argo watches it
        yield
    finally:
        patch(None)


@pytest.fixture(scope="module")
def sent(cluster: Cluster) -> Iterator[dict[str, str]]:
    """Send all workflows; return their names by case."""
    with confined_executor(cluster):
        names = {}
        try:
            for case in CASES:
                made = cluster.create(manifest(case))
                names[case] = made["metadata"]["name"]
            yield names
        finally:
            for name in names.values():
                cluster.delete(name)


@pytest.fixture
def ended(
    sent: dict[str, str], cluster: Cluster
) -> Callable[[str], tuple[str, list[Json]]]:
    """Return a function that waits for a case: how it ended, and its nodes."""

    def wait(case: str) -> tuple[str, list[Json]]:
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            status = cluster.get(sent[case]).get("status", {})
            if status.get("phase") in {"Succeeded", "Failed", "Error"}:
                return status["phase"], list(status["nodes"].values())
            time.sleep(1)
        raise TimeoutError(f"{case}: {json.dumps(status)[:2000]}")

    return wait


def pods(nodes: list[Json], name: str | None = None) -> list[Json]:
    """Return the pods of a task, in the order in which they began."""

    def of(node: Json) -> str:
        return str(node["inputs"]["parameters"][0]["value"])

    found = [n for n in nodes if n["type"] == "Pod" and name in (None, of(n))]
    return sorted(found, key=lambda node: node["startedAt"])


def code(node: Json) -> str | None:
    return node.get("outputs", {}).get("exitCode")


def said(node: Json) -> str:
    """Return what Argo says of a pod; since 3.7 it names the container too."""
    return str(node["message"]).removeprefix("main: ")


Ended = Any


def test_a_pod_that_was_deleted_is_made_again(
    sent: dict[str, str], cluster: Cluster, ended: Ended
) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        running = [
            pod["metadata"]["name"]
            for pod in cluster.pods(sent["deleted"])
            if pod["status"].get("phase") == "Running"
        ]
        if running:
            break
        time.sleep(0.5)
    assert running, "expected a pod that runs"
    cluster.ask(
        Call(verb="delete", resource="pods", name=running[0]),
        cluster.core.delete_namespaced_pod,
        running[0],
        cluster.namespace,
    )
    phase, nodes = ended("deleted")
    assert phase == "Succeeded"
    first, second = pods(nodes)
    assert first["phase"] in {"Error", "Failed"}
    assert second["phase"] == "Succeeded"


def test_a_task_that_ran_out_of_memory_gets_more_each_time(ended: Ended) -> None:
    phase, nodes = ended("oom")
    assert phase == "Succeeded"
    tried = pods(nodes, "eats")
    assert [node["phase"] for node in tried] == ["Failed", "Failed", "Succeeded"]
    assert all("OOMKilled" in node["message"] for node in tried[:2])
    assert len(pods(nodes, "after")) == 1


def test_a_task_without_a_ladder_is_not_tried_again_with_the_same(ended: Ended) -> None:
    phase, nodes = ended("oom-without-ladder")
    assert phase == "Failed"
    assert len(pods(nodes)) == 1


def test_a_process_that_says_that_memory_did_not_suffice_is_believed(
    ended: Ended,
) -> None:
    phase, nodes = ended("last-words")
    assert phase == "Failed"
    first, second = pods(nodes)
    assert said(first) == "Error (exit code 137): out-of-memory"
    assert first["templateName"] != second["templateName"]


def test_what_a_node_raises_is_not_tried_again(ended: Ended) -> None:
    phase, nodes = ended("exit-1")
    assert phase == "Failed"
    (only,) = pods(nodes)
    assert code(only) == "1"


def test_a_task_that_can_be_run_nowhere_is_not_tried_again(ended: Ended) -> None:
    phase, nodes = ended("bad-input")
    assert phase == "Failed"
    (only,) = pods(nodes)
    assert said(only) == "Error (exit code 2): bad-input"


def test_the_steps_of_a_ladder_that_nobody_needs_are_left_out(ended: Ended) -> None:
    phase, nodes = ended("no-oom")
    assert phase == "Succeeded"
    assert len(pods(nodes)) == 2
    steps = sorted(n["phase"] for n in nodes if n["displayName"] in {"m1", "m2"})
    assert steps == ["Omitted", "Omitted"]


def test_infrastructure_is_tried_again_as_often_as_is_said(ended: Ended) -> None:
    phase, nodes = ended("exit-75")
    assert phase == "Failed"
    assert [code(node) for node in pods(nodes)] == ["75", "75"]


def test_a_process_that_was_killed_is_tried_again(ended: Ended) -> None:
    phase, nodes = ended("killed")
    assert phase == "Failed"
    assert [code(node) for node in pods(nodes)] == ["137", "137"]


def test_a_timeout_ends_an_attempt_and_is_not_tried_again(ended: Ended) -> None:
    phase, nodes = ended("timeout")
    assert phase == "Failed"
    (only,) = pods(nodes)
    assert "longer than the specified deadline" in only["message"]


def test_a_deadline_ends_all_attempts(ended: Ended) -> None:
    phase, nodes = ended("deadline")
    assert phase == "Failed"
    assert 1 <= len(pods(nodes)) < 15
    (retry,) = (node for node in nodes if node["type"] == "Retry")
    assert "ax duration" in retry["message"]


def test_a_task_that_fills_its_disk_is_not_tried_again(ended: Ended) -> None:
    phase, nodes = ended("disk")
    assert phase == "Failed"
    (only,) = pods(nodes)
    assert "exceeds the limit" in only["message"]


def test_tasks_run_in_order_through_namespaces_and_joins(ended: Ended) -> None:
    phase, nodes = ended("order")
    assert phase == "Succeeded"
    assert any(node["type"] == "Suspend" for node in nodes)
    assert sum(node["type"] == "DAG" for node in nodes) == 2
    begun = {n["inputs"]["parameters"][0]["value"]: n["startedAt"] for n in pods(nodes)}
    over = {n["inputs"]["parameters"][0]["value"]: n["finishedAt"] for n in pods(nodes)}
    assert over["first"] <= min(begun["m0"], begun["m1"])
    assert max(over["m0"], over["m1"]) <= min(begun["r0"], begun["r1"])


def test_a_join_costs_no_time(ended: Ended) -> None:
    _, nodes = ended("order")
    for node in nodes:
        if node["type"] == "Suspend":
            assert node["startedAt"] == node["finishedAt"]


def test_a_node_finds_no_token_and_no_rights_but_what_it_needs(ended: Ended) -> None:
    phase, nodes = ended("rights")
    assert phase == "Succeeded", [node.get("message") for node in pods(nodes)]


def test_results_and_logs_are_artifacts(ended: Ended, sent: dict[str, str]) -> None:
    fs = pytest.importorskip("s3fs").S3FileSystem()
    phase, nodes = ended("artifacts")
    assert phase == "Succeeded"
    (shows,), (says,) = pods(nodes, "shows"), pods(nodes, "says")
    kept = {a["name"]: a["s3"] for a in shows["outputs"]["artifacts"]}
    bucket = os.environ.get("RATS_TEST_ARTIFACT_BUCKET", "argo-artifacts")
    metrics = f"{bucket}/{kept['results']['key']}/metrics/metrics.json"
    assert json.loads(fs.cat_file(metrics)) == {"auc": 0.9}
    assert b"said by shows" in fs.cat_file(f"{bucket}/{kept['main-logs']['key']}")
    assert [a["name"] for a in says["outputs"]["artifacts"]] == ["main-logs"]


def test_pods_pass_the_restricted_standard_where_it_is_enforced(
    sent: dict[str, str], cluster: Cluster, ended: Ended
) -> None:
    """Pods that Argo made are offered to a namespace that takes no others."""
    ended("order")
    (made, *_) = cluster.pods(sent["order"])
    with restricted_namespace(cluster, made) as namespace:
        admitted = offer(cluster, namespace, made["spec"])
        assert admitted["metadata"]["namespace"] == namespace
        made["spec"]["containers"][1]["securityContext"]["capabilities"] = {}
        with pytest.raises(ClusterError) as error:
            offer(cluster, namespace, made["spec"])
        assert error.value.status == 403


@contextmanager
def restricted_namespace(cluster: Cluster, pod: Json) -> Iterator[str]:
    name = f"rats-restricted-{uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    body = {"metadata": {"name": name, "labels": labels}}
    cluster.ask(
        Call(verb="create", resource="namespaces"), cluster.core.create_namespace, body
    )
    try:
        account = {"metadata": {"name": pod["spec"]["serviceAccountName"]}}
        cluster.ask(
            Call(verb="create", resource="serviceaccounts"),
            cluster.core.create_namespaced_service_account,
            name,
            account,
        )
        yield name
    finally:
        cluster.ask(
            Call(verb="delete", resource="namespaces"),
            cluster.core.delete_namespace,
            name,
        )


def offer(cluster: Cluster, namespace: str, spec: Json) -> Json:
    """Ask whether a pod would be taken."""
    spec = {k: v for k, v in spec.items() if k != "nodeName"}
    body = {"metadata": {"name": "offered"}, "spec": spec}
    found: Json = cluster.ask(
        Call(verb="create", resource="pods"),
        cluster.core.create_namespaced_pod,
        namespace,
        body,
        dry_run="All",
    )
    return found
