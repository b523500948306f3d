"""Stacks inside combinators, and combinators inside stacks, equal scikit-learn's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import stack_toys, toys
from combinators.stack_toys import linear, model, stacked
from optuna.distributions import CategoricalDistribution
from sklearn.base import clone
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.model_selection import cross_validate as cross_validate_of_sklearn
from sklearn.naive_bayes import GaussianNB

from kedro_rats import cross_validate, estimator, holdout, stack, tune

if TYPE_CHECKING:
    from kedro_rats import Estimator

X, Y = toys.bundled("breast_cancer", step=4)
DATA = {"X": X, "y": Y}
OTHER = X[:30] + 0.5
OBJECTS = {"linear": linear(), "bayes": GaussianNB()}
FOLDS = StratifiedKFold(3)


def ours() -> Estimator:
    return stacked(OBJECTS, linear(C=0.5), method="predict_proba")


def peer() -> StackingClassifier:
    return StackingClassifier(list(OBJECTS.items()), linear(C=0.5), cv=FOLDS)


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)


def test_a_cross_validated_stack_equals_scikit_learns() -> None:
    splitter = KFold(3, shuffle=True, random_state=0)
    cv = cross_validate(
        ours(),
        splitter=splitter,
        rows=["X", "y"],
        metrics={"accuracy": toys.ACCURACY},
        train_scores=True,
        name="cv",
    )

    made = toys.run(cv.train, DATA)

    expected = cross_validate_of_sklearn(
        peer(), X, Y, cv=splitter, return_train_score=True
    )
    table = made["cv.scores"]
    assert np.array_equal(toys.scores(table, "accuracy"), expected["test_score"])
    train = toys.scores(table, "accuracy", "train")
    assert np.array_equal(train, expected["train_score"])
    p = cross_val_predict(peer(), X, Y, cv=splitter, method="predict_proba")
    assert np.array_equal(made["p"], p)
    made = toys.evaluated(cv, made, {"X": OTHER})
    assert np.array_equal(made["p"], peer().fit(X, Y).predict_proba(OTHER))


def test_a_stack_held_out_equals_a_fit_on_the_rest() -> None:
    held = holdout(
        ours(),
        rows=["X", "y"],
        shuffle=False,
        test_size=40,
        metrics={"accuracy": toys.ACCURACY},
        name="held",
    )

    made = toys.run(held.train, DATA)

    expected = peer().fit(X[:-40], Y[:-40]).score(X[-40:], Y[-40:])
    assert toys.scores(made["held.scores"], "accuracy") == [expected]


def searchable() -> Estimator:
    """Return a stack with parameters in a base and in the final model."""

    def searched(name: str, outputs: Any, reads: str = "X") -> Estimator:
        return estimator(
            linear(),
            fit_inputs=[reads, "y"],
            inputs=reads,
            outputs=outputs,
            params=f"params:{name}",
            name=name,
        )

    return stack(
        [
            searched("base", {"predict_proba": "p1"}),
            model(GaussianNB(), {"predict_proba": "p2"}, "bayes"),
        ],
        searched("final", stack_toys.FINAL_OUTPUTS, reads="features"),
        splitter=FOLDS,
        rows=["X", "y"],
        stratify="y",
        features=["p1", "p2"],
        name="stack",
    )


def test_a_search_over_base_and_final_equals_grid_search() -> None:
    outer = KFold(3, shuffle=True, random_state=1)
    judged = cross_validate(
        searchable(),
        splitter=outer,
        rows=["X", "y"],
        metrics={"accuracy": toys.ACCURACY},
        name="cv",
    )
    key = "logisticregression__C"
    grid = {f"params:base.{key}": [1e-3, 1.0], f"params:final.{key}": [1e-2, 1.0]}
    best = tune(
        judged,
        space={path: CategoricalDistribution(v) for path, v in grid.items()},
        objective="accuracy",
        trials=4,
        batch=4,
        sampler="grid",
        name="tune",
    )
    made = toys.run(best.train, {**DATA, "params:base": {}, "params:final": {}})

    search = GridSearchCV(
        StackingClassifier(
            [("base", linear()), ("bayes", GaussianNB())], linear(), cv=FOLDS
        ),
        {f"base__{key}": [1e-3, 1.0], f"final_estimator__{key}": [1e-2, 1.0]},
        cv=outer,
    ).fit(X, Y)
    values = search.cv_results_["mean_test_score"]
    assert np.array_equal(made["tune.trials"]["value"], values)
    assert made["tune.best"]["value"] == search.best_score_
    made = toys.evaluated(best, made, {"X": OTHER})
    assert np.array_equal(made["p"], search.predict_proba(OTHER))


def test_what_a_search_over_final_does_not_touch_runs_once() -> None:
    judged = cross_validate(
        searchable(),
        splitter=KFold(2),
        rows=["X", "y"],
        metrics={"accuracy": toys.ACCURACY},
        name="cv",
    )
    path = "params:final.logisticregression__C"
    best = tune(
        judged,
        space={path: CategoricalDistribution([0.1, 1.0])},
        objective="accuracy",
        trials=2,
        sampler="grid",
        name="tune",
    )

    trial = [n.name for n in best.train.nodes if ".trial_0." in n.name]

    assert trial
    assert not [name for name in trial if ".base_" in name]
    assert len([n for n in best.train.nodes if ".base_0.split" in n.name]) == 2 + 1


def test_a_search_as_a_base_equals_scikit_learns() -> None:
    base = estimator(
        linear(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"predict": "l1", "predict_proba": "p1"},
        params="params:base",
        name="base",
    )
    judged = cross_validate(
        base,
        splitter=KFold(2),
        rows=["X", "y"],
        metrics={"accuracy": toys.metric(toys.accuracy_score, inputs=["y", "l1"])},
        name="cv",
    )
    key = "logisticregression__C"
    searched = tune(
        judged,
        space={f"params:base.{key}": CategoricalDistribution([1e-3, 1e-2, 1.0])},
        objective="accuracy",
        trials=3,
        batch=3,
        sampler="grid",
        name="tune",
    )
    both = stack(
        [searched, model(GaussianNB(), {"predict_proba": "p2"}, "bayes")],
        model(linear(), stack_toys.FINAL_OUTPUTS, "final", reads="features"),
        splitter=FOLDS,
        rows=["X", "y"],
        stratify="y",
        features=["p1", "p2"],
        name="stack",
    )
    trained = toys.run(both.train, {**DATA, "params:base": {}})

    made = toys.evaluated(both, trained, {"X": OTHER})

    grid = GridSearchCV(linear(), {key: [1e-3, 1e-2, 1.0]}, cv=KFold(2))
    expected = StackingClassifier(
        [("grid", grid), ("bayes", GaussianNB())], linear(), cv=FOLDS
    ).fit(X, Y)
    assert np.array_equal(made["p"], expected.predict_proba(OTHER))
    best = trained["stack.refit.tune.best"]["params"][f"params:base.{key}"]
    assert best == expected.named_estimators_["grid"].best_params_[key]


def test_a_stack_of_stacks_equals_scikit_learns() -> None:
    def inner(number: int) -> Estimator:
        objects = {
            f"linear{number}": linear(C=number),
            f"bayes{number}": GaussianNB(),
        }
        bases = [
            model(obj, {"predict_proba": f"{name}_out"}, name)
            for name, obj in objects.items()
        ]
        reads, makes = f"features{number}", {"predict_proba": f"p{number}"}
        return stack(
            bases,
            model(linear(), makes, f"final{number}", reads=reads),
            splitter=StratifiedKFold(number + 1),
            rows=["X", "y"],
            stratify="y",
            features=[f"{name}_out" for name in objects],
            into=reads,
            name=f"stack{number}",
        )

    outer = stack(
        [inner(1), inner(2)],
        model(linear(), stack_toys.FINAL_OUTPUTS, "final", reads="features"),
        splitter=FOLDS,
        rows=["X", "y"],
        stratify="y",
        features=["p1", "p2"],
        name="outer",
    )
    trained = toys.run(outer.train, DATA)

    made = toys.evaluated(outer, trained, {"X": OTHER})

    def inner_of_sklearn(number: int) -> StackingClassifier:
        return StackingClassifier(
            [("linear", linear(C=number)), ("bayes", GaussianNB())],
            linear(),
            cv=StratifiedKFold(number + 1),
        )

    expected = StackingClassifier(
        [("one", inner_of_sklearn(1)), ("two", inner_of_sklearn(2))],
        linear(),
        cv=FOLDS,
    ).fit(X, Y)
    assert np.array_equal(made["features"], expected.transform(OTHER))
    assert np.array_equal(made["p"], expected.predict_proba(OTHER))


def test_the_scores_of_a_stack_are_those_of_its_final_part() -> None:
    final = cross_validate(
        model(linear(), stack_toys.FINAL_OUTPUTS, "final", reads="features"),
        splitter=FOLDS,
        rows=["features", "y"],
        stratify="y",
        metrics={"accuracy": toys.ACCURACY},
        name="cv",
    )
    both = stack(
        [model(LogisticRegression(max_iter=5000), {"decision_function": "d"}, "base")],
        final,
        splitter=KFold(3),
        rows=["X", "y"],
        features=["d"],
        name="stack",
    )

    made = toys.run(both.train, DATA)

    assert both.scores == "stack.final.cv.scores"
    features = cross_val_predict(
        LogisticRegression(max_iter=5000), X, Y, cv=KFold(3), method="decision_function"
    ).reshape(-1, 1)
    expected = cross_validate_of_sklearn(clone(linear()), features, Y, cv=FOLDS)
    accuracy = toys.scores(made[both.scores], "accuracy")
    assert np.array_equal(accuracy, expected["test_score"])


def test_a_search_of_a_stack_whose_final_part_is_judged_equals_grid_search() -> None:
    final = estimator(
        linear(),
        fit_inputs=["features", "y"],
        inputs="features",
        outputs=stack_toys.FINAL_OUTPUTS,
        params="params:final",
        name="final",
    )
    judged = cross_validate(
        final,
        splitter=FOLDS,
        rows=["features", "y"],
        stratify="y",
        metrics={"accuracy": toys.ACCURACY},
        name="cv",
    )
    both = stack(
        [model(linear(), {"decision_function": "d"}, "base")],
        judged,
        splitter=KFold(3),
        rows=["X", "y"],
        features=["d"],
        name="stack",
    )
    key = "logisticregression__C"
    best = tune(
        both,
        space={f"params:final.{key}": CategoricalDistribution([1e-3, 1e-2, 1.0])},
        objective="accuracy",
        trials=3,
        sampler="grid",
        name="tune",
    )

    made = toys.run(best.train, {**DATA, "params:final": {}})

    d = cross_val_predict(linear(), X, Y, cv=KFold(3), method="decision_function")
    search = GridSearchCV(linear(), {key: [1e-3, 1e-2, 1.0]}, cv=FOLDS)
    search.fit(d.reshape(-1, 1), Y)
    values = search.cv_results_["mean_test_score"]
    assert np.array_equal(made["tune.trials"]["value"], values)
    coefficients = search.best_estimator_[-1].coef_
    assert np.array_equal(made["final_state"][-1].coef_, coefficients)
