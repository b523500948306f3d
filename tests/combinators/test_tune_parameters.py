"""Trials and the refit read parameters in which what was chosen is set, and no other."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys, tune_toys
from optuna.distributions import CategoricalDistribution, FloatDistribution
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from kedro_rats import estimator, transformer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from combinators.toys import Array

    from kedro_rats import Estimator


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


SHIFT = "params:own.model.shift"
SPACE = {SHIFT: CategoricalDistribution([30.0, 10.0, 20.0])}
PARAMETERS = {"model": {"shift": 0.0, "power": 2}, "other": [1, 2]}


def learn(X: Array, y: Array, parameters: Any) -> tuple[float, Any]:
    """Learn a mean, and remember the parameters."""
    return float(y.mean()), parameters


def remembering(dataset: str, name: str = "own") -> Estimator:
    """Return an estimator whose state tells which parameters it read."""
    return estimator(
        learn,
        tune_toys.give_mean,
        fit_inputs=["X", "y", dataset],
        inputs="X",
        outputs="yhat",
        name=name,
    )


def searched(operand: Estimator, space: Mapping[str, Any] | None = None) -> Estimator:
    cv = tune_toys.judged(operand, metrics={"mse": tune_toys.MSE})
    return tune_toys.tuned(
        cv, space=space or SPACE, objective="mse", sampler="grid", trials=3
    )


def states_of(made: Mapping[str, Any], trial: int, name: str = "own") -> list[Any]:
    namespace = f"tune.round_{trial}.trial_{trial}.cv"
    return [made[f"{namespace}.fold_{k}.train.{name}_state"][1] for k in (0, 1)]


def with_shift(shift: float) -> dict[str, Any]:
    return {"model": {"shift": shift, "power": 2}, "other": [1, 2]}


@pytest.mark.parametrize(
    ("dataset", "value", "expected"),
    [
        (
            "parameters",
            {"own": PARAMETERS, "seed": 3},
            lambda shift: {"own": with_shift(shift), "seed": 3},
        ),
        ("params:own", PARAMETERS, with_shift),
        (
            "params:own.model",
            PARAMETERS["model"],
            lambda shift: with_shift(shift)["model"],
        ),
        ("params:own.model.shift", 0.0, lambda shift: shift),
        ("params:own", {"model": {}}, lambda shift: {"model": {"shift": shift}}),
        ("params:own", {}, lambda shift: {"model": {"shift": shift}}),
        ("params:own", None, lambda shift: {"model": {"shift": shift}}),
        ("params:own.model", None, lambda shift: {"shift": shift}),
    ],
    ids=["all", "dict", "inner", "scalar", "key absent", "empty", "null", "null inner"],
)
def test_every_reader_of_a_path_gets_what_a_trial_chose(
    dataset: str, value: Any, expected: Any
) -> None:
    best = searched(remembering(dataset))
    before = copy.deepcopy(value)

    made = toys.run(best.train, {"X": tune_toys.X, "y": tune_toys.Y, dataset: value})

    for trial, shift in enumerate([30.0, 10.0, 20.0]):
        assert states_of(made, trial) == [expected(shift)] * 2
    assert made["own_state"][1] == expected(30.0)
    assert made[dataset] is value
    assert value == before


def test_a_parent_of_a_path_may_be_searched_as_a_whole() -> None:
    space = {"params:own.model": CategoricalDistribution(["a", "b", "c"])}
    best = searched(remembering("params:own"), space)

    made = toys.run(
        best.train, {"X": tune_toys.X, "y": tune_toys.Y, "params:own": PARAMETERS}
    )

    found = [states_of(made, trial)[0]["model"] for trial in range(3)]
    assert found == ["a", "b", "c"]


def test_readers_of_several_levels_get_the_same_choice() -> None:
    operand = remembering("params:own.model.shift") + estimator(
        learn,
        tune_toys.give_mean,
        fit_inputs=["yhat", "y", "params:own"],
        inputs="yhat",
        outputs="z",
        name="second",
    )
    best = searched(operand)
    data = {"params:own": PARAMETERS, "params:own.model.shift": 0.0}

    made = toys.run(best.train, {"X": tune_toys.X, "y": tune_toys.Y, **data})

    assert made["own_state"][1] == 30.0
    assert made["second_state"][1] == with_shift(30.0)


def test_parameters_that_are_not_searched_reach_trials_as_they_are() -> None:
    space = {"params:ridge.alpha": CategoricalDistribution([0.1, 1.0, 10.0])}
    best = tune_toys.tuned(space=space, sampler="grid", trials=3)
    given = {"params:select": {"k": 3}, "params:ridge": {"fit_intercept": False}}

    made = toys.run(best.train, {**tune_toys.DATA, **given})

    chosen = {"params:select.k": 3, "params:ridge.fit_intercept": False}
    expected = [
        tune_toys.peer_scores({**chosen, tune_toys.ALPHA: alpha})["r2"]
        for alpha in (0.1, 1.0, 10.0)
    ]
    assert list(made["tune.trials"]["value"]) == expected
    assert made["ridge_state"].fit_intercept is False
    assert made["select_state"].k == 3


def test_a_path_that_a_conditional_space_leaves_out_keeps_its_value() -> None:
    from kedro_rats import Space

    space = Space(choose_shift_at_times, params=[SHIFT, "params:own.model.power"])
    cv = tune_toys.judged(remembering("params:own"), metrics={"mse": tune_toys.MSE})
    best = tune_toys.tuned(cv, space=space, objective="mse", trials=6)

    made = toys.run(
        best.train, {"X": tune_toys.X, "y": tune_toys.Y, "params:own": PARAMETERS}
    )

    for trial in tune_toys.study_of(made).trials:
        expected = {"shift": trial.params.get(SHIFT, 0.0), "power": trial.params["p"]}
        assert states_of(made, trial.number)[0]["model"] == expected
    given = {SHIFT in trial.params for trial in tune_toys.study_of(made).trials}
    assert given == {True, False}


def choose_shift_at_times(trial: Any) -> dict[str, Any]:
    chosen = {"params:own.model.power": trial.suggest_int("p", 1, 2)}
    if chosen["params:own.model.power"] == 1:
        chosen[SHIFT] = trial.suggest_float(SHIFT, 1, 2)
    return chosen


# --- parameters that evaluation reads ---------------------------------------------------


def clip(X: Array, limit: float) -> Array:
    return np.clip(X, -limit, limit)


def clipped() -> Estimator:
    return transformer(
        clip, inputs=["X", "params:clip.limit"], outputs="Z", name="clip"
    ) + estimator(
        LinearRegression(),
        fit_inputs=["Z", "y"],
        inputs="Z",
        outputs="yhat",
        name="model",
    )


def clip_of_sklearn(limit: float, rows: Any, X: Array) -> Array:
    """Return what a model, trained on some rows, gives for others."""
    model = LinearRegression().fit(clip(tune_toys.X[rows], limit), tune_toys.Y[rows])
    return model.predict(clip(X, limit))


def searched_limit() -> Estimator:
    cv = tune_toys.judged(clipped(), metrics={"r2": toys.R2})
    space = {"params:clip.limit": FloatDistribution(0.01, 0.1)}
    return tune_toys.tuned(cv, space=space)


CLIP_DATA = {"X": tune_toys.X, "y": tune_toys.Y, "params:clip.limit": 9.0}


def test_a_tuned_parameter_that_evaluation_reads_joins_the_state() -> None:
    best = searched_limit()
    trained = toys.run(best.train, CLIP_DATA)

    made = toys.evaluated(best, trained, {"X": tune_toys.X[:5] * 3})

    assert best.state == ("model_state", "tune.refit.params.clip.limit")
    assert best.eval.inputs() == {"X", *best.state}
    limit = trained["tune.best"]["params"]["params:clip.limit"]
    expected = clip_of_sklearn(limit, slice(None), tune_toys.X[:5] * 3)
    assert np.array_equal(made["yhat"], expected)


def test_a_tuned_parameter_serves_evaluation_on_other_data() -> None:
    best = searched_limit()
    trained = toys.run(best.train, CLIP_DATA)
    new = {"test.X": tune_toys.X[:9] + 1, "test.y": tune_toys.Y[:9]}

    state = {name: trained[name] for name in best.state}
    made = toys.run(best.eval_on("test", metrics={"r2": toys.R2}), {**new, **state})

    limit = trained["tune.best"]["params"]["params:clip.limit"]
    expected = clip_of_sklearn(limit, slice(None), tune_toys.X[:9] + 1)
    assert np.array_equal(made["test.yhat"], expected)
    score = toys.scores(made["test.scores"], "r2")
    assert score == [r2_score(tune_toys.Y[:9], expected)]


def test_each_outer_fold_is_evaluated_with_the_parameter_that_it_found() -> None:
    outer = tune_toys.judged(searched_limit(), metrics={"r2": toys.R2}, name="outer")

    made = toys.run(outer.train, CLIP_DATA)

    limits = []
    for k, (train, test) in enumerate(tune_toys.FOLDS.split(tune_toys.X)):
        found = made[f"outer.fold_{k}.train.tune.best"]["params"]
        limits.append(found["params:clip.limit"])
        expected = clip_of_sklearn(limits[-1], train, tune_toys.X[test])
        assert np.array_equal(made["yhat"][test], expected)
    assert limits[0] != limits[1]
