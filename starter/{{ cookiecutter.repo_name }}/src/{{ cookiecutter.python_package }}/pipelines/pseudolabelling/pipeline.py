"""A model that labels birds of unknown sex itself, and learns from them too.

Suppose that the sex was found out on one island alone: it takes a blood sample. The birds
of the other islands were only measured. In each round the model learns, and gives those
of them a sex of which it is sure; the next round learns from these too.
"""

from __future__ import annotations

from kedro.pipeline import Pipeline, node
from kedro_rats import (
    Estimator,
    cross_validate,
    plots,
    pseudolabel,
    select,
    transformer,
)
from sklearn.model_selection import StratifiedGroupKFold

from .. import model, preparation
from .nodes import part_by_island

FOLDS = 3
ROUNDS = 2


def self_taught() -> Estimator:
    """Return the model that also learns from ``X_new``, whose sex nobody knows."""
    return pseudolabel(
        model.by_component(),
        unlabeled={"X": "X_new"},
        target="y",
        label="label",
        confidence="p",
        select=select.threshold(0.9),
        rounds=ROUNDS,
        name="own",
    )


def judged() -> Pipeline:
    """Return the pipeline that cross-validates it, with its pictures.

    Each fold labels anew, from its own training rows. The birds of the other islands are
    shared by all folds; no score counts them.
    """
    semi = cross_validate(
        self_taught(),
        splitter=StratifiedGroupKFold(FOLDS),
        rows=["X", "y", "bird"],
        stratify="y",
        groups="bird",
        shared=["X_new"],
        metrics=model.METRICS,
        outputs=["label", "d"],
        refit=False,
        name="semi",
    )
    return parted() + semi.train + pictures()


def parted() -> Pipeline:
    """Return the nodes that make ``X`` and ``y`` of one island, ``X_new`` of the others."""
    part = node(
        part_by_island,
        inputs=["penguins", "params:sexed_on"],
        outputs=["sexed", "unsexed"],
        name="part_by_island",
    )
    known = preparation.preparation("sexed") + preparation.birds("sexed")
    unknown = transformer(
        preparation.features, inputs="unsexed", outputs="X_new", name="features_new"
    )
    return Pipeline([part]) + known.train + unknown.train


def pictures() -> Pipeline:
    """Return the plots: of all folds, and of the rounds in each."""
    rounds = [
        node(
            plots.rounds,
            inputs=f"semi.{fold}.train.own.history",
            outputs=f"semi.{fold}.rounds_plot",
            name="plot_rounds",
            namespace=f"semi.{fold}",
        )
        for fold in (f"fold_{k}" for k in range(FOLDS))
    ]
    scores = node(
        plots.fold_scores,
        inputs="semi.scores",
        outputs="semi.scores_plot",
        name="plot_scores",
        namespace="semi",
    )
    return Pipeline([scores, *rounds])
