"""The search is judged as it should be: on birds that it has not seen."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from {{ cookiecutter.python_package }}.pipelines.preparation.nodes import bird, features, sex
from {{ cookiecutter.python_package }}.pipelines.tuning.pipeline import FOLDS, TRIALS


def test_each_fold_is_judged_at_the_best_c_of_its_own_search(
    workspace: Path, penguins: pd.DataFrame
) -> None:
    with KedroSession.create(project_path=workspace) as session:
        session.run(pipeline_name="tune")

    reporting = workspace / "data" / "08_reporting"
    scores = pd.read_csv(reporting / "tune_scores.csv")
    found = scores[scores["metric"] == "auc"]["value"]
    X, y, birds = features(penguins), sex(penguins), bird(penguins)
    folds = StratifiedGroupKFold(FOLDS).split(X, y, birds)
    expected = []
    for fold, (train, test) in enumerate(folds):
        trials = pd.read_csv(reporting / f"tune_trials_fold_{fold}.csv")
        best = trials.loc[trials["value"].idxmax()]
        model = make_pipeline(
            SimpleImputer(),
            StandardScaler(),
            LogisticRegression(C=best["params:clf.C"], max_iter=1000),
        ).fit(X.iloc[train].to_numpy(), y.iloc[train])
        decision = model.decision_function(X.iloc[test].to_numpy())
        expected.append(roc_auc_score(y.iloc[test], decision))
        assert len(trials) == TRIALS
    assert list(found) == pytest.approx(expected)


def test_rows_of_one_bird_have_one_name(penguins: pd.DataFrame) -> None:
    again = penguins.groupby(["species", "individual_id"]).ngroup()

    names = bird(penguins)

    assert names.nunique() == again.nunique() < len(penguins)
