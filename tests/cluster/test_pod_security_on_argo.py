"""Pods pass the restricted standard where it is enforced, and may do next to nothing.

The namespace is one of its own. The project's test cluster has a controller for one
namespace only, so another one is started for this one.
"""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cluster import harness
from cluster.committed import assert_committed_once
from cluster.faulting import (
    ANSWER,
    Case,
    new_faulty,
    program,
    stops_programs,
)
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from kedro_rats.cli.templates import templates_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cluster.harness import Project

pytestmark = [pytest.mark.cluster, pytest.mark.alone, stops_programs]

ACCOUNT = "rats-workflow"
CONFINED = """
securityContext:
  allowPrivilegeEscalation: false
  capabilities: {drop: [ALL]}
"""


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A namespace in which the restricted standard is enforced, and its controller."""
    core, old = harness.core(), harness.namespace()
    name = f"rats-test-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = client.V1ObjectMeta(name=name, labels=labels)
    core.create_namespace(client.V1Namespace(metadata=metadata))
    controller = None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGO_NAMESPACE", name)
        patch.setenv("ARGO_SERVICE_ACCOUNT", ACCOUNT)
        try:
            _furnish(name, old)
            log = tmp_path_factory.mktemp("controller") / "log"
            controller = _controller(name, log)
            yield name
        finally:
            if controller is not None:
                controller.kill()
                controller.wait()
            core.delete_namespace(name)


def _furnish(name: str, old: str) -> None:
    """Make what `kedro rats init --argo` has somebody make, and what tests need."""
    rights = templates_path() / "rbac.yml"
    kubectl = ["kubectl", "apply", "--namespace", name, "-f", "-"]
    subprocess.run(kubectl, input=rights.read_bytes(), check=True, capture_output=True)
    core, secret = harness.core(), os.environ["RATS_TEST_S3_SECRET"]
    data = core.read_namespaced_secret(secret, old).data
    metadata = client.V1ObjectMeta(name=secret)
    core.create_namespaced_secret(name, client.V1Secret(metadata=metadata, data=data))
    config = core.read_namespaced_config_map("workflow-controller-configmap", old).data
    metadata = client.V1ObjectMeta(name="workflow-controller-configmap")
    own = {
        **config,
        # Argo's own containers are confined by whoever runs the controller, alone.
        "executor": CONFINED,
        # The ports belong to the other controller. (Argo takes a value of one line that
        # is a mapping for broken YAML.)
        "metricsConfig": "enabled: false\n",
        "telemetryConfig": "enabled: false\n",
    }
    body = client.V1ConfigMap(metadata=metadata, data=own)
    core.create_namespaced_config_map(name, body)


def _controller(name: str, log: Path) -> subprocess.Popen[bytes]:
    # The options of the other one: above all the image of Argo's own containers.
    command = Path(f"/proc/{program('argo-controller', 'pid')}/cmdline")
    _, *options = command.read_text().rstrip("\0").split("\0")
    kept = [o for o in options if not re.match("--(managed-)?namespace=", o)]
    own = [f"--namespace={name}", f"--managed-namespace={name}"]
    with log.open("wb") as out:
        return subprocess.Popen(
            ["workflow-controller", *kept, *own],
            cwd=Path(os.environ["KUBECONFIG"]).parent,
            env={
                **os.environ,
                "LEADER_ELECTION_DISABLE": "true",
                "DEFAULT_REQUEUE_TIME": "1s",
            },
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )


@pytest.fixture(scope="module")
def project(
    namespace: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    # Removed before its namespace is.
    project = new_faulty(tmp_path_factory.mktemp("p"))
    yield project
    project.remove()


@pytest.fixture(scope="module")
def cases(project: Project) -> dict[str, Case]:
    """Runs of pods that look around: as they are, and with the account's token."""
    found = {}
    for name, token in (("plain", False), ("armed", True)):
        project.configure(ext={"argo": {"pods": "keep", "api_token": token}})
        found[name] = Case(project, name, "prying")
        project.submit(*found[name].arguments())
    for case in found.values():
        harness.succeeded(case.workflow)
    return found


def test_a_pod_that_is_not_confined_is_refused_there(namespace: str) -> None:
    """Otherwise the standard would not be enforced, and all else would prove nothing."""
    container = client.V1Container(name="main", image=harness.image(1))
    spec = client.V1PodSpec(containers=[container])
    body = client.V1Pod(metadata=client.V1ObjectMeta(name="free"), spec=spec)

    with pytest.raises(ApiException) as refused:
        harness.core().create_namespaced_pod(namespace, body)

    assert refused.value.status == 403
    assert "violates PodSecurity" in refused.value.body


@pytest.mark.parametrize("name", ["plain", "armed"])
def test_a_run_is_done_where_the_restricted_standard_is_enforced(
    namespace: str, cases: dict[str, Case], name: str
) -> None:
    case = cases[name]

    assert case.answer() == ANSWER
    assert_committed_once(case.run)
    assert {pod.metadata.namespace for pod in case.pods()} == {namespace}
    assert len(case.pods()) == 3


def test_nodes_do_not_even_find_a_token(cases: dict[str, Case]) -> None:
    assert cases["plain"].run.value("seen") == {"token": [], "uid": 8737}


def test_a_node_with_the_token_may_write_its_result_and_nothing_else(
    cases: dict[str, Case],
) -> None:
    seen = cases["armed"].run.value("seen")

    assert "token" in seen["token"]
    assert seen["POST workflowtaskresults"] in (201, 409)
    asked = {name: code for name, code in seen.items() if " " in name}
    assert len(asked) >= 12
    refused = {n: c for n, c in asked.items() if n != "POST workflowtaskresults"}
    assert set(refused.values()) == {403}, refused


# What everybody may do who is somebody: ask what they may do.
OF_EVERYBODY = {"authentication.k8s.io", "authorization.k8s.io"}


def rights_of(account: str, where: str) -> set[tuple[str, str, str]]:
    """Return what a service account may do, as the cluster says it: group, resource, verb."""
    api = client.ApiClient()
    api.set_default_header(
        "Impersonate-User", f"system:serviceaccount:{where}:{account}"
    )
    spec = client.V1SelfSubjectRulesReviewSpec(namespace=where)
    review = client.AuthorizationV1Api(api).create_self_subject_rules_review(
        client.V1SelfSubjectRulesReview(spec=spec)
    )
    assert not review.status.incomplete
    assert not any(rule.resource_names for rule in review.status.resource_rules)
    return {
        (group, resource, verb)
        for rule in review.status.resource_rules
        for group in rule.api_groups
        if group not in OF_EVERYBODY
        for resource in rule.resources
        for verb in rule.verbs
    }


def test_the_rights_of_a_pod_are_exactly_two(namespace: str) -> None:
    wanted = {("argoproj.io", "workflowtaskresults", v) for v in ("create", "patch")}

    assert rights_of(ACCOUNT, namespace) == wanted
    assert rights_of("default", namespace) == set()
