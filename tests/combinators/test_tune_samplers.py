"""A search equals Optuna's own loop, trial by trial, with every sampler."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys, tune_toys
from combinators.tune_toys import ALPHA, DATA, DISCRETE, SPACE, K
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.samplers import (
    BruteForceSampler,
    CmaEsSampler,
    GridSampler,
    NSGAIISampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from sklearn.model_selection import train_test_split

from kedro_rats import Space, holdout
from kedro_rats.combinators.space import check_asked, space_of
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import optuna

SAMPLERS = {
    "tpe": lambda: TPESampler(seed=0, n_startup_trials=4),
    "random": lambda: RandomSampler(seed=1),
    "cmaes": lambda: CmaEsSampler(seed=2),
    "nsga2": lambda: NSGAIISampler(seed=3, population_size=4),
    "qmc": lambda: QMCSampler(seed=4),
}
EXHAUSTED = {
    "grid": lambda: GridSampler({K: [3, 6], ALPHA: [0.1, 1.0, 10.0]}, seed=5),
    "brute force": lambda: BruteForceSampler(seed=6),
}
pytestmark = [
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


def by_r2(trial: optuna.Trial) -> float:
    return tune_toys.peer_scores(tune_toys.suggest(trial))["r2"]


def by_r2_of_discrete(trial: optuna.Trial) -> float:
    return tune_toys.peer_scores(tune_toys.suggest_discrete(trial))["r2"]


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_a_search_equals_optunas_loop(sampler: Callable[[], Any]) -> None:
    best = tune_toys.tuned(sampler=sampler(), trials=8)

    made = toys.run(best.train, DATA)

    expected = tune_toys.optimized(by_r2, sampler(), 8)
    study = tune_toys.study_of(made)
    assert tune_toys.told(study) == tune_toys.told(expected)
    assert made["tune.best"] == {
        "number": expected.best_trial.number,
        "value": expected.best_value,
        "params": expected.best_params,
    }
    following = tune_toys.asked_next(study, SPACE)
    assert following == tune_toys.asked_next(expected, SPACE)


@pytest.mark.parametrize("sampler", SAMPLERS.values(), ids=SAMPLERS)
def test_rounds_of_three_equal_a_loop_that_asks_thrice_and_tells_in_order(
    sampler: Callable[[], Any],
) -> None:
    best = tune_toys.tuned(sampler=sampler(), trials=8, batch=3)

    made = toys.run(best.train, DATA)

    expected = tune_toys.told_in_rounds(by_r2, sampler(), 8, 3, SPACE)
    study = tune_toys.study_of(made)
    assert tune_toys.told(study) == tune_toys.told(expected)
    told_at = [trial.datetime_complete for trial in study.trials]
    assert told_at == sorted(told_at)


@pytest.mark.parametrize("sampler", EXHAUSTED.values(), ids=EXHAUSTED)
def test_a_sampler_without_further_points_ends_the_search_as_in_optunas_loop(
    sampler: Callable[[], Any],
) -> None:
    best = tune_toys.tuned(space=DISCRETE, sampler=sampler(), trials=9)

    made = toys.run(best.train, DATA)

    expected = tune_toys.optimized(by_r2_of_discrete, sampler(), 9)
    assert len(expected.trials) == 6
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)
    assert len(made["tune.trials"]) == 6


def test_a_sampler_is_exhausted_within_a_round() -> None:
    sampler = EXHAUSTED["brute force"]
    best = tune_toys.tuned(space=DISCRETE, sampler=sampler(), trials=9, batch=3)

    made = toys.run(best.train, DATA)

    points = {tuple(trial.params.values()) for trial in tune_toys.study_of(made).trials}
    assert len(points) == len(made["tune.trials"]) == 6


def test_two_objectives_equal_optunas_loop() -> None:
    def by_both(trial: optuna.Trial) -> tuple[float, float]:
        scores = tune_toys.peer_scores(tune_toys.suggest(trial))
        return scores["mse"], scores["r2"]

    sampler = SAMPLERS["nsga2"]
    best = tune_toys.tuned(objective=["mse", "r2"], sampler=sampler(), trials=8)

    made = toys.run(best.train, DATA)

    directions = ("minimize", "maximize")
    expected = tune_toys.optimized(by_both, sampler(), 8, directions=directions)
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)
    first = min(expected.trials, key=lambda trial: trial.values[0])
    assert made["tune.best"]["number"] == first.number
    assert made["tune.best"]["value"] == first.values
    table = made["tune.trials"]
    assert list(table["value.mse"]) == [trial.values[0] for trial in expected.trials]
    assert list(table["value.r2"]) == [trial.values[1] for trial in expected.trials]


def test_a_loss_is_minimised() -> None:
    def by_mse(trial: optuna.Trial) -> float:
        return tune_toys.peer_scores(tune_toys.suggest(trial))["mse"]

    sampler = SAMPLERS["tpe"]
    best = tune_toys.tuned(objective="mse", sampler=sampler(), trials=8)

    made = toys.run(best.train, DATA)

    expected = tune_toys.optimized(by_mse, sampler(), 8, directions=["minimize"])
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)
    assert made["tune.best"]["value"] == expected.best_value


def test_a_pooled_objective_is_one_score_over_all_out_of_fold_rows() -> None:
    best = tune_toys.tuned(objective="r2.pooled", trials=4)

    made = toys.run(best.train, DATA)

    from sklearn.metrics import r2_score
    from sklearn.model_selection import cross_val_predict

    for _, row in made["tune.trials"].iterrows():
        model = tune_toys.peer({K: int(row[K]), ALPHA: row[ALPHA]})
        yhat = cross_val_predict(model, tune_toys.X, tune_toys.Y, cv=tune_toys.FOLDS)
        assert row["value"] == r2_score(tune_toys.Y, yhat)


def far_from_the_best(scores: Mapping[str, float]) -> float:
    """Forbid what has the best of another score, and with it the best objective."""
    return 4000 - scores["mse"]


def test_constraints_equal_those_of_optunas_loop() -> None:
    def constrained(trial: optuna.Trial) -> float:
        scores = tune_toys.peer_scores(tune_toys.suggest(trial))
        trial.set_constraint("simple", far_from_the_best(scores))
        return scores["r2"]

    sampler = SAMPLERS["tpe"]
    best = tune_toys.tuned(
        sampler=sampler(), trials=8, constraints={"simple": far_from_the_best}
    )

    made = toys.run(best.train, DATA)

    expected = tune_toys.optimized(constrained, sampler(), 8)
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)
    feasible = [t for t in expected.trials if t.constraints["simple"] <= 0]
    assert 0 < len(feasible) < 8
    assert list(made["tune.trials"]["feasible"]) == [
        trial in feasible for trial in expected.trials
    ]
    first = max(feasible, key=lambda trial: trial.value)
    assert made["tune.best"]["number"] == first.number


def far_from_the_best_pooled(scores: Mapping[str, float]) -> float:
    return 0.4118 - scores["r2.pooled"]


def test_a_constraint_may_read_a_pooled_value_whatever_the_objective() -> None:
    from sklearn.metrics import r2_score
    from sklearn.model_selection import cross_val_predict

    def constrained(trial: optuna.Trial) -> float:
        chosen = tune_toys.suggest(trial)
        yhat = cross_val_predict(
            tune_toys.peer(chosen), tune_toys.X, tune_toys.Y, cv=tune_toys.FOLDS
        )
        pooled = float(r2_score(tune_toys.Y, yhat))
        trial.set_constraint("pooled", far_from_the_best_pooled({"r2.pooled": pooled}))
        return tune_toys.peer_scores(chosen)["mse"]

    sampler = SAMPLERS["tpe"]
    best = tune_toys.tuned(
        sampler=sampler(),
        objective="mse",
        trials=8,
        constraints={"pooled": far_from_the_best_pooled},
    )

    made = toys.run(best.train, DATA)

    expected = tune_toys.optimized(constrained, sampler(), 8, directions=["minimize"])
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)
    feasible = [t for t in expected.trials if t.constraints["pooled"] <= 0]
    assert 0 < len(feasible) < 8


def conditional(trial: optuna.Trial) -> dict[str, Any]:
    """Suggest a number of features only where the penalty is weak."""
    chosen = {ALPHA: trial.suggest_float(ALPHA, 1e-3, 10, log=True)}
    if chosen[ALPHA] < 0.5:
        chosen[K] = 2 * trial.suggest_int("half of k", 1, 4)
    return chosen


def test_a_conditional_space_equals_optunas_loop() -> None:
    def by_conditional(trial: optuna.Trial) -> float:
        return tune_toys.peer_scores(conditional(trial))["r2"]

    sampler = SAMPLERS["tpe"]
    space = Space(conditional, params=[K, ALPHA])
    best = tune_toys.tuned(space=space, sampler=sampler(), trials=8)

    made = toys.run(best.train, DATA)

    expected = tune_toys.optimized(by_conditional, sampler(), 8)
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)
    strong = [trial.params[ALPHA] >= 0.5 for trial in expected.trials]
    assert 0 < sum(strong) < 8
    assert list(made["tune.trials"][K].isna()) == strong


def test_a_search_by_a_holdout_equals_optunas_loop_over_one_split() -> None:
    def by_holdout(trial: optuna.Trial) -> float:
        X_train, X_test, y_train, y_test = train_test_split(
            tune_toys.X, tune_toys.Y, random_state=3
        )
        model = tune_toys.peer(tune_toys.suggest(trial))
        return float(model.fit(X_train, y_train).score(X_test, y_test))

    held = holdout(
        tune_toys.regression(),
        rows=["X", "y"],
        random_state=3,
        metrics={"r2": toys.R2},
        name="held",
    )
    sampler = SAMPLERS["tpe"]
    best = tune_toys.tuned(held, sampler=sampler(), trials=8)

    made = toys.run(best.train, DATA)

    expected = tune_toys.optimized(by_holdout, sampler(), 8)
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)
    refitted = tune_toys.peer(expected.best_params).fit(tune_toys.X, tune_toys.Y)
    assert np.array_equal(made["ridge_state"].coef_, refitted["ridge"].coef_)


class Asking:
    """An object that always asks for the same."""

    def __init__(self, asked: Any) -> None:
        self.asked = asked

    def ask(self) -> Any:
        return self.asked

    def tell(self, params: Any, value: float) -> None:
        pass


INTEGER = {K: IntDistribution(2, 8, step=2)}
CHOICES = {K: CategoricalDistribution([2, None, float("nan")])}


WRONGLY_ASKED: dict[str, tuple[Any, Any, str]] = {
    "a typo": (SPACE, {"params:ridge.alhpa": 1.0}, f"Did you mean '{ALPHA}'?"),
    "no path of a function": (
        Space(tune_toys.suggest, params=[K]),
        {ALPHA: 1.0},
        f"space ({K}), got",
    ),
    "too much": (SPACE, {ALPHA: 11.0}, "got 11.0. "),
    "no logarithm": (SPACE, {ALPHA: -1.0}, "got -1.0. "),
    "NaN": (SPACE, {ALPHA: float("nan")}, "got nan. "),
    "a number as text": (SPACE, {ALPHA: "0.5"}, "got '0.5'. "),
    "between two steps": (INTEGER, {K: 3}, "got 3. "),
    "a fraction": (INTEGER, {K: 2.5}, "got 2.5. "),
    "no choice": (CHOICES, {K: 3}, "got 3. "),
    "a list": (SPACE, [1.0], "expected {path: value}, got [1.0]. "),
    "nothing": (SPACE, None, "expected {path: value}, got None. "),
}


@pytest.mark.parametrize(
    ("space", "asked", "said"), WRONGLY_ASKED.values(), ids=WRONGLY_ASKED
)
def test_what_an_object_asks_for_is_in_the_space(
    space: Any, asked: Any, said: str
) -> None:
    best = tune_toys.tuned(space=space, sampler=Asking(asked), trials=1)

    with pytest.raises(RatsError) as error:
        toys.run(best.train, DATA)

    text = str(error.value)
    assert text.startswith("search 'tune', sampler")
    assert ": expected " in text
    assert said in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("space", "value"),
    [
        (SPACE, np.float32(0.5)),
        (SPACE, 10),
        (INTEGER, np.int64(4)),
        (CHOICES, 2),
        (CHOICES, None),
    ],
)
def test_all_that_is_in_the_space_can_be_asked_for(space: Any, value: Any) -> None:
    path = K if K in space and space is not SPACE else ALPHA

    assert check_asked("tune", space_of("tune", space), {path: value}) == {path: value}


def test_an_object_with_ask_and_tell_is_asked_and_told_in_order() -> None:
    given = tune_toys.Listed([3, 1, 7, 5, 2])
    best = tune_toys.leveled([3, 1, 7, 5, 2], sampler=given, batch=2)

    made = toys.run(best.train, tune_toys.LEVEL_DATA)

    source = tune_toys.study_of(made).source
    assert source.told == [(3, 3.0), (1, 1.0), (7, 7.0), (5, 5.0), (2, 2.0)]
    assert (given.asked, given.told) == (0, [])
    assert made["tune.best"] == {
        "number": 2,
        "value": 7.0,
        "params": {tune_toys.LEVEL: 7},
    }
