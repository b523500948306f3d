"""The nodes that make tables of scores, trials and rounds say what they do."""

from __future__ import annotations

import inspect
import warnings
from typing import TYPE_CHECKING

import pytest
from kedro.pipeline.node import Node
from plots import runs

from kedro_rats.combinators import pseudolabel, select

if TYPE_CHECKING:
    from kedro_rats import Estimator

pytestmark = pytest.mark.skipif(
    "preview_fn" not in inspect.signature(Node.__init__).parameters,
    reason="Kedro shows previews from version 1.2 on",
)


def lines(estimator: Estimator, name: str) -> list[str]:
    (node,) = (node for node in estimator.train.nodes if node.name == name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # previews are experimental, says Kedro
        return str(node.preview().to_dict()["content"]).splitlines()


def test_the_scores_of_a_fold() -> None:
    cv = runs.judged_classifier()

    assert lines(cv, "cv.fold_2.eval.score") == [
        "type: score",
        "metrics: auc, accuracy",
        "fold: 2 of 0 to 3",
        "part: eval",
    ]
    assert lines(cv, "cv.fold_2.train_eval.score")[-1] == "part: train"


def test_the_scores_of_all_folds() -> None:
    assert lines(runs.judged_classifier(), "cv.gather.scores") == [
        "type: gather",
        "makes: a table with a row for each fold, part and metric",
        "metrics: auc, accuracy",
        "folds: 4",
    ]


def test_the_summary() -> None:
    assert lines(runs.judged_classifier(), "cv.summarize") == [
        "type: gather",
        "makes: mean and std (ddof 0) of each metric over 4 folds",
        "metrics: auc, accuracy",
        "pooled: auc, accuracy",
    ]


def test_a_search() -> None:
    assert lines(runs.searched_regression(), "tune.report") == [
        "type: gather",
        "makes: the study, the table of trials, and the best trial",
        "objective: minimize mse",
        "trials: 24 in 3 rounds",
        "sampler: TPESampler",
        "params.select.k: IntDistribution(high=8, log=False, low=0, step=1)",
        "params.ridge.alpha: FloatDistribution(high=10.0, log=True, low=0.001, step=None)",
    ]


def test_rounds_of_pseudo_labels() -> None:
    own = pseudolabel(
        runs.CLASSIFIER,
        unlabeled={"X": "X_new"},
        target="y",
        label="label",
        select=select.threshold(0.9),
        rounds=3,
        name="own",
    )

    said = lines(own, "own.report")

    assert said[:3] == [
        "type: gather",
        "makes: the table of labels, and that of rounds",
        "label: label",
    ]
    assert "0.9" in said[3]
    assert said[4] == "rounds: at most 3"


def test_it_is_kept_in_a_trial() -> None:
    nodes = [n.name for n in runs.searched_regression().train.nodes]
    inner = next(name for name in nodes if name.endswith("trial_0.cv.gather.scores"))

    assert lines(runs.searched_regression(), inner)[0] == "type: gather"
