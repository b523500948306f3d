"""The starter from `kedro new` to a finished workflow, in two images."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cluster import harness

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.cluster

REPORTS = "08_reporting"
SIZES = {
    "small": {"cpu": "100m", "memory": "512Mi"},
    "medium": {"cpu": "200m", "memory": "768Mi"},
}
# Nodes that say what is installed where they run, as any node of a project could.
VERSIONS = """
from importlib.metadata import PackageNotFoundError, version

from kedro.pipeline import node, pipeline

PACKAGES = ("humanize", "numpy", "scikit-learn")


def installed():
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def versions():
    return pipeline(
        [
            node(installed, None, f"installed_{image}", tags=f"image.{image}",
                 name=f"installed_{image}")
            for image in ("default", "sklearn")
        ]
    )
"""
REGISTRY = """

_of_the_starter = register_pipelines


def register_pipelines():
    from .versions import versions

    found = _of_the_starter()
    return {**found, "__default__": found["__default__"] + versions()}
"""


@dataclass
class Ran:
    """What was run, and what came of it."""

    project: harness.Project
    submitted: dict[str, Any]
    workflow: dict[str, Any]
    pods: dict[str, Any]


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[harness.Project], harness.Project],
) -> Ran:
    images = {"sklearn": harness.image(2)}
    project = cleaned(harness.new_starter(tmp_path_factory.mktemp("p"), images=images))
    package = project.path / "src/penguins"
    (package / "versions.py").write_text(VERSIONS)
    with (package / "pipeline_registry.py").open("a") as registry:
        registry.write(REGISTRY)
    # Pods stay, so that they can be looked at.
    project.configure(resources=SIZES, ext={"argo": {"pods": "keep"}})
    submitted, _ = harness.all_at_once(project.submit, lambda: project.kedro("run"))
    workflow = harness.succeeded(submitted["workflow"])
    found = {harness.task_of(pod): pod for pod in harness.pods(submitted["workflow"])}
    return Ran(project, submitted, workflow, found)


@pytest.mark.parametrize("name", ["test_metrics.json", "test_scores.csv"])
def test_the_numbers_are_those_of_the_laptop_bit_for_bit(ran: Ran, name: str) -> None:
    here = (ran.project.path / "data" / REPORTS / name).read_bytes()

    there = harness.published(ran.project, f"penguins/{REPORTS}/{name}")

    assert there == here


def test_predictions_are_those_of_the_laptop(ran: Ran) -> None:
    path = "07_model_output/test_predictions.csv"

    there = harness.published(ran.project, f"penguins/{path}")

    assert there == (ran.project.path / "data" / path).read_bytes()


def test_each_pod_has_the_image_and_the_size_that_its_profile_says(ran: Ran) -> None:
    plan = ran.project.asked("plan")
    wanted = {
        task["name"]: (
            task["placement"]["image"]["ref"],
            task["placement"]["resources"]["cpu"],
            task["placement"]["resources"]["memory"],
        )
        for task in plan["tasks"]
    }

    got = {}
    for task, pod in ran.pods.items():
        main = harness.main_of(pod)
        asked, most = main.resources.requests, main.resources.limits
        got[task] = (main.image, asked["cpu"], asked["memory"])
        assert most == {"memory": asked["memory"]}

    assert got == wanted
    assert {image for image, *_ in got.values()} == {harness.image(1), harness.image(2)}
    assert {size for _, *size in map(list, got.values()) for size in [tuple(size)]} == {
        (size["cpu"], size["memory"]) for size in SIZES.values()
    }


def test_nodes_saw_that_the_two_images_differ_and_only_in_that(ran: Ran) -> None:
    seen = {}
    for image in ("default", "sklearn"):
        folder = ran.project.get(f"installed_{image}")
        (file,) = folder.iterdir()
        seen[image] = json.loads(file.read_text())

    assert seen["default"].pop("humanize") is None
    assert seen["sklearn"].pop("humanize") is not None
    assert seen["default"] == seen["sklearn"]


def test_what_each_node_gets_runs_in_the_image_that_its_tag_names(ran: Ran) -> None:
    second = {
        task.rpartition("-")[0]
        for task, pod in ran.pods.items()
        if harness.main_of(pod).image == harness.image(2)
    }

    assert second == {"clf-fit", "test-clf-apply", "installed-sklearn"}


def test_status_logs_list_and_get_tell_of_the_finished_run(ran: Ran) -> None:
    project, run = ran.project, ran.submitted["run"]

    status = project.asked("status")
    logs = project.rats("logs", "clf.fit").out
    listed = project.asked("list")
    metrics = project.get("test.summary", run=run)

    assert status["run"] == run
    assert status["state"] == "succeeded"
    assert {task["state"] for task in status["tasks"]} == {"done"}
    assert "clf-fit" in logs
    assert run in {each["run"] for each in listed}
    (file,) = metrics.iterdir()
    assert json.loads(file.read_text()).keys() == {"auc", "accuracy"}


def test_logs_of_a_pod_that_is_gone_come_from_the_archive(ran: Ran) -> None:
    pod = next(pod for task, pod in ran.pods.items() if task.startswith("scale-fit"))
    live = ran.project.rats("logs", "scale.fit_transform").out
    harness.core().delete_namespaced_pod(pod.metadata.name, harness.namespace())
    harness.until(lambda: pod.metadata.name not in _names(ran))

    archived = ran.project.rats("logs", "scale.fit_transform").out

    assert "scale-fit" in archived
    assert archived.splitlines()[-1] == live.splitlines()[-1]


def _names(ran: Ran) -> set[str]:
    return {pod.metadata.name for pod in harness.pods(ran.submitted["workflow"])}


def test_the_workflow_says_whose_it_is(ran: Ran) -> None:
    labels = ran.workflow["metadata"]["labels"]

    assert labels["rats.kedro/project"] == "penguins"
    assert labels["rats.kedro/run"] == ran.submitted["run"]
    assert labels["rats.kedro/pipeline"].startswith("default")
    assert all(
        pod.metadata.labels["rats.kedro/run"] == ran.submitted["run"]
        for pod in ran.pods.values()
    )
