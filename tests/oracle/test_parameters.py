"""``params=``: what ``set_params`` gets, against scikit-learn's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pipelines.running import run
from pipelines.same import assert_identical, assert_same_learned
from sklearn import datasets
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from kedro_rats import estimator

NESTED = {"pca__n_components": 3, "clf__C": 0.05, "clf__max_iter": 300}


@dataclass
class Typed:
    C: float = 0.1
    max_iter: int = 300


def test_nested_parameters_reach_the_steps() -> None:
    X, y = datasets.load_wine(return_X_y=True)
    steps = Pipeline(
        [("scale", StandardScaler()), ("pca", PCA(2)), ("clf", LogisticRegression())]
    )

    part = estimator(
        steps,
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"predict_proba": "p"},
        name="it",
        params="params:it",
    )
    ours = run(part.train, {"X": X, "y": y, "params:it": NESTED})

    peer = clone(steps).set_params(**NESTED).fit(X, y)
    assert_identical(ours["p"], peer.predict_proba(X))
    assert steps.named_steps["pca"].n_components == 2


@pytest.mark.parametrize(
    "value", [{"C": 0.1, "max_iter": 300}, Typed()], ids=["mapping", "dataclass"]
)
def test_a_mapping_and_a_typed_parameter_say_the_same(value: Any) -> None:
    X, y = datasets.load_wine(return_X_y=True)
    X = StandardScaler().fit_transform(X)

    part = estimator(
        LogisticRegression(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"predict": "label"},
        name="it",
        params="params:it",
    )
    ours = run(part.train, {"X": X, "y": y, "params:it": value})

    peer = LogisticRegression(C=0.1, max_iter=300).fit(X, y)
    assert_same_learned(ours["it_state"], peer)


def test_parameters_may_give_a_method_that_the_object_lacks() -> None:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    given = {"loss": "log_loss", "random_state": 0}

    part = estimator(
        SGDClassifier(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"predict_proba": "p"},
        name="it",
        params="params:it",
    )
    ours = run(part.train, {"X": X, "y": y, "params:it": given})

    peer = SGDClassifier(**given).fit(X, y)
    assert_identical(ours["p"], peer.predict_proba(X))


def test_parameters_of_one_run_do_not_reach_the_next() -> None:
    X, y = datasets.load_wine(return_X_y=True)
    part = estimator(
        SVC(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs="label",
        name="it",
        params="params:it",
    )

    run(part.train, {"X": X, "y": y, "params:it": {"kernel": "linear", "C": 2.0}})
    second = run(part.train, {"X": X, "y": y, "params:it": {"C": 2.0}})

    assert_same_learned(second["it_state"], SVC(C=2.0).fit(X, y))
