from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kedro_rats.errors import (
    Breach,
    DefinitionError,
    RatsError,
    listed,
    nearest,
    raise_if,
    shown,
)

FIRST = Breach("metric 'auc'", "a function", "3", "Give roc_auc_score.")
SECOND = Breach("name", "a string", "None", "Give it.")


def test_each_breach_is_a_line() -> None:
    error = DefinitionError(FIRST, SECOND)

    assert str(error).splitlines() == [str(FIRST), str(SECOND)]


def test_one_breach_found_twice_is_told_once() -> None:
    with pytest.raises(DefinitionError) as raised:
        raise_if([FIRST, SECOND, FIRST])

    assert raised.value.breaches == (FIRST, SECOND)


def test_no_breach_is_no_error() -> None:
    raise_if(breach for breach in ())


def test_the_error_is_the_project_s_own_and_a_value_error() -> None:
    assert issubclass(DefinitionError, RatsError)
    assert issubclass(DefinitionError, ValueError)


def test_the_error_pickles_with_its_breaches() -> None:
    copy = pickle.loads(pickle.dumps(DefinitionError(FIRST, SECOND)))

    assert copy.breaches == (FIRST, SECOND)
    assert str(copy) == str(DefinitionError(FIRST, SECOND))


@given(value=st.one_of(st.text(), st.binary(), st.lists(st.text()), st.floats()))
def test_any_value_is_shown_short_on_one_printable_line(value: object) -> None:
    text = shown(value)

    assert len(text) < 90
    assert text.isprintable()
    text.encode()


def test_a_repr_of_several_lines_is_shown_on_one() -> None:
    class Wide:
        def __repr__(self) -> str:
            return "Wide(\n    a=1,\n    b=2)"

    assert shown(Wide()) == "Wide( a=1, b=2)"


@pytest.mark.parametrize(
    ("name", "said"),
    [("predit", "Did you mean 'predict'? "), ("zzz", ""), ("", "")],
)
def test_the_nearest_known_name_is_offered(name: str, said: str) -> None:
    assert nearest(name, ["predict", "transform"]) == said


def test_nothing_is_listed_as_nothing() -> None:
    assert listed([]) == "nothing"
