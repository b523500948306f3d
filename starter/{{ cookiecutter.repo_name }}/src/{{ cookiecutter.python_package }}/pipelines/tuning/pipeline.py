"""A cross-validated search: three combinators, one inside the other.

A trial of the search learns from one half of the birds and is judged on the other. The
search itself is cross-validated: the best of many scores looks too good, so each fold
searches for itself, and is then judged on birds that its search has never seen. What is
fitted includes the preprocessing, so nothing leaks.
"""

from __future__ import annotations

from kedro.pipeline import Pipeline, node
from kedro_rats import Estimator, cross_validate, holdout, plots, tune
from optuna.distributions import FloatDistribution
from optuna.samplers import TPESampler
from sklearn.model_selection import StratifiedGroupKFold

from .. import model, preparation

# Few, so that a run takes seconds and Kedro-Viz can show all of it at once.
FOLDS = 2
TRIALS = 4
BATCH = 2


def tuned() -> Estimator:
    """Return the model at the best C of a search, which can take the model's place."""
    held_out = holdout(
        model.by_component(),
        test_size=0.5,
        rows=["X", "y", "bird"],
        groups="bird",
        metrics={"auc": model.METRICS["auc"]},
        name="half",
    )
    return tune(
        held_out,
        space={"params:clf.C": FloatDistribution(1e-3, 1e3, log=True)},
        objective="auc",
        trials=TRIALS,
        batch=BATCH,
        sampler=TPESampler(seed=0),
        name="tune",
    )


def judged() -> Pipeline:
    """Return the pipeline that cross-validates the search, with its pictures."""
    outer = cross_validate(
        tuned(),
        splitter=StratifiedGroupKFold(FOLDS),
        rows=["X", "y", "bird"],
        groups="bird",
        stratify="y",
        metrics=model.METRICS,
        outputs=["label", "d"],
        refit=False,
        name="outer",
    )
    prepared = preparation.preparation() + preparation.birds()
    return (prepared + outer).train + pictures()


def pictures() -> Pipeline:
    """Return the plots: of all folds, and of the search in each."""
    histories = [
        node(
            plots.optimization_history,
            inputs=[f"outer.{fold}.train.tune.trials", f"outer.{fold}.train.tune.best"],
            outputs=f"outer.{fold}.history_plot",
            name="plot_history",
            namespace=f"outer.{fold}",
        )
        for fold in (f"fold_{k}" for k in range(FOLDS))
    ]
    return Pipeline(
        [
            node(
                plots.fold_scores,
                inputs="outer.scores",
                outputs="outer.scores_plot",
                name="plot_scores",
                namespace="outer",
            ),
            node(
                plots.roc,
                inputs=["y", "d"],
                outputs="outer.roc_plot",
                name="plot_roc",
                namespace="outer",
            ),
            *histories,
        ]
    )
