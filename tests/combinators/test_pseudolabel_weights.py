"""What pseudo-labelled rows weigh, and how rules choose among classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from combinators import pseudolabel_toys, toys
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from kedro_rats import select, train_only

DATA = pseudolabel_toys.split("wine", 0.3)
W = np.random.default_rng(0).uniform(0.5, 2, size=len(DATA["X"]))
WEIGHED = toys.scaled(
    LogisticRegression(), {"predict": "label", "predict_proba": "p"}, sample_weight="w"
)


def fit(rows: Any, labels: Any, weights: Any) -> Any:
    model = Pipeline([("scale", StandardScaler()), ("model", LogisticRegression())])
    X = np.vstack([DATA["X"], DATA["X_new"][rows]])
    y, w = np.append(DATA["y"], labels), np.append(W, weights)
    return model.fit(X, y, model__sample_weight=w)


@pytest.mark.parametrize(
    ("weight", "of_round"),
    [
        (0.25, [0.25, 0.25, 0.25]),
        (0, [0, 0, 0]),
        ([0.1, 0.5, 0.9], [0.1, 0.5, 0.9]),
        ([0.1, 0.5], [0.1, 0.5, 0.5]),
        ({"w": (0.1, 2)}, [0.1, 2, 2]),
    ],
    ids=str,
)
def test_weights_reach_every_fit(weight: Any, of_round: list[float]) -> None:
    model = pseudolabel_toys.labelling(
        WEIGHED, weight=weight, select=select.threshold(0.8), rounds=3
    )

    made = toys.run(model.train, {**DATA, "w": W})

    rows, labels = np.empty(0, dtype=int), DATA["y"][:0]
    for number, value in enumerate([0.0, *of_round], 1):
        peer = fit(rows, labels, np.full(len(rows), value))
        state = f"own.round_{number}.train.model_state" if number < 4 else "model_state"
        assert np.array_equal(made[state].coef_, peer[-1].coef_)
        left = np.setdiff1d(np.arange(len(DATA["X_new"])), rows)
        sure = peer.predict_proba(DATA["X_new"][left]).max(axis=1) > 0.8
        order = np.argsort(np.append(rows, left[sure]))
        new = peer.predict(DATA["X_new"][left])[sure]
        rows = np.append(rows, left[sure])[order]
        labels = np.append(labels, new)[order]
    assert len(made["own.history"]) == 3


def test_the_last_fit_of_labelling_that_stopped_has_the_weight_of_its_round() -> None:
    model = pseudolabel_toys.labelling(
        WEIGHED, weight=[0.1, 0.5, 0.9], select=select.k_best(1000), rounds=3
    )

    made = toys.run(model.train, {**DATA, "w": W})

    assert len(made["own.history"]) == 1
    assert np.array_equal(made["own.refit.train.w"][: len(W)], W)
    assert set(made["own.refit.train.w"][len(W) :]) == {0.1}


def test_a_ramp_that_still_rises_is_not_taken_for_no_change() -> None:
    """The next fit weighs the same rows more, and may be surer."""
    model = pseudolabel_toys.labelling(
        WEIGHED,
        weight=[0.01, 0.1, 1.0, 5.0],
        select=select.threshold(0.995),
        rounds=8,
    )

    made = toys.run(model.train, {**DATA, "w": W})

    selected = list(made["own.history"]["selected"])
    assert 0 in selected[:-1]
    assert len(made["own.labels"]) == sum(selected)


def test_a_row_may_weigh_what_an_output_says() -> None:
    model = pseudolabel_toys.labelling(
        WEIGHED, weight="p", select=select.k_best(10), rounds=2
    )

    made = toys.run(model.train, {**DATA, "w": W})

    labels = made["own.labels"]
    assert len(labels) == 20
    weights = made["own.refit.train.w"][len(W) :]
    assert np.array_equal(weights, labels["confidence"])
    peer = fit(labels["row"], labels["label"], weights)
    assert np.array_equal(made["model_state"].coef_, peer[-1].coef_)


def test_unlabelled_rows_may_have_weights_of_their_own() -> None:
    new = np.linspace(0.1, 1, len(DATA["X_new"]))
    model = pseudolabel_toys.labelling(
        WEIGHED, unlabeled={"X": "X_new", "w": "w_new"}, select=select.k_best(30)
    )

    made = toys.run(model.train, {**DATA, "w": W, "w_new": new})

    labels = made["own.labels"]
    peer = fit(labels["row"], labels["label"], new[labels["row"]])
    assert np.array_equal(made["model_state"].coef_, peer[-1].coef_)


def test_weights_that_go_through_other_steps_are_named() -> None:
    halve = train_only(halved, inputs="v", outputs="w", name="halve")
    model = pseudolabel_toys.labelling(
        halve + WEIGHED, weight={"v": 0.5}, select=select.k_best(30)
    )

    made = toys.run(model.train, {**DATA, "v": W * 2})

    labels = made["own.labels"]
    peer = fit(labels["row"], labels["label"], np.full(len(labels), 0.25))
    assert np.array_equal(made["model_state"].coef_, peer[-1].coef_)


def halved(v: Any) -> Any:
    return v / 2


CONTAINERS = {
    "whole numbers": lambda n: np.ones(n, dtype=int),
    "series": lambda n: pd.Series(np.ones(n, dtype=int)),
    "polars": lambda n: pl.Series("w", [1] * n),
    "arrow": lambda n: pytest.importorskip("pyarrow").array([1] * n),
    "list": lambda n: [1] * n,
}


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS.keys())
def test_weights_in_any_container_are_not_cut_to_whole_numbers(make: Any) -> None:
    model = pseudolabel_toys.labelling(
        pseudolabel_toys.nearest(weighed=True),
        weight={"w": 0.5},
        select=select.k_best(2),
        rounds=1,
    )
    data = {
        "X": np.array([[1], [5]]),
        "y": np.array([0, 1]),
        "X_new": np.array([[2], [4], [3]]),
        "w": make(2),
    }

    seen = toys.run(model.train, data)["near_state"]

    kind = type(make(2))
    # PyArrow has a class for each type of value.
    assert type(seen.w) is kind or kind.__module__.startswith("pyarrow")
    assert np.asarray(seen.w).tolist() == [1, 1, 0.5, 0.5]


def test_a_rule_per_class_balances_classes() -> None:
    rule = select.per_class(select.k_best(5))

    made = toys.run(pseudolabel_toys.labelling(select=rule, rounds=1).train, DATA)

    labels = made["own.labels"]
    assert list(labels["label"].value_counts()) == [5, 5, 5]
    model = toys.classifier_of_sklearn().fit(DATA["X"], DATA["y"])
    p, label = model.predict_proba(DATA["X_new"]), model.predict(DATA["X_new"])
    for one in (0, 1, 2):
        rows = np.flatnonzero(label == one)
        best = rows[np.argsort(-p[rows].max(axis=1))[:5]]
        assert set(labels["row"][labels["label"] == one]) == set(best)


def test_classes_may_have_rules_of_their_own() -> None:
    rule = select.per_class(
        {0: select.k_best(3), 2: select.threshold(2.0)}, otherwise=select.threshold(0.9)
    )

    made = toys.run(pseudolabel_toys.labelling(select=rule, rounds=1).train, DATA)

    model = toys.classifier_of_sklearn().fit(DATA["X"], DATA["y"])
    p, label = model.predict_proba(DATA["X_new"]), model.predict(DATA["X_new"])
    counts = made["own.labels"]["label"].value_counts()
    assert counts.to_dict() == {
        0: 3,
        1: int(((label == 1) & (p.max(axis=1) > 0.9)).sum()),
    }


def test_fractions_are_of_all_unlabelled_rows_and_ties_go_to_the_first() -> None:
    """0.07 of 100 rows are 7, though 0.07 * 100 is a little more in binary numbers."""
    data = {
        "X": np.array([[0], [9]]),
        "y": np.array([0, 1]),
        "X_new": np.zeros((100, 1), dtype=int),
    }
    rule = select.top_fraction(0.07, 0.5)

    made = toys.run(pseudolabel_toys.near(select=rule, rounds=3).train, data)

    assert list(made["own.history"]["selected"]) == [7, 50, 43]
    first = made["own.labels"].query("round == 1")["row"]
    assert list(first) == list(range(7))


def test_without_confidence_all_rows_are_labelled_and_relabelled() -> None:
    silent = toys.scaled(LogisticRegression(), {"predict": "label"})
    model = pseudolabel_toys.labelling(
        silent,
        confidence=None,
        select=select.top_fraction(1.0),
        relabel=True,
        rounds=20,
    )

    made = toys.run(model.train, DATA)

    labels = DATA["y"][:0]
    done, before = 0, None
    while not np.array_equal(before, labels):
        done += 1
        peer = toys.classifier_of_sklearn()
        rows = DATA["X_new"] if len(labels) else DATA["X_new"][:0]
        peer.fit(np.vstack([DATA["X"], rows]), np.append(DATA["y"], labels))
        before, labels = labels, peer.predict(DATA["X_new"])
    assert np.array_equal(made["own.labels"]["label"], labels)
    assert made["own.labels"]["confidence"].isna().all()
    # It stops when nothing changes, with all rows labelled.
    assert len(made["own.history"]) == done < 20
    assert made["own.history"]["stop"].iloc[-1] == "all_labeled"
