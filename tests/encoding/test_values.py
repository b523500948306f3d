"""Plain data goes through JSON and comes back as it was, types included."""

from __future__ import annotations

import json
import string
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_rats.encoding.canonical import from_bytes, to_bytes
from kedro_rats.encoding.values import MAX_DEPTH, Unencodable, decode, encode

ZONES = st.one_of(
    st.none(),
    st.sampled_from(["Europe/Berlin", "Australia/Lord_Howe", "UTC"]).map(ZoneInfo),
    st.builds(
        timezone,
        st.timedeltas(timedelta(hours=-23), timedelta(hours=23)),
    ),
    st.builds(
        timezone, st.just(timedelta(hours=1)), st.sampled_from(["CET", "\ud800"])
    ),
)
# With halves of surrogate pairs, and two that look like a pair.
TEXTS = st.one_of(
    st.text(st.characters()),
    st.text(st.characters(categories=["Cs"])),
    st.sampled_from(
        ["", "$", "$tuple", "\ud83d\ude00", "a\x00b", "ünï", "'''", "{{x}}"]
    ),
)
# Longer ones have no `repr`, which Hypothesis needs.
HUGE = st.integers(min_value=10**4000, max_value=10**4000 + 9)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    HUGE,
    HUGE.map(lambda n: -n),
    st.floats(),
    st.complex_numbers(),
    TEXTS,
    st.binary(),
    st.binary().map(bytearray),
    st.dates(),
    st.datetimes(timezones=ZONES, allow_imaginary=True),
    st.times(timezones=ZONES),
    st.timedeltas(),
    st.decimals(),
    st.builds(range, st.integers(), st.integers(), st.sampled_from([-3, 1, 10**4000])),
    TEXTS.filter(lambda t: "\x00" not in t).map(Path),
    TEXTS.filter(lambda t: "\x00" not in t).map(PurePosixPath),
    st.just(PureWindowsPath("c:/x")),
)
KEYS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    HUGE,
    st.floats(allow_nan=False),
    TEXTS,
    st.binary(),
    st.tuples(TEXTS, st.integers()),
    st.frozensets(TEXTS),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(KEYS, inner, max_size=4),
        st.dictionaries(st.sampled_from(["b", "a", "$x", ""]), inner),
        st.sets(KEYS, max_size=4),
        st.frozensets(KEYS, max_size=4),
        st.builds(slice, inner, inner, st.integers()),
    ),
    max_leaves=12,
)


def through_json(value: Any) -> Any:
    return decode(from_bytes(to_bytes(encode(value))))


def same(one: Any, other: Any) -> bool:
    """Say whether two values are the same to the last bit, types and order included."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return all(map(same, one.items(), other.items())) and len(one) == len(other)
    if isinstance(one, slice):
        return same(one.__reduce__()[1], other.__reduce__()[1])
    if isinstance(one, (set, frozenset)):
        return sorted(map(described, one)) == sorted(map(described, other))
    return described(one) == described(other)


def described(value: Any) -> str:
    if isinstance(value, int):
        return f"{type(value)} {value:x}"
    if isinstance(value, (tuple, frozenset)):
        parts = (
            sorted(map(described, value))
            if isinstance(value, frozenset)
            else (described(part) for part in value)
        )
        return f"{type(value)} {list(parts)}"
    if isinstance(value, range):
        return f"{value.start:x} {value.stop:x} {value.step:x}"
    zone = getattr(value, "tzinfo", None)
    return f"{type(value)} {value!r} {zone!r} {getattr(value, 'fold', 0)}"


@given(value=VALUES)
def test_plain_data_comes_back_as_it_was(value: Any) -> None:
    assert same(through_json(value), value)


@given(value=VALUES)
def test_what_is_decoded_is_encoded_the_same(value: Any) -> None:
    assert to_bytes(encode(through_json(value))) == to_bytes(encode(value))


@given(one=SCALARS, other=SCALARS)
def test_no_two_values_are_written_alike(one: Any, other: Any) -> None:
    assert (to_bytes(encode(one)) == to_bytes(encode(other))) == same(one, other)


@pytest.mark.parametrize(
    "value",
    [1, 1.0, True, "1", -0.0, 0.0, 0, False, (1,), [1], {1}, frozenset({1}), {1: 1}],
    ids=repr,
)
def test_what_python_takes_for_equal_stays_apart(value: Any) -> None:
    assert same(through_json(value), value)
    assert type(through_json([value])[0]) is type(value)


def test_a_number_of_any_length_comes_back() -> None:
    huge = -(10**20_000)

    assert through_json([huge, {huge: range(huge)}]) == [huge, {huge: range(huge)}]


def test_a_dictionary_keeps_its_order() -> None:
    assert list(through_json({"b": 1, "a": 2})) == ["b", "a"]
    assert list(through_json({2: 1, 1: 2, "x": 3})) == [2, 1, "x"]


def test_a_moment_that_comes_twice_stays_the_later_one() -> None:
    later = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1)

    again = through_json(later)

    assert again.fold == 1
    assert again.utcoffset() == timedelta(hours=1)


def test_the_name_of_a_zone_is_kept() -> None:
    noon = time(12, tzinfo=timezone(timedelta(hours=1), "CET"))

    assert through_json(noon).tzname() == "CET"


def nested(depth: int) -> Any:
    value: Any = "x"
    for _ in range(depth):
        value = [value]
    return value


def test_what_is_nested_too_deep_is_refused_and_the_rest_is_not() -> None:
    assert through_json(nested(MAX_DEPTH)) == nested(MAX_DEPTH)

    with pytest.raises(Unencodable, match=f"nested more than {MAX_DEPTH} deep"):
        encode(nested(MAX_DEPTH + 1))
    with pytest.raises(Unencodable, match="nested"):
        encode(nested(100_000))


def test_how_deep_it_may_be_does_not_depend_on_the_caller() -> None:
    def calls(depth: int) -> Any:
        return calls(depth - 1) if depth else through_json(nested(MAX_DEPTH))

    assert calls(300) == nested(MAX_DEPTH)


def test_deep_json_of_somebody_else_is_one_clear_error() -> None:
    with pytest.raises(ValueError, match="nested too deep"):
        from_bytes(b"[" * 200_000 + b"]" * 200_000)


def test_what_contains_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append({"x": endless})

    with pytest.raises(Unencodable) as raised:
        encode(endless)

    assert raised.value.path == "[0].x"
    assert raised.value.type_name == "list that contains itself"


def test_a_list_may_be_in_two_places() -> None:
    one = [1]

    assert through_json([one, one]) == [[1], [1]]


class Zone(tzinfo):
    key = "Europe/Berlin"

    def utcoffset(self, when: datetime | None) -> timedelta:
        return timedelta(hours=5)


@pytest.mark.parametrize(
    ("value", "path", "kind"),
    [
        ({"model": [1, object()]}, ".model[1]", "object"),
        ({"a": {"b": (0, {"c": len})}}, ".a.b[1].c", "builtin_function_or_method"),
        ({1: object()}, ".int", "object"),
        ({object(): 1}, "", "object"),
        ([datetime(2024, 1, 1, tzinfo=Zone())], "[0]", "time zone of type"),
        ([{object()}], "[0][0]", "object"),
        ((slice(object()),), "[0][1]", "object"),
    ],
)
def test_what_cannot_be_written_is_named_with_its_place(
    value: Any, path: str, kind: str
) -> None:
    with pytest.raises(Unencodable) as raised:
        encode(value)

    assert raised.value.path == path
    assert raised.value.type_name.startswith(kind)


def test_a_key_that_has_no_text_does_not_stop_the_message() -> None:
    with pytest.raises(Unencodable) as raised:
        encode({10**5000: object()})

    assert raised.value.path == ".int"


MARKED = [
    *("tuple", "set", "frozenset", "dict", "float", "int", "str", "complex", "bytes"),
    *("bytearray", "date", "datetime", "time", "timedelta", "decimal", "path", "range"),
    *("slice", "nothing"),
]
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.text(string.printable, max_size=3), inner, max_size=3),
        st.dictionaries(
            st.sampled_from([f"${name}" for name in MARKED]),
            inner,
            max_size=2,
        ),
    ),
    max_leaves=8,
)


@given(value=JSON)
def test_strange_json_is_a_value_error_or_a_value(value: Any) -> None:
    try:
        decode(value)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize("text", [b"NaN", b"[Infinity]", b'{"a":-Infinity}', b"{", b""])
def test_only_json_is_json(text: bytes) -> None:
    with pytest.raises(ValueError):
        from_bytes(text)


def test_canonical_bytes_are_ascii_sorted_and_end_with_a_line() -> None:
    data = to_bytes({"b": "ü", "a": [1.0, 1]})

    assert data == b'{"a":[1.0,1],"b":"\\u00fc"}\n'
    assert json.loads(data) == {"a": [1.0, 1], "b": "ü"}
    with pytest.raises(ValueError):
        to_bytes(float("nan"))


def test_a_date_is_no_datetime() -> None:
    assert type(through_json(date(2024, 1, 1))) is date
    assert type(through_json(datetime(2024, 1, 1))) is datetime


def test_a_decimal_keeps_every_digit() -> None:
    assert str(through_json(Decimal("1.10"))) == "1.10"
    assert str(through_json(Decimal("-sNaN12"))) == "-sNaN12"
