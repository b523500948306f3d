"""Searches inside cross-validation and inside other searches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sklearn
from combinators import toys, tune_toys
from combinators.tune_toys import ALPHA, DATA, DISCRETE, SPACE, K
from optuna.distributions import CategoricalDistribution
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kedro_rats import estimator
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from kedro_rats import Estimator


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


# --- equality ---------------------------------------------------------------------------

CLASSES_X, CLASSES_Y = toys.bundled("breast_cancer", step=4)
GROUPS = toys.groups_of(CLASSES_X, 8)
CLASSES = {"X": CLASSES_X, "y": CLASSES_Y, "g": GROUPS, "params:model": {}}


def searched_classifier() -> Estimator:
    """Return a search with groups over a scaler and a classifier."""
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    model = estimator(
        LogisticRegression(solver="liblinear"),
        fit_inputs={"X": "Z", "y": "y"},
        inputs="Z",
        outputs={"predict": "label", "predict_proba": "p"},
        name="model",
        params="params:model",
    )
    inner = with_groups(scale + model, 2, "inner")
    space = {"params:model.C": CategoricalDistribution([0.001, 0.01, 1.0])}
    return tune_toys.tuned(
        inner, space=space, objective="accuracy", sampler="grid", trials=3, batch=3
    )


def searched_classifier_of_sklearn() -> GridSearchCV:
    return GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(solver="liblinear")),
        {"logisticregression__C": [0.001, 0.01, 1.0]},
        cv=GroupKFold(2),
    )


def with_groups(operand: Estimator, folds: int, name: str) -> Estimator:
    return tune_toys.judged(
        operand,
        splitter=GroupKFold(folds),
        groups="g",
        metrics={"accuracy": toys.ACCURACY},
        name=name,
    )


def test_a_cross_validated_search_equals_nested_grid_search_cv_with_groups() -> None:
    outer = with_groups(searched_classifier(), 3, "outer")

    made = toys.run(outer.train, CLASSES)

    with sklearn.config_context(enable_metadata_routing=True):
        options = {"cv": GroupKFold(3), "params": {"groups": GROUPS}}
        expected = cross_validate(
            searched_classifier_of_sklearn(),
            CLASSES_X,
            CLASSES_Y,
            return_estimator=True,
            **options,
        )
        p = cross_val_predict(
            searched_classifier_of_sklearn(),
            CLASSES_X,
            CLASSES_Y,
            method="predict_proba",
            **options,
        )
    accuracy = toys.scores(made["outer.scores"], "accuracy")
    assert np.array_equal(accuracy, expected["test_score"])
    assert np.array_equal(made["p"], p)
    for k, search in enumerate(expected["estimator"]):
        inner = f"outer.fold_{k}.train.tune"
        values = search.cv_results_["mean_test_score"]
        assert np.array_equal(made[f"{inner}.trials"]["value"], values)
        chosen = made[f"{inner}.best"]["params"]["params:model.C"]
        assert {"logisticregression__C": chosen} == search.best_params_


def test_evaluation_after_a_nested_search_is_of_a_search_on_all_rows() -> None:
    outer = with_groups(searched_classifier(), 3, "outer")
    trained = toys.run(outer.train, CLASSES)

    made = toys.evaluated(outer, trained, {"X": CLASSES_X[:20] + 1})

    with sklearn.config_context(enable_metadata_routing=True):
        search = searched_classifier_of_sklearn()
        search.fit(CLASSES_X, CLASSES_Y, groups=GROUPS)
    assert np.array_equal(made["p"], search.predict_proba(CLASSES_X[:20] + 1))


def test_a_search_of_a_search_over_another_path_equals_two_loops() -> None:
    inner = tune_toys.judged(tune_toys.regression(), metrics={"r2": toys.R2})
    chosen = {ALPHA: DISCRETE[ALPHA]}
    inner = tune_toys.tuned(inner, space=chosen, sampler="grid", trials=3, name="inner")
    outer = tune_toys.tuned(
        inner, space={K: DISCRETE[K]}, sampler="grid", trials=2, batch=2
    )

    made = toys.run(outer.train, DATA)

    found = [
        max(
            tune_toys.peer_scores({K: k, ALPHA: alpha})["r2"]
            for alpha in (0.1, 1.0, 10.0)
        )
        for k in (3, 6)
    ]
    assert list(made["tune.trials"]["value"]) == found
    points = {"select__k": [3, 6], "ridge__alpha": [0.1, 1.0, 10.0]}
    expected = GridSearchCV(
        tune_toys.peer({}), points, cv=tune_toys.FOLDS, scoring="r2"
    ).fit(tune_toys.X, tune_toys.Y)
    alpha = made["tune.refit.inner.best"]["params"]
    both = tune_toys.in_sklearns_words({**made["tune.best"]["params"], **alpha})
    assert both == expected.best_params_
    coefficients = expected.best_estimator_["ridge"].coef_
    assert np.array_equal(made["ridge_state"].coef_, coefficients)


# --- one search for one parameter -------------------------------------------------------


def refused(operand: Estimator, **options: Any) -> str:
    """Return the objection to a search."""
    with pytest.raises(DefinitionError) as error:
        tune_toys.tuned(operand, **options)
    return str(error.value)


@pytest.mark.parametrize("on_error", ["raise", "nan"])
@pytest.mark.parametrize("refit", [True, False])
@pytest.mark.parametrize("outer", [ALPHA, "params:ridge"])
def test_a_path_that_a_search_inside_sets_cannot_be_searched_again(
    outer: str, refit: bool, on_error: Any
) -> None:
    inner = tune_toys.tuned(space={ALPHA: SPACE[ALPHA]}, name="inner", trials=1)
    cv = tune_toys.judged(inner, name="outer", refit=refit, on_error=on_error)

    text = refused(cv, space={outer: DISCRETE[ALPHA]})

    assert text.startswith(
        f"tune 'tune', space '{outer}': expected a path that only one search sets, got "
        "one that '"
    )
    assert "inner" in text
    assert text.endswith("sets too. Search it in one of the two.")
    assert "\n" not in text


def test_only_the_metrics_of_the_outermost_judge_are_objectives() -> None:
    inner = tune_toys.tuned(space={ALPHA: SPACE[ALPHA]}, name="inner", trials=1)
    cv = tune_toys.judged(inner, name="outer", metrics={"r2": toys.R2})

    text = refused(cv, space={K: SPACE[K]}, objective="mse")

    assert "a metric of the estimator (r2, r2.pooled), got 'mse'" in text


def test_a_metric_of_the_same_name_inside_does_not_give_the_direction() -> None:
    judged_inside = tune_toys.judged(
        tune_toys.regression(), metrics={"m": tune_toys.MSE}
    )
    inner = tune_toys.tuned(
        judged_inside,
        space={ALPHA: SPACE[ALPHA]},
        objective="m",
        name="inner",
        trials=1,
    )
    cv = tune_toys.judged(inner, name="outer", metrics={"m": toys.R2})
    best = tune_toys.tuned(cv, space={K: SPACE[K]}, objective="m", trials=2)

    made = toys.run(best.train, tune_toys.DATA)

    study = tune_toys.study_of(made)
    assert [direction.name for direction in study.directions] == ["MAXIMIZE"]
    assert made["tune.best"]["value"] == max(trial.value for trial in study.trials)
