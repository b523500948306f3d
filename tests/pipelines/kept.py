"""Saving a value and loading it as another process would, and comparing strictly."""

from __future__ import annotations

import atexit
import json
import math
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kedro_rats.store.formats import load_value, save_value


@dataclass(frozen=True)
class Kept:
    """A value that was saved and loaded, by which format."""

    name: str
    value: Any
    meta: Any
    files: dict[str, int]


def round_trip(value: Any) -> Kept:
    """Save a value and load it from files alone, as a store keeps them.

    A store has no empty folders, no permissions and another place; meta travels as
    JSON.
    """
    place = Path(tempfile.mkdtemp(prefix="kept-"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    written, read = place / "written", place / "read"
    written.mkdir()
    read.mkdir()
    name, meta = save_value(value, written)
    files = {}
    for path in sorted(written.rglob("*")):
        if path.is_file():
            relative = path.relative_to(written)
            target = read / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
            target.chmod(0o600)
            files[relative.as_posix()] = path.stat().st_size
    shutil.rmtree(written)
    meta = json.loads(json.dumps(meta))
    loaded = load_value(name, read, meta)
    if name != "path":
        # Whatever is read later from the folder is missed here.
        shutil.rmtree(place)
    return Kept(name, loaded, meta, files)


def assert_kept(back: Any, value: Any) -> None:
    """Compare types at every depth, and values to the last bit."""
    assert type(back) is type(value)
    if isinstance(value, dict):
        # Not `zip(strict=True)` alone: order counts, and so do the types of keys.
        assert_kept(list(back.items()), list(value.items()))
    elif isinstance(value, (list, tuple)):
        assert len(back) == len(value)
        for one, other in zip(back, value, strict=True):
            assert_kept(one, other)
    elif isinstance(value, (set, frozenset)):
        assert back == value
        assert sorted(map(_typed, back)) == sorted(map(_typed, value))
    elif isinstance(value, np.ndarray):
        assert_same_array(back, value)
    elif isinstance(value, (float, np.floating)):
        assert back == value or (back != back and value != value)
        if value == 0:
            assert math.copysign(1, back) == math.copysign(1, value)
    else:
        assert _typed(back) == _typed(value)
        # Not `!=`: NumPy's text with a zero at its end differs from itself.
        assert back == value or repr(back) == repr(value)


def assert_same_array(back: np.ndarray, value: np.ndarray) -> None:
    """Compare arrays: dtype, shape, bytes, and Fortran order."""
    assert type(back) is type(value)
    assert back.dtype == value.dtype
    assert back.dtype.metadata == value.dtype.metadata
    assert back.shape == value.shape
    assert back.tobytes() == value.tobytes()
    assert np.isfortran(back) == np.isfortran(value)
    assert back.flags.writeable


def assert_same_frame(back: Any, value: Any) -> None:
    """Compare frames: values, labels, dtypes, names, attributes and flags."""
    import pandas as pd

    assert type(back) is type(value)
    pd.testing.assert_frame_equal(
        back, value, check_exact=True, check_freq=True, check_column_type="exact"
    )
    assert_same_index(back.index, value.index)
    assert_same_index(back.columns, value.columns)
    for position in range(value.shape[1]):
        one, other = back.iloc[:, position], value.iloc[:, position]
        assert_same_dtype(one.dtype, other.dtype)
        # `assert_frame_equal` takes None for NaN, and 1 for True.
        if other.dtype == object:
            assert [*map(_typed, one)] == [*map(_typed, other)]
    assert back.attrs == value.attrs
    assert back.flags == value.flags


def assert_same_index(back: Any, value: Any) -> None:
    """Compare indexes: class, labels, name, dtype and frequency."""
    assert type(back) is type(value)
    assert back.identical(value)
    assert_same_dtype(back.dtype, value.dtype)
    assert getattr(back, "freq", None) == getattr(value, "freq", None)
    assert_kept(list(back.names), list(value.names))


def assert_same_dtype(back: Any, value: Any) -> None:
    """Compare dtypes, and the kind of a time zone."""
    assert type(back) is type(value)
    assert back == value
    zones = [type(getattr(dtype, "tz", None)) for dtype in (back, value)]
    assert zones[0] is zones[1]


def _typed(value: Any) -> tuple[str, str]:
    return type(value).__qualname__, repr(value)
