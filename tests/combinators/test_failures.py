"""What happens at run time when folds fail, or the data are not what was said."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from combinators import toys
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import (
    KFold,
    LeaveOneGroupOut,
    LeaveOneOut,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.model_selection import cross_validate as cross_validate_of_sklearn
from sklearn.neighbors import KNeighborsClassifier

from kedro_rats import cross_validate, estimator, metric, train_only, transformer
from kedro_rats.errors import RatsError

X, Y = toys.bundled("diabetes", step=6)
FOLDS = KFold(4)
FIRST_TEST, SECOND_TEST = (test for _, test in list(FOLDS.split(X))[:2])
MARK = 1e6
"""A target that a fit refuses: it fails in each fold that trains on it."""


def refuse_marked(y: Any) -> None:
    if np.max(np.asarray(y)) >= MARK:
        msg = "a marked row"
        raise ValueError(msg)


class RefusingRidge(Ridge):
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
        refuse_marked(y)
        return super().fit(X, y, sample_weight)


class RefusingNeighbours(KNeighborsClassifier):
    def fit(self, X: Any, y: Any) -> Any:
        refuse_marked(y)
        return super().fit(X, y)


def marked_for(fold: int, y: Any = Y) -> tuple[Any, list[tuple[Any, Any]]]:
    """Return a target, and folds of which only this one trains on the marked row."""
    row = list(FOLDS.split(X))[(fold + 1) % 4][1][0]
    marked = y.copy()
    marked[row] = MARK
    pairs = [
        (train if k == fold else np.setdiff1d(train, [row]), test)
        for k, (train, test) in enumerate(FOLDS.split(X))
    ]
    return marked, pairs


def refusing(outputs: Any = "yhat", model: Any = None) -> Any:
    return estimator(
        model or RefusingRidge(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs=outputs,
        name="model",
    )


MAE = metric(mean_absolute_error, inputs=["y", "yhat"])


def resampled(operand: Any, pairs: Any, **options: Any) -> Any:
    return cross_validate(
        operand,
        splitter=pairs,
        rows=["X", "y"],
        refit=False,
        name="cv",
        **{"on_error": "nan", **options},
    )


# --- on_error ---------------------------------------------------------------------------


@pytest.mark.parametrize("fold", range(4))
def test_a_fold_that_fails_scores_nan_and_the_others_are_as_in_scikit_learn(
    fold: int,
) -> None:
    y, pairs = marked_for(fold)
    cv = resampled(refusing(), pairs, metrics={"mae": MAE}, train_scores=True)

    table = toys.run(cv.train, {"X": X, "y": y})["cv.scores"]

    for k, (train, test) in enumerate(pairs):
        rows = table[table["fold"] == k].set_index("part")
        assert list(rows.index) == ["eval", "train"]
        if k == fold:
            assert rows["value"].isna().all()
            continue
        peer = Ridge().fit(X[train], y[train])
        expected = mean_absolute_error(y[test], peer.predict(X[test]))
        assert rows.loc["eval", "value"] == expected
        expected = mean_absolute_error(y[train], peer.predict(X[train]))
        assert rows.loc["train", "value"] == expected
    assert list(table[table["part"] == "eval"]["rows"]) == [len(t) for _, t in pairs]


def test_scores_with_a_failure_equal_those_of_scikit_learns_error_score() -> None:
    y = Y.copy()
    y[FIRST_TEST[0]] = MARK  # every fold but the first trains on it
    cv = cross_validate(
        refusing(),
        splitter=FOLDS,
        rows=["X", "y"],
        metrics={"r2": toys.R2},
        on_error="nan",
        refit=False,
        name="cv",
    )

    table = toys.run(cv.train, {"X": X, "y": y})["cv.scores"]

    with pytest.warns(FitFailedWarning, match="3 fits failed"):
        expected = cross_validate_of_sklearn(
            RefusingRidge(), X, y, cv=FOLDS, error_score=np.nan
        )
    assert np.isnan(expected["test_score"]).tolist() == [False, True, True, True]
    np.testing.assert_array_equal(toys.scores(table, "r2"), expected["test_score"])


@pytest.mark.parametrize("fold", range(4))
def test_out_of_fold_rows_of_a_failed_fold_are_nan_and_the_others_right(
    fold: int,
) -> None:
    y, pairs = marked_for(fold)
    cv = resampled(refusing(), pairs)

    made = toys.run(cv.train, {"X": X, "y": y})

    for k, (train, test) in enumerate(pairs):
        expected = Ridge().fit(X[train], y[train]).predict(X[test])
        if k == fold:
            expected = np.full(len(test), np.nan)
        np.testing.assert_array_equal(made["yhat"][test], expected)
    assert made["yhat"].dtype == np.float64


def test_the_summary_of_a_run_with_a_failed_fold_is_nan_not_an_error() -> None:
    y, pairs = marked_for(1)
    cv = resampled(refusing(), pairs, metrics={"mae": MAE})

    summary = toys.run(cv.train, {"X": X, "y": y})["cv.summary"]["mae"]

    assert np.isnan(summary["mean"])
    assert np.isnan(summary.get("pooled", np.nan))


def only_known(y: Any, yhat: Any) -> float:
    """Judge the rows that have a value, as a metric of a user's own may."""
    return float(np.nanmean(np.abs(y - yhat)))


@pytest.mark.parametrize("outputs", [None, []], ids=["gathered", "not gathered"])
def test_a_pooled_value_is_nan_where_a_fold_failed_whatever_the_metric_makes_of_it(
    outputs: Any,
) -> None:
    y = Y.copy()
    y[FIRST_TEST[0]] = MARK  # every fold but the first trains on it
    judged = {
        "known": metric(only_known, inputs=["y", "yhat"]),
        "size": metric(lambda y, yhat: float(len(y)), inputs=["y", "yhat"]),
    }
    cv = resampled(refusing(), FOLDS, metrics=judged, outputs=outputs)

    made = toys.run(cv.train, {"X": X, "y": y})

    for name in judged:
        assert np.isnan(made["cv.summary"][name]["pooled"])


@pytest.mark.parametrize("undefined", ["is NaN", "raises"])
@pytest.mark.parametrize("on_error", ["raise", "nan"])
def test_a_pooled_value_is_that_of_all_rows_where_a_metric_is_undefined_in_a_fold(
    on_error: Any, undefined: str
) -> None:
    def auc(label: Any, score: Any) -> float:
        if len(set(label)) == 1 and undefined == "raises":
            msg = "one class"
            raise ValueError(msg)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(roc_auc_score(label, score))

    # The first fold is judged on rows of one class.
    y = np.where(np.isin(np.arange(len(X)), FIRST_TEST), 0, np.arange(len(X)) % 2)
    operand = refusing({"decision_function": "d"}, LogisticRegression())
    metrics = {"auc": metric(auc, inputs=["y", "d"])}
    cv = resampled(operand, FOLDS, metrics=metrics, on_error=on_error)
    if (undefined, on_error) == ("raises", "raise"):
        with pytest.raises(ValueError, match="one class"):
            toys.run(cv.train, {"X": X, "y": y})
        return

    made = toys.run(cv.train, {"X": X, "y": y})

    d = cross_val_predict(
        LogisticRegression(), X, y, cv=FOLDS, method="decision_function"
    )
    assert (
        np.isnan(toys.scores(made["cv.scores"], "auc")).tolist() == [True] + [False] * 3
    )
    assert np.isnan(made["cv.summary"]["auc"]["mean"])
    assert made["cv.summary"]["auc"]["pooled"] == roc_auc_score(y, d)


def test_a_metric_that_raises_over_all_rows_alone_is_nan_only_where_that_was_asked() -> (
    None
):
    def of_few(y: Any, yhat: Any) -> float:
        if len(y) == len(X):
            msg = "too many rows"
            raise ValueError(msg)
        return float(len(y))

    judged = {"few": metric(of_few, inputs=["y", "yhat"])}

    noted, raised = (
        resampled(refusing(), FOLDS, metrics=judged, on_error=on_error)
        for on_error in ("nan", "raise")
    )

    summary = toys.run(noted.train, {"X": X, "y": Y})["cv.summary"]["few"]
    assert np.isnan(summary["pooled"])
    assert summary["mean"] == len(X) / 4
    with pytest.raises(ValueError, match="too many rows"):
        toys.run(raised.train, {"X": X, "y": Y})


def test_a_metric_that_reads_parameters_first_scores_a_failed_fold_nan() -> None:
    def scaled_error(factor: float, y: Any, yhat: Any) -> float:
        return factor * float(mean_absolute_error(y, yhat))

    y, pairs = marked_for(0)
    judged = metric(scaled_error, inputs=["params:factor", "y", "yhat"])
    cv = resampled(refusing(), pairs, metrics={"scaled": judged})

    table = toys.run(cv.train, {"X": X, "y": y, "params:factor": 2.0})["cv.scores"]

    assert table["value"].isna().tolist() == [True, False, False, False]


def test_a_metric_that_raises_scores_nan_and_other_metrics_are_right() -> None:
    def only_large(y: Any, yhat: Any) -> float:
        if len(y) == len(FIRST_TEST):
            msg = "too few rows"
            raise ValueError(msg)
        return float(len(y))

    cv = resampled(
        refusing(),
        FOLDS,
        metrics={"mae": MAE, "large": metric(only_large, inputs=["y", "yhat"])},
    )
    sizes = [len(test) for _, test in FOLDS.split(X)]
    assert len(set(sizes)) == 2

    table = toys.run(cv.train, {"X": X, "y": Y})["cv.scores"]

    expected = [np.nan if n == len(FIRST_TEST) else n for n in sizes]
    np.testing.assert_array_equal(toys.scores(table, "large"), expected)
    assert not np.isnan(toys.scores(table, "mae")).any()


@pytest.mark.parametrize("container", ["frame", "series"])
@pytest.mark.parametrize("fold", [0, 2])
def test_nan_rows_of_pandas_outputs_have_the_index_of_their_rows(
    container: str, fold: int
) -> None:
    def learn(rows: pd.DataFrame, target: Any) -> float:
        refuse_marked(target)
        return float(target.mean())

    def apply(mean: float, rows: pd.DataFrame) -> Any:
        moved = rows + mean
        return moved["b"] if container == "series" else moved

    y, pairs = marked_for(fold)
    frame = pd.DataFrame(X[:, :2], columns=["a", "b"])
    frame.index = np.random.default_rng(0).permutation(len(X)) + 1000
    own = estimator(
        learn, apply, fit_inputs=["X", "y"], inputs="X", outputs="out", name="own"
    )
    cv = resampled(own, pairs)

    out = toys.run(cv.train, {"X": frame, "y": y})["out"]

    missing = np.isin(np.arange(len(X)), pairs[fold][1])
    assert type(out) is (pd.Series if container == "series" else pd.DataFrame)
    assert np.array_equal(out.isna().to_numpy().reshape(len(X), -1)[:, 0], missing)
    assert out.index.equals(frame.index)


@pytest.mark.parametrize("fold", [0, 3])
def test_nan_rows_of_polars_outputs_leave_them_polars(fold: int) -> None:
    def learn(rows: pl.Series, target: Any) -> float:
        refuse_marked(target)
        return float(target.mean())

    def apply(mean: float, rows: pl.Series) -> pl.Series:
        return rows + mean

    y, pairs = marked_for(fold)
    own = estimator(
        learn, apply, fit_inputs=["X", "y"], inputs="X", outputs="out", name="own"
    )
    cv = resampled(own, pairs)

    out = toys.run(cv.train, {"X": pl.Series("x", X[:, 0]), "y": y})["out"]

    missing = np.isin(np.arange(len(X)), pairs[fold][1])
    assert isinstance(out, pl.Series)
    assert np.array_equal(np.isnan(out.to_numpy()), missing)


@pytest.mark.parametrize(
    "container",
    [list, tuple, pa.array, lambda rows: pa.chunked_array([rows]), np.asarray],
    ids=["list", "tuple", "arrow", "chunks", "array"],
)
def test_rows_of_a_failed_fold_are_nan_whatever_holds_the_first_rows(
    container: Any,
) -> None:
    def as_matrix(numbers: Any) -> Any:
        return np.array([[float(number)] for number in np.asarray(numbers)])

    y, pairs = marked_for(1)
    ridge = estimator(
        RefusingRidge(), fit_inputs=["Z", "y"], inputs="Z", outputs="yhat", name="r"
    )
    cv = resampled(transformer(as_matrix, inputs="X", outputs="Z") + ridge, pairs)

    yhat = toys.run(cv.train, {"X": container(X[:, 2].tolist()), "y": y})["yhat"]

    for k, (train, test) in enumerate(pairs):
        expected = Ridge().fit(X[train, 2:3], y[train]).predict(X[test, 2:3])
        if k == 1:
            expected = np.full(len(test), np.nan)
        np.testing.assert_array_equal(yhat[test], expected)


def test_nan_rows_of_probabilities_of_several_targets_are_in_each_matrix() -> None:
    targets = np.column_stack([np.arange(len(X)) % 2, np.arange(len(X)) // 3 % 2])
    y, pairs = marked_for(1, targets.astype(float))
    cv = resampled(refusing({"predict_proba": "p"}, RefusingNeighbours(3)), pairs)

    p = toys.run(cv.train, {"X": X, "y": y})["p"]

    assert [matrix.shape for matrix in p] == [(len(X), 2)] * 2
    missing = np.isin(np.arange(len(X)), pairs[1][1])
    for matrix in p:
        assert np.array_equal(np.isnan(matrix).all(axis=1), missing)


@pytest.mark.parametrize("labels", ["numbers", "strings"])
def test_an_output_that_cannot_hold_nan_is_an_error(labels: str) -> None:
    class Refusing(LogisticRegression):
        def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Any:
            if X[0, 0] == MARK:
                msg = "a marked row"
                raise ValueError(msg)
            return super().fit(X, y)

    y = np.arange(len(X)) % 2
    rows = X.copy()
    rows[FIRST_TEST[-1] + 1, 0] = MARK  # the first row that fold 0 trains on
    target = y if labels == "numbers" else np.array(["no", "yes"])[y]
    operand = refusing({"predict": "label", "predict_proba": "p"}, Refusing())
    cv = resampled(operand, FOLDS)
    data = {"X": rows, "y": target}

    with pytest.raises(RatsError, match=r"'label': expected floats.*Leave it out"):
        toys.run(cv.train, data)

    made = toys.run(resampled(operand, FOLDS, outputs=["p"]).train, data)
    missing = np.isin(np.arange(len(X)), FIRST_TEST)
    assert np.array_equal(np.isnan(made["p"]).all(axis=1), missing)


@pytest.mark.parametrize("metrics", [None, {"mae": MAE}], ids=["rows", "scores"])
def test_all_folds_failing_is_an_error(metrics: Any) -> None:
    y = np.full(len(X), MARK)
    cv = resampled(refusing(), FOLDS, metrics=metrics)

    with pytest.raises(RatsError, match=r"expected .* got .*failure"):
        toys.run(cv.train, {"X": X, "y": y})


def test_without_on_error_the_error_of_the_fit_is_raised() -> None:
    y, pairs = marked_for(2)
    cv = resampled(refusing(), pairs, on_error="raise")

    with pytest.raises(ValueError, match="a marked row"):
        toys.run(cv.train, {"X": X, "y": y})


def test_the_refit_is_not_guarded() -> None:
    y, pairs = marked_for(2)
    cv = cross_validate(
        refusing(), splitter=pairs, rows=["X", "y"], on_error="nan", name="cv"
    )

    with pytest.raises(ValueError, match="a marked row"):
        toys.run(cv.train, {"X": X, "y": y})


def test_a_failure_of_an_inner_fold_leaves_the_outer_folds_whole() -> None:
    y, pairs = marked_for(0)
    inner = cross_validate(
        refusing(),
        splitter=KFold(2),
        rows=["X", "y"],
        metrics={"mae": MAE},
        on_error="nan",
        name="inner",
    )
    outer = cross_validate(
        inner,
        splitter=pairs,
        rows=["X", "y"],
        metrics={"mae": MAE},
        on_error="nan",
        refit=False,
        name="outer",
    )

    made = toys.run(outer.train, {"X": X, "y": y})

    failed = np.isnan(toys.scores(made["outer.scores"], "mae"))
    assert failed.tolist() == [True, False, False, False]
    for k in (1, 2, 3):
        inner_scores = made[f"outer.fold_{k}.train.inner.scores"]["value"]
        assert not inner_scores.isna().any()


def test_nan_scores_without_a_failure_are_scores_as_in_scikit_learn() -> None:
    rows = slice(0, 12)
    cv = cross_validate(
        toys.regressor(),
        splitter=LeaveOneOut(),
        n_splits=12,
        rows=["X", "y"],
        metrics={"r2": toys.R2},
        name="cv",
    )

    with pytest.warns(UserWarning, match="R\\^2 score is not well-defined"):
        made = toys.run(cv.train, {"X": X[rows], "y": Y[rows]})

    assert np.isnan(toys.scores(made["cv.scores"], "r2")).all()
    yhat = cross_val_predict(
        toys.regressor_of_sklearn(), X[rows], Y[rows], cv=LeaveOneOut()
    )
    assert made["cv.summary"]["r2"]["pooled"] == r2_score(Y[rows], yhat)


# --- data that are not what was said ------------------------------------------------------


def plain(**options: Any) -> Any:
    return cross_validate(
        toys.regressor(), rows=["X", "y"], name="cv", **{"splitter": FOLDS, **options}
    )


def assert_one_sentence(error: BaseException, *parts: str) -> None:
    message = str(error)
    assert "\n" not in message
    for part in (": expected ", ", got ", *parts):
        assert part in message


@pytest.mark.parametrize(
    ("splitter", "n_splits", "found"),
    [
        (LeaveOneOut(), 5, len(X)),
        (LeaveOneGroupOut(), 2, 3),
        (FOLDS, 3, 4),
        ("column", 4, 3),
    ],
    ids=["LeaveOneOut", "LeaveOneGroupOut", "KFold", "fold column"],
)
def test_another_number_of_folds_than_was_declared_is_an_error(
    splitter: Any, n_splits: int, found: int
) -> None:
    groups = "g" if isinstance(splitter, LeaveOneGroupOut) else None
    cv = plain(splitter=splitter, n_splits=n_splits, groups=groups)
    column = np.arange(len(X)) % 3

    with pytest.raises(RatsError) as error:
        toys.run(cv.train, {"X": X, "y": Y, "g": column, "column": column})

    assert_one_sentence(
        error.value, "'cv'", f"{n_splits} folds", f"got {found}", f"n_splits={found}"
    )


@pytest.mark.parametrize("size", [len(X) - 1, len(X) + 1, 0])
@pytest.mark.parametrize("container", [np.asarray, list, pd.Series])
def test_rows_of_unequal_number_are_an_error(size: int, container: Any) -> None:
    target = container(np.resize(Y, size))

    with pytest.raises(RatsError) as error:
        toys.run(plain().train, {"X": X, "y": target})

    assert_one_sentence(error.value, "'y'", str(len(X)), f"got {size}")


def test_an_output_with_another_number_of_rows_is_an_error() -> None:
    def drop_first(rows: Any) -> Any:
        return rows[1:]

    cv = cross_validate(
        transformer(drop_first, inputs="X", outputs="out", name="drop"),
        splitter=FOLDS,
        rows=["X"],
        name="cv",
    )

    with pytest.raises(RatsError) as error:
        toys.run(cv.train, {"X": X})

    size = len(FIRST_TEST)
    assert_one_sentence(
        error.value, "'out' in fold 0", f"{size} rows", f"got {size - 1}", "train_only"
    )


def test_training_alone_may_change_the_number_of_rows() -> None:
    def drop_extremes(rows: Any, target: Any) -> Any:
        kept = target < np.quantile(target, 0.9)
        return rows[kept], target[kept]

    drop = train_only(
        drop_extremes, inputs=["X", "y"], outputs=["X_kept", "y_kept"], name="drop"
    )
    ridge = estimator(
        Ridge(), fit_inputs=["X_kept", "y_kept"], inputs="X", outputs="yhat", name="r"
    )
    cv = cross_validate(
        drop + ridge,
        splitter=FOLDS,
        rows=["X", "y"],
        metrics={"mae": MAE},
        train_scores=True,
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": Y})

    for k, (train, test) in enumerate(FOLDS.split(X)):
        peer = Ridge().fit(*drop_extremes(X[train], Y[train]))
        assert np.array_equal(made["yhat"][test], peer.predict(X[test]))
        error = mean_absolute_error(Y[train], peer.predict(X[train]))
        assert toys.scores(made["cv.scores"], "mae", "train")[k] == error


@pytest.mark.parametrize(
    ("pairs", "got"),
    [
        ([([0, 1], [2, 3]), ([2, 3], [0])], "1 rows in none and 0 in several"),
        ([([0, 1], [2, 3]), ([3], [0, 1, 2])], "0 rows in none and 1 in several"),
        ([([0], [1, 2]), ([1], [0, 2])], "1 rows in none and 1 in several"),
    ],
    ids=["a row in none", "a row in two", "both"],
)
def test_index_pairs_that_are_no_partition_have_no_row_outputs(
    pairs: Any, got: str
) -> None:
    cv = cross_validate(toys.summing(), splitter=pairs, rows=["X"], name="cv")

    with pytest.raises(RatsError) as error:
        toys.run(cv.train, {"X": np.ones((4, 1))})

    assert_one_sentence(error.value, "'cv'", "one evaluation part", got)


def test_index_pairs_that_are_no_partition_have_scores_where_no_rows_are_asked() -> (
    None
):
    pairs = list(ShuffleSplit(3, test_size=0.2, random_state=0).split(X))
    cv = plain(splitter=pairs, outputs=[], metrics={"r2": toys.R2})

    made = toys.run(cv.train, {"X": X, "y": Y})

    expected = cross_validate_of_sklearn(toys.regressor_of_sklearn(), X, Y, cv=pairs)
    assert np.array_equal(toys.scores(made["cv.scores"], "r2"), expected["test_score"])
    assert made["cv.summary"]["r2"].keys() == {"mean", "std"}


def test_an_evaluation_position_beyond_the_rows_is_an_error() -> None:
    cv = cross_validate(
        toys.summing(), splitter=[([0], [1]), ([1], [0, 2])], rows=["X"], name="cv"
    )

    with pytest.raises(RatsError, match="'cv': expected"):
        toys.run(cv.train, {"X": np.ones((2, 1))})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (([0, 1], [1, 2]), ([1], [0, 3])),
        (([0, 1], [-1, -2]), ([2], [0, 1])),
        (([0, 9], [2, 3]), ([2], [0, 1])),
        (([-1], [2, 3]), ([2], [0, 1])),
        ((np.array([0.5]), [2, 3]), ([2], [0, 1])),
        ((np.array([True, True]), [2, 3]), ([2], [0, 1])),
    ],
    ids=[
        "overlap",
        "negative",
        "training beyond the rows",
        "negative in training",
        "fractions",
        "short mask",
    ],
)
def test_positions_that_are_none_are_an_error(first: Any, second: Any) -> None:
    cv = cross_validate(toys.summing(), splitter=[first, second], rows=["X"], name="cv")

    with pytest.raises(RatsError, match="'cv'"):
        toys.run(cv.train, {"X": np.arange(4.0)[:, None]})


def test_a_metric_that_gives_no_number_is_an_error_that_names_it() -> None:
    def by_class(y: Any, label: Any) -> Any:
        return np.array([accuracy_score(y, label)] * 2)

    X, y = toys.bundled("iris")
    cv = cross_validate(
        toys.classifier(),
        splitter=StratifiedKFold(3),
        rows=["X", "y"],
        stratify="y",
        metrics={"mine": metric(by_class, inputs=["y", "label"])},
        name="cv",
    )

    with pytest.raises(RatsError, match="'mine': expected one number") as error:
        toys.run(cv.train, {"X": X, "y": y})

    assert_one_sentence(error.value)
