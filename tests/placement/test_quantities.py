"""Sizes, cpus and durations: one quantity, one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_rats.placement.quantities import (
    QuantityError,
    cpu_in_millis,
    cpu_text,
    duration_in_seconds,
    size_in_bytes,
    size_text,
)


@given(st.integers(1, 2**63 - 1))
def test_a_size_is_read_as_it_was_written(size: int) -> None:
    assert size_in_bytes(size_text(size)) == size == size_in_bytes(str(size))


@given(st.integers(1, 2**20), st.sampled_from(["Ki", "Mi", "Gi", "k", "M", "G", "T"]))
def test_a_size_has_one_text_whatever_unit_it_was_given_in(n: int, unit: str) -> None:
    assert size_text(f"{n}{unit}") == size_text(size_in_bytes(f"{n}{unit}"))
    assert size_text(f"{n}{unit}B") == size_text(f"{n}{unit}")


@given(st.integers(1, 10**9))
def test_an_amount_of_cpu_is_read_as_it_was_written(millis: int) -> None:
    assert cpu_in_millis(cpu_text(f"{millis}m")) == millis
    assert cpu_in_millis(millis / 1000) == millis


@given(st.integers(0, 9), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59))
def test_a_duration_is_the_sum_of_its_parts(d: int, h: int, m: int, s: int) -> None:
    expected = ((d * 24 + h) * 60 + m) * 60 + s

    assert duration_in_seconds(f"{d}d{h}h{m}m{s}s") == expected
    assert duration_in_seconds(f"{expected}s") == expected


@pytest.mark.parametrize(
    "value",
    [
        True,
        None,
        "",
        "2 Gi",
        "2K",
        "2KB",
        "2gb",
        "512m",
        "-1",
        -1,
        0,
        "0Gi",
        "8Ei",
        0.5,
        "0.1",
        float("inf"),
        float("nan"),
        "9" * 5000,
        "٣",
        "1e9",
        "Gi",
        "2Gi\n",
        [],
        {},
    ],
)
def test_what_is_no_size_is_refused(value: object) -> None:
    with pytest.raises(QuantityError):
        size_in_bytes(value)


@pytest.mark.parametrize(
    "value",
    [
        True,
        "",
        "m",
        "0.5m",
        0,
        "0",
        "0m",
        0.0001,
        "1.0001",
        10**7,
        "2 ",
        "1u",
        None,
        "½",
    ],
)
def test_what_is_no_amount_of_cpu_is_refused(value: object) -> None:
    with pytest.raises(QuantityError):
        cpu_in_millis(value)


@pytest.mark.parametrize(
    "value",
    [30, "30", "", "s", "1.5h", "5m2h", "1h 30m", "-5s", "1w", "5S", "4000d", None],
)
def test_what_is_no_duration_is_refused(value: object) -> None:
    with pytest.raises(QuantityError):
        duration_in_seconds(value)


def test_a_float_of_yaml_is_a_size() -> None:
    assert (size_text(1e9), size_text(2.0), cpu_text(1e-3)) == ("1G", "2", "1m")
