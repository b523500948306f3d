"""Searches as pods: folds, rounds and trials, of which one is lost and others raise."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from cluster import harness
from cluster.committed import Run, assert_committed_once

from kedro_rats.store.records import attempts_of

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.cluster

REPORTS = "08_reporting"
TUNED = (
    "tune_metrics.json",
    "tune_scores.csv",
    "tune_trials_fold_0.csv",
    "tune_trials_fold_1.csv",
)
# A search of which some trials raise, in every process the same ones.
SHAKY = """
from kedro_rats import estimator, holdout, tune
from optuna.distributions import FloatDistribution
from optuna.samplers import TPESampler
from sklearn.linear_model import LogisticRegression

from .pipelines import model, preparation


def fit(X, y, options):
    if options["C"] < 3:
        raise ValueError("C is too small")
    return LogisticRegression(**options).fit(X.fillna(0), y)


def decide(state, X):
    return state.decision_function(X.fillna(0))


def shaky():
    learner = estimator(
        fit,
        decide,
        fit_inputs=["X", "y", "params:clf"],
        inputs="X",
        outputs="d",
        name="clf",
        train_outputs=False,
    )
    judged = holdout(
        learner,
        rows=["X", "y"],
        metrics={"auc": model.METRICS["auc"]},
        name="half",
    )
    search = tune(
        judged,
        space={"params:clf.C": FloatDistribution(1e-3, 1e3, log=True)},
        objective="auc",
        trials=4,
        batch=2,
        max_failed=3,
        sampler=TPESampler(seed=0),
        name="shaky",
    )
    return (preparation.preparation() + search).train
"""
REGISTRY = """

_of_the_starter = register_pipelines


def register_pipelines():
    from .shaky import shaky

    return {**_of_the_starter(), "shaky": placed(shaky())}
"""


@dataclass
class Ran:
    """Two searches that were run here, and side by side on the cluster."""

    project: harness.Project
    runs: dict[str, str]
    workflows: dict[str, dict[str, Any]]
    killed: str


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[harness.Project], harness.Project],
) -> Ran:
    project = cleaned(harness.new_starter(tmp_path_factory.mktemp("p")))
    package = project.path / "src/penguins"
    (package / "shaky.py").write_text(SHAKY)
    with (package / "pipeline_registry.py").open("a") as registry:
        registry.write(REGISTRY)
    tiny = {"cpu": "50m", "memory": "512Mi"}
    project.configure(
        image={"sklearn": {"ref": harness.image(1)}},
        resources={"small": tiny, "medium": tiny},
        ext={"argo": {"artifacts": True, "pods": "keep"}},
    )
    submitted = {
        name: project.submit(f"--pipelines={name}") for name in ("tune", "shaky")
    }
    tune = submitted["tune"]
    killed = kill_a_trial(Run.of(project, tune["run"]), tune["workflow"])
    project.kedro("run", "--pipelines=tune")
    project.kedro("rats", "run", "--pipelines=shaky")
    workflows = {
        name: harness.succeeded(each["workflow"], seconds=1500)
        for name, each in submitted.items()
    }
    runs = {name: each["run"] for name, each in submitted.items()}
    return Ran(project, runs, workflows, killed)


def kill_a_trial(run: Run, workflow: str) -> str:
    """Delete the pod of a trial whose process has begun; return its task."""
    begun: dict[str, Any] = {}

    def one_has() -> bool:
        for pod in harness.pods(workflow):
            task = harness.task_of(pod)
            # A trial is one task; its name is cut before the word for a label.
            if re.match("group-.*-round-", task):
                attempts = attempts_of(run.store, run.name, task)
                if attempts and all(each.ended is None for each in attempts):
                    begun[task] = pod
        return bool(begun)

    harness.until(one_has, seconds=600)
    task, pod = begun.popitem()
    harness.core().delete_namespaced_pod(
        pod.metadata.name, harness.namespace(), grace_period_seconds=0
    )
    return task


@pytest.mark.parametrize("name", TUNED)
def test_a_search_as_pods_finds_what_the_laptop_finds(ran: Ran, name: str) -> None:
    here = (ran.project.path / "data" / REPORTS / name).read_bytes()

    assert harness.published(ran.project, f"penguins/{REPORTS}/{name}") == here


def test_a_trial_whose_pod_was_killed_ran_again(ran: Ran) -> None:
    status = ran.project.asked("status", ran.runs["tune"])
    run = Run.of(ran.project, ran.runs["tune"])

    # Argo makes a pod that is lost in its first ten seconds anew, as the same attempt of
    # its own: what has begun is in the store.
    attempts = attempts_of(run.store, run.name, ran.killed)
    assert sorted(each.ended is None for each in attempts) == [False, True]
    assert {task["state"] for task in status["tasks"]} == {"done"}
    assert_committed_once(run)


def test_trials_that_raise_are_told_as_failed_and_the_search_goes_on(ran: Ran) -> None:
    there = trials(ran.project.get("shaky.trials", run=ran.runs["shaky"]))
    ran.project.kedro("rats", "get", "shaky.trials", "--to=here")
    here = trials(ran.project.path / "here")

    states = [row["state"] for row in there]
    assert len(states) == 4
    assert "FAIL" in {state.upper() for state in states}
    assert "COMPLETE" in {state.upper() for state in states}
    assert there == here


def trials(folder: Any) -> list[dict[str, Any]]:
    """Return the rows of a table of trials, without what a clock has written."""
    import pandas as pd

    (file,) = folder.iterdir()
    table = pd.read_parquet(file) if file.suffix == ".parquet" else pd.read_csv(file)
    timed = [name for name in table if "time" in name or "duration" in name]
    rows = table.drop(columns=timed).to_json(orient="records", double_precision=15)
    return list(json.loads(rows))


def test_status_shows_folds_and_trials_as_a_tree(ran: Ran) -> None:
    text = ran.project.rats("status", ran.runs["tune"]).out

    lines = [line for line in text.splitlines() if line.strip()]
    depth = {line.strip().split()[0]: len(line) - len(line.lstrip()) for line in lines}
    assert "succeeded" in text
    assert "outer" in depth
    assert any(part.startswith("outer") for part in depth)


def test_argo_shows_the_logs_and_small_results_as_artifacts(ran: Ran) -> None:
    fs = harness.bucket()
    keys = [
        (node.get("displayName"), each["name"], each["s3"]["key"])
        for node in ran.workflows["tune"]["status"]["nodes"].values()
        if node["type"] == "Pod" and node["phase"] == "Succeeded"
        for each in node.get("outputs", {}).get("artifacts", [])
    ]
    repository = ran.workflows["tune"]["status"]["artifactRepositoryRef"]
    bucket = repository["artifactRepository"]["s3"]["bucket"]

    logs = [key for _, name, key in keys if name == "main-logs"]
    results = [key for _, name, key in keys if name != "main-logs"]
    assert logs
    assert all(fs.exists(f"{bucket}/{key}") for key in logs)
    shown = {path for key in results for path in fs.find(f"{bucket}/{key}")}
    assert any("summary" in path for path in shown), shown
    assert any("plot" in path for path in shown), shown
