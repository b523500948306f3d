"""What the tests of `tune` share: operands, what scikit-learn makes of them, and studies.

All is at the top of a module, so that it pickles and other processes can import it.
"""

from __future__ import annotations

import logging
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from combinators import toys
from optuna.distributions import (
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import RandomSampler, TPESampler
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import KFold, cross_validate
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.preprocessing import StandardScaler

import kedro_rats
from kedro_rats import Estimator, estimator, metric

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pytest
    from combinators.toys import Array

X, Y = toys.bundled("diabetes", step=4)
DATA = {"X": X, "y": Y, "params:select": {}, "params:ridge": {}}
FOLDS = KFold(2)

MSE = metric(mean_squared_error, inputs=["y", "yhat"], greater_is_better=False)

ALPHA, K = "params:ridge.alpha", "params:select.k"
SPACE = {K: IntDistribution(2, 8), ALPHA: FloatDistribution(1e-3, 10, log=True)}
DISCRETE = {
    K: CategoricalDistribution([3, 6]),
    ALPHA: CategoricalDistribution([0.1, 1.0, 10.0]),
}


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Suggest what `SPACE` says, as users of Optuna write it."""
    return {
        K: trial.suggest_int(K, 2, 8),
        ALPHA: trial.suggest_float(ALPHA, 1e-3, 10, log=True),
    }


def suggest_discrete(trial: optuna.Trial) -> dict[str, Any]:
    return {
        K: trial.suggest_categorical(K, [3, 6]),
        ALPHA: trial.suggest_categorical(ALPHA, [0.1, 1.0, 10.0]),
    }


# --- an estimator of scikit-learn's objects, and its peer -------------------------------


def regression() -> Estimator:
    """Return a scaler, a selection with parameters and a model with parameters."""
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    select = estimator(
        SelectKBest(f_regression, k=5),
        fit_inputs=["Z", "y"],
        inputs="Z",
        outputs="S",
        name="select",
        params="params:select",
    )
    ridge = estimator(
        Ridge(),
        fit_inputs=["S", "y"],
        inputs="S",
        outputs="yhat",
        name="ridge",
        params="params:ridge",
    )
    return scale + select + ridge


def ridge() -> Estimator:
    """Return a model with parameters, and nothing before it."""
    return estimator(
        Ridge(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs="yhat",
        name="ridge",
        params="params:ridge",
    )


def judged(operand: Estimator, **options: Any) -> Estimator:
    """Return an operand that reads X and y, cross-validated."""
    given = {
        "splitter": FOLDS,
        "rows": ["X", "y"],
        "metrics": {"r2": toys.R2, "mse": MSE},
        "name": "cv",
    }
    return kedro_rats.cross_validate(operand, **{**given, **options})


def tuned(operand: Estimator | None = None, **options: Any) -> Estimator:
    """Return the regression, or another operand, tuned."""
    given = {
        "space": SPACE,
        "objective": "r2",
        "trials": 4,
        "sampler": RandomSampler(seed=0),
        "name": "tune",
    }
    return kedro_rats.tune(operand or judged(regression()), **{**given, **options})


def in_rounds(**options: Any) -> Estimator:
    """Return a search of several rounds, of which the last one is short."""
    sampler = TPESampler(seed=0, n_startup_trials=2)
    return tuned(**{"sampler": sampler, "trials": 5, "batch": 2, **options})


def in_folds_in_a_search() -> Estimator:
    """Return a search inside cross-validation inside another search."""
    inner = tuned(space={ALPHA: SPACE[ALPHA]}, trials=2, batch=2, name="inner")
    return tuned(judged(inner, name="outer"), space={K: SPACE[K]}, trials=2)


def peer(chosen: Mapping[str, Any]) -> SklearnPipeline:
    """Return scikit-learn's pipeline with parameters that a trial chose."""
    steps = [
        ("scale", StandardScaler()),
        ("select", SelectKBest(f_regression, k=5)),
        ("ridge", Ridge()),
    ]
    return SklearnPipeline(steps).set_params(**in_sklearns_words(chosen))


def in_sklearns_words(chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {
        path.removeprefix("params:").replace(".", "__"): value
        for path, value in chosen.items()
    }


def peer_scores(chosen: Mapping[str, Any]) -> dict[str, float]:
    """Return the means over folds of what scikit-learn's pipeline scores."""
    scoring = {"r2": "r2", "mse": "neg_mean_squared_error"}
    scored = cross_validate(peer(chosen), X, Y, cv=FOLDS, scoring=scoring)
    return {
        "r2": float(np.mean(scored["test_r2"])),
        "mse": float(np.mean(-scored["test_mse"])),
    }


# --- an estimator whose score is its parameter ------------------------------------------

LEVEL = "params:own.level"


def learn_level(X: Array, own: Mapping[str, Any]) -> float:
    """Learn nothing but a parameter; levels from 100 fail."""
    if own["level"] >= 100:
        msg = f"level {own['level']}\nis too high"
        raise ValueError(msg)
    return float(own["level"])


def give_level(level: float, X: Array) -> Array:
    return np.full(len(X), level)


def mean_level(level: Array) -> float:
    """Judge by the level itself; levels below 0 score NaN."""
    return float(level[0]) if level[0] >= 0 else float("nan")


def leveled(levels: Sequence[float], **options: Any) -> Estimator:
    """Return a search whose trials score just these values, in this order."""
    own = estimator(
        learn_level,
        give_level,
        fit_inputs=["X", "params:own"],
        inputs="X",
        outputs="level",
        name="own",
    )
    held = kedro_rats.holdout(
        own,
        rows=["X"],
        metrics={"level": metric(mean_level, inputs=["level"])},
        name="held",
    )
    given = {
        "space": {LEVEL: FloatDistribution(-1000, 1000)},
        "objective": "level",
        "trials": len(levels),
        "sampler": Listed(levels),
    }
    return tuned(held, **{**given, **options})


LEVEL_DATA = {"X": X[:8], "params:own": {"level": 0}}


class Listed:
    """An object that asks for levels in order, and remembers what it is told."""

    def __init__(self, levels: Sequence[float]) -> None:
        self.levels = list(levels)
        self.told: list[tuple[float, Any]] = []
        self.asked = 0

    def ask(self) -> dict[str, float]:
        self.asked += 1
        return {LEVEL: self.levels[self.asked - 1]}

    def tell(self, params: Mapping[str, float], value: Any) -> None:
        self.told.append((params[LEVEL], value))


def give_mean(state: tuple[float, Any], X: Array) -> Array:
    """Apply a state of a number and whatever else."""
    return np.full(len(X), state[0])


# --- studies ----------------------------------------------------------------------------


def study_of(made: Mapping[str, Any], name: str = "tune.study") -> Any:
    """Return the study that a run made: Optuna's, or ours of another searcher."""
    return pickle.loads(made[name])


def told(study: optuna.Study) -> list[tuple[Any, ...]]:
    """Return all that a study knows of its trials, but for times."""
    return [
        (trial.number, trial.state.name, trial.values, trial.params, trial.constraints)
        for trial in study.trials
    ]


def asked_next(study: optuna.Study, space: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a study asks for next: this depends on its sampler's state."""
    return study.ask(dict(space)).params


def optimized(
    objective: Callable[[optuna.Trial], Any],
    sampler: optuna.samplers.BaseSampler,
    trials: int,
    *,
    directions: Sequence[str] = ("maximize",),
    catch: tuple[type[Exception], ...] = (),
) -> optuna.Study:
    """Return the study that Optuna's own loop makes."""
    study = optuna.create_study(directions=list(directions), sampler=sampler)
    study.optimize(objective, n_trials=trials, catch=catch)
    return study


def told_in_rounds(
    objective: Callable[[optuna.Trial], float],
    sampler: optuna.samplers.BaseSampler,
    trials: int,
    batch: int,
    space: Mapping[str, Any],
) -> optuna.Study:
    """Return the study of a loop that asks several times before it tells in order."""
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for first in range(0, trials, batch):
        size = min(batch, trials - first)
        asked = [study.ask(dict(space)) for _ in range(size)]
        values = [objective(trial) for trial in asked]
        for trial, value in zip(asked, values, strict=True):
            study.tell(trial, value)
    return study


def quieten(caplog: pytest.LogCaptureFixture) -> None:
    """Let nobody format a line of log for each node and trial: that takes longer."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    caplog.set_level(logging.WARNING, logger="kedro")
