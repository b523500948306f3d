"""One workflow for one request, whoever else submits, and whatever answer is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from kedro.pipeline import Pipeline, node
from pipelines import engine_steps as steps
from pipelines.prepared import prepared, run_task

from kedro_rats.engines.argo.cluster.client import (
    ClusterError,
    NoSuchWorkflow,
    WorkflowExists,
)
from kedro_rats.engines.argo.naming import PLAN, REQUEST
from kedro_rats.engines.argo.reading import argo_settings
from kedro_rats.engines.argo.submission import rehearse, retry, submit
from kedro_rats.errors import RatsError
from kedro_rats.placement.schema import parse

pytest.importorskip("hera", reason="needs the extra kedro-rats[argo]")

Json = dict[str, Any]

RATS_YML = parse(
    {
        "image": {"slim": "registry.example/slim:1"},
        "default": {"image": "slim"},
        "ext": {"argo": {"namespace": "ml", "server": "https://argo.example"}},
    }
)
SETTINGS = argo_settings(RATS_YML)


@dataclass
class Workflows:
    """A cluster of which only names, annotations and phases of workflows count.

    Attributes:
        before_answer: Is called when a workflow is to be made, and may be faster.
    """

    namespace: str = "ml"
    kept: dict[str, Json] = field(default_factory=dict)
    before_answer: Any = None
    made: list[str] = field(default_factory=list)

    def create(self, manifest: Json, *, dry_run: bool = False) -> None:
        if self.before_answer:
            first, self.before_answer = self.before_answer, None
            first(manifest)
        name = manifest["metadata"]["name"]
        if name in self.kept:
            raise WorkflowExists(f"Workflow {name!r} exists.")
        if not dry_run:
            self.made.append(name)
            self.put(manifest)

    def put(self, manifest: Json, phase: str = "Running") -> None:
        found = {**manifest, "status": {"phase": phase}}
        self.kept[manifest["metadata"]["name"]] = found

    def end(self, name: str, phase: str = "Failed") -> None:
        self.kept[name]["status"]["phase"] = phase

    def get(self, name: str) -> Json:
        if name not in self.kept:
            raise NoSuchWorkflow(name)
        return self.kept[name]

    def list(self, labels: Json) -> list[Json]:
        return [
            found
            for found in reversed(self.kept.values())
            if labels.items() <= found["metadata"]["labels"].items()
        ]


@pytest.fixture
def made(folder: Any) -> Any:
    """A run in a store, of one node that refuses its input."""
    pipeline = Pipeline([node(steps.refuse, "x", "y", name="only")])
    return prepared(pipeline, {"x": 1}, settings=RATS_YML)


def submitted(made: Any, cluster: Any) -> Any:
    plan, store = made.lowered.plan, made.store
    return submit(cluster, plan, made.request, store=store, settings=SETTINGS)


def retried(made: Any, cluster: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    # The store of this test is a folder, which pods could not reach.
    monkeypatch.setattr(
        "kedro_rats.engines.argo.submission.ArgoEngine.breaches", lambda *_, **__: []
    )
    return retry(cluster, "r1", store=made.store, rats_yml=RATS_YML, settings=SETTINGS)


def test_submitted_twice_it_is_one_workflow(made: Any) -> None:
    cluster = Workflows()

    first, second = submitted(made, cluster), submitted(made, cluster)

    assert (first.created, second.created) == (True, False)
    assert cluster.made == [first.workflow] == [second.workflow]
    assert first.address == f"https://argo.example/workflows/ml/{first.workflow}"


def test_submitted_again_after_a_retry_it_is_the_retry(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Workflows()
    first = submitted(made, cluster)
    cluster.end(first.workflow)
    second = retried(made, cluster, monkeypatch)

    again = submitted(made, cluster)

    assert second.workflow == f"{first.workflow}-r2"
    assert (again.workflow, again.created) == (second.workflow, False)


def test_another_request_under_the_name_of_the_workflow_is_refused(made: Any) -> None:
    cluster = Workflows()
    submitted(made, cluster)
    other = replace(made, request=replace(made.request, about={"git": "other"}))

    with pytest.raises(ClusterError, match="got one of another request"):
        submitted(other, cluster)


def test_a_rehearsal_of_what_is_there_says_so(made: Any) -> None:
    cluster = Workflows()
    first = submitted(made, cluster)
    manifest = cluster.kept[first.workflow]
    plan = manifest["metadata"]["annotations"][PLAN]
    new = {"metadata": {**manifest["metadata"], "name": "new"}}

    assert not rehearse(cluster, manifest, run="r1", plan=plan)  # type: ignore[arg-type]
    assert rehearse(cluster, new, run="r1", plan=plan)  # type: ignore[arg-type]
    with pytest.raises(ClusterError, match="another plan"):
        rehearse(cluster, manifest, run="r1", plan="0" * 64)  # type: ignore[arg-type]
    assert cluster.made == [first.workflow]


def test_two_retries_at_once_are_one_workflow(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Workflows()
    first = submitted(made, cluster)
    cluster.end(first.workflow)
    # Also how it looks where the answer to our own request was lost.
    cluster.before_answer = cluster.put

    found = retried(made, cluster, monkeypatch)

    assert (found.workflow, found.created) == (f"{first.workflow}-r2", False)
    assert list(cluster.kept) == [first.workflow, found.workflow]


def test_a_retry_goes_past_names_of_workflows_that_have_ended(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Workflows()
    first = submitted(made, cluster)
    cluster.end(first.workflow)
    # One that the list does not show yet.
    cluster.before_answer = lambda manifest: cluster.put(manifest, "Failed")

    found = retried(made, cluster, monkeypatch)

    assert (found.workflow, found.created) == (f"{first.workflow}-r3", True)
    request = cluster.kept[found.workflow]["metadata"]["annotations"][REQUEST]
    assert request == made.request.digest


def test_a_run_that_goes_on_is_not_retried(
    made: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Workflows()
    submitted(made, cluster)

    with pytest.raises(RatsError, match="expected that it has ended"):
        retried(made, cluster, monkeypatch)


def test_a_run_that_is_done_is_not_retried(
    folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = prepared(Pipeline([node(steps.first, "x", "y", name="only")]), {"x": [1]})
    run_task(made, next(iter(made.lowered.plan)))

    assert retried(made, Workflows(), monkeypatch) is None
