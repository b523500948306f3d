"""Tables of pandas come back as they were, whichever format takes them."""

from __future__ import annotations

from datetime import timezone
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")

from hypothesis.extra import pandas as frames  # noqa: E402
from pipelines.kept import (  # noqa: E402
    assert_same_array,
    assert_same_frame,
    assert_same_index,
    round_trip,
)

try:
    import pyarrow  # noqa: F401
except ModuleNotFoundError:
    PARQUET = "pandas.pickle"
else:
    PARQUET = "pandas.parquet"
PICKLE = "pandas.pickle"


def attributed() -> Any:
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["source"] = "here"
    return frame


def zoned(zone: str) -> Any:
    return pd.to_datetime(["2020-01-01", "2020-06-01", None]).tz_localize(zone)


def timestamps(unit: str) -> Any:
    return np.array(["2020-01-01", "1960-02-03", "NaT"], f"M8[{unit}]")


NAN = float("nan")
IN_PARQUET = {
    "numbers": {"a": [1, 2], "b": [1.5, NAN], "c": [True, False], "d": [-0.0, 1e-310]},
    "small numbers": {k: np.array([1, 2], k) for k in ("i1", "u2", "f4", "u8")},
    "no rows": {"a": np.array([], "i4"), "b": np.array([], "f4")},
    "text": {"a": ["x", "", "\x00", "é", "🐀"]},
    "text with None": {"a": ["x", None]},
    "string": {"a": pd.array(["x", None], dtype="string")},
    "nullable integers": {"a": pd.array([1, None], "Int16")},
    "nullable booleans": {"a": pd.array([True, None], "boolean")},
    "times in ms": {"a": timestamps("ms")},
    "times in ns": {"a": timestamps("ns")},
    "durations": {"a": np.array([1, -2], "m8[ns]")},
    "a time zone": {"a": zoned("Europe/Berlin")},
}
IN_PICKLE = {
    "half floats": {"a": np.array([1, 2], "f2")},
    "nullable floats": {"a": pd.array([1.5, None], "Float64")},
    "complex": {"a": [1j]},
    "bytes in another order": {"a": np.array([1, 2], ">i4")},
    "mixed objects": {"a": [1, "x", None, (1, 2), NAN, True]},
    "NaN among text": {"a": pd.Series(["x", NAN], dtype=object)},
    "bytes": {"a": [b"x", b""]},
    "lone surrogates": {"a": pd.Series(["\ud800"], dtype=object)},
    "text of another class": {"a": pd.Series([np.str_("x")], dtype=object)},
    "categories": {"a": pd.Categorical(["x", "y"], ["z", "y", "x"], ordered=True)},
    "categories of numbers": {"a": pd.Categorical([2, 1, 2])},
    "periods": {"a": pd.period_range("2020", periods=2, freq="M")},
    "intervals": {"a": pd.interval_range(0, 2, closed="left")},
    "sparse": {"a": pd.arrays.SparseArray([0, 0, 1])},
    "times in s": {"a": timestamps("s")},
}
INDEXES = {
    "a range": (pd.RangeIndex(2, 8, 3, name="r"), PARQUET),
    "a range down": (pd.RangeIndex(1, -1, -1), PARQUET),
    "numbers twice": (pd.Index([7, 7], name=("two", 1)), PARQUET),
    "text": (pd.Index(["b", "a"], name="key"), PARQUET),
    "floats": (pd.Index([1.5, NAN]), PARQUET),
    "times": (pd.DatetimeIndex(["2020-01-01", "2020-01-09"], name="when"), PARQUET),
    "nullable": (pd.Index(pd.array([1, None], "Int8")), PARQUET),
    "times with a frequency": (pd.date_range("2020", periods=2, freq="D"), PICKLE),
    "durations": (pd.TimedeltaIndex([3, 5], name=0), PARQUET),
    "levels": (
        pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=[0, None]),
        PICKLE,
    ),
    "categories": (pd.CategoricalIndex(["b", "a"], ["b", "a", "c"]), PICKLE),
    "intervals": (pd.interval_range(0, 2), PICKLE),
    "mixed": (pd.Index([1, "a"], dtype=object), PICKLE),
    "a label of NumPy": (pd.Index([1, 2], name=np.int64(3)), PICKLE),
}
WHOLE = {
    "nothing": (pd.DataFrame(), PARQUET),
    "no columns": (pd.DataFrame(index=[3, 4]), PARQUET),
    "no columns, a range": (pd.DataFrame(index=range(5)), PARQUET),
    "numbered columns": (pd.DataFrame(np.arange(6.0).reshape(3, 2)), PARQUET),
    "named columns": (pd.DataFrame({"a": [1]}).rename_axis("kind", axis=1), PARQUET),
    "other numbers as columns": (pd.DataFrame([[1, 2.5]], columns=[3, 1]), PICKLE),
    "a column twice": (pd.DataFrame([[1, 2]], columns=["a", "a"]), PICKLE),
    "levels of columns": (
        pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", 1)])),
        PICKLE,
    ),
    "columns of Arrow's names": (
        pd.DataFrame({"__index_level_0__": [1], "index": [2]}, index=[5]),
        PARQUET,
    ),
    "attributes": (attributed(), PICKLE),
    "flags": (
        pd.DataFrame({"a": [1]}).set_flags(allows_duplicate_labels=False),
        PICKLE,
    ),
}


@pytest.mark.parametrize("columns", IN_PARQUET.values(), ids=IN_PARQUET)
def test_frames_that_parquet_keeps_come_back_from_parquet(columns: Any) -> None:
    frame = pd.DataFrame(columns)

    kept = round_trip(frame)

    assert kept.name == PARQUET
    assert_same_frame(kept.value, frame)


@pytest.mark.parametrize("columns", IN_PICKLE.values(), ids=IN_PICKLE)
def test_frames_that_parquet_would_change_come_back_from_pickle(columns: Any) -> None:
    frame = pd.DataFrame(columns)

    kept = round_trip(frame)

    assert kept.name == PICKLE
    assert_same_frame(kept.value, frame)


@pytest.mark.parametrize(("index", "name"), INDEXES.values(), ids=INDEXES)
def test_an_index_is_kept(index: Any, name: str) -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=index)

    kept = round_trip(frame)

    assert kept.name == name
    assert_same_frame(kept.value, frame)
    alone = round_trip(index)
    assert alone.name == name
    assert_same_index(alone.value, index)


@pytest.mark.parametrize(("frame", "name"), WHOLE.values(), ids=WHOLE)
def test_a_frame_is_kept_as_a_whole(frame: Any, name: str) -> None:
    kept = round_trip(frame)

    assert kept.name == name
    assert_same_frame(kept.value, frame)


def test_every_time_zone_comes_back_as_the_same_class() -> None:
    for zone in ("UTC", "Europe/Berlin", timezone.utc):
        frame = pd.DataFrame({"a": zoned(zone)}, index=zoned(zone))  # type: ignore[arg-type]

        assert_same_frame(round_trip(frame).value, frame)


def test_text_of_every_storage_comes_back_in_it() -> None:
    storages = ["python"] + ["pyarrow"] * (PARQUET == "pandas.parquet")
    for storage in storages:
        dtype = pd.StringDtype(storage)
        frame = pd.DataFrame({"a": pd.array(["x", None], dtype=dtype)})

        assert_same_frame(round_trip(frame).value, frame)


def test_columns_of_arrow_types_are_kept() -> None:
    pytest.importorskip("pyarrow")
    frame = pd.DataFrame({"a": pd.array([1, None], dtype="int64[pyarrow]")})

    assert_same_frame(round_trip(frame).value, frame)


@pytest.mark.parametrize("name", [None, "y", 3, ("a", 1), 1.5, True, np.int64(1)])
def test_a_series_is_kept_with_its_name(name: Any) -> None:
    series = pd.Series([1.5, NAN], index=["a", "a"], name=name)

    kept = round_trip(series)

    assert type(kept.value) is pd.Series
    assert type(kept.value.name) is type(name)
    assert kept.value.name == name
    assert_same_frame(kept.value.rename("x").to_frame(), series.rename("x").to_frame())
    assert kept.name == (PICKLE if isinstance(name, np.integer) else PARQUET)


def test_a_subclass_is_kept_by_a_later_format() -> None:
    frame = Measured({"a": [1]})

    kept = round_trip(frame)

    assert kept.name == "cloudpickle"
    assert_same_frame(kept.value, frame)


class Measured(pd.DataFrame):  # type: ignore[misc]
    """A frame of another class."""

    @property
    def _constructor(self) -> Any:
        return Measured


@pytest.mark.parametrize(
    "value", [pd.Timestamp("2020-01-01", tz="UTC"), pd.Interval(0, 1)]
)
def test_single_values_of_pandas_are_kept(value: Any) -> None:
    kept = round_trip(value)

    assert kept.name == PICKLE
    assert type(kept.value) is type(value)
    assert kept.value == value


def test_what_comes_back_can_be_changed() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]}, index=[1, 2])

    back = round_trip(frame).value
    back["a"] += 1
    back.loc[1, "b"] = "z"

    assert back["a"].tolist() == [2.0, 3.0]
    assert back["b"].tolist() == ["z", "y"]


def test_sums_over_rows_and_columns_are_the_same_to_the_last_bit() -> None:
    values = np.random.default_rng(0).normal(size=(1001, 7))
    arrays = [values, np.asfortranarray(values)]
    if PARQUET == "pandas.parquet":
        arrays += [values[::2], values[:, :4], values.T[:4].T]
    for array in arrays:
        frame = pd.DataFrame(array, copy=False)

        kept = round_trip(frame)

        assert_same_frame(kept.value, frame)
        back, given = kept.value.to_numpy(), frame.to_numpy()
        for axis in (0, 1):
            assert_same_array(back.sum(axis=axis), given.sum(axis=axis))


def test_a_frame_of_many_parts_gives_no_warning() -> None:
    frame = pd.DataFrame(index=["a", "b"])
    with pytest.warns(pd.errors.PerformanceWarning):
        for i in range(120):
            frame[f"column {i}"] = [i, i + 0.5]

    assert_same_frame(round_trip(frame).value, frame)


def test_a_large_text_column_is_kept() -> None:
    frame = pd.DataFrame({"a": [f"row {i % 977}" for i in range(200_000)]})

    kept = round_trip(frame)

    assert kept.value.equals(frame)


columns_of_numbers = st.sampled_from(
    ["?", "i1", "u4", "i8", "f4", "f8", "M8[ns]", "m8[ns]"]
).map(lambda dtype: {"dtype": np.dtype(dtype)})
columns_of_objects = st.sampled_from(
    [
        st.text(max_size=4),
        st.none() | st.text(max_size=4),
        st.none()
        | st.booleans()
        | st.integers(-9, 9)
        | st.floats()
        | st.text(max_size=2),
        st.binary(max_size=3),
        st.dates(),
    ]
).map(lambda elements: {"elements": elements, "dtype": object})
labels = st.sampled_from(
    [
        frames.range_indexes(max_size=5),
        frames.indexes(dtype=int, max_size=5, unique=False),
        frames.indexes(elements=st.text(max_size=3), dtype=object, max_size=5),
        frames.indexes(dtype="M8[ns]", max_size=5, unique=False),
    ]
)


@st.composite
def any_frames(draw: st.DrawFn) -> Any:
    kinds = draw(st.lists(columns_of_numbers | columns_of_objects, max_size=4))
    names = draw(
        st.lists(
            st.text(max_size=3) | st.integers(0, 5),
            min_size=len(kinds),
            max_size=len(kinds),
            unique=True,
        )
        | st.just([f"c{i}" for i in range(len(kinds))])
    )
    columns = [frames.column(n, **k) for n, k in zip(names, kinds, strict=True)]
    frame = draw(frames.data_frames(columns, index=draw(labels)))
    return frame.rename_axis(draw(st.none() | st.text(max_size=2)))


# Hypothesis 6.100 fills columns in a way that pandas 2.2 warns of.
@pytest.mark.filterwarnings("ignore:Series.__setitem__ treating keys:FutureWarning")
@given(frame=any_frames())
def test_any_frame_comes_back_equal(frame: Any) -> None:
    assert_same_frame(round_trip(frame).value, frame)


@given(
    array=arrays.arrays(
        dtype=st.sampled_from(["f4", "f8", "i8"]),
        shape=arrays.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=5),
    ),
    by_columns=st.booleans(),
)
def test_any_frame_of_one_array_comes_back_in_its_order(
    array: Any, by_columns: bool
) -> None:
    frame = pd.DataFrame(array.T if by_columns else array, copy=False)

    back = round_trip(frame).value

    assert_same_frame(back, frame)
    if min(frame.shape) > 1:
        order = frame.to_numpy().flags.c_contiguous
        assert back.to_numpy().flags.c_contiguous == order
