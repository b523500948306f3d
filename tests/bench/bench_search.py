"""What a search costs: against GridSearchCV, and against Optuna's own loop.

    python tests/bench/bench_search.py

1. 5 folds and 20 candidates whose preprocessing (0.5 s a fit) no searched parameter touches
   and costs four times the final fit: GridSearchCV(n_jobs=1) does it for every candidate.
2. The same where nothing can be shared: every candidate changes the preprocessing.
3. 200 trials of TPE over a cheap score, in milliseconds a trial:
   - ``optuna``: Optuna's own loop, ``study.optimize``, which fits and scores the same;
   - ``added``: what our nodes' functions take beyond that, called without a runner: asking
     and telling a study that travels as bytes, tables of scores, guards;
   - ``kedro``: Kedro's own cost of our nodes, datasets and edges. SequentialRunner runs the
     same graph, with the same data, but functions that only hand on what they once made;
   - ``together``: the search as a user runs it. What it takes beyond the sum of the three
     is ``apart``: what a function makes sets Python's garbage collector going, which walks
     all nodes of Kedro's pipeline too (without the collector it is half as much), and what
     it needs is no longer in the processor's caches.

   Each is the best of ROUNDS, taken in turns.

4. Defining a search of folds inside folds, of about 1,000 and 10,000 nodes, against
   Kedro's own ``Node()`` and ``Pipeline()`` of the same final nodes. ``Pipeline()`` looks
   at the namespaces of all nodes for each of them, so neither grows linearly.

All run in one process, with logs off, on one runner: Kedro's SequentialRunner. Scores are
compared first.
"""

from __future__ import annotations

import gc
import json
import logging
import time
import warnings
from typing import Any

import numpy as np
import optuna
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import SequentialRunner
from optuna.distributions import CategoricalDistribution, FloatDistribution
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import RidgeClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, KFold, train_test_split
from sklearn.pipeline import Pipeline as Steps

from kedro_rats import Estimator, cross_validate, estimator, holdout, metric, tune

SLOW, QUICK = 0.5, 0.125
ROUNDS = 3


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
    pipeline = search_of(count).train
    made = values_of(pipeline)
    handing_on = Pipeline(
        [
            node._copy(func=Handed(node, made), inputs=node.inputs)
            for node in pipeline.nodes
        ]
    )
    parts = {
        "optuna": lambda: optunas_loop(count),
        "functions": lambda: values_of(pipeline),
        "kedro": lambda: run(handing_on, PARAMETERS)[1],
        "together": lambda: run(pipeline, PARAMETERS)[1],
    }
    best: dict[str, float] = {}
    for _ in range(ROUNDS):
        for name, part in parts.items():
            gc.collect()
            begun = time.process_time()
            found = part()
            took = 1000 * (time.process_time() - begun) / count
            best[name] = min(took, best.get(name, took))
            if name in ("functions", "together"):
                values = list(found["tune.trials"]["value"])
                assert values == list(made["tune.trials"]["value"])
            elif name == "optuna":
                assert found == list(made["tune.trials"]["value"])
    added = best["functions"] - best["optuna"]
    apart = best["together"] - best["functions"] - best["kedro"]
    parts_ms = {
        "optuna": best["optuna"],
        "added": added,
        "kedro": best["kedro"],
        "apart": apart,
        "together": best["together"],
    }
    return {
        "case": f"{count} trials",
        "nodes": len(pipeline.nodes),
        "ms_a_trial": {name: round(value, 2) for name, value in parts_ms.items()},
    }


def definition(count: int) -> dict[str, Any]:
    begun = time.process_time()
    pipeline = nested(count)
    ours = time.process_time() - begun
    parts = [
        (node.func, node._inputs, node._outputs, node._name, node.tags, node.namespace)
        for node in pipeline.nodes
    ]
    begun = time.process_time()
    again = Pipeline(
        [
            Node(func, inputs, outputs, name=name, tags=tags, namespace=namespace)
            for func, inputs, outputs, name, tags, namespace in parts
        ]
    )
    theirs = time.process_time() - begun
    assert [node.name for node in again.nodes] == [node.name for node in pipeline.nodes]
    return {
        "case": "definition",
        "nodes": len(parts),
        "ours_s": round(ours, 2),
        "kedro_s": round(theirs, 2),
        "ratio": round(ours / theirs, 2),
    }


def nested(count: int) -> Pipeline:
    folds: dict[str, Any] = {
        "splitter": KFold(3),
        "rows": ["X", "y"],
        "metrics": {"a": metric(accuracy_score, inputs=["y", "label"])},
    }
    prep = estimator(Slow(), inputs="X", outputs="Z", name="prep")
    clf = estimator(
        RidgeClassifier(), fit_inputs=["Z", "y"], inputs="Z", outputs="label",
        name="clf", params="params:clf",
    )  # fmt: skip
    best = tune(
        cross_validate(prep + clf, name="cv", **folds),
        space={PATH: FloatDistribution(LEAST, MOST, log=True)},
        objective="a", trials=count, batch=8, name="tune",
        sampler=optuna.samplers.TPESampler(seed=0),
    )  # fmt: skip
    return cross_validate(best, name="outer", **folds).train


PARAMETERS = {"clf": {"alpha": 1.0}}
PATH, LEAST, MOST = "params:clf.alpha", 1e-3, 1e3


def search_of(count: int) -> Estimator:
    clf = estimator(
        RidgeClassifier(), fit_inputs=["X", "y"], inputs="X", outputs="label",
        name="clf", params="params:clf",
    )  # fmt: skip
    accuracy = metric(accuracy_score, inputs=["y", "label"])
    judged = holdout(
        clf, rows=["X", "y"], metrics={"a": accuracy}, name="half", test_size=0.5
    )
    return tune(
        judged, space={PATH: FloatDistribution(LEAST, MOST, log=True)}, objective="a",
        trials=count, sampler=optuna.samplers.TPESampler(seed=0), name="tune",
    )  # fmt: skip


def optunas_loop(count: int) -> list[float]:
    X, y = load_breast_cancer(return_X_y=True)
    X, X_held, y, y_held = train_test_split(X, y, test_size=0.5, random_state=0)

    def objective(trial: optuna.Trial) -> float:
        alpha = trial.suggest_float(PATH, LEAST, MOST, log=True)
        fitted = RidgeClassifier(alpha=alpha).fit(X, y)
        return float(accuracy_score(y_held, fitted.predict(X_held)))

    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=0)
    )
    study.optimize(objective, n_trials=count)
    return [trial.value for trial in study.trials]


def values_of(pipeline: Pipeline) -> dict[str, Any]:
    """Call the functions of a pipeline one after the other; return all that they make."""
    X, y = load_breast_cancer(return_X_y=True)
    known: dict[str, Any] = {"X": X, "y": y, "params:clf": PARAMETERS["clf"]}
    for node in pipeline.nodes:
        made = node.func(*(known[name] for name in node.inputs))
        one = isinstance(node._outputs, str)
        known.update(zip(node.outputs, [made] if one else made, strict=True))
    return known


class Handed:
    """The function of a node that does nothing but hand on what it once made."""

    def __init__(self, node: Node, made: dict[str, Any]) -> None:
        values = [made[name] for name in node.outputs]
        self.values = values[0] if isinstance(node._outputs, str) else values

    def __call__(self, *_: Any) -> Any:
        return self.values


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    measures = (
        lambda: definition(20),
        lambda: definition(270),
        trials,
        lambda: grid(shared=True),
        lambda: grid(shared=False),
    )
    for measure in measures:
        print(json.dumps(measure()), flush=True)
