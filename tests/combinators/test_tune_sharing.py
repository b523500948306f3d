"""Work that trials share is done once, and changes no number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys, tune_toys
from combinators.tune_toys import ALPHA, DATA, DISCRETE, K
from optuna.distributions import FloatDistribution
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_predict

from kedro_rats import estimator

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

    from kedro_rats import Estimator

CLASSES_X, CLASSES_Y = toys.bundled("iris")
CLASSES = {"X": CLASSES_X, "y": CLASSES_Y, "params:model": {}}


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


def grid(path: str, operand: Estimator | None = None) -> Estimator:
    trials = len(DISCRETE[path].choices)
    space = {path: DISCRETE[path]}
    return tune_toys.tuned(operand, space=space, sampler="grid", trials=trials)


def fits_of(pipeline: Pipeline, part: str) -> list[str]:
    """Return where a part of the regression is fitted, refits of the operand apart."""
    return [
        node.namespace.removesuffix(f".{part}")
        for node in pipeline.nodes
        if "rats.fit" in node.tags
        and node.namespace.endswith(f".{part}")
        and not node.namespace.startswith("tune.refit.")
    ]


def test_preprocessing_that_no_searched_parameter_touches_is_fitted_once_a_fold() -> (
    None
):
    best = grid(ALPHA)

    folds = [f"tune.shared.cv.fold_{k}.train" for k in (0, 1)]
    assert sorted(fits_of(best.train, "scale")) == folds
    assert sorted(fits_of(best.train, "select")) == folds
    assert sorted(fits_of(best.train, "ridge")) == [
        f"tune.round_{t}.trial_{t}.cv.fold_{k}.train" for t in range(3) for k in (0, 1)
    ]


def test_what_depends_on_a_searched_parameter_is_fitted_in_each_trial() -> None:
    best = grid(K)

    trials = [
        f"tune.round_{t}.trial_{t}.cv.fold_{k}.train" for t in (0, 1) for k in (0, 1)
    ]
    assert sorted(fits_of(best.train, "select")) == trials
    assert sorted(fits_of(best.train, "ridge")) == trials
    assert len(fits_of(best.train, "scale")) == 2


@pytest.mark.parametrize("path", [K, ALPHA])
def test_sharing_changes_no_number(path: str) -> None:
    best = grid(path)

    made = toys.run(best.train, DATA)

    expected = [
        tune_toys.peer_scores({path: choice})["r2"] for choice in DISCRETE[path].choices
    ]
    assert list(made["tune.trials"]["value"]) == expected
    chosen = made["tune.best"]["params"]
    model = tune_toys.peer(chosen).fit(tune_toys.X, tune_toys.Y)
    assert np.array_equal(made["ridge_state"].coef_, model["ridge"].coef_)
    assert np.array_equal(made["scale_state"].mean_, model["scale"].mean_)


def test_training_passes_on_outputs_of_shared_work_that_no_trial_needs() -> None:
    first = toys.scaled(
        LogisticRegression(), {"predict": "first", "predict_proba": "q"}, name="first"
    )
    last = estimator(
        LogisticRegression(),
        fit_inputs=["q", "y"],
        inputs="q",
        outputs={"predict": "label"},
        name="model",
        params="params:model",
    )
    inner = tune_toys.judged(first + last, metrics={"accuracy": toys.ACCURACY})
    space = {"params:model.C": FloatDistribution(0.1, 1)}
    best = tune_toys.tuned(inner, space=space, objective="accuracy", trials=2)

    made = toys.run(best.train, CLASSES)

    assert best.train.inputs() == inner.train.inputs()
    peer = toys.classifier_of_sklearn()
    expected = cross_val_predict(peer, CLASSES_X, CLASSES_Y, cv=KFold(2))
    assert np.array_equal(made["first"], expected)


def test_a_search_over_an_operand_without_shared_work_shares_the_folds_alone() -> None:
    inner = tune_toys.judged(tune_toys.ridge(), metrics={"r2": toys.R2})

    best = grid(ALPHA, inner)

    shared = [n for n in best.train.nodes if n.name.startswith("tune.shared.")]
    assert {type_of(node) for node in shared} == {"rats.split", "rats.take"}


def type_of(node: Any) -> str:
    return next(tag for tag in node.tags if tag.startswith("rats."))
