"""What the tests of pictures share: real outputs of folds, of a search and of rounds.

All is at the top of a module, so that another process can import it.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.samplers import TPESampler
from pipelines.running import run
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.feature_selection import SelectKBest, f_regression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_squared_error, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from kedro_rats import Estimator, cross_validate, estimator, metric, plots, tune
from kedro_rats.combinators import pseudolabel, select

SCALE = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
CLASSIFIER = SCALE + estimator(
    LogisticRegression(),
    fit_inputs=["Z", "y"],
    inputs="Z",
    outputs={"predict": "label", "predict_proba": "p", "decision_function": "d"},
    name="clf",
)
ALPHA, K = "params:ridge.alpha", "params:select.k"


def judged_classifier() -> Estimator:
    return cross_validate(
        CLASSIFIER,
        splitter=StratifiedKFold(4),
        rows=["X", "y"],
        stratify="y",
        metrics={
            "auc": metric(roc_auc_score, inputs=["y", "d"]),
            "accuracy": metric(accuracy_score, inputs=["y", "label"]),
        },
        train_scores=True,
        name="cv",
    )


def searched_regression() -> Estimator:
    chosen = estimator(
        SelectKBest(f_regression),
        fit_inputs=["X", "y"],
        inputs="X",
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
    mse = metric(
        mean_squared_error,
        inputs={"y_true": "y", "y_pred": "yhat"},
        greater_is_better=False,
    )
    cv = cross_validate(
        chosen + ridge,
        splitter=KFold(2),
        rows=["X", "y"],
        metrics={"mse": mse},
        name="cv",
    )
    return tune(
        cv,
        # No selection takes 0 columns: such a trial fails.
        space={K: IntDistribution(0, 8), ALPHA: FloatDistribution(1e-3, 10, log=True)},
        objective="mse",
        trials=24,
        batch=8,
        max_failed=24,
        constraints={"bounded": lambda scores: scores["mse"] - 3600},
        sampler=TPESampler(seed=1),
        name="tune",
    )


@cache
def folds() -> dict[str, Any]:
    X, y = load_breast_cancer(return_X_y=True)
    return run(judged_classifier().train, {"X": X, "y": y})


@cache
def search() -> dict[str, Any]:
    X, y = load_diabetes(return_X_y=True)
    given = {"X": X, "y": y, "params:select": {}, "params:ridge": {}}
    return run(searched_regression().train, given)


@cache
def labels() -> dict[str, Any]:
    X, y = load_digits(return_X_y=True)
    known = np.random.default_rng(0).random(len(X)) < 0.05
    own = pseudolabel(
        CLASSIFIER,
        unlabeled={"X": "X_new"},
        target="y",
        label="label",
        confidence="p",
        select=select.threshold(0.95),
        rounds=4,
        name="own",
    )
    return run(own.train, {"X": X[known], "y": y[known], "X_new": X[~known]})


def given(name: str) -> tuple[Any, ...]:
    """Return real outputs, for a function of that name."""
    if name == "fold_scores":
        return (folds()["cv.scores"],)
    if name in ("roc", "confusion"):
        return folds()["y"], folds()["p" if name == "roc" else "label"]
    if name == "rounds":
        return (labels()["own.history"],)
    read = {
        "residuals": ("y", "yhat"),
        "optimization_history": ("tune.trials", "tune.best"),
        "parameter_importance": ("tune.study",),
    }
    return tuple(search()[dataset] for dataset in read[name])


def plotted(name: str, kind: Any = plots) -> Any:
    """Return a picture of real outputs, by the name of its function."""
    return getattr(kind, name)(*given(name))


NAMES = [name for name in plots.__all__ if name != "stills"]


def scores_of(*rows: tuple[Any, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["fold", "part", "metric", "value", "rows"])
