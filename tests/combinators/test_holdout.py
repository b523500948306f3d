"""Holdout equals scikit-learn's ``train_test_split`` and ``GroupShuffleSplit``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from combinators import toys
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from kedro_rats import holdout, metric

X, Y = toys.bundled("breast_cancer", step=3)
GROUPS = toys.groups_of(X)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"random_state": 3},
        {"test_size": 0.4, "random_state": 1},
        {"test_size": 30},
        {"shuffle": False},
        {"shuffle": False, "test_size": 25},
        {"stratify": "y"},
        {"stratify": "y", "test_size": 40, "random_state": 5},
    ],
    ids=str,
)
def test_the_rows_held_out_are_those_of_train_test_split(
    options: dict[str, Any],
) -> None:
    held = holdout(
        toys.classifier(),
        rows=["X", "y"],
        name="held",
        metrics={"accuracy": toys.ACCURACY, "error": toys.SQUARED_ERROR},
        train_scores=True,
        **options,
    )

    made = toys.run(held.train, {"X": X, "y": Y})

    given = {"random_state": 0, **options}
    if not given.get("shuffle", True):
        del given["random_state"]
    if "stratify" in given:
        given["stratify"] = Y
    X_train, X_test, y_train, y_test = train_test_split(X, Y, **given)
    peer = toys.classifier_of_sklearn().fit(X_train, y_train)
    table = made["held.scores"]
    for part, rows, target in (("eval", X_test, y_test), ("train", X_train, y_train)):
        accuracy = accuracy_score(target, peer.predict(rows))
        assert toys.scores(table, "accuracy", part) == [accuracy]
        error = toys.squared_error(target, peer.predict_proba(rows))
        assert toys.scores(table, "error", part) == [error]
    assert np.array_equal(made["held.fold_0.eval.p"], peer.predict_proba(X_test))
    assert np.array_equal(made["held.fold_0.eval.X"], X_test)
    assert np.array_equal(made["held.fold_0.train.y"], y_train)


@pytest.mark.parametrize("test_size", [0.25, 0.5, 2])
def test_groups_held_out_are_those_of_group_shuffle_split(test_size: float) -> None:
    held = holdout(
        toys.classifier(),
        rows=["X", "y"],
        name="held",
        groups="g",
        test_size=test_size,
        random_state=7,
    )

    made = toys.run(held.train, {"X": X, "y": Y, "g": GROUPS})

    splitter = GroupShuffleSplit(1, test_size=test_size, random_state=7)
    ((train, test),) = splitter.split(X, Y, GROUPS)
    peer = toys.classifier_of_sklearn().fit(X[train], Y[train])
    assert np.array_equal(made["held.fold_0.eval.p"], peer.predict_proba(X[test]))
    assert not set(GROUPS[train]) & set(GROUPS[test])


def test_a_holdout_makes_no_row_outputs_in_training_and_has_no_pooled_score() -> None:
    held = holdout(
        toys.classifier(),
        rows=["X", "y"],
        name="held",
        metrics={"accuracy": toys.ACCURACY},
    )

    made = toys.run(held.train, {"X": X, "y": Y})

    assert not {"label", "p"} & made.keys()
    assert made["held.summary"]["accuracy"].keys() == {"mean", "std"}
    assert made["held.summary"]["accuracy"]["std"] == 0


def test_evaluation_after_a_holdout_is_of_a_fit_on_all_rows() -> None:
    held = holdout(toys.classifier(), rows=["X", "y"], name="held")
    trained = toys.run(held.train, {"X": X, "y": Y})

    made = toys.evaluated(held, trained, {"X": X[:10] + 1})

    peer = toys.classifier_of_sklearn().fit(X, Y)
    assert np.array_equal(made["p"], peer.predict_proba(X[:10] + 1))


def test_a_holdout_without_refit_has_no_state() -> None:
    held = holdout(toys.classifier(), rows=["X", "y"], name="held", refit=False)

    made = toys.run(held.train, {"X": X, "y": Y})

    assert (held.state, held.outputs) == ((), ())
    assert not any("refit" in name for name in made)


def test_rows_that_the_model_does_not_read_are_held_out_for_the_metric() -> None:
    weights = np.random.default_rng(0).random(len(X))
    weighted = metric(
        accuracy_score, inputs={"y_true": "y", "y_pred": "label", "sample_weight": "w"}
    )
    held = holdout(
        toys.classifier(),
        rows=["X", "y", "w"],
        name="held",
        metrics={"accuracy": weighted},
    )

    made = toys.run(held.train, {"X": X, "y": Y, "w": weights})

    X_train, X_test, y_train, y_test, _, w_test = train_test_split(
        X, Y, weights, random_state=0
    )
    label = toys.classifier_of_sklearn().fit(X_train, y_train).predict(X_test)
    expected = accuracy_score(y_test, label, sample_weight=w_test)
    assert toys.scores(made["held.scores"], "accuracy") == [expected]
