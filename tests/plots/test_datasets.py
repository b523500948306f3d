"""In a project: datasets of Kedro write pictures, and Kedro-Viz shows them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from plots import runs

from kedro_rats.plots import stills

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("kedro_datasets", reason="needs kedro-datasets")

CATALOG = """\
_plot: &plot
  type: plotly.JSONDataset

cv.scores:
  type: pandas.CSVDataset
  filepath: data/scores.csv

cv.summary:
  type: json.JSONDataset
  filepath: data/summary.json

cv.scores_plot:
  <<: *plot
  filepath: data/scores_plot.json

cv.roc_plot:
  <<: *plot
  filepath: data/roc_plot.json

cv.report:
  type: matplotlib.MatplotlibDataset
  filepath: data/report.png

cv.report_svg:
  type: matplotlib.MatplotlibDataset
  filepath: data/report.svg
  save_args:
    format: svg
"""

REGISTRY = '''\
"""The pipelines of the project."""

from kedro.pipeline import Pipeline, node
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from kedro_rats import cross_validate, estimator, metric, plots


def load():
    return load_breast_cancer(return_X_y=True)


def register_pipelines():
    clf = estimator(
        LogisticRegression(), fit_inputs=["Z", "y"], inputs="Z",
        outputs={"decision_function": "d"}, name="clf",
    )
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    cv = cross_validate(
        scale + clf, splitter=StratifiedKFold(3), rows=["X", "y"], stratify="y",
        metrics={"auc": metric(roc_auc_score, inputs=["y", "d"])}, name="cv",
    )
    pictures = Pipeline([
        node(plots.fold_scores, "cv.scores", "cv.scores_plot"),
        node(plots.roc, ["y", "d"], "cv.roc_plot"),
        node(plots.stills.fold_scores, "cv.scores", "cv.report", name="png"),
        node(plots.stills.fold_scores, "cv.scores", "cv.report_svg", name="svg"),
    ])
    return {"__default__": Pipeline([node(load, None, ["X", "y"])]) + cv.train + pictures}
'''

PROJECT = """\
[tool.kedro]
package_name = "pictured"
project_name = "Pictured"
kedro_init_version = "{version}"
source_dir = "src"
"""


def kedro(*arguments: str, cwd: Path) -> None:
    """Run Kedro as a user does, and show what it said if it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "kedro", *arguments],
        cwd=cwd,
        env={**os.environ, "DO_NOT_TRACK": "1", "MPLBACKEND": "agg"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project that was run, and drawn by Kedro-Viz."""
    import kedro as installed

    pytest.importorskip("kedro_viz", reason="needs the extra kedro-rats[viz]")
    folder = tmp_path_factory.mktemp("pictured")
    files = {
        "pyproject.toml": PROJECT.format(version=installed.__version__),
        "conf/base/catalog.yml": CATALOG,
        "conf/local/.gitkeep": "",
        "src/pictured/__init__.py": "",
        "src/pictured/settings.py": "",
        "src/pictured/pipeline_registry.py": REGISTRY,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    kedro("run", cwd=folder)
    kedro("viz", "build", "--include-previews", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def pages(project: Path) -> dict[str, Any]:
    """Return what Kedro-Viz shows when a box is clicked, by full name."""
    api = project / "build" / "api"
    graph = json.loads((api / "main").read_text("utf-8"))
    return {
        str(node.get("full_name") or node["name"]): json.loads(
            (api / "nodes" / node["id"]).read_text("utf-8")
        )
        for node in graph["nodes"]
        if node["type"] != "modularPipeline"
    }


@pytest.mark.parametrize(
    ("name", "traces"),
    [
        ("cv.scores_plot", {"mean ± std", "mean", "eval"}),
        ("cv.roc_plot", {"chance", "model"}),
    ],
)
def test_kedro_viz_previews_the_plotly_figure(
    pages: dict[str, Any], project: Path, name: str, traces: set[str]
) -> None:
    page = pages[name]
    file = project / "data" / f"{name.removeprefix('cv.')}.json"

    assert page["preview_type"] == "PlotlyPreview"
    assert page["preview"] == json.loads(file.read_text("utf-8"))
    assert {trace["name"] for trace in page["preview"]["data"]} == traces


def test_kedro_viz_previews_the_table_of_scores_and_the_still(
    pages: dict[str, Any],
) -> None:
    table = pages["cv.scores"]

    assert table["preview_type"] == "TablePreview"
    assert table["preview"]["columns"] == ["fold", "part", "metric", "value", "rows"]
    assert len(table["preview"]["data"]) == 3
    assert pages["cv.report"]["preview_type"] == "ImagePreview"
    assert pages["cv.report"]["preview"]


def test_a_run_writes_stills(project: Path) -> None:
    png = (project / "data" / "report.png").read_bytes()
    svg = (project / "data" / "report.svg").read_text("utf-8")

    assert png.startswith(b"\x89PNG\r\n")
    assert "<svg" in svg
    assert "dc:date" not in svg


@pytest.mark.parametrize("name", runs.NAMES)
def test_what_the_plotly_dataset_writes_it_reads_again(
    name: str, tmp_path: Path
) -> None:
    from kedro_datasets.plotly import JSONDataset

    dataset = JSONDataset(filepath=str(tmp_path / "plot.json"))
    figure = runs.plotted(name)

    dataset.save(figure)

    assert dataset.load() == figure
    # No array: Plotly 6 writes these as bytes, which Kedro-Viz does not read.
    written = json.loads((tmp_path / "plot.json").read_text("utf-8"))
    assert json.loads(json.dumps(figure.to_plotly_json())) == written


@pytest.mark.parametrize("kind", ["png", "svg"])
@pytest.mark.parametrize("name", runs.NAMES)
def test_what_the_matplotlib_dataset_writes_is_the_same_each_time(
    name: str, kind: str, tmp_path: Path
) -> None:
    from kedro_datasets.matplotlib import MatplotlibDataset

    files = [tmp_path / f"{number}.{kind}" for number in range(2)]
    for file in files:
        dataset = MatplotlibDataset(filepath=str(file), save_args={"format": kind})
        dataset.save(runs.plotted(name, stills))

    one, other = (file.read_bytes() for file in files)
    assert one == other
    assert one.startswith(b"\x89PNG\r\n" if kind == "png" else b"<?xml")
