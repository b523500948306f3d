"""Judged rows get no pseudo-label and are not fitted; unlabelled rows are never judged."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from combinators import pseudolabel_toys, toys
from combinators.pseudolabel_toys import Seen
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold
from sklearn.preprocessing import StandardScaler

from kedro_rats import (
    Estimator,
    LeakWarning,
    cross_validate,
    estimator,
    holdout,
    metric,
    select,
)

# The second column is the number of a row; labelled ones are below 100.
RANDOM = np.random.default_rng(0)
ROWS, NEW = 24, 15
X = np.column_stack([RANDOM.integers(50, size=ROWS), np.arange(ROWS)])
X_NEW = np.column_stack([RANDOM.integers(50, size=NEW), 100 + np.arange(NEW)])
Y = np.arange(ROWS) % 3
GROUPS = RANDOM.integers(7, size=ROWS)
DATA = {"X": X, "y": Y, "X_new": X_NEW, "g": GROUPS}


def agreed(y: Any, label: Any) -> float:
    return float(np.mean(y == label))


def judged(operand: Estimator, name: str, **options: Any) -> Estimator:
    given = {
        "splitter": KFold(3),
        "rows": ["X", "y"],
        "shared": ["X_new"],
        "metrics": {"agreed": metric(agreed, inputs=["y", "label"])},
        "name": name,
    }
    return cross_validate(operand, **{**given, **options})


def near() -> Estimator:
    return pseudolabel_toys.near(select=select.k_best(3), rounds=3)


def relabelling() -> Estimator:
    rule = select.top_fraction(0.3, 0.7)
    return pseudolabel_toys.near(select=rule, rounds=3, relabel=True)


OUTER = {
    "folds": lambda: judged(near(), "cv"),
    "folds, relabelling": lambda: judged(relabelling(), "cv"),
    "folds in folds": lambda: judged(judged(near(), "inner"), "cv"),
    "groups": lambda: judged(near(), "cv", splitter=GroupKFold(3), groups="g"),
    "failures allowed": lambda: judged(near(), "cv", on_error="nan"),
    "a holdout": lambda: holdout(near(), rows=["X", "y"], shared=["X_new"], name="cv"),
}


@pytest.mark.parametrize("definition", OUTER.values(), ids=OUTER.keys())
def test_validation_rows_are_neither_pseudo_labelled_nor_fitted(
    definition: Any,
) -> None:
    made = toys.run(definition().train, DATA)

    folds = made["cv.folds"]
    for fold, (train, test) in enumerate(
        zip(folds["train"], folds["eval"], strict=True)
    ):
        inside = f"cv.fold_{fold}.train."
        fits = [
            value
            for name, value in made.items()
            if name.startswith(inside) and isinstance(value, Seen)
        ]
        assert len(fits) >= 4
        for seen in fits:
            ids = seen.X[:, 1]
            assert not set(ids) & set(test)
            true = ids < 100
            # True labels are as they were; every other row is an unlabelled one.
            assert np.array_equal(seen.y[true], Y[ids[true]])
            assert set(ids[~true]) <= set(X_NEW[:, 1])
            assert set(ids[true]) <= set(train)
        tables = [
            value
            for name, value in made.items()
            if name.startswith(inside) and name.endswith("own.labels")
        ]
        assert tables
        for table in tables:
            assert len(table) > 5
            assert table["row"].is_unique
            assert set(table["row"]) <= set(range(NEW))


@pytest.mark.parametrize("definition", OUTER.values(), ids=OUTER.keys())
def test_only_labelled_rows_are_judged(definition: Any) -> None:
    made = toys.run(definition().train, DATA)

    for name, value in made.items():
        if re.fullmatch(r"cv\.fold_\d\.eval\.X", name):
            assert (value[:, 1] < 100).all()


@pytest.mark.parametrize("poison", [1e6, -1e9])
def test_poisoned_validation_rows_change_nothing_of_their_fold(poison: float) -> None:
    data = pseudolabel_toys.split("wine", 0.4)
    cv = pseudolabel_toys.in_cross_validation()
    test = toys.run(cv.train, data)["cv.folds"]["eval"][1]
    poisoned = {**data, "X": data["X"].copy()}
    poisoned["X"][test] = poison

    clean, made = (toys.run(cv.train, rows) for rows in (data, poisoned))

    inside = [
        name
        for name in clean
        if name.startswith("cv.fold_1.train.")
        and name.endswith(("own.labels", "own.history"))
    ]
    assert len(inside) == 2
    for name in inside:
        assert clean[name].equals(made[name])
    one, other = (made_["cv.fold_1.train.model_state"] for made_ in (clean, made))
    assert np.array_equal(one.coef_, other.coef_)


def test_the_last_fit_of_a_fold_is_that_of_its_training_rows_alone() -> None:
    """Cross-validation of the whole is what is honest: each fold labels anew."""
    data = pseudolabel_toys.split("wine", 0.4)
    made = toys.run(pseudolabel_toys.in_cross_validation().train, data)

    for fold, (train, test) in enumerate(
        zip(made["cv.folds"]["train"], made["cv.folds"]["eval"], strict=True)
    ):
        alone = {**data, "X": data["X"][train], "y": data["y"][train]}
        model = pseudolabel_toys.few_rounds()
        trained = toys.run(model.train, alone)
        expected = toys.evaluated(model, trained, {"X": data["X"][test]})
        assert np.array_equal(made["p"][test], expected["p"])
        labels = made[f"cv.fold_{fold}.train.own.labels"]
        assert labels.equals(trained["own.labels"])


def scale() -> Estimator:
    return estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")


def model() -> Estimator:
    return estimator(
        LogisticRegression(),
        fit_inputs=["Z", "y"],
        inputs="Z",
        outputs={"predict": "label", "predict_proba": "p"},
        name="model",
    )


def test_what_learned_before_is_not_warned_of_since_nothing_is_judged() -> None:
    own = pseudolabel_toys.labelling(model(), unlabeled={"Z": "Z_new"})
    new = scale().eval_on("new")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chained = scale() + own

    assert "scale_state" in chained.state
    assert new.outputs() == {"new.Z"}


def test_what_learned_before_a_judged_one_is_warned_of() -> None:
    own = pseudolabel_toys.labelling(model(), unlabeled={"Z": "Z_new"})
    cv = judged(own, "cv", rows=["Z", "y"], shared=["Z_new"])

    with pytest.warns(LeakWarning, match="'Z'"):
        scale() + cv


def test_outputs_that_labelling_made_leak_into_folds_and_are_warned_of() -> None:
    own = pseudolabel_toys.labelling()
    final = estimator(
        LogisticRegression(),
        fit_inputs=["p", "y"],
        inputs="p",
        outputs={"predict": "final"},
        name="final",
    )
    cv = cross_validate(final, splitter=KFold(2), rows=["p", "y"], name="cv")

    with pytest.warns(LeakWarning, match="'p'"):
        own + cv
