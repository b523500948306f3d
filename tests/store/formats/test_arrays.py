"""Arrays of NumPy and sparse matrices of SciPy come back to the last bit."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays

np = pytest.importorskip("numpy")

from pipelines.kept import assert_kept, assert_same_array, round_trip  # noqa: E402

PAIR = np.dtype([("a", "i1"), ("b", "f8", (2,))])
ARRAYS = {
    "no dimension": np.array(1.5),
    "nothing": np.empty((0, 3)),
    "Fortran order": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "another byte order": np.array([1, 2], ">i4"),
    "records": np.zeros(3, PAIR),
    "times": np.array(["2020-01-01", "NaT"], "M8[s]"),
    "durations": np.array([1, 2], "m8[h]"),
    "text": np.array(["x", "é\x00y", ""]),
    "bytes": np.array([b"x\x00", b"yyy"]),
    "half floats": np.array([1, np.nan], "f2"),
    "long floats": np.array([1, np.nan, 0.1], np.longdouble),
    "complex": np.array([1j, -0.0]),
    "not a number with a payload": np.array([0x7FF8000000000ABC], "u8").view("f8"),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_an_array_is_kept(array: Any) -> None:
    kept = round_trip(array)

    assert kept.name == "numpy.npy"
    assert_same_array(kept.value, array)


def test_the_order_of_axes_is_kept_without_gaps() -> None:
    cube = np.random.default_rng(0).normal(size=(6, 7, 8))
    for array in (cube[::2], cube.T[:, ::3], cube.transpose(1, 0, 2), cube[:, ::-1].T):
        back = round_trip(array).value

        np.testing.assert_array_equal(back, array)
        assert_same_array(back, array.copy(order="K"))
        for axis in range(3):
            sums = [np.sum(one, axis=axis) for one in (back, array)]
            np.testing.assert_array_equal(*sums)


@pytest.mark.parametrize(
    ("array", "name"),
    [
        (np.array([1, "x", None], dtype=object), "cloudpickle"),
        (np.ma.masked_array([1, 2], [True, False]), "cloudpickle"),
        (np.rec.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f4")]), "cloudpickle"),
        (np.array([1, 2], np.dtype("i4", metadata={"unit": "m"})), "cloudpickle"),
        (np.zeros(2, np.dtype([("a", "i1"), ("b", "f8")], align=True)), "cloudpickle"),
    ],
    ids=["objects", "masked", "subclass", "metadata", "aligned"],
)
def test_an_array_that_the_file_would_change_is_left_to_pickle(
    array: Any, name: str
) -> None:
    kept = round_trip(array)

    assert kept.name == name
    assert type(kept.value) is type(array)
    assert kept.value.dtype == array.dtype
    assert kept.value.dtype.metadata == array.dtype.metadata
    assert kept.value.dtype.isalignedstruct == array.dtype.isalignedstruct
    assert kept.value.tolist() == array.tolist()


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="needs NumPy 2")
def test_text_of_any_length_is_kept() -> None:
    array = np.array(["x", "a longer text"], dtype=np.dtypes.StringDType())

    kept = round_trip(array)

    assert kept.value.dtype == array.dtype
    assert kept.value.tolist() == array.tolist()


@pytest.mark.parametrize(
    "value",
    [
        np.float64(0.1),
        np.float32("nan"),
        np.float64(-0.0),
        np.int8(-3),
        np.bool_(True),
        np.uint64(2**64 - 1),
        np.complex64(1j),
        np.longdouble("0.1"),
        np.str_("é"),
        np.bytes_(b"x"),
        np.bytes_(b"x\x00"),
        np.str_("x\x00"),
        np.datetime64("2020-01-01T00:00", "m"),
        np.timedelta64(3, "D"),
    ],
    ids=repr,
)
def test_a_scalar_keeps_its_type(value: Any) -> None:
    back = round_trip(value).value

    assert_kept(back, value)
    assert back.dtype == value.dtype
    if isinstance(value, (str, bytes)):
        assert len(back) == len(value)


@given(
    array=arrays.arrays(
        dtype=arrays.scalar_dtypes() | arrays.array_dtypes(max_size=2),
        shape=arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
    ),
    fortran=st.booleans(),
)
def test_any_array_is_kept(array: Any, fortran: bool) -> None:
    value = np.asfortranarray(array) if fortran and array.ndim else array

    kept = round_trip(value)

    assert kept.name == "numpy.npy"
    assert_same_array(kept.value, value)


FORMATS = ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"]


def sparse_module() -> Any:
    return pytest.importorskip("scipy.sparse")


def assert_same_matrix(back: Any, value: Any) -> None:
    assert type(back) is type(value)
    assert back.shape == value.shape
    assert back.dtype == value.dtype
    assert back.nnz == value.nnz
    np.testing.assert_array_equal(back.toarray(), value.toarray())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "?", "c16"])
def test_a_sparse_matrix_is_kept(form: str, kind: str, dtype: str) -> None:
    make = getattr(sparse_module(), f"{form}_{kind}")
    dense = np.array([[0, 0, 2, 0], [3, 0, 0, 0]], dtype)

    for value in (make(dense), make((0, 3), dtype=dtype)):
        kept = round_trip(value)

        assert kept.name == "scipy.sparse"
        assert_same_matrix(kept.value, value)


@pytest.mark.parametrize("kind", ["matrix", "array"])
@pytest.mark.parametrize("index", ["i4", "i8"])
def test_explicit_zeros_duplicates_and_index_types_are_kept(
    kind: str, index: str
) -> None:
    sparse = sparse_module()
    rows, columns = np.array([1, 1, 0], index), np.array([2, 2, 0], index)
    coo = getattr(sparse, f"coo_{kind}")(([1.0, 2.0, 0.0], (rows, columns)), (2, 3))
    coo.coords = (rows, columns)
    csr = getattr(sparse, f"csr_{kind}")((2, 3))
    csr.data = np.array([0.0, 5.0])
    csr.indices, csr.indptr = np.array([2, 1], index), np.array([0, 2, 2], index)

    back = round_trip(coo).value
    assert back.data.tolist() == [1.0, 2.0, 0.0]
    assert [a.tolist() for a in back.coords] == [[1, 1, 0], [2, 2, 0]]
    assert {a.dtype for a in back.coords} == {np.dtype(index)}
    back = round_trip(csr).value
    assert_same_array(back.data, csr.data)
    assert_same_array(back.indices, csr.indices)
    assert_same_array(back.indptr, csr.indptr)


def test_a_sparse_vector_is_kept() -> None:
    try:
        value = sparse_module().coo_array([0.0, 1.0])
    except (TypeError, ValueError):
        pytest.skip("needs SciPy 1.13")
    if value.ndim != 1:
        pytest.skip("needs SciPy 1.13")

    assert_same_matrix(round_trip(value).value, value)


def test_blocks_keep_their_size() -> None:
    value = sparse_module().bsr_matrix(np.kron(np.eye(2), np.ones((2, 3))))

    back = round_trip(value).value

    assert back.blocksize == value.blocksize
    assert_same_matrix(back, value)


@pytest.mark.parametrize("form", FORMATS)
def test_what_comes_back_works(form: str) -> None:
    value = getattr(sparse_module(), f"{form}_array")(np.diag([1.0, 2.0, 3.0]))

    back = round_trip(value).value

    np.testing.assert_array_equal((back @ value).toarray(), (value @ value).toarray())
    np.testing.assert_array_equal(
        (back.T + back).toarray(), (value.T + value).toarray()
    )


@pytest.mark.parametrize("name", ["numpy", "no_such_format"])
def test_only_classes_that_are_known_are_made(name: str, tmp_path: Any) -> None:
    from kedro_rats.store.formats import FormatError, load_value

    with pytest.raises(FormatError, match="is not a format of sparse matrices"):
        load_value(
            "scipy.sparse", tmp_path, {"format": name, "array": True, "shape": []}
        )


def test_a_file_of_pickled_objects_is_refused(tmp_path: Any) -> None:
    from kedro_rats.store.formats import FormatError, load_value

    np.save(tmp_path / "data.npy", np.array([1, "x"], dtype=object), allow_pickle=True)

    with pytest.raises(FormatError, match="allow_pickle"):
        load_value("numpy.npy", tmp_path, {"axes": None, "text": None})
