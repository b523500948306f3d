"""A search by the local engine: trials that raise, and trials whose process is killed."""

from __future__ import annotations

import json
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest
from pipelines.project import QUIET, KedroProject

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

pytest.importorskip("sklearn")
pytest.importorskip("optuna")

TRIALS, BATCH = 4, 2

# What a fit does at an alpha is in files, so that all runs are of one definition.
NODES = f"""
    import os, pickle, signal
    from pathlib import Path

    import numpy as np
    from kedro.pipeline import node
    from kedro_rats import cross_validate, estimator, metric, tune
    from optuna.distributions import FloatDistribution
    from optuna.samplers import TPESampler
    from sklearn.datasets import load_diabetes
    from sklearn.linear_model import Ridge
    from sklearn.metrics import r2_score
    from sklearn.model_selection import KFold
    from sklearn.preprocessing import StandardScaler


    def is_named(alpha, file):
        named = Path(file).read_text().split() if Path(file).exists() else []
        return repr(alpha) in named or "all" in named


    def fit(Z, y, ridge):
        with open("fits", "a") as fits:
            fits.write(repr(ridge["alpha"]) + "\\n")
        if is_named(ridge["alpha"], "raise"):
            raise ValueError("no such luck")
        if is_named(ridge["alpha"], "kill"):
            os.kill(os.getpid(), signal.SIGKILL)
        return Ridge(**ridge).fit(Z, y)


    def predict(state, Z):
        return state.predict(Z)


    def load():
        X, y = load_diabetes(return_X_y=True)
        return np.ascontiguousarray(X[:90]), y[:90]


    def listed(study, best):
        told = [
            [t.number, t.state.name, t.values, t.params]
            for t in pickle.loads(study).trials
        ]
        return {{"trials": told, "best": best}}


    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    ridge = estimator(
        fit, predict, fit_inputs=["Z", "y", "params:ridge"], inputs="Z",
        outputs="yhat", name="ridge",
    )
    cv = cross_validate(
        scale + ridge,
        splitter=KFold(2),
        rows=["X", "y"],
        metrics={{"r2": metric(r2_score, inputs=["y", "yhat"])}},
        name="cv",
    )
    best = tune(
        cv,
        space={{"params:ridge.alpha": FloatDistribution(1e-3, 1e3, log=True)}},
        objective="r2",
        trials={TRIALS},
        batch={BATCH},
        # Two by chance: what is asked for later depends on what was told.
        sampler=TPESampler(seed=0, n_startup_trials={BATCH}),
        max_failed=2,
        name="tune",
    )
    PIPELINE = [
        node(load, None, ["X", "y"], name="load"),
        *best.train.to_outputs("tune.study", "tune.best").nodes,
        node(listed, ["tune.study", "tune.best"], "listed", name="listed"),
    ]
    """
FILES = {
    "nodes.py": NODES,
    "conf/base/parameters.yml": "ridge: {alpha: 1.0}",
    "conf/base/catalog.yml": """
        listed: {type: searched.files.JsonFile, filepath: data/listed.json}
        """,
    "conf/logging.yml": QUIET,
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what an undisturbed run of Kedro's own runner finds."""
    project = KedroProject.make(tmp_path_factory.mktemp("whole") / "searched", FILES)
    project.kedro("run").ok()
    return found(project)


@pytest.fixture
def project(tmp_path: Path) -> KedroProject:
    return KedroProject.make(tmp_path / "searched", FILES)


def found(project: KedroProject) -> Any:
    return json.loads((project.folder / "data" / "listed.json").read_text())


def alpha_of(listed: Any, number: int) -> float:
    return listed["trials"][number][3]["params:ridge.alpha"]


def test_a_search_finds_what_kedros_runner_finds(
    project: KedroProject, whole: Any
) -> None:
    project.run().ok()

    assert found(project) == whole
    assert [trial[1] for trial in whole["trials"]] == ["COMPLETE"] * TRIALS
    assert len({alpha_of(whole, n) for n in range(TRIALS)}) == TRIALS


def test_a_trial_that_raises_is_told_as_failed_and_the_search_goes_on(
    project: KedroProject, whole: Any, tmp_path: Path
) -> None:
    project.write("raise", repr(alpha_of(whole, 1)))
    by_kedro = KedroProject(
        shutil.copytree(project.folder, tmp_path / "k" / "searched")
    )

    project.run().ok()
    by_kedro.kedro("run").ok()

    states = [trial[1] for trial in found(project)["trials"]]
    assert states == ["COMPLETE", "FAIL", *["COMPLETE"] * (TRIALS - 2)]
    assert found(project) == found(by_kedro)
    assert found(project)["trials"][2:] != whole["trials"][2:]


# Tasks run in the process of the run, unless each has its own; that takes longer.
@pytest.mark.parametrize(("number", "isolate"), [(0, []), (3, []), (2, ["--isolate"])])
def test_a_trial_whose_process_is_killed_is_mended_by_resume_with_the_same_study(
    number: int, isolate: list[str], project: KedroProject, whole: Any
) -> None:
    victim = alpha_of(whole, number)
    project.write("kill", repr(victim))

    killed = project.run(*isolate)

    # It is no failed trial, of which the search would allow some: nothing was told.
    assert killed.code == (137 if isolate else -signal.SIGKILL), killed.said
    assert not isolate or f"trial_{number}" in killed.said
    assert not (project.folder / "data").exists()
    earlier = {repr(alpha_of(whole, n)) for n in range(number - number % BATCH)}
    assert earlier < set(project.lines("fits"))

    (project.folder / "kill").unlink()
    (project.folder / "fits").unlink()
    (run,) = project.runs()
    project.run(*isolate, "--resume", run).ok()

    assert found(project) == whole
    again = project.lines("fits")
    assert again.count(repr(victim)) >= 2
    assert not earlier & set(again)


def test_a_search_that_lost_too_many_trials_says_which_error_was_the_last(
    project: KedroProject,
) -> None:
    project.write("raise", "all")

    ran = project.run()

    assert ran.code == 2
    assert "expected at most 2 failed trials, got 4" in ran.said
    assert "no such luck" in ran.said
