"""The starter's searches: a cross-validated search, and a pseudolabelled variant.

Both are combinators inside combinators. Every runner gives the same numbers, and Kedro-Viz
draws all of it.
"""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from pipelines.starter import copy_of, kedro, new_project

if TYPE_CHECKING:
    from pathlib import Path

for _needed in ("kedro_viz", "kedro_datasets", "optuna"):
    pytest.importorskip(_needed, reason="needs the extra kedro-rats[starter]")
pd = pytest.importorskip("pandas")

SEARCHES = ("tune", "pseudolabel")

# More, and the graph is not drawn before somebody insists: `chonkyNodeAmount` of Kedro-Viz.
DRAWN_AT_ONCE = 1000

RUNNERS = ("SequentialRunner", "ThreadRunner", "ParallelRunner", "LocalRunner")

# One process for all runners: to start Kedro takes longer than to run.
DRIVER = """
import json, sys
from pathlib import Path

import kedro.runner
import kedro_rats
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

if __name__ == "__main__":
    folder, pipeline = Path.cwd(), sys.argv[1]
    bootstrap_project(folder)
    made = {}
    for name in sys.argv[2:]:
        runner = getattr(kedro.runner, name, None) or getattr(kedro_rats, name)
        with KedroSession.create(project_path=folder) as session:
            session.run(pipeline_name=pipeline, runner=runner())
        made[name] = {}
        for path in sorted((folder / "data" / "08_reporting").glob("[!.]*")):
            made[name][path.name] = path.read_text()
            path.unlink()
    print(json.dumps(made))
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a new project in it."""
    folder = tmp_path_factory.mktemp("made")
    done = new_project(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def fresh(made: Path, tmp_path: Path) -> Path:
    return copy_of(made, tmp_path)


@pytest.fixture(scope="module")
def by_runner(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return, for each search and runner, the text of all files that a run wrote."""
    project = copy_of(made, tmp_path_factory.mktemp("runners"))
    (project / "drive.py").write_text(DRIVER)
    found = {}
    for search in SEARCHES:
        done = subprocess.run(
            [sys.executable, "drive.py", search, *RUNNERS],
            cwd=project,
            env={**os.environ, "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found[search] = json.loads(done.stdout.splitlines()[-1])
    return found


# --- numbers ----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("search", SEARCHES)
def test_every_runner_gives_the_same_numbers(search: str, by_runner: Any) -> None:
    files = by_runner[search]

    assert list(files) == list(RUNNERS)
    expected = files["SequentialRunner"]
    assert {f"{search}_{name}" for name in ("metrics.json", "scores.csv")} < set(
        expected
    )
    for runner in RUNNERS[1:]:
        assert files[runner] == expected, runner


@pytest.mark.slow
def test_tasks_with_a_process_of_their_own_give_the_same_trials(
    fresh: Path, by_runner: Any
) -> None:
    # Each task starts Python, so only the search in the first fold.
    last = "outer.fold_0.train.tune.report"
    select = ["--pipelines=tune", f"--to-nodes={last}"]
    kedro("rats", "run", "--isolate", *select, cwd=fresh)

    reporting = fresh / "data" / "08_reporting"
    (written,) = reporting.glob("*.csv")
    expected = by_runner["tune"]["SequentialRunner"]
    assert written.read_text() == expected[written.name]
    assert written.name == "tune_trials_fold_0.csv"


def test_the_numbers_are_those_of_loops_over_scikit_learn_and_optuna(
    made: Path, by_runner: Any
) -> None:
    files = by_runner["tune"]["SequentialRunner"]

    expected, trials = by_loops(*penguins(made / "my-model"))

    scores = [line.split(",") for line in files["tune_scores.csv"].splitlines()[1:]]
    found = [float(value) for _, _, metric, value, _ in scores if metric == "auc"]
    assert found == expected
    for fold, values in enumerate(trials):
        lines = files[f"tune_trials_fold_{fold}.csv"].splitlines()[1:]
        assert [float(line.split(",")[2]) for line in lines] == values
    assert len({value for values in trials for value in values}) > 2


def penguins(project: Path) -> tuple[Any, Any, Any]:
    """Return features, sex and bird of each row, by other code than the starter's."""
    table = pd.read_csv(project / "data" / "01_raw" / "penguins.csv")
    numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    X = table[[*numbers, "delta_15_n", "delta_13_c"]].astype(float)
    for species in ["Adelie", "Chinstrap", "Gentoo"]:
        X[f"species_{species}"] = (table["species"] == species).astype(float)
    return X, table["sex"], table["species"] + " " + table["individual_id"]


def by_loops(X: Any, y: Any, birds: Any) -> tuple[list[float], list[list[float]]]:
    """Return the score of each outer fold, and the values of the trials in each."""
    import optuna
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupShuffleSplit, StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def auc(c: float, train: Any, test: Any) -> float:
        classifier = LogisticRegression(C=c, max_iter=1000)
        model = make_pipeline(SimpleImputer(), StandardScaler(), classifier)
        model.set_output(transform="pandas").fit(X.iloc[train], y.iloc[train])
        return roc_auc_score(y.iloc[test], model.decision_function(X.iloc[test]))

    scores, values = [], []
    for train, test in StratifiedGroupKFold(2).split(X, y, birds):
        halves = GroupShuffleSplit(1, test_size=0.5, random_state=0)
        ((fit, judge),) = halves.split(train, groups=birds.iloc[train])
        sampler = optuna.samplers.TPESampler(seed=0)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for _ in range(2):
            asked = [study.ask() for _ in range(2)]
            for trial in asked:
                trial.suggest_float("params:clf.C", 1e-3, 1e3, log=True)
            for trial in asked:
                c = trial.params["params:clf.C"]
                study.tell(trial, auc(c, train[fit], train[judge]))
        values.append([trial.value for trial in study.trials])
        best = max(study.trials, key=lambda trial: trial.value)
        scores.append(auc(best.params["params:clf.C"], train, test))
    return scores, values


# --- tasks ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plans(made: Path) -> dict[str, str]:
    """Return the plan of each search on a cluster, as JSON."""
    options = ("--env=cluster", "--output=json")
    return {
        search: kedro(
            *("rats", "plan", f"--pipelines={search}", *options), cwd=made / "my-model"
        ).stdout
        for search in SEARCHES
    }


@pytest.mark.parametrize(
    ("search", "group", "count", "memory"),
    [
        ("tune", r"outer\.fold_\d\.train\.tune\.round_\d\.trial_\d", 8, "2Gi"),
        ("tune", r"outer\.fold_\d\.train\.tune\.shared\.half\.fold_0", 2, "1Gi"),
        ("pseudolabel", r"semi\.fold_\d\.train\.own\.round_\d", 6, "2Gi"),
    ],
    ids=["trials", "what trials share", "rounds"],
)
def test_trials_and_rounds_are_tasks(
    search: str, group: str, count: int, memory: str, plans: Any
) -> None:
    tasks = json.loads(plans[search])["tasks"]

    grouped = [t for t in tasks if re.fullmatch(f"group {group}", t["label"])]
    assert len(grouped) == count
    assert all(len(task["nodes"]) > 3 for task in grouped)
    # What the classifier asks for holds for its whole task.
    assert {t["placement"]["resources"]["memory"] for t in grouped} == {memory}
    assert len(tasks) < 60


# --- the search in place of the model ---------------------------------------------------


def test_the_search_can_take_the_models_place(fresh: Path) -> None:
    registry = fresh / "src" / "my_model" / "pipeline_registry.py"
    text = registry.read_text()
    old = "    estimator = preparation.preparation() + model.by_component()\n"
    readme = (fresh / "README.md").read_text()
    (new,) = re.findall(r"^estimator = .*tuning\.tuned\(\)$", readme, re.MULTILINE)
    assert text.count(old) == 1
    registry.write_text(text.replace(old, f"    {new}\n"))
    kedro("run", cwd=fresh)

    metrics = json.loads((fresh / "data/08_reporting/test_metrics.json").read_text())
    assert metrics["auc"]["mean"] > 0.9
    assert {path.name for path in (fresh / "data/06_models").glob("*.pkl")} == {
        "impute.pkl",
        "scale.pkl",
        "clf.pkl",
    }
    clf = pickle.loads((fresh / "data/06_models/clf.pkl").read_bytes())
    assert clf.C != 1.0


# --- kedro viz --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def viz(made: Path, by_runner: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the API of Kedro-Viz for a project in which both searches ran, as files."""
    project = copy_of(made, tmp_path_factory.mktemp("viz"))
    for search in SEARCHES:
        for name, text in by_runner[search]["SequentialRunner"].items():
            (project / "data" / "08_reporting" / name).write_text(text)
    kedro("viz", "build", "--include-previews", cwd=project)
    return project / "build" / "api"


def drawn(api: Path, search: str) -> tuple[Counter[str], int]:
    """Return how many things of each type are drawn with all boxes open, and edges."""
    graph = json.loads((api / "pipelines" / search).read_text())
    kinds = {node["id"]: node["type"] for node in graph["nodes"]}
    hidden = {key for key, kind in kinds.items() if kind in ("modularPipeline",)}
    hidden |= {key for key, kind in kinds.items() if kind == "parameters"}
    edges = [e for e in graph["edges"] if not {e["source"], e["target"]} & hidden]
    return Counter(kind for key, kind in kinds.items() if key not in hidden), len(edges)


@pytest.mark.parametrize("search", SEARCHES)
def test_kedro_viz_draws_it_with_all_boxes_open(search: str, viz: Path) -> None:
    things, edges = drawn(viz, search)

    assert things["task"] > 100
    assert sum(things.values()) + 1.5 * edges < DRAWN_AT_ONCE


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("outer.roc_plot", "ROC curve"),
        ("outer.scores_plot", None),
        ("outer.fold_0.history_plot", "Search: 4 trials"),
        ("outer.fold_1.history_plot", "Search: 4 trials"),
        ("semi.scores_plot", None),
        ("semi.fold_2.rounds_plot", None),
    ],
)
def test_kedro_viz_previews_its_plots(name: str, title: str | None, viz: Path) -> None:
    preview = page_of(viz, name)["preview"]

    assert preview["data"]
    assert title is None or preview["layout"]["title"]["text"].startswith(title)


# Of a table, Kedro-Viz shows the first five rows.
@pytest.mark.parametrize(
    ("name", "rows"),
    [("outer.scores", 4), ("outer.fold_1.train.tune.trials", 4), ("semi.scores", 5)],
)
def test_kedro_viz_previews_its_tables(name: str, rows: int, viz: Path) -> None:
    assert len(page_of(viz, name)["preview"]["data"]) == rows


def page_of(api: Path, name: str) -> Any:
    (node,) = (
        node
        for search in SEARCHES
        for node in json.loads((api / "pipelines" / search).read_text())["nodes"]
        if node["name"] == name
    )
    return json.loads((api / "nodes" / node["id"]).read_text())


# --- a cluster --------------------------------------------------------------------------


@pytest.mark.parametrize("search", SEARCHES)
def test_on_a_cluster_all_that_a_search_leaves_is_in_the_bucket(
    search: str, plans: Any, by_runner: Any
) -> None:
    places = set(re.findall(r'"([^"]*08_reporting/[^"]*)"', plans[search]))

    assert places == {
        f"s3://my-bucket/my-model/08_reporting/{name}"
        for name in by_runner[search]["SequentialRunner"]
    }
