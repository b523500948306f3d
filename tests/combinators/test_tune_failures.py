"""A trial that fails is told as failed, and the search goes on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from combinators import toys, tune_toys
from combinators.tune_toys import ALPHA, DATA, LEVEL, LEVEL_DATA, K
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler, TPESampler

from kedro_rats import Space, cross_validate, estimator, holdout, metric
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import optuna

# Ridge refuses a negative alpha, as Optuna's own loop sees too.
SPACE = {K: IntDistribution(2, 8), ALPHA: FloatDistribution(-1, 2)}


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


def by_r2(trial: optuna.Trial) -> float:
    chosen = {K: trial.suggest_int(K, 2, 8), ALPHA: trial.suggest_float(ALPHA, -1, 2)}
    return tune_toys.peer_scores(chosen)["r2"]


@pytest.mark.parametrize(
    "sampler",
    [lambda: RandomSampler(seed=0), lambda: TPESampler(seed=0, n_startup_trials=4)],
    ids=["random", "tpe"],
)
def test_failed_trials_are_those_of_optunas_loop(sampler: Callable[[], Any]) -> None:
    best = tune_toys.tuned(space=SPACE, sampler=sampler(), trials=10, max_failed=10)

    made = toys.run(best.train, DATA)

    expected = tune_toys.optimized(by_r2, sampler(), 10, catch=(Exception,))
    states = [trial.state.name for trial in expected.trials]
    assert {"FAIL", "COMPLETE"} == set(states)
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)
    assert list(made["tune.trials"]["state"]) == [state.lower() for state in states]
    assert made["tune.best"]["number"] == expected.best_trial.number


def test_the_table_tells_where_and_why_a_trial_failed() -> None:
    best = tune_toys.leveled([1, 200, 2], max_failed=1)

    made = toys.run(best.train, LEVEL_DATA)

    failed = made["tune.trials"].iloc[1]
    assert failed["state"] == "fail"
    assert math.isnan(failed["value"])
    assert failed[LEVEL] == 200
    assert failed["error"] == (
        "tune.round_1.trial_1.held.fold_0.train.own.fit: "
        "ValueError: level 200 is too high"
    )
    assert list(made["tune.trials"]["error"].isna()) == [True, False, True]


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_just_as_many_trials_may_fail_as_are_allowed(batch: int) -> None:
    levels = [200, 1, 300, 3, 2]

    made = toys.run(
        tune_toys.leveled(levels, max_failed=2, batch=batch).train, LEVEL_DATA
    )
    with pytest.raises(RatsError) as error:
        toys.run(tune_toys.leveled(levels, max_failed=1, batch=batch).train, LEVEL_DATA)

    assert made["tune.best"] == {"number": 3, "value": 3.0, "params": {LEVEL: 3}}
    text = str(error.value)
    assert "search 'tune': expected at most 1 failed trials, got 2" in text
    assert "trial_2.held.fold_0.train.own.fit: ValueError: level 300 is" in text
    assert "\n" not in text


def test_no_trial_may_fail_by_default() -> None:
    best = tune_toys.leveled([1, 200, 2])

    with pytest.raises(RatsError, match="ValueError: level 200 is too high"):
        toys.run(best.train, LEVEL_DATA)


def test_a_failure_leaves_other_trials_of_its_round_as_they_are() -> None:
    best = tune_toys.leveled([1, 200, 2, 3], batch=4, max_failed=1)

    made = toys.run(best.train, LEVEL_DATA)

    told = tune_toys.study_of(made).source.told
    assert [params for params, _ in told] == [1, 200, 2, 3]
    assert [value for _, value in told if not math.isnan(value)] == [1.0, 2.0, 3.0]


def test_a_score_that_is_nan_is_a_failure() -> None:
    best = tune_toys.leveled([-1, 2, -3], max_failed=2)

    made = toys.run(best.train, LEVEL_DATA)

    table = made["tune.trials"]
    assert list(table["state"]) == ["fail", "complete", "fail"]
    assert "NaN" in table["error"][0]
    assert made["tune.best"]["number"] == 1
    with pytest.raises(RatsError, match=r"at most 1 failed trials, got 2.*NaN"):
        toys.run(tune_toys.leveled([-1, 2, -3], max_failed=1).train, LEVEL_DATA)


def test_nan_is_a_failure_as_in_optunas_loop() -> None:
    values = [3.0, math.nan, 5.0, math.nan, 4.0]
    space = {LEVEL: FloatDistribution(-5, 5)}
    best = tune_toys.leveled(
        values,
        space=space,
        sampler=TPESampler(seed=1, n_startup_trials=2),
        max_failed=5,
    )

    def by_level(trial: optuna.Trial) -> float:
        level = trial.suggest_float(LEVEL, -5, 5)
        return level if level >= 0 else math.nan

    made = toys.run(best.train, LEVEL_DATA)

    sampler = TPESampler(seed=1, n_startup_trials=2)
    expected = tune_toys.optimized(by_level, sampler, 5)
    assert {t.state.name for t in expected.trials} == {"FAIL", "COMPLETE"}
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)


def test_a_search_in_which_all_trials_fail_is_an_error() -> None:
    best = tune_toys.leveled([200, -1, 300], max_failed=3)

    with pytest.raises(RatsError, match=r"search 'tune': expected a trial that comple"):
        toys.run(best.train, LEVEL_DATA)


def impossible(scores: Mapping[str, float]) -> float:
    return scores["level"]


def test_a_search_in_which_no_trial_is_feasible_is_an_error() -> None:
    best = tune_toys.leveled([1, 2], constraints={"never": impossible})

    with pytest.raises(RatsError, match="feasible, got none of 2"):
        toys.run(best.train, LEVEL_DATA)


# --- parameters that their type refuses -------------------------------------------------


@dataclass(frozen=True)
class Own:
    """Refuses levels below 0, as it is made."""

    level: float = 0.0

    def __post_init__(self) -> None:
        if self.level < 0:
            msg = f"level {self.level} is too low"
            raise ValueError(msg)


def learn_own_level(X: Any, own: Own) -> float:
    return own.level


try:
    import pydantic
except ImportError:
    pydantic = None  # type: ignore[assignment]
else:

    class Model(pydantic.BaseModel):
        level: float = pydantic.Field(0.0, ge=0)

    def learn_model_level(X: Any, own: Model) -> float:
        return own.level


LEARNS = [
    pytest.param(learn_own_level, id="dataclass"),
    pytest.param(
        None if pydantic is None else learn_model_level,
        id="pydantic",
        marks=pytest.mark.skipif(pydantic is None, reason="needs pydantic"),
    ),
]


def typed(learn: Any, **options: Any) -> Any:
    """Return a search for a level that a type refuses below 0."""
    own = estimator(
        learn,
        tune_toys.give_level,
        fit_inputs=["X", "params:own"],
        inputs="X",
        outputs="level",
        name="own",
    )
    level = metric(tune_toys.mean_level, inputs=["level"])
    held = holdout(own, rows=["X"], metrics={"level": level}, name="held")
    space = {LEVEL: FloatDistribution(-1, 1)}
    given = {"space": space, "objective": "level", "trials": 8}
    return tune_toys.tuned(held, **{**given, **options})


@pytest.mark.parametrize("learn", LEARNS)
def test_a_value_that_a_type_refuses_is_a_failed_trial_as_in_optunas_loop(
    learn: Any,
) -> None:
    sampler = TPESampler(seed=0, n_startup_trials=3)
    best = typed(learn, sampler=sampler, max_failed=8)

    def by_level(trial: optuna.Trial) -> float:
        return Own(trial.suggest_float(LEVEL, -1, 1)).level

    made = toys.run(best.train, LEVEL_DATA)

    sampler = TPESampler(seed=0, n_startup_trials=3)
    expected = tune_toys.optimized(by_level, sampler, 8, catch=(ValueError,))
    assert {t.state.name for t in expected.trials} == {"FAIL", "COMPLETE"}
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(expected)
    assert made["tune.best"]["number"] == expected.best_trial.number
    assert made["own_state"] == expected.best_value


def test_the_table_tells_which_parameters_were_refused() -> None:
    levels = tune_toys.Listed([0.5, -0.5])
    best = typed(learn_own_level, sampler=levels, trials=2, max_failed=1)

    made = toys.run(best.train, LEVEL_DATA)

    assert made["tune.trials"]["error"][1] == (
        "tune.round_1.trial_1.set.params.own.Own: ValueError: level -0.5 is too low"
    )


def test_parameters_of_the_refit_are_not_guarded() -> None:
    best = typed(learn_own_level, sampler=tune_toys.Listed([0.5]), trials=1)
    merge = best.train.only_nodes("tune.refit.set.params.own.Own")
    found = {"number": 0, "value": 1.0, "params": {LEVEL: -1.0}}

    with pytest.raises(ValueError, match=r"level -1.0 is too low"):
        toys.run(merge, {**LEVEL_DATA, "tune.best": found})


# --- failures inside a fold -------------------------------------------------------------


def learn_unless_first(X: Any, own: Mapping[str, Any]) -> float:
    """Fail in the folds that do not train on the first row, from a level of 100 on."""
    if own["level"] >= 100 and X[0, 0] != tune_toys.X[0, 0]:
        msg = "the first row is missing"
        raise ValueError(msg)
    return float(own["level"])


@pytest.mark.parametrize("on_error", ["raise", "nan"])
def test_a_trial_of_which_one_fold_fails_has_failed(on_error: Any) -> None:
    own = estimator(
        learn_unless_first,
        tune_toys.give_level,
        fit_inputs=["X", "params:own"],
        inputs="X",
        outputs="level",
        name="own",
    )
    cv = cross_validate(
        own,
        splitter=tune_toys.FOLDS,
        rows=["X"],
        metrics={"level": metric(tune_toys.mean_level, inputs=["level"])},
        on_error=on_error,
        name="cv",
    )
    best = tune_toys.tuned(
        cv,
        space={LEVEL: FloatDistribution(0, 1000)},
        objective="level",
        sampler=tune_toys.Listed([1, 200, 2]),
        trials=3,
        max_failed=1,
    )

    made = toys.run(best.train, LEVEL_DATA)

    assert list(made["tune.trials"]["state"]) == ["complete", "fail", "complete"]
    assert made["tune.best"]["number"] == 2
    assert made["own_state"] == 2.0


def learn_unless_early(X: Any, own: Mapping[str, Any]) -> float:
    """Fail at high levels where the first row is among those that are learned from."""
    if own["level"] > 50 and X[0, 0] == tune_toys.X[0, 0]:
        msg = "the first row is here"
        raise ValueError(msg)
    return float(own["level"])


def test_an_outer_fold_whose_search_fails_scores_nan() -> None:
    own = estimator(
        learn_unless_early,
        tune_toys.give_level,
        fit_inputs=["X", "params:own"],
        inputs="X",
        outputs="level",
        name="own",
    )
    level = {"level": metric(tune_toys.mean_level, inputs=["level"])}
    held = holdout(own, rows=["X"], metrics=level, shuffle=False, name="held")
    options = {"objective": "level", "sampler": tune_toys.Listed([60, 1])}
    space = {LEVEL: FloatDistribution(0, 100)}
    best = tune_toys.tuned(held, space=space, trials=2, **options)
    outer = cross_validate(
        best,
        splitter=tune_toys.FOLDS,
        rows=["X"],
        metrics=level,
        refit=False,
        on_error="nan",
        name="outer",
    )

    made = toys.run(outer.train, LEVEL_DATA)

    values = toys.scores(made["outer.scores"], "level")
    assert values[0] == 60
    assert math.isnan(values[1])


# --- what is no failure of a trial ------------------------------------------------------


def of_an_unknown_metric(scores: Mapping[str, float]) -> float:
    return scores["levle"]


def test_a_constraint_on_an_unknown_metric_is_an_error_that_names_the_known_ones() -> (
    None
):
    best = tune_toys.tuned(
        trials=2, max_failed=2, constraints={"small": of_an_unknown_metric}
    )

    with pytest.raises(RatsError) as error:
        toys.run(best.train, DATA)

    assert str(error.value) == (
        "constraint 'small': expected one of r2, mse, r2.pooled, mse.pooled, got "
        "'levle'. Read one of these; a pooled value needs folds that are a partition."
    )


def suggest_another_path(trial: optuna.Trial) -> dict[str, Any]:
    return {"params:own.other": trial.suggest_float("x", 0, 1)}


def test_a_space_that_gives_a_path_it_did_not_declare_is_an_error() -> None:
    space = Space(suggest_another_path, params=[LEVEL])
    best = tune_toys.leveled([1], space=space, sampler=RandomSampler(seed=0))

    with pytest.raises(RatsError) as error:
        toys.run(best.train, LEVEL_DATA)

    text = str(error.value)
    assert f"expected paths among params ({LEVEL}), got params:own.other" in text


def test_the_refit_is_not_guarded() -> None:
    best = tune_toys.leveled([1, 2])
    refit = best.train.only_nodes("tune.refit.held.refit.own.fit")
    data = {**LEVEL_DATA, "tune.refit.params.own": {"level": 500}}

    with pytest.raises(ValueError, match="level 500"):
        toys.run(refit, data)
