"""Functions and objects go through JSON, and do afterwards what they did before."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipelines import things
from pipelines.things import Pair, encoded
from sklearn.linear_model import LogisticRegression
from sklearn.utils import all_estimators

from kedro_rats.encoding.canonical import from_bytes, to_bytes
from kedro_rats.encoding.objects import ObjectDecoder, ObjectEncoder
from kedro_rats.encoding.values import Unencodable

TESTS = Path(__file__).parents[1]
every_thing = pytest.mark.parametrize("name", things.NAMES)


def again(thing: Any) -> Any:
    written, pickles = encoded(thing)
    return ObjectDecoder(pickles.__getitem__).decode(from_bytes(to_bytes(written)))


@every_thing
def test_it_does_the_same_when_it_was_decoded(name: str) -> None:
    thing = things.made(name)
    found = again(thing)

    assert repr(found(3)) == repr(thing(3))


@every_thing
def test_it_is_encoded_the_same_when_it_was_decoded(name: str) -> None:
    thing = things.made(name)

    assert encoded(again(thing)) == encoded(thing)


@every_thing
def test_it_is_pickled_only_where_nothing_else_can_say_what_it_is(name: str) -> None:
    thing = things.made(name)
    if name in things.SOMETIMES_PICKLED:
        return

    assert bool(encoded(thing)[1]) == (name in things.PICKLED)
    if name in things.PICKLED:
        with pytest.raises(Unencodable):
            ObjectEncoder().encode(thing)
    else:
        assert ObjectEncoder().encode(thing) == encoded(thing)[0]


def test_other_processes_and_hash_seeds_encode_everything_the_same() -> None:
    here = {name: encoded(things.made(name))[0] for name in things.NAMES}
    script = "from pipelines.things import main; main()"

    with ThreadPoolExecutor() as threads:
        printed = list(threads.map(partial(elsewhere_printed, script), ("1", "2")))
    for elsewhere in map(json.loads, printed):
        different = [name for name in things.NAMES if elsewhere[name] != here[name]]
        assert not different


def elsewhere_printed(script: str, hash_seed: str = "0") -> str:
    path = os.pathsep.join([str(TESTS), *(entry for entry in sys.path if entry)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_function_of_a_script_is_pickled_and_runs_elsewhere() -> None:
    script = """
import sys
from kedro_rats.encoding.objects import ObjectEncoder
def mine(x): return x + len(sys.argv)
ObjectEncoder(lambda data: sys.stdout.write(data.hex())).encode(mine)
"""
    printed = elsewhere_printed(script)

    mine = ObjectDecoder(lambda name: bytes.fromhex(printed)).decode(
        {"$pickle": "0" * 64}
    )

    assert mine(1) == 1 + len(sys.argv)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_every_estimator_of_scikit_learn_is_its_class_and_parameters() -> None:
    for _, kind in all_estimators():
        made = _made(kind)

        written, pickles = encoded(made)
        found = ObjectDecoder().decode(written)

        assert not pickles, kind
        assert "$new" in written, kind
        assert type(found) is kind
        assert repr(found) == repr(made)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_estimators_that_are_deprecated_make_no_noise() -> None:
    for _, kind in all_estimators():
        made = _made(kind)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert "$new" in encoded(made)[0]


def _made(kind: Any) -> Any:
    try:
        return kind()
    except TypeError:
        given = {
            "estimator": LogisticRegression(),
            "estimators": [("a", LogisticRegression())],
            "base_estimator": LogisticRegression(),
            "transformers": [("a", "drop", [0])],
            "transformer_list": [("a", "drop")],
            "steps": [("a", LogisticRegression())],
            "param_grid": {"C": [1.0]},
            "param_distributions": {"C": [1.0]},
            "dictionary": np.eye(2),
        }
        taken = inspect.signature(kind).parameters
        return kind(**{k: v for k, v in given.items() if k in taken})


def test_no_object_of_a_user_is_made_to_be_encoded() -> None:
    odd = things.Odd(4)
    before = things.Odd.made

    encoded(odd)

    assert things.Odd.made == before


def test_one_encoder_keeps_parts_of_two_objects_apart() -> None:
    """What it knows of the first object tells it what the second one shares."""
    state = [1]
    first, second = Pair(state, 1), Pair(state, 2)
    pickles: list[bytes] = []
    encoder = ObjectEncoder(pickles.append)

    apart = [encoder.encode(first), encoder.encode(second)]
    assert not pickles
    both = encoder.encode(Pair(first, second))

    assert [list(one) for one in apart] == [["$reduced"], ["$reduced"]]
    assert list(both) == ["$pickle"]  # type: ignore[arg-type]


def test_the_whole_is_pickled_where_a_part_that_is_may_be_shared() -> None:
    state = np.random.default_rng(0)
    mixed = Pair(state, lambda: state)

    found = again(mixed)

    assert found.other() is found.one


def test_a_known_object_is_encoded_once() -> None:
    class Counted:
        looked = 0

        def __reduce__(self) -> Any:
            Counted.looked += 1
            return (int, (1,))

    one = Counted()
    encoder = ObjectEncoder()

    assert encoder.encode(one) == encoder.encode([one])[0]  # type: ignore[index,call-overload]
    assert Counted.looked == 1


class Nasty:
    """Raises whatever it is asked."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class NastyReduction:
    def __init__(self, reduced: Any) -> None:
        self.reduced = reduced

    def __reduce_ex__(self, protocol: Any) -> Any:
        if isinstance(self.reduced, Exception):
            raise self.reduced
        return self.reduced


class NastyParameters(LogisticRegression):
    def get_params(self, deep: bool = True) -> Any:
        return None


NASTY = [
    Nasty(),
    MagicMock(),
    NastyReduction(RuntimeError("no")),
    NastyReduction(RecursionError()),
    NastyReduction(()),
    NastyReduction((1, 2, 3, 4, 5, 6, 7)),
    NastyReduction("nowhere"),
    NastyReduction(None),
    NastyReduction((int, (1,), None, 5)),
    threading.Lock(),
    threading.local(),
    (x for x in "ab"),
    memoryview(b"a"),
    Path(__file__).stat,
    NastyParameters(),
    partial(len, threading.Lock()),
    things.FREE,
    sys,
    sys.modules["__main__"],
    sys._getframe(),
    type("Made", (), {"lock": threading.Lock()})(),
    object(),
    NotImplemented,
    ...,
]


@pytest.mark.parametrize("thing", NASTY, ids=lambda thing: type(thing).__name__)
@pytest.mark.parametrize("nest", [look := lambda x: x, lambda x: Pair([x], {1: x})])
def test_whatever_an_object_does_there_is_one_kind_of_error(
    thing: Any, nest: Any
) -> None:
    for keep in (None, lambda data: None):
        try:
            ObjectEncoder(keep).encode(nest(thing))
        except Unencodable as error:
            assert error.type_name
            assert "\n" not in str(error)


@given(
    reduced=st.recursive(
        st.one_of(
            st.none(), st.integers(), st.text(), st.sampled_from([int, len, list, {}])
        ),
        lambda inner: st.lists(inner, max_size=6).map(tuple),
    )
)
def test_a_random_reduction_is_encoded_or_refused(reduced: Any) -> None:
    with suppress(Unencodable):
        ObjectEncoder(lambda data: None).encode(NastyReduction(reduced))


def test_what_stops_a_pickle_is_named_with_its_place() -> None:
    lock = threading.Lock()

    for thing, path, kind in [
        (Pair(1, {"a": [lock]}), ".other.a[0]", "_thread.lock"),
        (Pair(1, Pair(2, lock)), ".other.other", "_thread.lock"),
        (things.adder(lock), "", "_thread.lock"),  # type: ignore[arg-type]
        ({"x": Pair(lock, 1)}, ".x.one", "_thread.lock"),
    ]:
        with pytest.raises(Unencodable) as raised:
            encoded(thing)
        assert (raised.value.path, raised.value.type_name) == (path, kind)


def test_what_is_imported_is_the_very_object() -> None:
    for thing in (things.decorated, np.log1p, np.random.normal, len, Path, np.sum):
        assert again(thing) is thing
    assert again(json) is json


def test_a_missing_module_or_name_is_an_import_error() -> None:
    for path in ("no_such_module:f", "json:no_such_name", "json:loads.nothing"):
        with pytest.raises(ImportError):
            ObjectDecoder().decode({"$import": path})


def test_a_pickle_is_refused_where_none_is_allowed() -> None:
    with pytest.raises(ValueError, match="not allowed"):
        ObjectDecoder().decode({"$pickle": "0" * 64})


def test_a_decoder_asks_for_a_pickle_by_its_digest() -> None:
    written, pickles = encoded(things.adder(1))
    asked: list[str] = []

    def pickle_of(name: str) -> bytes:
        asked.append(name)
        return pickles[name]

    assert ObjectDecoder(pickle_of).decode(written)(1) == 2
    assert [written] == [{"$pickle": asked[0]}]
