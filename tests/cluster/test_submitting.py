"""What `compile`, `submit` and `kedro run --runner=kedro_rats.ArgoRunner` promise."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cluster import harness

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.cluster

TOY = Path(__file__).parent / "projects" / "toy"


@dataclass
class Begun:
    """A project of three nodes, and runs of it that go on side by side."""

    project: harness.Project
    first: dict[str, Any]


@pytest.fixture(scope="module")
def begun(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[harness.Project], harness.Project],
) -> Begun:
    folder = tmp_path_factory.mktemp("p")
    project = cleaned(harness.new_plain(folder, "toy", TOY))
    project.configure()
    return Begun(project, project.submit("--key=first"))


def workflows(project: harness.Project) -> set[str]:
    return {each["metadata"]["name"] for each in project.workflows()}


def runs(project: harness.Project) -> dict[str, str]:
    """Return what the store knows of runs: records, attempts, what was published."""
    return {k: tag for k, tag in project.found().items() if "/store/runs/" in k}


def test_compiled_twice_it_is_the_same_bytes(begun: Begun) -> None:
    written = []
    for number, seed in enumerate(("1", "77")):
        path = begun.project.path / f"workflow-{number}.json"
        begun.project.rats("compile", f"--output={path}", PYTHONHASHSEED=seed)
        written.append(path.read_bytes())

    assert written[0] == written[1]
    assert json.loads(written[0])["kind"] == "Workflow"


def test_a_rehearsal_leaves_nothing_in_the_store_and_on_the_cluster(
    begun: Begun,
) -> None:
    harness.succeeded(begun.first["workflow"])
    project = begun.project
    kept, made = project.found(), workflows(project)

    said = project.asked("submit", "--dry-run", "--params=n=12345")

    assert said["tasks"] == 3
    assert project.found() == kept
    assert workflows(project) == made


def test_submitted_twice_by_key_it_is_one_workflow_and_runs_once(begun: Begun) -> None:
    harness.succeeded(begun.first["workflow"])
    kept = runs(begun.project)

    again = begun.project.submit("--key=first")
    rehearsed = begun.project.asked("submit", "--key=first", "--dry-run")

    assert again == {**begun.first, "created": False}
    assert rehearsed["exists"]
    assert runs(begun.project) == kept
    assert begun.first["workflow"] in workflows(begun.project)


def test_the_same_key_for_something_else_is_refused(begun: Begun) -> None:
    done = begun.project.rats("submit", "--key=first", "--params=n=99", code=None)

    assert done.code != 0
    assert "first" in done.err
    assert "Traceback" not in done.text


def test_a_run_takes_what_another_has_made(begun: Begun) -> None:
    harness.succeeded(begun.first["workflow"])

    said = begun.project.submit("--nodes=total", "--from-run=first", "--wait")

    assert said["state"] == "succeeded"
    assert said["tasks"] == 1
    assert value(begun.project, "total", said["run"]) == sum(i * i for i in range(5))


def test_parameters_of_one_run_reach_its_pods(begun: Begun) -> None:
    said = begun.project.submit("--params=n=7", "--wait")

    assert value(begun.project, "total", said["run"]) == sum(i * i for i in range(7))


def test_the_runner_follows_the_run_and_leaves_its_outputs_in_the_catalog(
    begun: Begun,
) -> None:
    runner = ("--runner=kedro_rats.ArgoRunner", f"--env={harness.ENV}")

    done = begun.project.kedro("run", *runner, "--params=n=9")

    assert json.loads(harness.published(begun.project, "doubled.json")) == 2 * sum(
        i * i for i in range(9)
    )
    assert "squares" in done.text
    labels = [each["metadata"]["labels"] for each in begun.project.workflows()]
    assert {each["rats.kedro/pipeline"] for each in labels} == {"default"}


def test_what_failed_is_named_with_its_error_and_the_next_command(begun: Begun) -> None:
    done = begun.project.rats("submit", "--params=n=-1", "--wait", code=None)

    line = done.err.splitlines()[-1]
    assert done.code == 1
    assert "Node 'squares' failed: ValueError: n must not be negative" in line
    assert "kedro rats logs squares" in line
    assert "kedro rats retry" in line
    assert "Traceback" not in done.text


def value(project: harness.Project, dataset: str, run: str) -> Any:
    (file,) = project.get(dataset, run=run).iterdir()
    return json.loads(file.read_text())
