"""Out-of-fold rows equal scikit-learn's ``cross_val_predict``; evaluation its refit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys
from sklearn.base import clone
from sklearn.datasets import make_multilabel_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.multioutput import ClassifierChain
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from kedro_rats import cross_validate, estimator
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from combinators.toys import Array

OUTPUTS = {
    "predict": "label",
    "predict_proba": "p",
    "predict_log_proba": "log_p",
    "decision_function": "d",
}


def four_sorted_digits() -> tuple[Array, Array]:
    """Return 80 rows of four classes in order: KFold(4) trains on three of them."""
    X, y = toys.bundled("digits")
    rows = np.concatenate([np.flatnonzero(y == digit)[:20] for digit in (7, 1, 8, 3)])
    return X[rows], y[rows]


def predicted_by_sklearn(
    model: Any, X: Array, y: Array, splitter: Any, method: str
) -> Any:
    peer = make_pipeline(StandardScaler(), clone(model))
    return cross_val_predict(peer, X, y, cv=splitter, method=method)


@pytest.mark.parametrize(
    ("data", "step"), [("breast_cancer", 4), ("iris", 1), ("wine", 1), ("digits", 9)]
)
def test_every_method_of_a_classifier_equals_scikit_learn(data: str, step: int) -> None:
    X, y = toys.bundled(data, step)
    splitter = StratifiedKFold(3, shuffle=True, random_state=0)
    cv = cross_validate(
        toys.scaled(LogisticRegression(), OUTPUTS),
        splitter=splitter,
        rows=["X", "y"],
        stratify="y",
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    for method, output in OUTPUTS.items():
        expected = predicted_by_sklearn(LogisticRegression(), X, y, splitter, method)
        assert np.array_equal(made[output], expected)


@pytest.mark.parametrize("dtype", [str, object])
def test_string_classes_equal_scikit_learn(dtype: Any) -> None:
    X, y = toys.bundled("iris")
    y = np.array(["virginica", "setosa", "versicolor"], dtype=dtype)[y]
    splitter = StratifiedKFold(4)
    cv = cross_validate(
        toys.scaled(LogisticRegression(), OUTPUTS),
        splitter=splitter,
        rows=["X", "y"],
        stratify="y",
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    for method, output in OUTPUTS.items():
        expected = predicted_by_sklearn(LogisticRegression(), X, y, splitter, method)
        assert np.array_equal(made[output], expected)
    assert made["label"].dtype == y.dtype


@pytest.mark.filterwarnings("ignore:Number of classes in training fold")
@pytest.mark.parametrize("named", [False, True], ids=["numbers", "strings"])
@pytest.mark.parametrize(
    ("model", "methods"),
    [
        (LogisticRegression(), list(OUTPUTS)),
        (GaussianNB(), ["predict", "predict_proba", "predict_log_proba"]),
        (SVC(), ["predict", "decision_function"]),
    ],
    ids=["LogisticRegression", "GaussianNB", "SVC"],
)
def test_a_class_missing_from_a_fold_is_aligned_as_in_scikit_learn(
    model: Any, methods: list[str], named: bool
) -> None:
    X, y = four_sorted_digits()
    if named:
        y = np.array([f"digit {n}" for n in y])
    outputs = {method: OUTPUTS[method] for method in methods}
    cv = cross_validate(
        toys.scaled(model, outputs), splitter=KFold(4), rows=["X", "y"], name="cv"
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    for method, output in outputs.items():
        expected = predicted_by_sklearn(model, X, y, KFold(4), method)
        if method == "predict_log_proba":
            # scikit-learn approximates the logarithm of 0 by the smallest float.
            expected[expected == np.finfo(expected.dtype).min] = -np.inf
        assert np.array_equal(made[output], expected)
        assert made[output].dtype == expected.dtype
        if method != "predict":
            assert made[f"cv.fold_0.eval.{output}"].shape == (20, 3)
            assert made[output].shape == (80, 4)


def test_what_stands_for_a_missing_class_is_zero_minus_infinity_or_the_float_minimum() -> (
    None
):
    X, y = four_sorted_digits()
    cv = cross_validate(
        toys.scaled(LogisticRegression(), OUTPUTS),
        splitter=KFold(4),
        rows=["X", "y"],
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    # Of the sorted classes 1, 3, 7, 8 the first fold, all 7s, is judged without 7.
    assert (made["p"][:20, 2] == 0).all()
    assert (made["log_p"][:20, 2] == -np.inf).all()
    assert (made["d"][:20, 2] == np.finfo(np.float64).min).all()
    assert (made["p"][:20, [0, 1, 3]] > 0).all()


def test_a_decision_function_of_two_classes_out_of_three_is_an_error_as_in_scikit_learn() -> (
    None
):
    X, y = toys.bundled("iris")
    outputs = {"decision_function": "d"}
    cv = cross_validate(
        toys.scaled(LogisticRegression(), outputs),
        splitter=KFold(3),
        rows=["X", "y"],
        name="cv",
    )

    with pytest.raises(RatsError, match="stratified splitter"):
        toys.run(cv.train, {"X": X, "y": y})

    with (
        pytest.warns(RuntimeWarning, match="Number of classes"),
        pytest.raises(ValueError, match="not supported for decision_function"),
    ):
        predicted_by_sklearn(LogisticRegression(), X, y, KFold(3), "decision_function")


def test_predictions_of_several_targets_equal_scikit_learn() -> None:
    X, y = toys.bundled("linnerud")
    splitter = KFold(4, shuffle=True, random_state=1)
    cv = cross_validate(
        toys.scaled(LinearRegression(), "yhat"),
        splitter=splitter,
        rows=["X", "y"],
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    expected = predicted_by_sklearn(LinearRegression(), X, y, splitter, "predict")
    assert expected.shape == (20, 3)
    assert np.array_equal(made["yhat"], expected)


def two_targets() -> tuple[Array, Array]:
    X, y = toys.bundled("digits", step=15)
    return X, np.column_stack([y % 3, y % 2])


@pytest.mark.parametrize(
    "model",
    [KNeighborsClassifier(3), RandomForestClassifier(5, random_state=0)],
    ids=["nearest neighbours", "forest"],
)
def test_probabilities_of_several_targets_are_a_list_as_in_scikit_learn(
    model: Any,
) -> None:
    X, y = two_targets()
    splitter = KFold(3, shuffle=True, random_state=1)
    outputs = {"predict": "label", "predict_proba": "p"}
    cv = cross_validate(
        toys.scaled(model, outputs), splitter=splitter, rows=["X", "y"], name="cv"
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    expected = predicted_by_sklearn(model, X, y, splitter, "predict_proba")
    assert isinstance(made["p"], list)
    assert [p.shape for p in made["p"]] == [(len(X), 3), (len(X), 2)]
    for ours, theirs in zip(made["p"], expected, strict=True):
        assert np.array_equal(ours, theirs)
    label = predicted_by_sklearn(model, X, y, splitter, "predict")
    assert np.array_equal(made["label"], label)


@pytest.mark.parametrize("on_error", ["raise", "nan"])
@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
def test_outputs_of_several_targets_in_one_matrix_are_left_as_they_are(
    method: str, on_error: Any
) -> None:
    """scikit-learn's ``cross_val_predict`` cannot do this: it fits by hand."""
    X, y = make_multilabel_classification(60, n_classes=3, random_state=0)
    chain = ClassifierChain(LogisticRegression(max_iter=500))
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    chained = estimator(
        chain, fit_inputs=["Z", "y"], inputs="Z", outputs={method: "out"}, name="chain"
    )
    cv = cross_validate(
        scale + chained,
        splitter=KFold(3),
        rows=["X", "y"],
        on_error=on_error,
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    for train, test in KFold(3).split(X):
        peer = make_pipeline(StandardScaler(), clone(chain)).fit(X[train], y[train])
        assert np.array_equal(made["out"][test], getattr(peer, method)(X[test]))
    assert made["out"].shape == (60, 3)


@pytest.mark.filterwarnings("ignore:Number of classes in training fold")
def test_a_class_of_one_of_several_targets_may_be_missing_as_in_scikit_learn() -> None:
    X, y = two_targets()
    rows = np.argsort(y[:, 0], kind="stable")
    X, y = X[rows], y[rows]
    alone = np.flatnonzero(y[:, 0] == 2)
    others = np.setdiff1d(np.arange(len(X)), alone)
    pairs = [
        (others, alone),
        (np.setdiff1d(np.arange(len(X)), others[::2]), others[::2]),
    ]
    pairs.append((np.setdiff1d(np.arange(len(X)), others[1::2]), others[1::2]))
    model = KNeighborsClassifier(3)
    cv = cross_validate(
        toys.scaled(model, {"predict_proba": "p"}),
        splitter=pairs,
        rows=["X", "y"],
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    expected = predicted_by_sklearn(model, X, y, pairs, "predict_proba")
    for ours, theirs in zip(made["p"], expected, strict=True):
        assert np.array_equal(ours, theirs)
    assert (made["p"][0][alone, 2] == 0).all()


@pytest.mark.parametrize(("rows", "folds"), [(7, 2), (9, 3), (12, 2)])
def test_a_fold_with_as_many_rows_as_there_are_targets_is_not_mistaken(
    rows: int, folds: int
) -> None:
    X = np.random.default_rng(0).normal(size=(rows, 2))
    y = (np.arange(rows)[:, None] + np.arange(3)) % 2
    model = KNeighborsClassifier(1)
    cv = cross_validate(
        toys.scaled(model, {"predict_proba": "p"}),
        splitter=KFold(folds),
        rows=["X", "y"],
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    expected = predicted_by_sklearn(model, X, y, KFold(folds), "predict_proba")
    assert len(made["p"]) == 3
    for ours, theirs in zip(made["p"], expected, strict=True):
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("data", ["breast_cancer", "iris", "wine"])
def test_evaluation_equals_scikit_learns_fit_on_all_rows(data: str) -> None:
    X, y = toys.bundled(data)
    known, new = np.arange(0, len(X), 2), np.arange(1, len(X), 2)
    cv = cross_validate(
        toys.scaled(LogisticRegression(), OUTPUTS),
        splitter=StratifiedKFold(2),
        rows=["X", "y"],
        stratify="y",
        name="cv",
    )
    trained = toys.run(cv.train, {"X": X[known], "y": y[known]})

    made = toys.evaluated(cv, trained, {"X": X[new]})

    peer = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[known], y[known])
    for method, output in OUTPUTS.items():
        assert np.array_equal(made[output], getattr(peer, method)(X[new]))


def test_only_the_outputs_that_are_asked_for_are_gathered() -> None:
    X, y = toys.bundled("iris")
    cv = cross_validate(
        toys.scaled(LogisticRegression(), OUTPUTS),
        splitter=StratifiedKFold(3),
        rows=["X", "y"],
        stratify="y",
        outputs=["p", "Z"],
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    assert {"p", "Z"} <= made.keys()
    assert not {"label", "log_p", "d"} & made.keys()
    folds = StratifiedKFold(3).split(X, y)
    for train, test in folds:
        expected = StandardScaler().fit(X[train]).transform(X[test])
        assert np.array_equal(made["Z"][test], expected)


def test_without_a_refit_there_are_out_of_fold_rows_and_nothing_to_evaluate() -> None:
    X, y = toys.bundled("iris")
    cv = cross_validate(
        toys.classifier(),
        splitter=StratifiedKFold(3),
        rows=["X", "y"],
        stratify="y",
        metrics={"accuracy": toys.ACCURACY},
        refit=False,
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    assert (cv.state, cv.outputs, cv.eval.nodes) == ((), (), [])
    assert not any("refit" in name for name in made)
    splitter = StratifiedKFold(3)
    expected = predicted_by_sklearn(LogisticRegression(), X, y, splitter, "predict")
    assert np.array_equal(made["label"], expected)
    assert "cv.scores" in made


def test_an_index_pair_may_train_on_fewer_rows_than_are_left() -> None:
    X, y = toys.bundled("diabetes", step=5)
    odd, even = np.arange(1, len(X), 2), np.arange(0, len(X), 2)
    cv = cross_validate(
        toys.regressor(),
        splitter=[(odd[:20], even), (even[5:], odd)],
        rows=["X", "y"],
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y})

    peer = toys.regressor_of_sklearn()
    first = peer.fit(X[odd[:20]], y[odd[:20]]).predict(X[even])
    assert np.array_equal(made["yhat"][even], first)
    second = peer.fit(X[even[5:]], y[even[5:]]).predict(X[odd])
    assert np.array_equal(made["yhat"][odd], second)


def test_state_of_a_transformer_alone_is_cross_validated_too() -> None:
    X, _ = toys.bundled("wine")
    splitter = KFold(3, shuffle=True, random_state=0)
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    cv = cross_validate(scale, splitter=splitter, rows=["X"], name="cv")

    made = toys.run(cv.train, {"X": X})

    for train, test in splitter.split(X):
        expected = StandardScaler().fit(X[train]).transform(X[test])
        assert np.array_equal(made["Z"][test], expected)
    assert np.array_equal(made["scale_state"].mean_, X.mean(axis=0))
