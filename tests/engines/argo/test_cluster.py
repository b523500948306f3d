"""The client of a cluster: what it says when something is wrong, and what it bears.

The server is a real one that fails and comes back; how Kubernetes and Argo behave is
tested on a real cluster, in `tests/cluster/test_watching.py`.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from pipelines.api_server import Answer, ApiServer, failure, kubeconfig

from kedro_rats.engines.argo.cluster import watching as cluster_watching
from kedro_rats.engines.argo.cluster.client import (
    Call,
    Cluster,
    ClusterError,
    NoSuchWorkflow,
    WorkflowExists,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Json = dict[str, Any]

LIST = "/apis/argoproj.io/v1alpha1/namespaces/ml/workflows"
ONE = f"{LIST}/run"


def workflow(version: str = "1", phase: str = "Running") -> Json:
    metadata = {"name": "run", "resourceVersion": version}
    return {"metadata": metadata, "status": {"phase": phase}}


def event(version: str, phase: str = "Running", kind: str = "MODIFIED") -> bytes:
    return (
        json.dumps({"type": kind, "object": workflow(version, phase)}).encode() + b"\n"
    )


class Answers:
    """Answers in turn, by what is asked for; the last one again and again."""

    def __init__(self, **answers: list[Answer]) -> None:
        self.left = answers

    def __call__(self, method: str, path: str) -> Answer:
        if "watch=True" in path or "watch=true" in path:
            kind = "watch"
        elif "/log" in path:
            kind = "log"
        else:
            kind = method.lower()
        answers = self.left[kind]
        return answers.pop(0) if len(answers) > 1 else answers[0]


@pytest.fixture
def served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., tuple[Cluster, ApiServer]]]:
    """Returns a function that starts a server and connects to it."""
    servers = []

    def serve(answer: Callable[[str, str], Answer]) -> tuple[Cluster, ApiServer]:
        server = ApiServer(answer)
        server.__enter__()
        servers.append(server)
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path)))
        cluster = Cluster.connect()
        cluster.patience = 3
        return cluster, server

    yield serve
    for server in servers:
        server.__exit__()


@pytest.fixture
def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


# -------------------------------------------------------------------- which cluster


def test_it_connects_as_kubeconfig_says(served: Any) -> None:
    cluster, server = served(Answers(get=[Answer(body=workflow())]))

    assert cluster.get("run")["status"]["phase"] == "Running"
    assert (cluster.host, cluster.namespace) == (server.url, "ml")
    assert server.seen == [("GET", ONE)]
    assert server.headers[0]["authorization"] == "Bearer canary-token"


def test_a_namespace_and_a_context_may_be_given(served: Any) -> None:
    served(Answers(get=[Answer(body={})]))

    assert Cluster.connect(namespace="other").namespace == "other"
    assert Cluster.connect(context="plain").namespace == "default"


def test_an_unknown_context_is_refused_with_the_nearest(served: Any) -> None:
    served(Answers(get=[Answer(body={})]))

    with pytest.raises(
        ClusterError, match=r"expected context 'tset', got none\. Did you"
    ):
        Cluster.connect(context="tset")


def test_without_kubeconfig_it_says_where_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)

    with pytest.raises(
        ClusterError, match=r"none': expected a file, got none\. Set KUB"
    ):
        Cluster.connect()


@pytest.mark.parametrize("text", ["{", "[]", "clusters: 3", '{"contexts": []}'])
def test_a_kubeconfig_that_is_none_is_one_line(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text)
    monkeypatch.setenv("KUBECONFIG", str(path))

    with pytest.raises(ClusterError) as raised:
        Cluster.connect()

    assert "\n" not in str(raised.value)
    assert "kubectl config view" in str(raised.value)


def test_several_files_are_read_as_kubectl_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "second"
    path.write_text(json.dumps(kubeconfig("http://127.0.0.1:1")))
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'none'}:{path}")

    assert Cluster.connect().host == "http://127.0.0.1:1"


def test_neither_the_client_nor_hera_is_imported_before_it_is_used() -> None:
    modules = (
        "cluster.client",
        "progress",
        "progress.showing",
        "logs.reading",
        "cluster.runs",
    )
    code = f"""
import sys
{"; ".join(f"import kedro_rats.engines.argo.{name}" for name in modules)}
print(sorted({{"kubernetes", "hera", "rich", "s3fs"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------- refusals

FORBIDDEN = (
    'workflows.argoproj.io is forbidden: User "ann" cannot create resource "workflows" '
    'in API group "argoproj.io" in the namespace "ml"'
)
NO_WATCH = FORBIDDEN.replace("create", "watch")
QUOTA = 'workflows "run" is forbidden: exceeded quota: small, requested: 1, limited: 0'


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            failure(401, "Unauthorized"),
            ["credentials that it knows", "ext.argo.context"],
        ),
        (
            failure(403, FORBIDDEN, kind="workflows"),
            [
                "the right to create workflows.argoproj.io in namespace 'ml' for user 'ann'",
                "kedro rats init --argo",
            ],
        ),
        (failure(403, QUOTA, kind="workflows"), ["exceeded quota: small"]),
        (
            Answer(404, b"404 page not found\n"),
            ["resource type workflows", "Argo Workf"],
        ),
        (
            failure(404, 'namespaces "ml" not found', kind="namespaces", name="ml"),
            ["namespace 'ml'", "ext.argo.namespace"],
        ),
        (failure(422, "spec.entrypoint: Invalid value"), ["spec.entrypoint: Invalid"]),
        (failure(500, "etcdserver: request is too large"), ["request is too large"]),
        (failure(429, "too many requests"), ["Try again in a minute"]),
        (Answer(200, b"<html>log in</html>"), ["JSON", "a login page"]),
    ],
)
def test_a_refusal_is_one_line_with_the_cure(
    served: Any, answer: Answer, words: list[str]
) -> None:
    cluster, server = served(Answers(post=[answer]))
    cluster.patience = 0

    with pytest.raises(ClusterError) as raised:
        cluster.create({"metadata": {"name": "run"}})

    text = str(raised.value)
    assert "\n" not in text
    assert all(word in text for word in words), text
    assert "canary-token" not in text
    assert len(server.seen) == 1


def test_a_name_that_is_taken_and_one_that_is_not_there_have_errors_of_their_own(
    served: Any,
) -> None:
    taken = failure(409, "exists", kind="workflows", name="run")
    missing = failure(404, "not found", kind="workflows", name="run")
    cluster, _ = served(Answers(post=[taken], get=[missing]))

    with pytest.raises(WorkflowExists, match="workflow 'run'"):
        cluster.create({"metadata": {"name": "run"}})
    with pytest.raises(NoSuchWorkflow, match="kedro rats list"):
        cluster.get("run")


def test_a_conflict_while_patching_is_not_a_name_that_is_taken(served: Any) -> None:
    cluster, _ = served(Answers(patch=[failure(409, "the object has been modified")]))

    with pytest.raises(ClusterError) as raised:
        cluster.stop("run")

    assert not isinstance(raised.value, WorkflowExists)


def test_a_certificate_that_is_not_trusted_is_not_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    from kedro_rats.engines.argo.cluster.errors import no_answer

    error = OSError("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate")

    assert not no_answer("https://k8s", error).transient
    assert "certificate-authority" in str(no_answer("https://k8s", error))


# -------------------------------------------------------------------- what is sent


def test_a_dry_run_is_asked_for_as_such(served: Any) -> None:
    cluster, server = served(Answers(post=[Answer(201, workflow())]))

    cluster.create({"metadata": {"name": "run"}, "spec": {}}, dry_run=True)
    cluster.create({"metadata": {"name": "run"}, "spec": {}})

    assert [path for _, path in server.seen] == [f"{LIST}?dryRun=All", LIST]
    assert server.bodies[0]["kind"] == "Workflow"


def test_a_stop_is_a_merge_patch_in_every_version_of_the_client(served: Any) -> None:
    cluster, server = served(Answers(patch=[Answer(200, workflow())]))

    cluster.stop("run", "too late", now=True)
    cluster.stop("run")

    annotations = {"rats.kedro/stopped": "too late"}
    assert server.bodies == [
        {"metadata": {"annotations": annotations}, "spec": {"shutdown": "Terminate"}},
        {"spec": {"shutdown": "Stop"}},
    ]
    kinds = {headers["Content-Type"] for headers in server.headers}
    assert kinds == {"application/merge-patch+json"}


def test_a_list_asks_for_metadata_only_and_has_the_latest_first(served: Any) -> None:
    def head(name: str, second: int, phase: str) -> Json:
        created = f"2026-11-21T10:00:0{second}Z"
        labels = {"workflows.argoproj.io/phase": phase}
        return {
            "metadata": {"name": name, "creationTimestamp": created, "labels": labels}
        }

    items = [head("old", 1, "Failed"), head("new", 2, "Running")]
    cluster, server = served(Answers(get=[Answer(body={"items": items})]))

    found = cluster.list({"rats.kedro/project": "penguins", "a": "b"})

    assert [each["metadata"]["name"] for each in found] == ["new", "old"]
    assert found[1]["status"] == {"phase": "Failed"}
    assert server.headers[0]["Accept"].startswith("application/json;as=PartialObject")
    asked = unquote(server.seen[0][1])
    assert asked.endswith("labelSelector=rats.kedro/project=penguins,a=b")


def test_an_empty_list_may_be_null(served: Any) -> None:
    # A real API server answers so, where it is asked for metadata only.
    cluster, _ = served(Answers(get=[Answer(body={"items": None})]))

    assert cluster.list({"a": "b"}) == []
    assert cluster.pods("run") == []
    assert cluster.events("pod") == []


@pytest.mark.parametrize("user", [None, "system:serviceaccount:ml:pods"])
def test_a_right_is_asked_for_by_a_review(served: Any, user: str | None) -> None:
    status = {"allowed": True}
    cluster, server = served(Answers(post=[Answer(201, {"status": status})]))

    assert cluster.allowed("get", "pods/log", user=user)

    kind = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
    attributes = server.bodies[0]["spec"]["resourceAttributes"]
    assert server.bodies[0]["kind"] == kind
    assert (attributes["resource"], attributes["subresource"]) == ("pods", "log")
    assert server.bodies[0]["spec"].get("user") == user


# -------------------------------------------------------------------- what it bears


@pytest.mark.parametrize("status", [0, 429, 500, 502, 503, 504])
def test_a_call_is_tried_again_while_the_server_is_not_well(
    served: Any, status: int
) -> None:
    bad = Answer(status, b"not now")
    cluster, server = served(Answers(get=[bad, bad, Answer(body=workflow())]))

    assert cluster.get("run")["metadata"]["name"] == "run"
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 422])
def test_a_call_that_is_refused_is_not_tried_again(served: Any, status: int) -> None:
    cluster, server = served(Answers(get=[failure(status, "no")]))

    with pytest.raises(ClusterError):
        cluster.get("run")

    assert len(server.seen) == 1


def test_a_server_that_starts_late_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    server = ApiServer(Answers(get=[Answer(body=workflow())]), port=free_port)
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path)))
    cluster = Cluster.connect()
    starts = threading.Timer(1, server.__enter__)
    starts.start()
    try:
        assert cluster.get("run")["metadata"]["name"] == "run"
    finally:
        starts.join()
        server.__exit__()


def test_where_nobody_answers_it_says_so_after_its_patience(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_port: int
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(kubeconfig(f"http://127.0.0.1:{free_port}")))
    monkeypatch.setenv("KUBECONFIG", str(path))
    cluster = Cluster.connect()
    cluster.patience = 1
    begun = time.monotonic()

    with pytest.raises(ClusterError) as raised:
        cluster.get("run")

    assert time.monotonic() - begun < 5
    assert raised.value.transient
    assert "refused" in str(raised.value)
    assert "0x" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(served: Any) -> None:
    cluster, _ = served(Answers(get=[Answer(body=workflow(), seconds=30)]))
    call = Call(verb="get", resource="workflows", name="run")
    begun = time.monotonic()

    with pytest.raises(ClusterError) as raised:
        cluster.response(
            call,
            cluster.custom.get_namespaced_custom_object,
            *("argoproj.io", "v1alpha1", "ml", "workflows", "run"),
            read_seconds=0.5,
        )

    assert raised.value.transient
    assert time.monotonic() - begun < 5


def test_a_workflow_made_by_a_call_whose_answer_was_lost_is_there(served: Any) -> None:
    taken = failure(409, "exists", kind="workflows", name="run")
    cluster, _ = served(Answers(post=[Answer(0), taken]))

    # Whoever submits looks whether it is theirs.
    with pytest.raises(WorkflowExists):
        cluster.create({"metadata": {"name": "run"}})


# ------------------------------------------------------------------------- watching


def phases(cluster: Cluster) -> list[tuple[str, str]]:
    return [
        (each["metadata"]["resourceVersion"], each["status"]["phase"])
        for each in cluster.watch("run")
    ]


def test_changes_are_yielded_until_the_workflow_has_ended(served: Any) -> None:
    stream = Answer(body=event("2"), pieces=(event("3"), event("4", "Succeeded")))
    cluster, server = served(Answers(get=[Answer(body=workflow())], watch=[stream]))

    running = [(version, "Running") for version in "123"]
    assert phases(cluster) == [*running, ("4", "Succeeded")]
    assert "resourceVersion=1" in server.seen[1][1]


def test_one_that_has_ended_is_yielded_once(served: Any) -> None:
    cluster, server = served(Answers(get=[Answer(body=workflow("9", "Failed"))]))

    assert phases(cluster) == [("9", "Failed")]
    assert len(server.seen) == 1


def test_a_quiet_watch_goes_on_from_where_it_was_and_shows_that_time_passes(
    served: Any,
) -> None:
    quiet, last = Answer(body=b""), Answer(body=event("2", "Failed"))
    cluster, server = served(
        Answers(get=[Answer(body=workflow())], watch=[quiet, last])
    )

    assert phases(cluster) == [*[("1", "Running")] * 2, ("2", "Failed")]
    assert {method for method, _ in server.seen} == {"GET"}
    assert sum("watch" in path.lower() for _, path in server.seen) == 2


@pytest.mark.parametrize(
    "trouble",
    [
        Answer(0),
        Answer(503, b"no"),
        Answer(200, body=event("2"), broken=True),
        Answer(200, body=b'{"type": "MODIFIED", "obj', broken=True),
        Answer(200, body=b'{"type":"ERROR","object":{"code":410,"message":"old"}}\n'),
        failure(403, NO_WATCH),
        Answer(404, b"404 page not found"),
    ],
    ids=["reset", "503", "broken", "half", "too-old", "forbidden", "unknown"],
)
def test_a_watch_that_breaks_is_begun_again_with_what_is_so_now(
    served: Any, trouble: Answer
) -> None:
    # A server that starts refuses for some seconds what it will allow.
    last = Answer(body=event("7", "Succeeded"))
    now = [Answer(body=workflow()), Answer(body=workflow("6"))]
    cluster, server = served(Answers(get=now, watch=[trouble, last]))

    found = phases(cluster)

    assert found[0] == ("1", "Running")
    assert found[-2:] == [("6", "Running"), ("7", "Succeeded")]
    assert "resourceVersion=6" in server.seen[-1][1]


def test_a_run_that_ended_while_nobody_looked_has_ended(served: Any) -> None:
    now = [Answer(body=workflow()), Answer(body=workflow("9", "Failed"))]
    cluster, _ = served(Answers(get=now, watch=[Answer(0)]))

    assert phases(cluster)[-1] == ("9", "Failed")


def test_a_workflow_that_is_deleted_is_said_to_be_gone(served: Any) -> None:
    gone = Answer(body=event("2", kind="DELETED"))
    cluster, _ = served(Answers(get=[Answer(body=workflow())], watch=[gone]))

    with pytest.raises(NoSuchWorkflow):
        phases(cluster)


def test_an_outage_that_does_not_end_ends_the_watch(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_watching, "LONG_PATIENCE", 1.0)
    now = [Answer(body=workflow()), Answer(503, b"no")]
    cluster, _ = served(Answers(get=now, watch=[Answer(503, b"no")]))

    with pytest.raises(ClusterError) as raised:
        phases(cluster)

    assert raised.value.status == 503


def test_a_right_to_watch_that_is_missing_ends_the_watch_soon(
    served: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_watching, "SETTLING", 1.0)
    now = [Answer(body=workflow())]
    cluster, _ = served(Answers(get=now, watch=[failure(403, NO_WATCH)]))

    with pytest.raises(ClusterError, match="the right to watch workflows"):
        phases(cluster)


# ------------------------------------------------------------------------------ logs


def test_a_log_is_yielded_line_by_line_whatever_is_in_it(served: Any) -> None:
    text = "one\n\nthrée\n".encode() + b"\xff bytes\nlast"
    cluster, server = served(Answers(log=[Answer(body=text[:7], pieces=(text[7:],))]))

    assert list(cluster.log("pod")) == ["one", "", "thrée", "\ufffd bytes", "last"]
    assert "container=main" in server.seen[0][1]


def test_a_log_that_is_followed_goes_on_after_a_break_and_says_nothing_twice(
    served: Any,
) -> None:
    broken = Answer(body=b"one\ntwo\n", broken=True)
    whole = Answer(body=b"one\ntwo\nthree\n")
    cluster, server = served(Answers(log=[broken, Answer(0), whole]))

    assert list(cluster.log("pod", follow=True)) == ["one", "two", "three"]
    assert len(server.seen) == 3


def test_a_log_that_is_read_once_and_breaks_off_is_an_error(served: Any) -> None:
    cluster, _ = served(Answers(log=[Answer(body=b"one\n", broken=True)]))
    lines = cluster.log("pod")

    assert next(lines) == "one"
    with pytest.raises(ClusterError):
        next(lines)


def test_a_pod_that_is_gone_is_said_to_be(served: Any) -> None:
    missing = failure(404, 'pods "pod" not found', kind="pods", name="pod")
    cluster, _ = served(Answers(log=[missing]))

    with pytest.raises(ClusterError, match="pod 'pod'") as raised:
        list(cluster.log("pod", follow=True))

    assert raised.value.status == 404
