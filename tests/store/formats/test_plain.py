"""Plain data comes back with its types; what is not plain is left to pickle."""

from __future__ import annotations

import collections
import datetime as dt
import enum
import math
from decimal import Decimal
from pathlib import Path, PurePosixPath
from typing import Any
from zoneinfo import ZoneInfo

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pipelines.kept import assert_kept, round_trip


class Point(collections.namedtuple("Point", "x y")):
    __slots__ = ()


class Colour(enum.IntEnum):
    RED = 1


PLAIN = {
    "None": None,
    "whole": 1,
    "float": 1.0,
    "bool": True,
    "minus zero": -0.0,
    "large": 2**200,
    "infinite": math.inf,
    "no number": math.nan,
    "text": "é\n\x00🐀",
    "lone surrogate": "\ud800",
    "complex": complex(-0.0, math.inf),
    "tuple": (1, (2.0, [True, ()])),
    "sets": [{1, 2}, frozenset({"a"}), set()],
    "dict": {"b": 1, "a": {1: "x", (2, 3): None, None: [1]}, "": {}},
    "marked keys": {"$tuple": [1]},
    "bytes inside": [b"\x00\xff", bytearray(b"x")],
    "date": dt.date(2020, 2, 29),
    "times": (dt.datetime(2020, 1, 1, 2, 3, 4, 5), dt.time(1, 2), dt.timedelta(-1, 3)),
    "zones": [
        dt.datetime(2020, 1, 1, tzinfo=dt.timezone.utc),
        dt.datetime(2020, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    ],
    "decimal": Decimal("1.10"),
    "paths": [PurePosixPath("a/b"), Path("nothing/is/here")],
    "range": range(1, 9, 2),
}


@pytest.mark.parametrize("value", PLAIN.values(), ids=PLAIN)
def test_plain_data_is_json(value: Any) -> None:
    kept = round_trip(value)

    assert kept.name == "json"
    assert_kept(kept.value, value)


def test_a_number_of_thousands_of_digits_is_kept() -> None:
    assert round_trip(10**5000).value == 10**5000


NOT_PLAIN = {
    "named tuple": Point(1, 2),
    "enumeration": Colour.RED,
    "ordered": collections.OrderedDict(b=1, a=2),
    "default": collections.defaultdict(list, a=[1]),
    "counter": collections.Counter("aab"),
    "deep": {"a": [Point(1, 2)]},
    "class": Point,
    "function": math.sqrt,
}


@pytest.mark.parametrize("value", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_data_of_other_types_is_left_to_pickle(value: Any) -> None:
    kept = round_trip(value)

    assert kept.name == "cloudpickle"
    assert type(kept.value) is type(value)
    assert kept.value == value


def test_what_contains_itself_is_left_to_pickle() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]

    back = round_trip(loop)

    assert back.name == "cloudpickle"
    assert back.value[1] is back.value
    # Nothing can pickle this one; it must be an error with a name, no crash.
    from kedro_rats.store.formats import UnsavableError

    with pytest.raises(UnsavableError, match=r"RecursionError|recursion"):
        round_trip(deep)
    while deep:
        deep = deep.pop()


@pytest.mark.parametrize("value", [b"", b"\x00\xff" * 1000])
def test_bytes_are_a_file_of_them(value: bytes) -> None:
    kept = round_trip(value)

    assert kept.name == "bytes"
    assert kept.files == {"data.bin": len(value)}
    assert_kept(kept.value, value)


atoms = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(dt.timezone.utc) | st.timezones())
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
)
keys = st.text() | st.integers() | st.booleans() | st.none() | st.tuples(st.text())
plain = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.sets(st.text() | st.integers(), max_size=3)
        | st.frozensets(st.binary() | st.dates(), max_size=3)
    ),
    max_leaves=8,
)


@given(value=plain)
def test_any_plain_data_comes_back_as_it_was(value: Any) -> None:
    kept = round_trip(value)

    assert kept.name in {"json", "bytes"}
    assert_kept(kept.value, value)
