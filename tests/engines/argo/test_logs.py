"""Logs of tasks: which attempt, from the pod, from Argo's server; or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from pipelines.api_server import Answer, ApiServer
from pipelines.recordings import TASK, plan_of, plan_of_one, recorded

from kedro_rats.engines.argo.cluster.client import ClusterError
from kedro_rats.engines.argo.logs.archive import place_of
from kedro_rats.engines.argo.logs.reading import (
    Archive,
    Tried,
    attempts_on,
    chosen,
    find_task,
    log_of,
)
from kedro_rats.errors import DefinitionError, RatsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Json = dict[str, Any]

TOKEN = "Bearer canary-of-the-token"  # noqa: S105 - a canary


@dataclass
class Pods:
    """A cluster that has the logs of some pods."""

    logs: dict[str, list[str]] = field(default_factory=dict)
    starting: int = 0
    ended: bool = False

    def log(self, pod: str, *, follow: bool) -> Iterator[str]:
        if self.starting:
            self.starting -= 1
            raise ClusterError("container is waiting to start", status=400)
        if pod not in self.logs:
            raise ClusterError(f"pod {pod!r}: none", status=404)
        yield from self.logs[pod]

    def get(self, name: str) -> Json:
        return {"status": {"phase": "Failed" if self.ended else "Running"}}


def tried(situation: str, number: int | None = None) -> Tried:
    workflow = recorded(situation)["workflow"]
    return chosen(attempts_on([workflow], TASK), number, "clf.fit")


def lines(pods: Pods, attempt: Tried, **options: Any) -> list[str]:
    archive = options.pop("archive", Archive())
    return list(log_of(pods, attempt, archive, **options))  # type: ignore[arg-type]


@pytest.fixture
def served() -> Iterator[ApiServer]:
    def answer(method: str, path: str) -> Answer:
        known = path.startswith("/argo/artifacts/argo/watching-succeeded-")
        return Answer(200, b"from the\narchive\n") if known else Answer(404, b"none")

    with ApiServer(answer) as server:
        yield server


# ------------------------------------------------------------------------ which task


@pytest.mark.parametrize("name", ["clf.fit", TASK])
def test_a_task_is_found_by_its_label_and_its_name(name: str) -> None:
    assert find_task(plan_of_one(), name).name == TASK


def test_a_task_of_several_nodes_is_found_by_each_of_them() -> None:
    assert find_task(plan_of_one(nodes=3), "clf.fit_2").name == TASK


def test_an_unknown_node_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        DefinitionError, match=r"got 'clf\.fitt'\. Did you mean 'clf\.fi"
    ):
        find_task(plan_of("clf.fit", "clf.apply"), "clf.fitt")


# --------------------------------------------------------------------- which attempt


def test_attempts_are_counted_over_all_workflows_of_a_run() -> None:
    workflows = [recorded(s)["workflow"] for s in ("exit-75-retried", "succeeded")]

    found = attempts_on(workflows, TASK)

    assert [each.number for each in found] == [1, 2, 3]
    assert [each.pod.phase for each in found] == ["Failed", "Failed", "Succeeded"]
    assert chosen(found, None, "clf.fit") == found[-1]
    assert chosen(found, 2, "clf.fit") == found[1]


@pytest.mark.parametrize("number", [0, 3, -1])
def test_an_attempt_that_there_was_not_is_refused(number: int) -> None:
    with pytest.raises(DefinitionError, match="--attempt: expected 1 to 2"):
        tried("exit-75-retried", number)


def test_a_task_that_has_not_begun_has_no_log() -> None:
    with pytest.raises(RatsError, match="expected a pod of it, got none so far"):
        chosen([], None, "clf.fit")


# ------------------------------------------------------------------------ from a pod


def test_what_argo_writes_around_a_log_is_left_out() -> None:
    attempt = tried("exit-1")
    pods = Pods(
        {
            attempt.pod.pod: [
                'time="2026-11-21T16:56:02.020Z" level=info msg="capturing logs" argo=true',
                "time=noon level=mine",
                "",
                "bye",
                'time="2026-11-21T16:56:02Z" level=info msg="sub-process exited" argo=true error="<nil>"',
            ]
        }
    )

    assert lines(pods, attempt) == ["time=noon level=mine", "", "bye"]


def test_a_pod_that_has_not_started_says_why() -> None:
    with pytest.raises(RatsError, match=r"container has started, got: its image"):
        lines(Pods(starting=1), tried("image-missing"))


def test_following_waits_for_the_start_and_no_longer_than_the_run() -> None:
    attempt = tried("image-missing")
    log = {attempt.pod.pod: ["hello"]}

    assert lines(Pods(log, starting=1), attempt, follow=True) == ["hello"]
    with pytest.raises(RatsError, match="expected that its container has started"):
        lines(Pods(log, starting=9, ended=True), attempt, follow=True)


def test_another_error_of_the_cluster_is_not_taken_for_a_pod_that_is_gone() -> None:
    class Forbidden(Pods):
        def log(self, pod: str, *, follow: bool) -> Iterator[str]:
            raise ClusterError("the right to get pods/log", status=403)

    with pytest.raises(ClusterError, match="the right to get pods/log"):
        lines(Forbidden(), tried("succeeded"))


# ------------------------------------------------------------------ from the archive


def archived(situation: str) -> Tried:
    """An attempt whose log Argo has archived."""
    workflow = recorded(situation)["workflow"]
    artifact = {"name": "main-logs", "s3": {"key": "run/pod/main.log"}}
    for node in workflow["status"]["nodes"].values():
        node.setdefault("outputs", {})["artifacts"] = [artifact]
    return chosen(attempts_on([workflow], TASK), None, "clf.fit")


def test_a_log_that_is_nowhere_says_what_to_set() -> None:
    with pytest.raises(RatsError) as raised:
        lines(Pods(), tried("deleted"))

    assert "neither: the pod was deleted" in str(raised.value)
    assert "ext.argo.artifacts" in str(raised.value)
    assert "ext.argo.pods: keep" in str(raised.value)


def test_argos_server_is_asked_with_the_token(
    served: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGO_TOKEN", TOKEN)
    attempt = archived("succeeded")
    archive = Archive(server=f"{served.url}/argo/")

    assert lines(Pods(), attempt, archive=archive) == ["from the", "archive"]
    ((_, path),) = served.seen
    assert path.endswith(f"/{attempt.pod.node}/main-logs")
    assert served.headers[0]["Authorization"] == TOKEN


def test_a_server_that_refuses_is_one_line_without_the_token(
    served: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGO_TOKEN", TOKEN)
    archive = Archive(server=served.url)

    with pytest.raises(RatsError) as raised:
        lines(Pods(), archived("succeeded"), archive=archive)

    assert "(HTTP 404)" in str(raised.value)
    assert "ARGO_TOKEN" in str(raised.value)
    assert "canary" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_server_that_is_not_there_is_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ARGO_TOKEN", TOKEN)
    archive = Archive(server="http://127.0.0.1:1")

    with pytest.raises(RatsError, match=r"Argo's server 'http://127\.0\.0\.1:1'"):
        lines(Pods(), archived("succeeded"), archive=archive)


def test_the_place_of_a_log_is_its_own_or_the_repositorys() -> None:
    reference = {"artifactRepository": {"s3": {"bucket": "logs"}}}
    workflow = {"status": {"artifactRepositoryRef": reference}}

    assert place_of({"s3": {"key": "a/main.log"}}, workflow) == "logs/a/main.log"
    assert place_of({"s3": {"key": "a", "bucket": "own"}}, workflow) == "own/a"
    assert place_of({"gcs": {"key": "a"}}, workflow) is None


def test_a_log_that_is_not_on_s3_needs_argos_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ARGO_TOKEN", raising=False)
    attempt = archived("succeeded")
    attempt.workflow["status"].pop("artifactRepositoryRef", None)

    with pytest.raises(RatsError, match=r"another kind.*ext\.argo\.server"):
        lines(Pods(), attempt)


def test_access_to_s3_that_is_refused_shows_no_credentials(tmp_path: Path) -> None:
    pytest.importorskip("s3fs")
    credentials = {
        "key": "canary-key",
        "secret": "canary-secret",
        "client_kwargs": {"endpoint_url": "http://127.0.0.1:1", "region_name": "x"},
        "config_kwargs": {"retries": {"total_max_attempts": 1}},
    }

    with pytest.raises(RatsError) as raised:
        lines(Pods(), archived("exit-1"), archive=Archive(credentials=credentials))

    assert "the pod is gone, and its archived log cannot be read" in str(raised.value)
    assert "canary" not in str(raised.value)
