"""Both ways to put the model together are the same, and are what scikit-learn does."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from kedro_rats import Estimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from {{ cookiecutter.python_package }}.pipelines.model import by_component, by_phase
from {{ cookiecutter.python_package }}.pipelines.preparation.nodes import features, sex

PARAMETERS = {"C": 0.5, "max_iter": 1000}


def describe(pipeline: Pipeline) -> list[tuple]:
    """Return what makes up the nodes of a pipeline, in their order."""
    return [(n.name, n.inputs, n.outputs, n.tags) for n in pipeline.nodes]


def fit_and_predict(
    estimator: Estimator, penguins: pd.DataFrame, held_out: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Train on one table and evaluate on another, with all data in memory."""
    catalog = DataCatalog()
    catalog["X"] = features(penguins)
    catalog["y"] = sex(penguins)
    catalog["test.X"] = features(held_out)
    catalog["params:clf"] = PARAMETERS

    made = SequentialRunner().run(estimator.train + estimator.eval_on("test"), catalog)

    return {name: made[f"test.{name}"].load() for name in ["label", "p", "d"]}


def test_both_groupings_have_the_same_nodes() -> None:
    assert describe(by_component().train) == describe(by_phase().train)
    assert describe(by_component().eval) == describe(by_phase().eval)


@pytest.mark.parametrize("grouping", [by_component, by_phase])
def test_predictions_are_those_of_a_scikit_learn_pipeline(
    grouping, penguins: pd.DataFrame, held_out: pd.DataFrame
) -> None:
    expected = make_pipeline(
        SimpleImputer().set_output(transform="pandas"),
        StandardScaler().set_output(transform="pandas"),
        LogisticRegression(**PARAMETERS),
    ).fit(features(penguins), sex(penguins))
    X = features(held_out)

    found = fit_and_predict(grouping(), penguins, held_out)

    assert np.array_equal(found["label"], expected.predict(X))
    assert np.array_equal(found["p"], expected.predict_proba(X))
    assert np.array_equal(found["d"], expected.decision_function(X))
