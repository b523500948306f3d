"""Names and tags that are refused, wherever a user can give one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pipelines import toys
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler

from kedro_rats import Estimator, estimator, metric, train_only, transformer
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable

BAD_NAMES: dict[str, Any] = {
    "space": "two words",
    "space at the end": "name ",
    "braces": "{name}",
    "template": "{{inputs.parameters.x}}",
    "newline": "two\nlines",
    "newline at the end": "name\n",
    "carriage return": "name\r",
    "empty": "",
    "leading dash": "-name",
    "leading dot": ".name",
    "trailing dot": "name.",
    "two dots": "a..b",
    "slash": "a/b",
    "quote": "a'b\"c",
    "semicolon": "a;b",
    "dollar": "$(id)",
    "null": "a\0b",
    "escape": "a\x1b[31mb",
    "line separator": "a\u2028b",
    "right to left": "a\u202eb",
    "lone surrogate": "a\udce4b",
    "300 characters": "x" * 300,
    "number": 3,
    "None in a list": [None],
    "bytes": b"name",
}


def scale(**changed: Any) -> Estimator:
    given = {"inputs": "X", "outputs": "Z", "name": "scale", **changed}
    return estimator(StandardScaler(), **given)


def judge(name: Any) -> Any:
    accuracy = metric(accuracy_score, inputs=["y", "Z"])
    return scale().eval_on("test", metrics={name: accuracy})


PLACES: dict[str, Callable[[Any], object]] = {
    "name": lambda bad: scale(name=bad),
    "state": lambda bad: scale(state=bad),
    "inputs": lambda bad: scale(inputs=bad),
    "inputs in a list": lambda bad: scale(inputs=[bad]),
    "inputs in a dict": lambda bad: scale(inputs={"X": bad}),
    "fit_inputs": lambda bad: scale(fit_inputs=["X", bad]),
    "outputs": lambda bad: scale(outputs={"transform": bad}),
    "params": lambda bad: scale(params=f"params:{bad}" if bad else bad),
    "tags": lambda bad: scale(tags=[bad]),
    "tag": lambda bad: scale().tag(bad),
    "name of a transformer": lambda bad: transformer(
        toys.double, inputs="X", outputs="Z", name=bad
    ),
    "outputs of a transformer": lambda bad: transformer(
        toys.double, inputs="X", outputs=bad
    ),
    "inputs of a step of training": lambda bad: train_only(
        toys.double, inputs=bad, outputs="Z"
    ),
    "inputs of a metric": lambda bad: metric(accuracy_score, inputs=["y", bad]),
    "name of a metric": judge,
    "namespace": lambda bad: scale().eval_on(bad),
    "shared": lambda bad: scale().eval_on("test", shared=[bad]),
}

# What is right, or another mistake with its own sentence, in one place alone.
ALLOWED = {
    ("tags", "leading dash"),
    ("tags", "leading dot"),
    ("tags", "trailing dot"),
    ("tags", "two dots"),
    ("tag", "leading dash"),
    ("tag", "leading dot"),
    ("tag", "trailing dot"),
    ("tag", "two dots"),
    ("params", "leading dash"),
    ("params", "number"),
    ("name of a metric", "None in a list"),
}
CASES = [
    pytest.param(place, bad, id=f"{place}-{bad}")
    for place in PLACES
    for bad in BAD_NAMES
    if (place, bad) not in ALLOWED
]


@pytest.mark.parametrize(("place", "bad"), CASES)
def test_a_bad_name_is_refused_in_one_printable_line(place: str, bad: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        PLACES[place](BAD_NAMES[bad])

    lines = str(raised.value).splitlines()
    assert len(lines) == len(raised.value.breaches)
    for line in lines:
        assert line.isprintable()
        line.encode()
        assert ": expected " in line
        assert ", got " in line
        assert len(line) < 400


@pytest.mark.parametrize(
    "name", ["a", "A1", "my_name", "my-name", "a.b.c", "_x", "Größe", "1st", "x" * 200]
)
def test_a_good_name_is_taken(name: str) -> None:
    part = scale(name=name, state="state")

    assert part.eval.nodes[0].name == f"{name}.apply"


@pytest.mark.parametrize(
    "name", ["X", "my-X", "table@pandas", "params:a", "params:a.b-c", "parameters"]
)
def test_a_good_dataset_is_taken(name: str) -> None:
    part = scale(inputs="X", fit_inputs=["X", name], state="state")

    assert name in part.train.nodes[0].inputs


def test_a_name_can_be_that_of_a_method_or_a_type() -> None:
    part = scale(name="fit")

    assert part.train.nodes[0].name == "fit.fit_transform"
