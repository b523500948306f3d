"""Rows of every container are taken by position and put back in the input order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from combinators import toys
from scipy import sparse
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    KFold,
    PredefinedSplit,
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MaxAbsScaler, OneHotEncoder, StandardScaler

from kedro_rats import cross_validate, estimator, transformer
from kedro_rats.combinators.rows import count, put_together, take
from kedro_rats.errors import RatsError

SIZE = 12
NUMBERS = np.random.default_rng(0).normal(size=(SIZE, 3))
WORDS = np.array(["b", "a", "c"])[np.arange(SIZE) % 3]
TIMES = pd.date_range("2024-03-30", periods=SIZE, freq="6h", tz="Europe/Zurich")
ORDER = np.random.default_rng(1).permutation(SIZE)
MATRIX = NUMBERS * (NUMBERS > 0)

Make = Callable[[], Any]


def frame(index: Any = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "number": NUMBERS[:, 0],
            "word": WORDS,
            "kind": pd.Categorical(WORDS, categories=["a", "b", "c", "never"]),
            "time": TIMES,
            "whole": pd.array([*range(SIZE - 1), None], dtype="Int64"),
            "flag": np.arange(SIZE) % 2 == 0,
            "small": NUMBERS[:, 1].astype(np.float32),
        },
        index=index,
    )


def structured() -> Any:
    return np.array(
        list(zip(WORDS, NUMBERS[:, 0], strict=True)), dtype=[("w", "U1"), ("x", "f4")]
    )


def masked() -> Any:
    return np.ma.masked_array(NUMBERS, mask=NUMBERS > 1)


NUMPY: dict[str, Make] = {
    "1-d": lambda: NUMBERS[:, 0],
    "2-d": lambda: NUMBERS,
    "3-d": lambda: np.arange(SIZE * 6).reshape(SIZE, 2, 3),
    "Fortran order": lambda: np.asfortranarray(NUMBERS),
    "strings": lambda: WORDS,
    "objects": lambda: np.array([*WORDS[:-1], None], dtype=object),
    "times": lambda: TIMES.tz_localize(None).to_numpy(),
    "floats of 16 bits": lambda: NUMBERS.astype(np.float16),
    "structured": structured,
    "masked": masked,
    "read-only": lambda: np.broadcast_to(np.arange(SIZE)[:, None], (SIZE, 2)),
}
FRAMES: dict[str, Make] = {
    "range index": frame,
    "duplicate index": lambda: frame(np.arange(SIZE) // 4),
    "shuffled index": lambda: frame(ORDER),
    "string index": lambda: frame([f"row {n % 5}" for n in ORDER]),
    "time index": lambda: frame(TIMES[ORDER]),
    "multi index": lambda: frame(pd.MultiIndex.from_arrays([WORDS, ORDER])),
    "named index": lambda: frame(pd.Index(ORDER, name="customer")),
    "index with missing labels": lambda: frame([None, 1.5, *range(SIZE - 2)]),
}
SPARSE: dict[str, Make] = {
    f"{kind.__name__} {form}": (
        lambda kind=kind, form=form: kind(MATRIX).asformat(form)
    )
    for kind in (sparse.csr_matrix, sparse.csr_array)
    for form in ("csr", "csc", "coo", "lil", "bsr", "dia", "dok")
}
POLARS: dict[str, Make] = {
    "frame": lambda: pl.DataFrame({"x": NUMBERS[:, 0], "w": WORDS, "n": range(SIZE)}),
    "series": lambda: pl.Series("w", WORDS),
    "categories": lambda: pl.Series("w", WORDS, dtype=pl.Categorical),
    "enumeration": lambda: pl.Series("w", WORDS, dtype=pl.Enum(["c", "b", "a"])),
    "lists": lambda: pl.Series("l", [list(range(n % 3)) for n in range(SIZE)]),
    "times": lambda: pl.Series(
        "t", TIMES.tz_convert(None).to_numpy()
    ).dt.replace_time_zone("Europe/Zurich"),
}
PLAIN: dict[str, Make] = {
    "list": lambda: WORDS.tolist(),
    "tuple": lambda: tuple(WORDS.tolist()),
    "list of dicts": lambda: [{"text": word, "n": n} for n, word in enumerate(WORDS)],
    "list of arrays": lambda: [np.arange(n) for n in range(SIZE)],
}


def of(cases: dict[str, Make]) -> Any:
    return pytest.mark.parametrize("make", cases.values(), ids=cases.keys())


def parts_of(rows: Any) -> Any:
    """Take three parts in no order, one of them empty, and put them together."""
    positions = [ORDER[:5], ORDER[5:5], ORDER[5:]]
    return put_together([take(rows, part) for part in positions], positions)


@of(NUMPY)
def test_arrays_come_back_as_they_were(make: Make) -> None:
    rows = make()

    back = parts_of(rows)

    assert (type(back), back.dtype, back.shape) == (type(rows), rows.dtype, rows.shape)
    assert np.array_equal(back, rows)
    assert np.array_equal(np.ma.getmaskarray(back), np.ma.getmaskarray(rows))


@of(FRAMES)
def test_frames_come_back_with_their_index_and_types(make: Make) -> None:
    rows = make()

    back = parts_of(rows)

    pd.testing.assert_frame_equal(back, rows, check_freq=False)


@of(FRAMES)
@pytest.mark.parametrize("column", ["number", "kind", "time", "whole"])
def test_series_come_back_with_their_index_name_and_type(
    make: Make, column: str
) -> None:
    rows = make()[column]

    back = parts_of(rows)

    pd.testing.assert_series_equal(back, rows, check_freq=False)


def assert_same_kind(rows: Any, like: Any) -> None:
    """Check for a sparse matrix or array; a format that cannot be sliced becomes csr."""
    assert rows.dtype == like.dtype
    assert isinstance(rows, sparse.sparray) == isinstance(like, sparse.sparray)
    kept = like.format in ("csr", "csc", "lil", "dok")
    assert rows.format in ({like.format} if kept else {like.format, "csr"})


@of(SPARSE)
def test_sparse_rows_come_back_in_their_format(make: Make) -> None:
    rows = make()

    back = parts_of(rows)

    assert_same_kind(back, rows)
    assert np.array_equal(back.toarray(), MATRIX)


@of(SPARSE)
def test_sparse_rows_are_taken_in_their_format(make: Make) -> None:
    rows = make()

    taken = take(rows, ORDER[:5])

    assert_same_kind(taken, rows)
    assert np.array_equal(taken.toarray(), MATRIX[ORDER[:5]])


@of(POLARS)
def test_polars_comes_back_as_it_was(make: Make) -> None:
    rows = make()

    back = parts_of(rows)

    assert type(back) is type(rows)
    assert back.equals(rows)
    if isinstance(rows, pl.Series):
        assert (back.name, back.dtype) == (rows.name, rows.dtype)
    else:
        assert back.schema == rows.schema


@pytest.mark.parametrize(
    "kind", ["table", "array", "chunked array", "dictionary", "record batch"]
)
def test_arrow_comes_back_as_it_was(kind: str) -> None:
    pa = pytest.importorskip("pyarrow")
    words = pa.array(WORDS.tolist())
    rows = {
        "table": lambda: pa.table({"w": words, "x": NUMBERS[:, 0]}),
        "array": lambda: words,
        "chunked array": lambda: pa.chunked_array([words[:3], words[3:]]),
        "dictionary": words.dictionary_encode,
        "record batch": lambda: pa.record_batch({"w": words, "x": NUMBERS[:, 0]}),
    }[kind]()

    back = parts_of(rows)

    assert type(back) is type(rows)
    assert back.equals(rows)


@of(PLAIN)
def test_lists_and_tuples_come_back_as_they_were(make: Make) -> None:
    rows = make()

    back = parts_of(rows)

    assert type(back) is type(rows)
    assert all(
        np.array_equal(mine, theirs) for mine, theirs in zip(back, rows, strict=True)
    )


@of(NUMPY | FRAMES | SPARSE | POLARS | PLAIN)
def test_rows_are_counted(make: Make) -> None:
    rows = make()

    assert count(rows) == SIZE
    assert count(take(rows, ORDER[:5])) == 5
    assert count(take(rows, ORDER[:0])) == 0


@of(NUMPY)
def test_rows_that_were_taken_can_be_changed_without_changing_the_input(
    make: Make,
) -> None:
    rows, untouched = make(), make()

    taken = take(rows, ORDER[:5])
    taken[:] = taken[::-1].copy()

    assert np.array_equal(rows, untouched)


def test_what_has_no_rows_is_an_error_that_says_what_to_do() -> None:
    with pytest.raises(RatsError, match="expected an array, a table or a list, got 3"):
        count(3)


# --- through a combinator ---------------------------------------------------------------

X, Y = toys.bundled("breast_cancer", step=4)
FOLDS = KFold(4, shuffle=True, random_state=2)
INDEXES = {
    "range": np.arange(len(X)),
    "duplicate": np.arange(len(X)) // 7,
    "shuffled": np.random.default_rng(5).permutation(len(X)),
    "strings": np.array([f"patient {n % 50}" for n in range(len(X))]),
}


def table(index: Any) -> pd.DataFrame:
    columns = [f"column {n}" for n in range(X.shape[1])]
    return pd.DataFrame(X, columns=columns, index=index)


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
def test_out_of_fold_rows_of_frames_keep_their_index_and_order(index: Any) -> None:
    scale = estimator(
        StandardScaler().set_output(transform="pandas"),
        inputs="X",
        outputs="Z",
        name="scale",
    )
    cv = cross_validate(scale, splitter=FOLDS, rows=["X"], name="cv")
    rows = table(index)

    made = toys.run(cv.train, {"X": rows})

    assert made["Z"].index.equals(rows.index)
    assert list(made["Z"].columns) == list(rows.columns)
    for train, test in FOLDS.split(X):
        expected = StandardScaler().fit(rows.iloc[train]).transform(rows.iloc[test])
        assert np.array_equal(made["Z"].to_numpy()[test], expected)


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
def test_rows_of_one_name_are_sliced_by_position_whatever_their_index(
    index: Any,
) -> None:
    """The target has another index than the rows: nothing is joined on it."""
    splitter = StratifiedKFold(3, shuffle=True, random_state=0)
    cv = cross_validate(
        toys.classifier(),
        splitter=splitter,
        rows=["X", "y"],
        stratify="y",
        metrics={"accuracy": toys.ACCURACY},
        name="cv",
    )

    made = toys.run(cv.train, {"X": table(index), "y": pd.Series(Y, index=index[::-1])})

    expected = cross_val_predict(
        toys.classifier_of_sklearn(),
        table(index),
        Y,
        cv=splitter,
        method="predict_proba",
    )
    assert np.array_equal(made["p"], expected)


@pytest.mark.parametrize("form", ["csr", "csc", "coo"])
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
def test_sparse_rows_equal_scikit_learn(kind: Any, form: str) -> None:
    X, y = toys.bundled("digits", step=10)
    rows = kind(X).asformat(form)
    scale = estimator(MaxAbsScaler(), inputs="X", outputs="Z", name="scale")
    model = estimator(
        LogisticRegression(max_iter=500),
        fit_inputs=["Z", "y"],
        inputs="Z",
        outputs={"predict_proba": "p"},
        name="model",
    )
    cv = cross_validate(
        scale + model,
        splitter=StratifiedKFold(3),
        rows=["X", "y"],
        stratify="y",
        name="cv",
    )

    made = toys.run(cv.train, {"X": rows, "y": y})

    peer = make_pipeline(MaxAbsScaler(), LogisticRegression(max_iter=500))
    # A matrix in coordinates cannot be sliced; scikit-learn turns it into rows too.
    expected = cross_val_predict(
        peer,
        rows.tocsr() if form == "coo" else rows,
        y,
        cv=StratifiedKFold(3),
        method="predict_proba",
    )
    assert np.array_equal(made["p"], expected)


def learn_mean(rows: pl.DataFrame, target: pl.Series) -> float:
    return float(rows["x"].mean() * target.mean())


def add_mean(mean: float, rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(z=pl.col("x") + mean)


def test_out_of_fold_rows_of_polars_frames_are_in_input_order() -> None:
    cv = cross_validate(
        estimator(
            learn_mean,
            add_mean,
            fit_inputs=["X", "y"],
            inputs="X",
            outputs="out",
            name="own",
        ),
        splitter=FOLDS,
        rows=["X", "y"],
        name="cv",
    )
    rows = pl.DataFrame({"x": X[:, 0], "id": np.arange(len(X))})
    target = pl.Series("y", Y)

    made = toys.run(cv.train, {"X": rows, "y": target})

    assert made["out"]["id"].to_list() == list(range(len(X)))
    for train, test in FOLDS.split(X):
        expected = learn_mean(rows[train], target[train]) + X[test, 0]
        assert np.array_equal(made["out"]["z"].to_numpy()[test], expected)


def test_out_of_fold_rows_of_arrow_tables_are_in_input_order() -> None:
    pa = pytest.importorskip("pyarrow")
    cv = cross_validate(
        estimator(
            lambda rows: rows.num_rows,
            lambda size, rows: rows.append_column("n", [[size] * rows.num_rows]),
            inputs="X",
            outputs="out",
            name="own",
        ),
        splitter=KFold(5, shuffle=True, random_state=1),
        rows=["X"],
        name="cv",
    )

    made = toys.run(cv.train, {"X": pa.table({"id": range(SIZE)})})

    assert made["out"]["id"].to_pylist() == list(range(SIZE))
    sizes = {9: 6, 10: 6}  # two folds of three rows, three folds of two
    counted = made["out"]["n"].to_pylist()
    assert {size: counted.count(size) for size in set(counted)} == sizes


@pytest.mark.parametrize("container", [list, tuple])
def test_out_of_fold_rows_of_texts_are_in_input_order(container: Any) -> None:
    def longest(texts: Any) -> int:
        return max(map(len, texts))

    def padded(width: int, texts: Any) -> Any:
        return container(text.ljust(width, ".") for text in texts)

    texts = container("abcdefghijkl"[:n] for n in ORDER + 1)
    own = estimator(longest, padded, inputs="X", outputs="out", name="own")
    cv = cross_validate(
        own, splitter=KFold(4, shuffle=True, random_state=0), rows=["X"], name="cv"
    )

    made = toys.run(cv.train, {"X": texts})

    assert type(made["out"]) is container
    assert [text.rstrip(".") for text in made["out"]] == list(texts)


@pytest.mark.parametrize("kind", ["pandas", "polars", "list"])
def test_groups_classes_and_fold_columns_may_be_of_any_container(kind: str) -> None:
    make = {"pandas": pd.Series, "polars": pl.Series, "list": lambda v: v.tolist()}[
        kind
    ]
    groups = toys.groups_of(X)
    folds = np.arange(len(X)) % 3
    ridge = estimator(
        Ridge(), fit_inputs=["X", "y"], inputs="X", outputs="yhat", name="ridge"
    )
    by_column = cross_validate(
        ridge, splitter="column", n_splits=3, rows=["X", "y"], name="a"
    )
    by_groups = cross_validate(
        ridge,
        splitter=StratifiedGroupKFold(3),
        groups="g",
        stratify="c",
        rows=["X", "y"],
        name="b",
    )
    data = {"X": X, "y": Y, "g": make(groups), "c": make(Y), "column": make(folds)}

    first, second = (toys.run(cv.train, data)["yhat"] for cv in (by_column, by_groups))

    expected = cross_val_predict(Ridge(), X, Y, cv=PredefinedSplit(folds))
    assert np.array_equal(first, expected)
    expected = cross_val_predict(
        Ridge(), X, Y, groups=groups, cv=StratifiedGroupKFold(3)
    )
    assert np.array_equal(second, expected)


# --- tables of other columns ------------------------------------------------------------

LETTERS = pd.DataFrame({"letter": list("aabbccddee"), "number": np.arange(10.0)})


def encoded(categories: Any, **options: Any) -> Any:
    """Return a cross-validated encoder, whose columns are the categories it learned."""
    encoder = OneHotEncoder(
        categories=categories, handle_unknown="ignore", sparse_output=False
    ).set_output(transform="pandas")
    letters = estimator(encoder, inputs="X", outputs="Z", name="letters")
    given = {"splitter": KFold(5), "rows": ["X"], "name": "cv", "refit": False}
    return cross_validate(letters, **{**given, **options})


@pytest.mark.parametrize("on_error", ["raise", "nan"])
def test_frames_of_other_columns_in_each_fold_are_an_error_that_names_them(
    on_error: Any,
) -> None:
    cv = encoded("auto", on_error=on_error)

    with pytest.raises(RatsError) as error:
        toys.run(cv.train, {"X": LETTERS[["letter"]]})

    assert str(error.value) == (
        "output 'Z' in fold 1: expected the columns of fold 0 (letter_b, letter_c, "
        "letter_d, letter_e), got letter_a, letter_c, letter_d, letter_e. Make them the "
        "same in each fold (tell an encoder all its categories), or leave the output out "
        "of outputs."
    )


def test_frames_of_the_same_columns_in_each_fold_equal_scikit_learn() -> None:
    cv = encoded([list("abcde")])

    made = toys.run(cv.train, {"X": LETTERS[["letter"]]})

    expected = pd.get_dummies(LETTERS[["letter"]], dtype=float)
    pd.testing.assert_frame_equal(made["Z"], expected)


def learn_order(rows: pd.DataFrame) -> list[str]:
    return ["two", "one"] if rows["number"].iloc[0] == 0 else ["one", "two"]


def apply_order(order: list[str], rows: pd.DataFrame) -> pd.DataFrame:
    number = rows["number"]
    return pd.DataFrame({"one": number, "two": 2 * number})[order]


def test_frames_of_another_order_of_columns_are_put_together_by_name() -> None:
    own = estimator(learn_order, apply_order, inputs="X", outputs="Z", name="own")
    splitter = KFold(5, shuffle=True, random_state=1)
    cv = cross_validate(own, splitter=splitter, rows=["X"], name="cv", refit=False)

    made = toys.run(cv.train, {"X": LETTERS})

    orders = {tuple(made[f"cv.fold_{k}.eval.Z"].columns) for k in range(5)}
    assert orders == {("one", "two"), ("two", "one")}
    assert list(made["Z"]["one"]) == list(range(10))
    assert list(made["Z"]["two"]) == list(range(0, 20, 2))


def test_frames_with_a_name_twice_are_put_together_where_all_are_alike() -> None:
    def double(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.concat([rows, rows], axis=1)

    step = transformer(double, inputs="X", outputs="Z")
    cv = cross_validate(step, splitter=KFold(5), rows=["X"], name="cv")

    made = toys.run(cv.train, {"X": LETTERS})

    pd.testing.assert_frame_equal(made["Z"], double(LETTERS))


def test_columns_are_compared_with_those_of_a_fold_that_did_not_fail() -> None:
    class Refusing(OneHotEncoder):
        def fit(self, X: Any, y: Any = None) -> Any:
            if "a" not in set(X["letter"]):
                msg = "no a"
                raise ValueError(msg)
            return super().fit(X, y)

    refusing = Refusing(sparse_output=False, handle_unknown="ignore")
    letters = estimator(
        refusing.set_output(transform="pandas"),
        inputs="X",
        outputs="Z",
        name="letters",
        fused=False,
    )
    cv = cross_validate(
        letters,
        splitter=KFold(5),
        rows=["X"],
        name="cv",
        refit=False,
        on_error="nan",
    )

    with pytest.raises(RatsError, match=r"'Z' in fold 2: expected .* of fold 1 "):
        toys.run(cv.train, {"X": LETTERS[["letter"]]})
