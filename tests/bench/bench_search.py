"""What a search costs: against GridSearchCV, and against Optuna's own loop.

    python tests/bench/bench_search.py

1. 5 folds and 20 candidates whose preprocessing (0.5 s a fit) no searched parameter touches
   and costs four times the final fit: GridSearchCV(n_jobs=1) does it for every candidate.
2. The same where nothing can be shared: every candidate changes the preprocessing.
3. 200 trials of TPE over a cheap score: milliseconds that a trial costs beyond Optuna's
   own loop, and how many of them Kedro needs for as many nodes that do nothing.

All run in one process, with logs off, on one runner: Kedro's SequentialRunner. Scores are
compared first.
"""

from __future__ import annotations

import json
import logging
import time
import warnings
from typing import Any

import numpy as np
import optuna
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro.runner import SequentialRunner
from optuna.distributions import CategoricalDistribution, FloatDistribution
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import Pipeline as Steps

from kedro_rats import cross_validate, estimator, holdout, metric, tune

SLOW, QUICK = 0.5, 0.125


def spin(seconds: float) -> None:
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


class Slow(TransformerMixin, BaseEstimator):
    """Takes half a second to learn nothing much."""

    def __init__(self, shift: float = 0.0, seconds: float = SLOW) -> None:
        self.shift = shift
        self.seconds = seconds

    def fit(self, X: Any, y: Any = None) -> Slow:
        spin(self.seconds)
        self.mean_ = X.mean(axis=0) + self.shift
        return self

    def transform(self, X: Any) -> Any:
        return X - self.mean_


class Quick(RidgeClassifier):
    """Takes a quarter of that."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Quick:
        spin(QUICK)
        return super().fit(X, y, sample_weight)


def run(pipeline: Pipeline, parameters: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    X, y = load_breast_cancer(return_X_y=True)
    data = {"X": X, "y": y, **{f"params:{n}": v for n, v in parameters.items()}}
    catalog = DataCatalog({name: MemoryDataset(value) for name, value in data.items()})
    begun = time.process_time()
    made = SequentialRunner().run(pipeline, catalog)
    return time.process_time() - begun, {n: made[n].load() for n in made}


def grid(*, shared: bool) -> dict[str, Any]:
    X, y = load_breast_cancer(return_X_y=True)
    seconds = SLOW if shared else 0.1
    values = list(np.logspace(-2, 2, 20)) if shared else list(np.linspace(0, 1, 20))
    searched = "clf" if shared else "prep"
    argument = "alpha" if shared else "shift"
    peer = GridSearchCV(
        Steps([("prep", Slow(seconds=seconds)), ("clf", Quick())]),
        {f"{searched}__{argument}": values},
        cv=KFold(5),
        n_jobs=1,
    )
    begun = time.process_time()
    peer.fit(X, y)
    theirs = time.process_time() - begun

    prep = estimator(
        Slow(seconds=seconds), inputs="X", outputs="Z", name="prep",
        params="params:prep", fused=False,
    )  # fmt: skip
    clf = estimator(
        Quick(), fit_inputs=["Z", "y"], inputs="Z", outputs="label", name="clf",
        params="params:clf",
    )  # fmt: skip
    accuracy = metric(accuracy_score, inputs=["y", "label"])
    cv = cross_validate(
        prep + clf,
        splitter=KFold(5),
        rows=["X", "y"],
        metrics={"a": accuracy},
        name="cv",
    )
    best = tune(
        cv,
        space={f"params:{searched}.{argument}": CategoricalDistribution(values)},
        objective="a", trials=20, sampler="grid", name="tune",
    )  # fmt: skip
    parameters = {"prep": {"shift": 0.0}, "clf": {"alpha": 1.0}}
    # What GridSearchCV does: all candidates, and one fit of the best on all rows.
    pipeline = best.train.to_outputs("tune.trials", "tune.best", *best.state)
    ours, made = run(pipeline, parameters)
    scores = made["tune.trials"]
    value = next(c for c in scores.columns if c in ("value", "a", "values_0"))
    np.testing.assert_allclose(scores[value], peer.cv_results_["mean_test_score"])
    return {
        "case": "preprocessing is shared" if shared else "nothing is shared",
        "ours_s": round(ours, 2),
        "grid_search_cv_s": round(theirs, 2),
        "ratio": round(ours / theirs, 3),
    }


def trials(count: int = 200) -> dict[str, Any]:
    X, y = load_breast_cancer(return_X_y=True)
    space = {"params:clf.alpha": FloatDistribution(1e-3, 1e3, log=True)}

    clf = estimator(
        RidgeClassifier(), fit_inputs=["X", "y"], inputs="X", outputs="label",
        name="clf", params="params:clf",
    )  # fmt: skip
    accuracy = metric(accuracy_score, inputs=["y", "label"])
    judged = holdout(
        clf, rows=["X", "y"], metrics={"a": accuracy}, name="half", test_size=0.5
    )
    searched = tune(
        judged, space=space, objective="a", trials=count, name="tune",
        sampler=optuna.samplers.TPESampler(seed=0),
    )  # fmt: skip
    ours, made = run(searched.train, {"clf": {"alpha": 1.0}})

    chosen = np.random.RandomState(0).permutation(len(y))
    held, rest = chosen[: len(y) // 2], chosen[len(y) // 2 :]

    def objective(trial: optuna.Trial) -> float:
        alpha = trial.suggest_float("params:clf.alpha", 1e-3, 1e3, log=True)
        fitted = RidgeClassifier(alpha=alpha).fit(X[rest], y[rest])
        return float(accuracy_score(y[held], fitted.predict(X[held])))

    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=0)
    )
    begun = time.process_time()
    study.optimize(objective, n_trials=count)
    theirs = time.process_time() - begun

    size = len(searched.train.nodes)
    nothing = Pipeline(
        [node(same, f"x{i}", f"x{i + 1}", name=f"n{i}") for i in range(size)]
    )
    begun = time.process_time()
    SequentialRunner().run(nothing, DataCatalog({"x0": MemoryDataset(1)}))
    kedro = time.process_time() - begun
    del made
    return {
        "case": f"{count} trials",
        "ours_ms_a_trial": round(1000 * ours / count, 2),
        "optuna_ms_a_trial": round(1000 * theirs / count, 2),
        "kedro_ms_a_trial_for_as_many_nodes": round(1000 * kedro / count, 2),
        "nodes": size,
        "added_ms_a_trial_without_kedro": round(
            1000 * (ours - theirs - kedro) / count, 2
        ),
    }


def same(value: object) -> object:
    return value


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    for measured in (trials(), grid(shared=True), grid(shared=False)):
        print(json.dumps(measured))
