"""The project runs, and its metrics are the ones of its predictions."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from sklearn.metrics import accuracy_score, roc_auc_score


def test_the_default_run_trains_evaluates_and_reports(workspace: Path) -> None:
    with KedroSession.create(project_path=workspace) as session:
        session.run()

    models = {path.name for path in (workspace / "data/06_models").iterdir()}
    reports = {path.name for path in (workspace / "data/08_reporting").iterdir()}
    assert models == {"impute.pkl", "scale.pkl", "clf.pkl"}
    assert reports == {
        "test_confusion.png",
        "test_metrics.json",
        "test_roc.json",
        "test_scores.csv",
    }


def test_evaluation_alone_needs_only_what_training_saved(workspace: Path) -> None:
    with KedroSession.create(project_path=workspace) as session:
        session.run(pipeline_name="train")
    fitted = (workspace / "data/06_models/clf.pkl").read_bytes()

    with KedroSession.create(project_path=workspace) as session:
        session.run(pipeline_name="evaluate")

    assert (workspace / "data/06_models/clf.pkl").read_bytes() == fitted
    metrics = json.loads(
        (workspace / "data/08_reporting/test_metrics.json").read_text()
    )
    rows = pd.read_csv(workspace / "data/07_model_output/test_predictions.csv")
    accuracy = accuracy_score(rows["sex"], rows["predicted"])
    auc = roc_auc_score(rows["sex"], rows["p_male"])
    assert metrics["accuracy"]["mean"] == pytest.approx(accuracy)
    assert metrics["auc"]["mean"] == pytest.approx(auc)
