"""The starter: a project from ``kedro new --starter=rats``, used as a newcomer does."""

from __future__ import annotations

import base64
import csv
import json
import math
import pickle
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pipelines.starter import call, copy_of, kedro, new_project

if TYPE_CHECKING:
    from collections.abc import Mapping

GOLDEN = Path(__file__).parents[1] / "golden" / "starter_viz.json"

pytest.importorskip("kedro_viz", reason="needs the extra kedro-rats[starter]")
pytest.importorskip("kedro_datasets", reason="needs the extra kedro-rats[starter]")
pd = pytest.importorskip("pandas")


def metrics_of(project: Path) -> dict[str, dict[str, float]]:
    """Return the metrics that a run wrote."""
    path = project / "data" / "08_reporting" / "test_metrics.json"
    return json.loads(path.read_text())


def rows_of(path: Path) -> list[dict[str, str]]:
    """Return a CSV file as text, so that Python reads every digit of a number."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def replace(path: Path, old: str, new: str) -> None:
    """Edit a file as a user would; what is replaced must be there, once."""
    text = path.read_text()
    assert text.count(old) == 1, (
        f"{path.name}: {old!r} is there {text.count(old)} times"
    )
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Return a folder with a new project, and what Kedro said when it was made."""
    folder = tmp_path_factory.mktemp("made")
    return folder, new_project(folder)


@pytest.fixture(scope="module")
def project(
    made: tuple[Path, subprocess.CompletedProcess[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return the project that is run, and that no test edits."""
    return copy_of(made[0], tmp_path_factory.mktemp("starter"))


@pytest.fixture(scope="module")
def run(project: Path) -> subprocess.CompletedProcess[str]:
    return call("kedro", "run", cwd=project)


@pytest.fixture
def fresh(made: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path) -> Path:
    """Return a project of its own, for a test that edits it."""
    return copy_of(made[0], tmp_path)


# --- kedro new ---


def test_the_project_is_made_without_a_question(
    made: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = made

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Your project 'My Model' has been created" in done.stdout
    assert "Please enter" not in done.stdout
    assert [path.name for path in folder.iterdir()] == ["my-model"]


def test_every_file_of_the_template_is_in_the_project(fresh: Path) -> None:
    from kedro_rats.cli.starters import starter_path

    template = starter_path() / "{{ cookiecutter.repo_name }}"
    expected = {
        str(path.relative_to(template)).replace(
            "{{ cookiecutter.python_package }}", "my_model"
        )
        for path in template.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    found = {
        str(path.relative_to(fresh)) for path in fresh.rglob("*") if path.is_file()
    }

    assert found == expected
    assert {"data/01_raw/penguins.csv", ".gitignore", "README.md"} <= expected


def test_no_placeholder_of_the_template_is_left(fresh: Path) -> None:
    texts = {
        path: path.read_text(encoding="utf-8")
        for path in fresh.rglob("*")
        if path.is_file()
    }

    assert texts
    assert not [path for path, text in texts.items() if "cookiecutter" in text]


def test_git_keeps_the_table_and_ignores_what_a_run_writes(
    project: Path, run: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    assert run.returncode == 0, run.stderr
    fresh = copy_of(project.parent, tmp_path)
    (fresh / "conf" / "local" / "credentials.yml").write_text("key: secret\n")
    (fresh / "data" / "01_raw" / "mine.csv").write_text("a\n1\n")
    for command in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=fresh, check=True)

    listed = subprocess.run(
        ["git", "ls-files", "data", "conf/local"],
        cwd=fresh,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()

    assert [name for name in listed if not name.endswith(".gitkeep")] == [
        "data/01_raw/README.md",
        "data/01_raw/penguins.csv",
        "data/01_raw/penguins_held_out.csv",
    ]


# --- kedro run ---


def test_the_registered_pipelines_are_explicit(project: Path) -> None:
    done = kedro("registry", "list", cwd=project)

    names = ["__default__", "evaluate", "pseudolabel", "train", "tune"]
    assert done.stdout.split() == [word for name in names for word in ("-", name)]


def test_a_run_succeeds_and_leaves_stdout_to_programs(
    run: subprocess.CompletedProcess[str],
) -> None:
    assert run.returncode == 0, run.stderr
    assert run.stdout == ""
    assert "Pipeline execution completed" in run.stderr
    assert "Warning" not in run.stderr


@pytest.mark.usefixtures("run")
def test_the_metrics_are_those_of_scikit_learn_exactly(project: Path) -> None:
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import accuracy_score, roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    numbers = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"]
    numbers += ["delta_15_n", "delta_13_c"]

    def read(name: str) -> tuple[Any, Any]:
        table = pd.read_csv(project / "data" / "01_raw" / name)
        X = table[numbers].astype(float)
        for species in ["Adelie", "Chinstrap", "Gentoo"]:
            X[f"species_{species}"] = (table["species"] == species).astype(float)
        return X, table["sex"]

    X, y = read("penguins.csv")
    X_test, y_test = read("penguins_held_out.csv")
    model = make_pipeline(
        SimpleImputer(), StandardScaler(), LogisticRegression(C=1.0, max_iter=1000)
    )
    model.set_output(transform="pandas").fit(X, y)
    expected = {
        "auc": roc_auc_score(y_test, model.decision_function(X_test)),
        "accuracy": accuracy_score(y_test, model.predict(X_test)),
    }

    scores = rows_of(project / "data" / "08_reporting" / "test_scores.csv")
    rows = rows_of(project / "data" / "07_model_output" / "test_predictions.csv")
    metrics = metrics_of(project)

    assert {row["metric"]: float(row["value"]) for row in scores} == expected
    # Many a wrong model has the same ranks, and so the same AUC: hence this.
    p_male = list(model.predict_proba(X_test)[:, 1])
    assert [float(row["p_male"]) for row in rows] == p_male
    # The summary is made from the table of scores, read back from CSV, and pandas 2
    # does not always read the last bit.
    last_bit = 0.0 if int(pd.__version__.split(".")[0]) > 2 else math.ulp(1.0)
    for name, value in expected.items():
        assert abs(metrics[name]["mean"] - value) <= last_bit
    assert (len(y), len(y_test)) == (216, 117)
    assert 0.9 < expected["auc"] < 1


@pytest.mark.usefixtures("run")
def test_what_training_learned_is_kept(project: Path) -> None:
    kinds = {
        path.stem: type(pickle.loads(path.read_bytes())).__name__
        for path in (project / "data" / "06_models").glob("*.pkl")
    }

    assert kinds == {
        "impute": "SimpleImputer",
        "scale": "StandardScaler",
        "clf": "LogisticRegression",
    }


@pytest.mark.usefixtures("run")
def test_scores_predictions_and_plots_can_be_read(project: Path) -> None:
    reporting = project / "data" / "08_reporting"

    scores = pd.read_csv(reporting / "test_scores.csv")
    roc = json.loads((reporting / "test_roc.json").read_text())
    confusion = (reporting / "test_confusion.png").read_bytes()
    rows = pd.read_csv(project / "data" / "07_model_output" / "test_predictions.csv")

    assert list(scores.columns) == ["fold", "part", "metric", "value", "rows"]
    assert set(scores["metric"]) == {"auc", "accuracy"}
    assert {trace["name"] for trace in roc["data"]} == {"model", "chance"}
    assert confusion.startswith(b"\x89PNG\r\n")
    assert len(rows) == 117
    assert rows["correct"].mean() == metrics_of(project)["accuracy"]["mean"]


def test_the_projects_own_tests_pass(project: Path) -> None:
    done = call("pytest", "-q", "-p", "no:cacheprovider", cwd=project)

    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_the_projects_own_tests_find_a_model_that_evaluates_wrongly(
    fresh: Path,
) -> None:
    model = fresh / "src" / "my_model" / "pipelines" / "model" / "pipeline.py"
    replace(model, "eval=impute.eval + scale.eval", "eval=scale.eval")

    done = call("pytest", "-q", "-p", "no:cacheprovider", cwd=fresh)

    assert done.returncode == 1, done.stdout
    assert "FAILED tests/test_model.py::test_both_groupings" in done.stdout


# --- what the project's README says to change first ---


@pytest.mark.usefixtures("run")
def test_a_parameter_can_be_changed_for_one_run(project: Path, fresh: Path) -> None:
    kedro("run", "--params", "clf.C=0.01", cwd=fresh)

    clf = pickle.loads((fresh / "data" / "06_models" / "clf.pkl").read_bytes())
    assert clf.C == 0.01
    assert metrics_of(fresh) != metrics_of(project)


def test_a_feature_can_be_added_in_one_place(fresh: Path) -> None:
    nodes = fresh / "src" / "my_model" / "pipelines" / "preparation" / "nodes.py"
    replace(
        nodes,
        "    return penguins[MEASUREMENTS].astype(float).join(one_hot)\n",
        "    X = penguins[MEASUREMENTS].astype(float).join(one_hot)\n"
        '    return X.assign(bill_ratio=X["bill_length_mm"] / X["bill_depth_mm"])\n',
    )

    kedro("run", cwd=fresh)

    scale = pickle.loads((fresh / "data" / "06_models" / "scale.pkl").read_bytes())
    assert "bill_ratio" in scale.feature_names_in_


def test_the_classifier_can_be_swapped(fresh: Path) -> None:
    model = fresh / "src" / "my_model" / "pipelines" / "model" / "pipeline.py"
    replace(
        model,
        "from sklearn.linear_model import LogisticRegression",
        "from sklearn.ensemble import HistGradientBoostingClassifier",
    )
    replace(
        model,
        "LogisticRegression()",
        "HistGradientBoostingClassifier(random_state=0)",
    )
    (fresh / "conf" / "base" / "parameters.yml").write_text(
        "clf:\n  learning_rate: 0.05\n  max_iter: 20\n"
    )

    kedro("run", cwd=fresh)

    clf = pickle.loads((fresh / "data" / "06_models" / "clf.pkl").read_bytes())
    assert (type(clf).__name__, clf.max_iter) == ("HistGradientBoostingClassifier", 20)
    assert metrics_of(fresh)["auc"]["mean"] > 0.9


# --- kedro viz ---


@pytest.fixture(scope="module")
def viz(project: Path, run: subprocess.CompletedProcess[str]) -> Path:
    """Return the API of Kedro-Viz for the project, as files."""
    assert run.returncode == 0, run.stderr
    kedro("viz", "build", "--include-previews", cwd=project)
    return project / "build" / "api"


def read_graph(api: Path) -> dict[str, Any]:
    return json.loads((api / "main").read_text())


def details(api: Path) -> dict[str, dict[str, Any]]:
    """Return what Kedro-Viz shows when a box is clicked, by the name in the graph."""
    return {
        node["name"]: json.loads((api / "nodes" / node["id"]).read_text())
        for node in read_graph(api)["nodes"]
        if node["type"] != "modularPipeline"
    }


def described(api: Path) -> dict[str, Any]:
    """Return what Kedro-Viz draws, without what differs between versions.

    Left out are ids (hashes that depend on Kedro), the order of lists, places on this
    machine, sizes of files, and previews of nodes (Kedro 1.0 has none).
    """
    graph = read_graph(api)
    drawn = {node["id"]: node for node in graph["nodes"]}
    names = {key: full_name(node) for key, node in drawn.items()}
    boxes = graph["modular_pipelines"].items()
    return {
        "layers": graph["layers"],
        "pipelines": sorted(item["id"] for item in graph["pipelines"]),
        "tags": sorted(item["id"] for item in graph["tags"]),
        "boxes": {
            box: {
                "inputs": sorted(names[key] for key in parts["inputs"]),
                "outputs": sorted(names[key] for key in parts["outputs"]),
                "children": sorted(names[part["id"]] for part in parts["children"]),
            }
            for box, parts in sorted(boxes)
        },
        "nodes": {
            names[key]: {
                "type": node["type"],
                "layer": node.get("layer"),
                "tags": sorted(node["tags"] or []),
                "pipelines": sorted(node["pipelines"]),
                **clicked(api, node),
            }
            for key, node in sorted(drawn.items(), key=lambda item: names[item[0]])
        },
        "edges": sorted(
            f"{names[edge['source']]} -> {names[edge['target']]}"
            for edge in graph["edges"]
        ),
    }


def full_name(node: Mapping[str, Any]) -> str:
    """Return a name that no two nodes of the graph share."""
    if node["type"] == "modularPipeline":
        return f"box {node['name']}"
    return str(node.get("full_name") or node["name"])


def clicked(api: Path, node: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a node's own page that is the same everywhere."""
    if node["type"] == "modularPipeline":
        return {}
    page = json.loads((api / "nodes" / node["id"]).read_text())
    if node["type"] == "task":
        defined = re.search(r"^ *def (\w+)\(", page["code"], flags=re.MULTILINE)
        return {
            "source": f"{Path(page['filepath']).name}: {defined and defined[1]}",
            "parameters": page["parameters"],
            "inputs": page["inputs"],
            "outputs": page["outputs"],
            "command": page["run_command"],
        }
    if node["type"] == "parameters":
        return {"parameters": page["parameters"]}
    stats = page.get("stats") or {}
    return {
        "dataset": page["type"],
        "file": page["filepath"] and Path(page["filepath"]).name,
        "preview": page["preview_type"],
        "rows": stats.get("rows"),
        "columns": stats.get("columns"),
    }


def compare_with_golden(
    found: Mapping[str, Any], golden: Path, *, update: bool
) -> None:
    """Compare with a checked-in file; write it only where that was asked for."""
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    if update:
        golden.write_text(text)
    assert golden.is_file(), f"{golden.name} is missing; make it with --update-golden"
    assert json.loads(text) == json.loads(golden.read_text())


def test_kedro_viz_draws_what_is_checked_in(viz: Path, update_golden: bool) -> None:
    compare_with_golden(described(viz), GOLDEN, update=update_golden)


def test_a_missing_golden_file_is_a_failure(tmp_path: Path) -> None:
    golden = tmp_path / "missing.json"

    with pytest.raises(AssertionError, match="--update-golden"):
        compare_with_golden({}, golden, update=False)

    assert not golden.exists()


def test_kedro_viz_previews_metrics_tables_and_plots(viz: Path) -> None:
    pages = details(viz)

    assert json.loads(pages["test.summary"]["preview"]).keys() == {"auc", "accuracy"}
    assert [row[2] for row in pages["test.scores"]["preview"]["data"]] == [
        "auc",
        "accuracy",
    ]
    assert {"data", "layout"} <= pages["test.roc"]["preview"].keys()
    assert base64.b64decode(pages["test.confusion"]["preview"]).startswith(b"\x89PNG")
    assert "predicted" in pages["test.predictions"]["preview"]["columns"]


def test_kedro_viz_shows_the_source_of_every_node(viz: Path) -> None:
    tasks = {
        page["run_command"]: page["code"]
        for page in (json.loads(path.read_text()) for path in (viz / "nodes").iterdir())
        if "code" in page
    }

    assert set(tasks) >= {
        clicked(viz, node)["command"]
        for node in read_graph(viz)["nodes"]
        if node["type"] == "task"
    }
    # Those of the searches too: a box may be closed when the page is opened.
    assert len(tasks) > 200
    assert all(code and "def " in code for code in tasks.values())
