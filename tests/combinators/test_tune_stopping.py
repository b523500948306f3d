"""Searches that stop, go on later, or are killed and resumed."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import optuna
import pytest
from combinators import toys, tune_toys
from combinators.tune_toys import ALPHA, DATA, LEVEL_DATA, SPACE, K
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import (
    BruteForceSampler,
    CmaEsSampler,
    GridSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)

from kedro_rats.combinators.guarding import Masked
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kedro_rats import Estimator

SAMPLERS = {
    "tpe": lambda: TPESampler(seed=0, n_startup_trials=3),
    "cmaes": lambda: CmaEsSampler(seed=1, n_startup_trials=1),
    "nsga2": lambda: NSGAIISampler(seed=2, population_size=3),
}
pytestmark = [
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
]
POISON = 500
"""A level at which the fit raises: it is never to be reached."""


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


def levels_of(made: dict[str, Any]) -> list[float]:
    return [value for _, value in tune_toys.study_of(made).source.told]


# --- stopping ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "batch", "stop", "told"),
    [
        ([1, 2, 5, POISON], 1, {"target": 5}, 3),
        ([1, 2, 6, POISON], 1, {"target": 5}, 3),
        ([7, 1, 2, 3, POISON], 4, {"target": 5}, 4),
        ([1, 2, 3], 1, {"target": 5}, 3),
        ([3, 1, 2, POISON], 1, {"patience": 2}, 3),
        ([3, 3, 3, POISON], 1, {"patience": 2}, 3),
        ([3, 1, 4, 1, 4, POISON], 1, {"patience": 2}, 5),
        ([3, 1, 1, 4, 2, 2, 2, 2, POISON], 2, {"patience": 2}, 8),
        ([3, 1, 1, POISON], 1, {"patience": 2, "target": 9}, 3),
        ([3, 9, POISON, POISON], 1, {"patience": 2, "target": 9}, 2),
    ],
)
def test_a_search_stops_at_its_target_or_when_nothing_better_is_found(
    levels: Sequence[float], batch: int, stop: dict[str, float], told: int
) -> None:
    best = tune_toys.leveled(levels, batch=batch, stop=stop)

    made = toys.run(best.train, LEVEL_DATA)

    assert levels_of(made) == levels[:told]
    assert len(made["tune.trials"]) == told
    assert made["tune.best"]["number"] == levels.index(max(levels[:told]))


def test_rounds_of_failures_alone_find_nothing_better() -> None:
    best = tune_toys.leveled([-1, -2, 3, 4], max_failed=2, stop={"patience": 2})

    with pytest.raises(RatsError, match="got none of 2"):
        toys.run(best.train, LEVEL_DATA)


def at_most(level: float) -> dict[str, Callable[[Mapping[str, float]], float]]:
    return {"small": lambda scores: scores["level"] - level}


@pytest.mark.parametrize(
    ("levels", "stop", "told"),
    [([3, 9, 8, POISON], {"patience": 2}, 3), ([9, 8, 3, 4, 5], {"target": 7}, 5)],
)
def test_what_is_not_feasible_is_nothing_better(
    levels: Sequence[float], stop: dict[str, float], told: int
) -> None:
    best = tune_toys.leveled(levels, stop=stop, constraints=at_most(6))

    made = toys.run(best.train, LEVEL_DATA)

    assert levels_of(made) == levels[:told]
    assert made["tune.best"]["value"] == max(level for level in levels if level <= 6)


def test_a_target_of_a_loss_is_reached_from_above() -> None:
    space = {ALPHA: CategoricalDistribution([1.0, 10.0, 0.1])}
    grid = {"space": space, "objective": "mse", "sampler": "grid", "trials": 3}
    whole = toys.run(tune_toys.tuned(**grid).train, DATA)["tune.trials"]["value"]
    assert whole[1] < whole[0]

    made = toys.run(tune_toys.tuned(**grid, stop={"target": whole[1]}).train, DATA)

    assert list(made["tune.trials"]["value"]) == list(whole[:2])


def test_masked_rounds_leave_no_trace_and_run_nothing() -> None:
    stopped = tune_toys.tuned(stop={"patience": 1}, trials=8, sampler=SAMPLERS["tpe"]())
    made = toys.run(stopped.train, DATA)
    ran = len(made["tune.trials"])
    assert 1 < ran < 7

    short = tune_toys.tuned(trials=ran, sampler=SAMPLERS["tpe"]())
    expected = toys.run(short.train, DATA)

    study, as_short = (tune_toys.study_of(each) for each in (made, expected))
    assert tune_toys.told(study) == tune_toys.told(as_short)
    assert made["tune.trials"].equals(expected["tune.trials"])
    assert tune_toys.asked_next(study, SPACE) == tune_toys.asked_next(as_short, SPACE)
    for trial in range(8):
        namespace = f"tune.round_{trial}.trial_{trial}."
        fitted = [made[n] for n in made if n.startswith(namespace) and "_state" in n]
        assert len(fitted) == 4
        masked = [isinstance(state, Masked) for state in fitted]
        assert masked == [trial >= ran] * 4


# --- continuing -------------------------------------------------------------------------


def continued(made: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return what a second search makes, which goes on with the study of a first one."""
    second = tune_toys.tuned(**{**options, "study": "before"})
    return toys.run(second.train, {**DATA, "before": made["tune.study"]})


@pytest.mark.parametrize(
    ("sampler", "batch"),
    list(zip(SAMPLERS.values(), (1, 2, 1), strict=True)),
    ids=SAMPLERS,
)
def test_two_searches_of_which_one_continues_the_other_equal_one_long_search(
    sampler: Callable[[], Any], batch: int
) -> None:
    first = tune_toys.tuned(sampler=sampler(), trials=4, batch=batch)

    # The sampler that is given now is not used: the study's own goes on.
    made = continued(
        toys.run(first.train, DATA),
        sampler=RandomSampler(seed=99),
        trials=4,
        batch=batch,
    )

    long = tune_toys.tuned(sampler=sampler(), trials=8, batch=batch)
    expected = toys.run(long.train, DATA)
    study, as_long = (tune_toys.study_of(each) for each in (made, expected))
    assert tune_toys.told(study) == tune_toys.told(as_long)
    assert made["tune.trials"].equals(expected["tune.trials"])
    assert made["tune.best"] == expected["tune.best"]
    assert tune_toys.asked_next(study, SPACE) == tune_toys.asked_next(as_long, SPACE)


def test_a_search_that_stopped_can_be_continued() -> None:
    stopped = tune_toys.tuned(sampler=SAMPLERS["tpe"](), stop={"target": -9}, trials=3)

    made = continued(toys.run(stopped.train, DATA), trials=3)

    expected = toys.run(
        tune_toys.tuned(sampler=SAMPLERS["tpe"](), trials=4).train, DATA
    )
    assert tune_toys.told(tune_toys.study_of(made)) == tune_toys.told(
        tune_toys.study_of(expected)
    )


def test_a_search_that_goes_on_knows_what_was_best_before() -> None:
    levels = [7, 5, 6, 8, 1, POISON]
    first = tune_toys.leveled(levels, trials=2)
    before = toys.run(first.train, LEVEL_DATA)["tune.study"]
    second = tune_toys.leveled(levels, trials=4, stop={"patience": 1}, study="before")

    made = toys.run(second.train, {**LEVEL_DATA, "before": before})

    assert levels_of(made) == [7, 5, 6]


def test_a_sampler_that_is_exhausted_stays_so() -> None:
    space = {K: IntDistribution(3, 5)}
    first = tune_toys.tuned(space=space, sampler=BruteForceSampler(seed=0), trials=4)
    before = toys.run(first.train, DATA)

    made = continued(before, space=space, trials=2)

    assert made["tune.trials"].equals(before["tune.trials"])


@pytest.mark.parametrize(
    ("options", "got"),
    [
        ({"objective": "mse"}, "directions"),
        ({"objective": ["r2", "mse"]}, "directions"),
        ({"objective": "r2.pooled"}, "objective r2"),
        ({"space": {ALPHA: SPACE[ALPHA]}}, K),
        ({"space": {**SPACE, K: CategoricalDistribution([3, 4])}}, K),
        ({"space": {**SPACE, ALPHA: FloatDistribution(1e-3, 10)}}, ALPHA),
        (
            {
                "space": {K: CategoricalDistribution([3])},
                "sampler": "grid",
                "trials": 1,
            },
            "Study",
        ),
    ],
    ids=["direction", "objectives", "metric", "path", "kind", "scale", "searcher"],
)
def test_a_study_of_something_else_is_refused(
    options: dict[str, Any], got: str
) -> None:
    before = toys.run(tune_toys.tuned(trials=2).train, DATA)

    with pytest.raises(RatsError) as error:
        continued(before, **{"trials": 2, **options})

    text = str(error.value)
    assert text.startswith("search 'tune', study: expected a study of the same space")
    assert got in text.partition("got")[2]


GRID = {"space": tune_toys.DISCRETE, "sampler": "grid", "trials": 2}
LARGER = {**tune_toys.DISCRETE, K: CategoricalDistribution([3, 6, 8])}
OTHER = {**tune_toys.DISCRETE, K: CategoricalDistribution([3, 7])}


@pytest.mark.parametrize(
    ("options", "got"),
    [
        ({"objective": "mse"}, "maximize r2"),
        ({"objective": "r2.pooled"}, "maximize r2"),
        ({"objective": ["r2", "mse"]}, "maximize r2"),
        ({"space": LARGER}, "a grid of 6 other points"),
        ({"space": OTHER}, "a grid of 6 other points"),
    ],
    ids=["direction", "metric", "objectives", "larger grid", "other grid"],
)
def test_a_grid_of_something_else_is_refused(options: dict[str, Any], got: str) -> None:
    before = toys.run(tune_toys.tuned(**GRID).train, DATA)

    with pytest.raises(RatsError, match=r"search 'tune', study: expected") as error:
        continued(before, **{**GRID, **options})

    assert got in str(error.value).partition(", got ")[2]
    assert "\n" not in str(error.value)


def test_a_grid_of_optuna_with_other_points_is_refused() -> None:
    """Its distributions are the same: only the sampler knows the points."""
    first, other = (
        {"space": {ALPHA: SPACE[ALPHA]}, "sampler": GridSampler({ALPHA: p}, seed=0)}
        for p in ([0.1, 1.0], [0.2, 2.0])
    )
    before = toys.run(tune_toys.tuned(**first, trials=1).train, DATA)

    with pytest.raises(RatsError, match=r"got the grid .*1\.0"):
        continued(before, **other, trials=1)
    made = continued(before, **first, trials=1)

    assert sorted(made["tune.trials"][ALPHA]) == [0.1, 1.0]


@pytest.mark.parametrize(("trials", "batch"), [(2, 2), (5, 3), (6, 4), (6, 6)])
def test_the_rest_of_a_grid_runs_whatever_the_rounds(trials: int, batch: int) -> None:
    """Also where less is left than a round has trials."""
    before = toys.run(tune_toys.tuned(**{**GRID, "trials": 4}).train, DATA)

    made = continued(before, **{**GRID, "trials": trials, "batch": batch})

    whole = toys.run(tune_toys.tuned(**{**GRID, "trials": 6}).train, DATA)
    assert made["tune.trials"].equals(whole["tune.trials"])
    assert made["tune.best"] == whole["tune.best"]
    left = toys.run(
        tune_toys.tuned(**{**GRID, "study": "before"}).train,
        {**DATA, "before": made["tune.study"]},
    )
    assert left["tune.trials"].equals(whole["tune.trials"])


def test_a_study_that_a_user_made_can_be_continued() -> None:
    """It says nothing of objectives."""
    study = optuna.create_study(direction="maximize", sampler=RandomSampler(seed=0))

    made = continued({"tune.study": pickle.dumps(study)}, trials=2)

    expected = toys.run(tune_toys.tuned(trials=2).train, DATA)
    assert made["tune.trials"].equals(expected["tune.trials"])


@pytest.mark.parametrize("bad", [b"no pickle", pickle.dumps(3)], ids=["bytes", "int"])
def test_what_is_no_study_is_refused(bad: bytes) -> None:
    with pytest.raises(RatsError, match=r"search .tune., study: expected .* study"):
        continued({"tune.study": bad}, trials=2)


# --- kill and resume --------------------------------------------------------------------


def before_and_after(best: Estimator, number: int) -> tuple[Any, Any]:
    """Return a search up to the end of a round, and the rest of it."""
    others = best.train.filter(node_namespaces=["tune.shared", "tune.refit"])
    after = best.train.from_nodes(f"tune.round_{number + 1}.ask")
    return best.train.to_outputs(f"tune.round_{number}.study"), others + after


@pytest.fixture(scope="module")
def in_one_go() -> tuple[Estimator, dict[str, Any]]:
    best = tune_toys.tuned(
        sampler=SAMPLERS["tpe"](), trials=9, batch=2, stop={"patience": 3}
    )
    return best, toys.run(best.train, DATA)


@pytest.mark.parametrize("number", range(4))
def test_a_search_resumed_after_any_round_equals_one_in_one_go(
    in_one_go: tuple[Estimator, dict[str, Any]], number: int
) -> None:
    best, expected = in_one_go

    first, rest = before_and_after(best, number)
    persisted = toys.run(first, DATA)[f"tune.round_{number}.study"]
    made = toys.run(rest, {**DATA, f"tune.round_{number}.study": persisted})

    study, whole = (tune_toys.study_of(each) for each in (made, expected))
    assert tune_toys.told(study) == tune_toys.told(whole)
    assert made["tune.trials"].equals(expected["tune.trials"])
    assert made["tune.best"] == expected["tune.best"]
    assert tune_toys.asked_next(study, SPACE) == tune_toys.asked_next(whole, SPACE)


def test_asking_again_asks_the_same() -> None:
    best = tune_toys.tuned(sampler=SAMPLERS["tpe"](), trials=8, batch=4)
    first, _ = before_and_after(best, 0)
    persisted = toys.run(first, DATA)
    ask = best.train.only_nodes("tune.round_1.ask")

    asked = [toys.run(ask, persisted) for _ in range(2)]

    for trial in range(4, 8):
        name = f"tune.round_1.trial_{trial}.chosen"
        assert asked[0][name] == asked[1][name]
