"""Combinators inside combinators equal nested loops of scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from combinators import toys
from sklearn.ensemble import StackingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.model_selection import cross_validate as cross_validate_of_sklearn

from kedro_rats import cross_validate, estimator, holdout, transformer

if TYPE_CHECKING:
    from kedro_rats import Estimator

X, Y = toys.bundled("breast_cancer", step=4)
GROUPS = toys.groups_of(X, 8)
DATA = {"X": X, "y": Y, "g": GROUPS}


def grouped(operand: Estimator, folds: int, name: str) -> Estimator:
    return cross_validate(
        operand,
        splitter=GroupKFold(folds),
        rows=["X", "y"],
        groups="g",
        metrics={"accuracy": toys.ACCURACY},
        train_scores=True,
        name=name,
    )


def test_inner_scores_equal_a_nested_loop_with_groups() -> None:
    outer = grouped(grouped(toys.classifier(), 2, "inner"), 3, "outer")

    made = toys.run(outer.train, DATA)

    for k, (train, _) in enumerate(GroupKFold(3).split(X, Y, GROUPS)):
        expected = cross_validate_of_sklearn(
            toys.classifier_of_sklearn(),
            X[train],
            Y[train],
            groups=GROUPS[train],
            cv=GroupKFold(2),
            return_train_score=True,
        )
        table = made[f"outer.fold_{k}.train.inner.scores"]
        assert np.array_equal(toys.scores(table, "accuracy"), expected["test_score"])
        assert np.array_equal(
            toys.scores(table, "accuracy", "train"), expected["train_score"]
        )


def test_inner_pooled_scores_equal_a_nested_loop() -> None:
    outer = grouped(grouped(toys.classifier(), 2, "inner"), 3, "outer")

    made = toys.run(outer.train, DATA)

    for k, (train, _) in enumerate(GroupKFold(3).split(X, Y, GROUPS)):
        label = cross_val_predict(
            toys.classifier_of_sklearn(),
            X[train],
            Y[train],
            groups=GROUPS[train],
            cv=GroupKFold(2),
        )
        summary = made[f"outer.fold_{k}.train.inner.summary"]["accuracy"]
        assert summary["pooled"] == np.mean(label == Y[train])


def test_outer_scores_and_rows_are_those_of_the_refitted_operand() -> None:
    outer = grouped(grouped(toys.classifier(), 2, "inner"), 3, "outer")

    made = toys.run(outer.train, DATA)

    options = {"groups": GROUPS, "cv": GroupKFold(3)}
    peer = toys.classifier_of_sklearn()
    expected = cross_val_score(peer, X, Y, **options)
    assert np.array_equal(toys.scores(made["outer.scores"], "accuracy"), expected)
    p = cross_val_predict(peer, X, Y, method="predict_proba", **options)
    assert np.array_equal(made["p"], p)


def test_evaluation_after_nesting_is_of_a_fit_on_all_rows() -> None:
    outer = grouped(grouped(toys.classifier(), 2, "inner"), 3, "outer")
    trained = toys.run(outer.train, DATA)

    made = toys.evaluated(outer, trained, {"X": X[:9] * 2})

    peer = toys.classifier_of_sklearn().fit(X, Y)
    assert np.array_equal(made["p"], peer.predict_proba(X[:9] * 2))


def test_three_levels_equal_three_loops() -> None:
    innermost = cross_validate(
        toys.classifier(),
        splitter=StratifiedKFold(2),
        rows=["X", "y"],
        stratify="y",
        metrics={"accuracy": toys.ACCURACY},
        name="c",
    )
    middle = cross_validate(
        innermost,
        splitter=KFold(2, shuffle=True, random_state=1),
        rows=["X", "y"],
        metrics={"accuracy": toys.ACCURACY},
        name="b",
    )
    outer = cross_validate(
        middle,
        splitter=KFold(2),
        rows=["X", "y"],
        metrics={"accuracy": toys.ACCURACY},
        name="a",
    )

    made = toys.run(outer.train, DATA)

    peer = toys.classifier_of_sklearn()
    for i, (first, _) in enumerate(KFold(2).split(X)):
        splits = KFold(2, shuffle=True, random_state=1).split(first)
        for j, (second, _) in enumerate(splits):
            rows = first[second]
            expected = cross_val_score(peer, X[rows], Y[rows], cv=StratifiedKFold(2))
            table = made[f"a.fold_{i}.train.b.fold_{j}.train.c.scores"]
            assert np.array_equal(toys.scores(table, "accuracy"), expected)


def test_a_holdout_inside_cross_validation_equals_a_split_of_each_training_part() -> (
    None
):
    held = holdout(
        toys.classifier(),
        rows=["X", "y"],
        stratify="y",
        test_size=0.3,
        random_state=4,
        metrics={"accuracy": toys.ACCURACY},
        name="held",
    )
    outer = cross_validate(held, splitter=KFold(3), rows=["X", "y"], name="outer")

    made = toys.run(outer.train, DATA)

    peer = toys.classifier_of_sklearn()
    for k, (train, _) in enumerate(KFold(3).split(X)):
        X_train, X_test, y_train, y_test = train_test_split(
            X[train], Y[train], test_size=0.3, random_state=4, stratify=Y[train]
        )
        expected = peer.fit(X_train, y_train).score(X_test, y_test)
        table = made[f"outer.fold_{k}.train.held.scores"]
        assert toys.scores(table, "accuracy") == [expected]
    assert np.array_equal(made["label"], cross_val_predict(peer, X, Y, cv=KFold(3)))


def stacked() -> Estimator:
    """Return a final model on the out-of-fold decisions of a cross-validated one."""
    base = cross_validate(
        toys.scaled(LogisticRegression(), {"decision_function": "d"}, name="base"),
        splitter=StratifiedKFold(3),
        rows=["X", "y"],
        stratify="y",
        name="inner",
    )
    column = transformer(toys.as_column, inputs="d", outputs="D", name="column")
    final = estimator(
        LogisticRegression(C=0.1),
        fit_inputs=["D", "y"],
        inputs="D",
        outputs={"predict": "label", "predict_proba": "p"},
        name="final",
    )
    return base + column + final


def stacked_of_sklearn() -> StackingClassifier:
    return StackingClassifier(
        [("base", toys.classifier_of_sklearn())],
        LogisticRegression(C=0.1),
        cv=StratifiedKFold(3),
        stack_method="decision_function",
    )


def test_a_model_on_out_of_fold_outputs_equals_scikit_learns_stacking() -> None:
    stack = stacked()
    trained = toys.run(stack.train, DATA)

    made = toys.evaluated(stack, trained, {"X": X[:20] + 0.5})

    peer = stacked_of_sklearn().fit(X, Y)
    assert np.array_equal(trained["final_state"].coef_, peer.final_estimator_.coef_)
    assert np.array_equal(made["p"], peer.predict_proba(X[:20] + 0.5))


def test_a_cross_validated_stack_equals_scikit_learns() -> None:
    cv = cross_validate(
        stacked(),
        splitter=KFold(3),
        rows=["X", "y"],
        metrics={"accuracy": toys.ACCURACY},
        train_scores=True,
        name="outer",
    )

    made = toys.run(cv.train, DATA)

    peer = stacked_of_sklearn()
    expected = cross_validate_of_sklearn(
        peer, X, Y, cv=KFold(3), return_train_score=True
    )
    table = made["outer.scores"]
    assert np.array_equal(toys.scores(table, "accuracy"), expected["test_score"])
    assert np.array_equal(
        toys.scores(table, "accuracy", "train"), expected["train_score"]
    )
    p = cross_val_predict(peer, X, Y, cv=KFold(3), method="predict_proba")
    assert np.array_equal(made["p"], p)


def two_of_one_operand(*, refit: bool) -> list[Estimator]:
    return [
        cross_validate(
            toys.scaled(LogisticRegression(), {"predict": f"label_{k}"}, name=f"m{k}"),
            splitter=KFold(k),
            rows=["X", "y"],
            refit=refit,
            name=f"cv{k}",
        )
        for k in (2, 3)
    ]


def test_two_combinators_of_one_scaler_run_beside_each_other() -> None:
    both = sum(two_of_one_operand(refit=False))

    made = toys.run(both.train, DATA)

    for k in (2, 3):
        peer = toys.classifier_of_sklearn()
        expected = cross_val_predict(peer, X, Y, cv=KFold(k))
        assert np.array_equal(made[f"label_{k}"], expected)


def test_two_combinators_that_refit_one_scaler_make_one_state_twice() -> None:
    first, second = two_of_one_operand(refit=True)

    with pytest.raises(ValueError, match="one node that makes 'scale_state'"):
        first + second
