"""The model labels rows itself, as scikit-learn would."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.runner import SequentialRunner
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from {{ cookiecutter.python_package }}.pipelines.preparation.nodes import features, sex
from {{ cookiecutter.python_package }}.pipelines.pseudolabelling import self_taught
from {{ cookiecutter.python_package }}.pipelines.pseudolabelling.nodes import part_by_island
from {{ cookiecutter.python_package }}.pipelines.pseudolabelling.pipeline import ROUNDS


def test_the_sex_is_known_on_one_island_alone(penguins: pd.DataFrame) -> None:
    known, unknown = part_by_island(penguins, "Dream")

    assert set(known["island"]) == {"Dream"}
    assert "Dream" not in set(unknown["island"])
    assert "sex" not in unknown
    assert len(known) + len(unknown) == len(penguins)


def test_it_learns_what_a_self_training_classifier_learns(
    penguins: pd.DataFrame, held_out: pd.DataFrame
) -> None:
    known, unknown = part_by_island(penguins, "Dream")
    parameters = {"C": 0.5, "max_iter": 1000}
    catalog = DataCatalog()
    catalog["X"], catalog["y"] = features(known), sex(known)
    catalog["X_new"] = features(unknown)
    catalog["test.X"] = features(held_out)
    catalog["params:clf"] = parameters
    estimator = self_taught()

    made = SequentialRunner().run(estimator.train + estimator.eval_on("test"), catalog)

    is_male = (sex(known) == "male").astype(int)
    peer = SelfTrainingClassifier(
        make_pipeline(
            SimpleImputer(), StandardScaler(), LogisticRegression(**parameters)
        ),
        threshold=0.9,
        max_iter=ROUNDS,
    ).fit(
        np.vstack([features(known), features(unknown)]),
        np.concatenate([is_male, np.full(len(unknown), -1)]),
    )
    expected = peer.predict_proba(features(held_out).to_numpy())
    assert made["test.p"].load() == pytest.approx(expected)
    labels = made["own.labels"].load()
    assert len(labels) == (peer.labeled_iter_ > 0).sum() > 0
