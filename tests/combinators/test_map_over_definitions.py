"""Wrong mappings are refused, in a line for each breach, all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from combinators import toys
from kedro.pipeline import Pipeline, node
from sklearn.linear_model import Ridge

from kedro_rats import map_over, transformer
from kedro_rats.errors import DefinitionError

WITH_TABLE = toys.classifier() + transformer(
    np.add, inputs=["p", "table"], outputs="adjusted", name="adjust"
)


def add(x: int, much: int) -> int:
    return x + much


PLAIN = Pipeline([node(add, ["x", "params:by.much"], "sum", name="add")])


def mapped(operand: Any = None, **options: Any) -> Any:
    given = {"keys": ["a", "b"], "over": ["X", "y"], "name": "m", **options}
    return map_over(toys.classifier() if operand is None else operand, **given)


def plain(**options: Any) -> Any:
    return mapped(PLAIN, **{"over": ["x"], **options})


WRONG: dict[str, tuple[Any, list[str]]] = {
    "no keys": (lambda: mapped(keys=[]), ["map_over 'm', keys", "a list", "got []"]),
    "one key that is no list": (
        lambda: mapped(keys="north"),
        ["'m', keys", "a list of keys", "got 'north'"],
    ),
    "keys in no order": (
        lambda: mapped(keys={"a"}),
        ["'m', keys", "got {'a'}", "in a fixed order"],
    ),
    "a key twice": (
        lambda: mapped(keys=["a", "b", "a"]),
        ["'m', keys", "each key once", "'a' twice"],
    ),
    "a key that is a number": (
        lambda: mapped(keys=["a", 2019]),
        ["'m', keys", "got 2019", "as a string"],
    ),
    "a key with a space": (
        lambda: mapped(keys=["a", "new york"]),
        ["'m', keys", "got 'new york'"],
    ),
    "an empty key": (lambda: mapped(keys=["a", ""]), ["'m', keys", "got ''"]),
    "a key with a dot": (
        lambda: mapped(keys=["a", "b.c"]),
        ["'m', keys", "without dots", "got 'b.c'"],
    ),
    "over of nothing": (
        lambda: plain(over=[], shared=["x"]),
        ["'m', over", "at least one input", "got none"],
    ),
    "over of what nobody reads": (
        lambda: mapped(over=["X", "y", "w"]),
        ["'m', over", "inputs (X, y)", "got 'w'"],
    ),
    "over with a typo": (
        lambda: plain(over=["x", "params:by.mush"]),
        ["'m', over", "got 'params:by.mush'", "Did you mean 'params:by.much'?"],
    ),
    "over of an output": (
        lambda: mapped(over=["X", "y", "p"]),
        ["'m', over", "got 'p'"],
    ),
    "over of a state": (
        lambda: mapped(over=["X", "y", "model_state"]),
        ["'m', over", "got 'model_state'"],
    ),
    "over of all parameters": (
        lambda: plain(over=["x", "parameters"]),
        ["'m', over", "got 'parameters'"],
    ),
    "over with transcoding": (
        lambda: mapped(over=["X@pandas", "y"], shared=["X"]),
        ["'m', over", "got 'X@pandas'", "without '@'"],
    ),
    "an input that is both": (
        lambda: mapped(shared=["X"]),
        ["'m', over and shared", "'X' in one of them", "got both"],
    ),
    "an input that is neither": (
        lambda: mapped(WITH_TABLE),
        ["'m', input 'table'", "neither (over: X, y; shared: nothing)"],
    ),
    "an input that is almost shared": (
        lambda: mapped(WITH_TABLE, shared=["tabel"]),
        ["'m', input 'table'", "Did you mean 'tabel'?"],
    ),
    "over that is no name": (lambda: mapped(over=3), ["'m', over", "got 3"]),
    "shared that is no name": (lambda: mapped(shared=3), ["'m', shared", "got 3"]),
    "a malformed name": (lambda: mapped(name="a b"), ["name", "got 'a b'"]),
    "a name that is used inside": (
        lambda: mapped(name="model"),
        ["map_over 'model', name", "not used inside"],
    ),
    "a name that is used inside a pipeline": (
        lambda: mapped(Pipeline(PLAIN, namespace="m"), over=["m.x"]),
        ["map_over 'm', name", "not used inside"],
    ),
    "a name that is used by a mapping inside": (
        lambda: mapped(mapped(), over=["m.a.X"]),
        ["map_over 'm', name", "not used inside"],
    ),
    "a model as operand": (
        lambda: mapped(Ridge()),
        ["map_over 'm'", "an Estimator or a Kedro Pipeline", "got Ridge()"],
    ),
    "a list of nodes as operand": (
        lambda: mapped(PLAIN.nodes),
        ["map_over 'm'", "an Estimator or a Kedro Pipeline"],
    ),
}


@pytest.mark.parametrize(("define", "parts"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_mapping_is_refused_in_one_line(define: Any, parts: list[str]) -> None:
    with pytest.raises(DefinitionError) as error:
        define()

    message = str(error.value)
    assert len(error.value.breaches) == 1, message
    assert "\n" not in message
    for part in (": expected ", ", got ", *parts):
        assert part in message
    (breach,) = error.value.breaches
    assert breach.remedy.endswith((".", "?"))


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(DefinitionError) as error:
        mapped(WITH_TABLE, keys=["a", "a", "b c"], over=["X", "w"], shared=["X"])

    subjects = [breach.subject for breach in error.value.breaches]
    assert subjects == [
        "map_over 'm', keys",
        "map_over 'm', keys",
        "map_over 'm', over",
        "map_over 'm', over and shared",
        "map_over 'm', input 'table'",
        "map_over 'm', input 'y'",
    ]


RIGHT: dict[str, Any] = {
    "one key": lambda: mapped(keys=["a"]),
    "keys as a tuple": lambda: mapped(keys=("a", "b")),
    "keys of digits": lambda: mapped(keys=["2019", "2020"]),
    "a string as over": lambda: mapped(over="X", shared="y"),
    "parameters of each key": lambda: plain(over=["x", "params:by.much"]),
    "parents of parameters": lambda: plain(over=["x", "params:by"]),
    "only parameters": lambda: plain(over=["params:by"], shared=["x"]),
    "a mapping of a mapping": lambda: mapped(
        mapped(name="inner", keys=["a"]), over=["inner.a.X", "inner.a.y"]
    ),
}


@pytest.mark.parametrize("define", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_mapping_is_accepted(define: Any) -> None:
    made = define()
    train = made if isinstance(made, Pipeline) else made.train

    assert train.nodes
    assert all(made.name.startswith("m.") for made in train.nodes)
