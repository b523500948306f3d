"""Rows of every container are put below the labelled ones, by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from combinators import pseudolabel_toys, toys
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from kedro_rats import estimator, select, transformer
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Callable

RANDOM = np.random.default_rng(3)
PLACES, NEW = RANDOM.integers(20, size=(9, 2)), RANDOM.integers(20, size=(14, 2))
WORDS = np.array(["b", "a", "c"])[np.arange(9) % 3]
MODEL = pseudolabel_toys.near(
    select=select.per_class(select.k_best(2)), rounds=3, name="own"
)


def frame(values: Any, index: Any = None) -> pd.DataFrame:
    return pd.DataFrame(values, columns=["place", "other"], index=index)


def arrow(values: Any) -> Any:
    pa = pytest.importorskip("pyarrow")
    return pa.table({"place": values[:, 0], "other": values[:, 1]})


ROWS: dict[str, Callable[[Any], Any]] = {
    "array": np.asarray,
    "Fortran order": np.asfortranarray,
    "frame": frame,
    "duplicate index": lambda v: frame(v, np.arange(len(v)) // 4),
    "string index": lambda v: frame(v, [f"row {n % 3}" for n in range(len(v))]),
    "polars": lambda v: pl.DataFrame({"place": v[:, 0], "other": v[:, 1]}),
    "arrow": arrow,
    "list": lambda v: v.tolist(),
    "tuple": lambda v: tuple(map(tuple, v.tolist())),
    "csr": sparse.csr_matrix,
    "csr array": sparse.csr_array,
    "csc": sparse.csc_matrix,
    "coo": sparse.coo_matrix,
}


def as_arrow(values: Any) -> Any:
    return pytest.importorskip("pyarrow").array(values.tolist())


def as_chunks(values: Any) -> Any:
    pa = pytest.importorskip("pyarrow")
    return pa.chunked_array([values[:4].tolist(), values[4:].tolist()])


TARGETS: dict[str, Callable[[Any], Any]] = {
    "array": np.asarray,
    "column": lambda v: v[:, None],
    "objects": lambda v: v.astype(object),
    "series": lambda v: pd.Series(v, name="word"),
    "series with labels": lambda v: pd.Series(v, index=np.arange(len(v)) // 2),
    "categories": lambda v: pd.Series(pd.Categorical(v, ["c", "a", "b", "never"])),
    "strings": lambda v: pd.Series(v, dtype="string"),
    "frame": lambda v: pd.DataFrame({"word": v}),
    "polars": lambda v: pl.Series("word", v),
    "polars categories": lambda v: pl.Series("word", v, dtype=pl.Enum(["c", "b", "a"])),
    "polars frame": lambda v: pl.DataFrame({"word": v}),
    "arrow": as_arrow,
    "arrow chunks": as_chunks,
    "list": lambda v: v.tolist(),
    "tuple": lambda v: tuple(v.tolist()),
}
EXPECTED = toys.run(MODEL.train, {"X": PLACES, "y": WORDS, "X_new": NEW})


def values_of(rows: Any) -> list[Any]:
    dense = np.asarray(rows.toarray() if hasattr(rows, "toarray") else rows)
    values: list[Any] = dense.tolist()
    return values


def test_the_reference_labels_some_rows_in_each_round() -> None:
    assert set(EXPECTED["own.labels"]["round"]) == {1, 2, 3}
    assert 8 < len(EXPECTED["own.labels"]) <= len(NEW)


@pytest.mark.parametrize("kind", ROWS)
def test_rows_of_every_container_give_the_same_labels(kind: str) -> None:
    make = ROWS[kind]

    made = toys.run(MODEL.train, {"X": make(PLACES), "y": WORDS, "X_new": make(NEW)})

    pd.testing.assert_frame_equal(made["own.labels"], EXPECTED["own.labels"])
    seen = made["near_state"].X
    assert type(seen) is type(make(PLACES)) or kind == "coo"
    assert values_of(seen) == values_of(EXPECTED["near_state"].X)


@pytest.mark.parametrize("kind", TARGETS)
def test_targets_of_every_container_stay_what_they_are(kind: str) -> None:
    target = TARGETS[kind](WORDS)

    made = toys.run(MODEL.train, {"X": PLACES, "y": target, "X_new": NEW})

    assert made["own.labels"]["label"].tolist() == list(EXPECTED["own.labels"]["label"])
    seen = made["near_state"].y
    assert type(seen) is type(target)
    words = np.asarray(seen).reshape(-1).tolist()
    assert words == EXPECTED["near_state"].y.tolist()
    for attribute in ("dtype", "name", "schema", "type"):
        if hasattr(target, attribute) and not isinstance(target, pd.DataFrame):
            assert getattr(seen, attribute) == getattr(target, attribute)
    if hasattr(target, "columns"):
        assert list(seen.columns) == list(target.columns)


def learn_aligned(X: pd.DataFrame, y: pd.Series) -> pseudolabel_toys.Seen:
    """Learn as people do who let pandas join rows and target by their index."""
    assert X.index.equals(y.index)
    both = X.assign(y=y)
    return pseudolabel_toys.Seen(both[["place"]], both["y"])


@pytest.mark.parametrize("index", ["range", "duplicate", "strings"])
def test_rows_and_targets_of_pandas_have_one_index(index: str) -> None:
    labels = {
        "range": (np.arange(9), np.arange(14)),
        "duplicate": (np.arange(9) // 2, np.arange(14) // 5),
        "strings": ([f"old {n}" for n in range(9)], [f"new {n}" for n in range(14)]),
    }[index]
    aligned = estimator(
        learn_aligned,
        pseudolabel_toys.label_by_nearest,
        fit_inputs=["X", "y"],
        inputs="X",
        outputs=["label", "p"],
        name="near",
    )
    model = pseudolabel_toys.labelling(
        aligned, select=select.per_class(select.k_best(2)), rounds=3
    )
    X, new = (frame(v, i) for v, i in zip((PLACES, NEW), labels, strict=True))

    made = toys.run(
        model.train, {"X": X, "y": pd.Series(WORDS, index=labels[0]), "X_new": new}
    )

    rows = made["own.labels"]["row"]
    assert rows.tolist() == EXPECTED["own.labels"]["row"].tolist()
    expected = [*labels[0], *np.asarray(labels[1])[rows]]
    assert made["near_state"].y.index.tolist() == expected


def test_frames_of_scikit_learn_keep_their_names_of_columns() -> None:
    data = pseudolabel_toys.split("wine", 0.3)
    columns = [f"column {n}" for n in range(data["X"].shape[1])]
    tables = {n: pd.DataFrame(data[n], columns=columns) for n in ("X", "X_new")}
    model = pseudolabel_toys.labelling()

    made = toys.run(model.train, {**data, **tables})

    expected = toys.run(model.train, data)
    # A table is no C-ordered array, so that the last digits may differ.
    columns_of = ["row", "round", "label"]
    assert made["own.labels"][columns_of].equals(expected["own.labels"][columns_of])
    assert list(made["scale_state"].feature_names_in_) == columns


@pytest.mark.parametrize("form", ["csr", "csc"])
def test_sparse_rows_of_scikit_learn_label_like_dense_ones(form: str) -> None:
    data = pseudolabel_toys.split("digits", 0.2, step=5)
    operand = estimator(
        LogisticRegression(max_iter=500),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"predict": "label", "predict_proba": "p"},
        name="model",
    )
    model = pseudolabel_toys.labelling(operand, rounds=3)
    rows = {n: sparse.csr_matrix(data[n] / 16).asformat(form) for n in ("X", "X_new")}

    made = toys.run(model.train, {**data, **rows})

    dense = {n: data[n] / 16 for n in ("X", "X_new")}
    expected = toys.run(model.train, {**data, **dense})["own.labels"]
    assert list(made["own.labels"]["row"]) == list(expected["row"])
    assert list(made["own.labels"]["label"]) == list(expected["label"])


# --- several inputs, several targets ----------------------------------------------------


def join(X: Any, extra: Any, table: Any) -> Any:
    return np.column_stack([X, np.asarray(extra) * table[0]])


def test_several_inputs_are_taken_together_and_shared_ones_whole() -> None:
    data = pseudolabel_toys.split("wine", 0.3)
    operand = (
        transformer(join, inputs=["A", "B", "table"], outputs="X", name="join")
        + toys.classifier()
    )
    model = pseudolabel_toys.labelling(
        operand, unlabeled={"A": "A_new", "B": "B_new", "table": "table"}
    )
    parts = {
        "A": data["X"][:, :6],
        "B": pd.DataFrame(data["X"][:, 6:]),
        "A_new": data["X_new"][:, :6],
        "B_new": pd.DataFrame(data["X_new"][:, 6:]),
        "table": [1.0],
    }

    made = toys.run(model.train, {**parts, "y": data["y"]})

    expected = toys.run(pseudolabel_toys.labelling().train, data)
    assert made["own.labels"].equals(expected["own.labels"])
    assert np.array_equal(made["p"], expected["p"])


def learn_means(X: Any, targets: Any) -> Any:
    return targets.mean(axis=0)


def give_means(means: Any, X: Any) -> Any:
    return [np.tile(means, (len(X), 1)), X[:, 0].astype(float)]


def test_labels_may_be_several_numbers() -> None:
    operand = estimator(
        learn_means,
        give_means,
        fit_inputs=["X", "Y"],
        inputs="X",
        outputs=["label", "p"],
        name="means",
    )
    model = pseudolabel_toys.labelling(
        operand, target="Y", select=select.k_best(3), rounds=1
    )
    targets = pd.DataFrame({"a": [1.0, 3.0], "b": [5.0, 7.0]})

    made = toys.run(model.train, {"X": PLACES[:2], "Y": targets, "X_new": NEW})

    assert [list(label) for label in made["own.labels"]["label"]] == [[2, 6]] * 3
    assert made["own.round_1.train.Y"].equals(targets)
    assert list(made["means_state"].index) == ["a", "b"]


def test_whole_numbers_as_target_are_not_cut() -> None:
    operand = estimator(
        learn_means,
        lambda mean, X: [np.full(len(X), mean), np.ones(len(X))],
        fit_inputs=["X", "y"],
        inputs="X",
        outputs=["label", "p"],
        name="mean",
    )
    model = pseudolabel_toys.labelling(operand, select=select.k_best(2), rounds=1)

    for target in (np.array([1, 2]), pd.Series([1, 2])):
        made = toys.run(model.train, {"X": PLACES[:2], "y": target, "X_new": NEW})
        assert list(made["own.refit.train.y"]) == [1, 2, 1.5, 1.5]


@pytest.mark.parametrize("kind", ["series", "frame", "arrow"])
def test_what_a_container_would_cut_is_an_error(kind: str) -> None:
    operand = estimator(
        lambda X, y: 1.5,
        lambda value, X: [np.full(len(X), value), np.ones(len(X))],
        fit_inputs=["X", "y"],
        inputs="X",
        outputs=["label", "p"],
        name="half",
    )
    model = pseudolabel_toys.labelling(operand, select=select.k_best(2), rounds=1)
    target = {
        "series": lambda: pl.Series("y", [1, 2]),
        "frame": lambda: pl.DataFrame({"y": [1, 2]}),
        "arrow": lambda: as_arrow(np.array([1, 2])),
    }[kind]()

    message = failing({"X": PLACES[:2], "y": target}, model)

    assert "rows 'y': expected values that" in message


# --- what is wrong when it runs ---------------------------------------------------------


def failing(data: dict[str, Any], model: Any = MODEL) -> str:
    given = {"X": PLACES, "y": WORDS, "X_new": NEW, **data}
    with pytest.raises(RatsError) as error:
        toys.run(model.train, given)
    message = str(error.value)
    assert "\n" not in message
    assert ": expected " in message
    assert ", got " in message
    return message


def test_other_columns_are_an_error() -> None:
    other = frame(NEW).rename(columns={"other": "else"})

    message = failing({"X": frame(PLACES), "X_new": other})

    assert "pseudolabel 'own', rows 'X'" in message
    assert "columns place, other, got columns place, else" in message


def test_rows_of_another_shape_are_an_error() -> None:
    message = failing({"X_new": np.column_stack([NEW, NEW])})

    assert "rows 'X': expected rows like ndarray" in message


def test_rows_of_another_container_are_an_error() -> None:
    assert "expected rows like DataFrame" in failing({"X": frame(PLACES)})


def test_labels_of_another_type_than_the_target_are_an_error() -> None:
    operand = estimator(
        lambda X, y: y,
        lambda y, X: [np.arange(len(X)), np.ones(len(X))],
        fit_inputs=["X", "y"],
        inputs="X",
        outputs=["label", "p"],
        name="numbers",
    )
    model = pseudolabel_toys.labelling(operand)

    assert "rows 'y': expected values like <U1, got int64" in failing({}, model)
    category = pd.Series(pd.Categorical(WORDS))
    assert "categories a, b, c" in failing({"y": category}, model)


def test_unlabelled_rows_of_different_lengths_are_an_error() -> None:
    operand = toys.estimator(
        pseudolabel_toys.remember,
        lambda seen, X, other: pseudolabel_toys.label_by_nearest(seen, X),
        fit_inputs=["X", "y"],
        inputs=["X", "B"],
        outputs=["label", "p"],
        name="near",
    )
    model = pseudolabel_toys.labelling(operand, unlabeled={"X": "X_new", "B": "B_new"})

    message = failing({"B": PLACES, "B_new": NEW[:5]}, model)

    assert "as many rows in each, got 14 in 'X_new', 5 in 'B_new'" in message


@pytest.mark.parametrize("short", ["label", "p"])
def test_an_output_with_another_number_of_rows_is_an_error(short: str) -> None:
    def apply(y: Any, X: Any) -> list[Any]:
        label, p = np.full(len(X), "a"), np.ones(len(X))
        return [label[1:], p] if short == "label" else [label, p[1:]]

    operand = estimator(
        lambda X, y: y,
        apply,
        fit_inputs=["X", "y"],
        inputs="X",
        outputs=["label", "p"],
        name="short",
    )

    message = failing({}, pseudolabel_toys.labelling(operand))

    assert f"output {short!r}: expected 14 rows" in message
    assert "got 13" in message


def test_a_confidence_that_is_no_number_a_row_is_an_error() -> None:
    operand = estimator(
        lambda X, y: y,
        lambda y, X: [np.full(len(X), "a"), np.ones((len(X), 2, 2))],
        fit_inputs=["X", "y"],
        inputs="X",
        outputs=["label", "p"],
        name="cubes",
    )

    message = failing({}, pseudolabel_toys.labelling(operand))

    assert "expected one or several numbers a row, got shape (14, 2, 2)" in message


def test_probabilities_of_several_targets_are_an_error() -> None:
    operand = estimator(
        KNeighborsClassifier(1),
        fit_inputs=["X", "Y"],
        inputs="X",
        outputs={"predict_proba": "p"},
        name="model",
    )
    model = pseudolabel_toys.labelling(operand, target="Y", label="p")
    targets = np.column_stack([np.arange(9) % 2, np.arange(9) % 3])

    message = failing({"Y": targets}, model)

    assert "output 'p': expected one or several numbers a row, got [array" in message


def test_an_object_that_does_not_tell_its_classes_is_an_error() -> None:
    operand = estimator(
        WithoutClasses(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"predict_proba": "p"},
        name="model",
    )

    message = failing({}, pseudolabel_toys.labelling(operand, label="p"))

    assert "a column for each of 0 classes, got shape (14, 2)" in message


class WithoutClasses:
    """Has probabilities, and does not tell of what."""

    def fit(self, X: Any, y: Any) -> WithoutClasses:
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.full((len(X), 2), 0.5)


def test_columns_that_are_not_the_classes_are_an_error() -> None:
    operand = estimator(
        OneAgainstOne(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"decision_function": "d"},
        name="model",
    )
    model = pseudolabel_toys.labelling(operand, label="d", confidence=None)

    message = failing({}, model)

    assert "a column for each of 3 classes, got shape (14, 6)" in message


class OneAgainstOne(GaussianNB):
    """Has a column for each pair of classes, as support vector machines can."""

    def decision_function(self, X: Any) -> Any:
        return np.ones((len(X), 6))


def test_labels_of_several_numbers_have_no_classes() -> None:
    operand = estimator(
        learn_means,
        give_means,
        fit_inputs=["X", "Y"],
        inputs="X",
        outputs=["label", "p"],
        name="means",
    )
    rule = select.per_class(select.k_best(3))
    model = pseudolabel_toys.labelling(operand, target="Y", select=rule)

    message = failing({"Y": PLACES}, model)

    assert message.startswith("select.per_class: expected one label a row")
