"""What fails or is masked inside an inner combinator is its own affair."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
import pytest
from combinators import pseudolabel_toys, toys, tune_toys
from combinators.tune_toys import ALPHA, X, Y
from kedro.pipeline import node
from optuna.distributions import CategoricalDistribution
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    cross_val_score,
)
from sklearn.model_selection import cross_validate as cross_validate_of_sklearn
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kedro_rats import LeakWarning, estimator
from kedro_rats.combinators.guarding import Failed, Masked, guarded

if TYPE_CHECKING:
    from kedro_rats import Estimator

OUTER = KFold(3)
DATA = {"X": X, "y": Y, "params:ridge": {}}
pytestmark = [
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning"),
    pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite"),
]
both = pytest.mark.parametrize("on_error", ["raise", "nan"])


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


# --- searches, and what scikit-learn and Optuna make of them ----------------------------

# Ridge refuses a negative alpha.
FAILING = [-1.0, 10.0, 0.01, -2.0]
STOPPING = [10.0, 0.1, 1.0, 0.01]
TARGET = 0.4


def searched(alphas: list[float], rows: str = "X", **options: Any) -> Estimator:
    """Return a search of a model's penalty, in the order that is given."""
    ridge = estimator(
        Ridge(),
        fit_inputs=[rows, "y"],
        inputs=rows,
        outputs="yhat",
        name="ridge",
        params="params:ridge",
    )
    cv = tune_toys.judged(ridge, rows=[rows, "y"], name="inner")
    space = {ALPHA: CategoricalDistribution(alphas)}
    return tune_toys.tuned(cv, space=space, sampler="grid", **options)


def failing(rows: str = "X") -> Estimator:
    return searched(FAILING, rows, trials=4, max_failed=2)


def stopping(rows: str = "X") -> Estimator:
    return searched(STOPPING, rows, trials=4, stop={"target": TARGET})


class FailingPeer(GridSearchCV):
    """Notes NaN for a trial that fails."""

    def __init__(self) -> None:
        super().__init__(Ridge(), {"alpha": FAILING}, cv=tune_toys.FOLDS)


class StoppingPeer(Ridge):
    """Lets Optuna's loop choose the penalty until one scores well enough."""

    def fit(self, X: Any, y: Any) -> Any:
        def score(trial: optuna.Trial) -> float:
            alpha = trial.suggest_categorical("alpha", STOPPING)
            scores = cross_val_score(Ridge(alpha=alpha), X, y, cv=tune_toys.FOLDS)
            return float(np.mean(scores))

        def stop(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
            if trial.value is not None and trial.value >= TARGET:
                study.stop()

        study = optuna.create_study(direction="maximize")
        for alpha in STOPPING:
            study.enqueue_trial({"alpha": alpha})
        study.optimize(score, n_trials=4, callbacks=[stop])
        self.tried_ = sum(trial.state.is_finished() for trial in study.trials)
        self.set_params(**study.best_params)
        return super().fit(X, y)


CASES = {"failing": (failing, FailingPeer()), "stopping": (stopping, StoppingPeer())}
each = pytest.mark.parametrize(("search", "peer"), CASES.values(), ids=CASES)


@both
@each
def test_a_search_in_a_fold_equals_scikit_learn_and_optuna(
    search: Any, peer: Any, on_error: Any
) -> None:
    outer = tune_toys.judged(
        search(), splitter=OUTER, on_error=on_error, name="outer", refit=False
    )

    made = toys.run(outer.train, DATA)

    expected = cross_validate_of_sklearn(peer, X, Y, cv=OUTER, return_estimator=True)
    scores = toys.scores(made["outer.scores"], "r2")
    assert np.array_equal(scores, expected["test_score"])
    for k, one in enumerate(expected["estimator"]):
        states = list(made[f"outer.fold_{k}.train.tune.trials"]["state"])
        if search is failing:
            assert states == ["fail", "complete", "complete", "fail"]
        else:
            assert states == ["complete"] * one.tried_
            assert one.tried_ == (2, 4, 4)[k]
    assert not np.isnan(made["yhat"]).any()


@each
def test_a_search_in_a_trial_equals_scikit_learn_and_optuna(
    search: Any, peer: Any
) -> None:
    scale = estimator(
        StandardScaler(), inputs="X", outputs="Z", name="scale", params="params:scale"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakWarning)
        operand = scale + search("Z")
    outer = tune_toys.judged(operand, splitter=OUTER, name="outer")
    best = tune_toys.tuned(
        outer,
        space={"params:scale.with_std": CategoricalDistribution([False, True])},
        sampler="grid",
        trials=2,
        name="best",
    )

    made = toys.run(best.train, {**DATA, "params:scale": {}})

    expected = [
        np.mean(
            cross_val_score(
                make_pipeline(StandardScaler(with_std=with_std), peer), X, Y, cv=OUTER
            )
        )
        for with_std in (False, True)
    ]
    assert list(made["best.trials"]["value"]) == expected
    assert expected[0] != expected[1]


@both
def test_what_a_search_inside_does_not_allow_is_a_failure_outside(
    on_error: Any,
) -> None:
    inner = searched([10.0, 0.1], trials=2, max_failed=2)
    outer = tune_toys.judged(inner, splitter=OUTER, on_error=on_error, name="outer")
    best = tune_toys.tuned(
        outer,
        # Ridge refuses a negative tolerance, whatever the penalty.
        space={"params:ridge.tol": CategoricalDistribution([1e-4, -1.0])},
        sampler="grid",
        trials=2,
        max_failed=1,
        name="best",
    )

    made = toys.run(best.train, DATA)

    table = made["best.trials"]
    assert list(table["state"]) == ["complete", "fail"]
    peer = GridSearchCV(Ridge(), {"alpha": [10.0, 0.1]}, cv=tune_toys.FOLDS)
    assert table["value"][0] == np.mean(cross_val_score(peer, X, Y, cv=OUTER))
    said = "'tune': expected a trial" if on_error == "raise" else "'outer': expected"
    assert said in table["error"][1]


# --- folds and rounds -------------------------------------------------------------------


class Demanding(Ridge):
    """Refuses to learn from fewer than 20 rows."""

    def fit(self, X: Any, y: Any) -> Any:
        if len(X) < 20:
            msg = "too few rows"
            raise ValueError(msg)
        return super().fit(X, y)


@both
def test_a_fold_inside_that_fails_is_nan_inside_and_nothing_outside(
    on_error: Any,
) -> None:
    rows = np.arange(2 * len(X) // 3)
    first, second = rows[:40], rows[40:]
    model = estimator(
        Demanding(), fit_inputs=["X", "y"], inputs="X", outputs="yhat", name="model"
    )
    inner = tune_toys.judged(
        model,
        splitter=[(second[:8], first), (first, second)],
        on_error="nan",
        name="inner",
    )
    outer = tune_toys.judged(
        inner, splitter=OUTER, on_error=on_error, name="outer", refit=False
    )

    made = toys.run(outer.train, DATA)

    expected = cross_val_score(Ridge(), X, Y, cv=OUTER)
    assert np.array_equal(toys.scores(made["outer.scores"], "r2"), expected)
    for k, (train, _) in enumerate(OUTER.split(X)):
        scores = toys.scores(made[f"outer.fold_{k}.train.inner.scores"], "r2")
        fitted = Ridge().fit(X[train][first], Y[train][first])
        whole = fitted.score(X[train][second], Y[train][second])
        assert np.array_equal(scores, [np.nan, whole], equal_nan=True)


def test_masked_trials_in_rounds_of_labelling_are_no_failure_of_a_fold() -> None:
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    model = estimator(
        LogisticRegression(),
        fit_inputs=["Z", "y"],
        inputs="Z",
        outputs={"predict": "label", "predict_proba": "p"},
        params="params:model",
        name="model",
    )
    data = {**pseudolabel_toys.split("wine", 0.4), "params:model": {}}
    inner = pseudolabel_toys.judged(scale + model, shared=[], name="inner")
    search = tune_toys.tuned(
        inner,
        space={"params:model.C": CategoricalDistribution([1.0, 0.1, 0.001])},
        objective="accuracy",
        sampler="grid",
        trials=3,
        stop={"target": 0.5},
    )
    labelling = pseudolabel_toys.labelling(search)

    raised, noted = (
        toys.run(
            pseudolabel_toys.judged(labelling, name="outer", on_error=on_error).train,
            data,
        )
        for on_error in ("raise", "nan")
    )

    assert not raised["outer.scores"]["value"].isna().any()
    assert noted["outer.scores"].equals(raised["outer.scores"])
    assert len(noted["outer.fold_0.train.own.refit.train.tune.trials"]) < 3


# --- guards -----------------------------------------------------------------------------


def tell_type(value: object) -> str:
    return type(value).__name__


@pytest.mark.parametrize(
    "value", [Failed("mine", "n", "e"), Masked("mine")], ids=tell_type
)
def test_a_guard_passes_on_what_is_its_own_and_no_more(value: Any) -> None:
    made = node(tell_type, "a", "b", name="n")

    own, other = (guarded(made, name).run({"a": value}) for name in ("mine", "other"))

    assert own == {"b": value}
    assert other == {"b": type(value).__name__}


def test_what_cannot_take_a_failure_from_inside_has_failed_itself() -> None:
    made = node(len, "a", "b", name="n")

    (told,) = guarded(made, "outer").run({"a": Failed("inner", "n", "e")}).values()

    assert told.name == "outer"
    assert told.error.startswith("TypeError: object of type 'Failed'")
