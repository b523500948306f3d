"""Short definitions of every kind, of which a test changes one argument."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pipelines import toys
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from kedro_rats import Estimator, estimator, train_only, transformer
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable


def scale(**changed: Any) -> Estimator:
    given = {"inputs": "X", "outputs": "Z", "name": "scale", **changed}
    return estimator(given.pop("obj", StandardScaler()), **given)


def classify(**changed: Any) -> Estimator:
    given = {
        "fit_inputs": ["Z", "y"],
        "inputs": "Z",
        "outputs": {"predict": "label"},
        "name": "clf",
        **changed,
    }
    return estimator(given.pop("obj", LogisticRegression()), **given)


def functions(**changed: Any) -> Estimator:
    given = {
        "apply": toys.subtract,
        "inputs": "X",
        "outputs": "Z",
        "name": "own",
        **changed,
    }
    return estimator(given.pop("fit", toys.learn_mean), **given)


def log(**changed: Any) -> Estimator:
    given = {"inputs": "raw", "outputs": "X", "name": "log", **changed}
    return transformer(given.pop("func", toys.double), **given)


def halve(**changed: Any) -> Estimator:
    given = {"inputs": ["X", "y"], "outputs": ["Xk", "yk"], "name": "halve", **changed}
    return train_only(given.pop("func", toys.keep_first_half), **given)


def assert_well_formed(error: DefinitionError) -> None:
    """Each breach is one line with all four parts, and ends as a sentence does."""
    lines = str(error).splitlines()
    assert len(lines) == len(error.breaches)
    for line, breach in zip(lines, error.breaches, strict=True):
        assert line == str(breach)
        assert all((breach.subject, breach.expected, breach.got, breach.remedy))
        assert ": expected " in line
        assert ", got " in line
        assert line.endswith((".", "}."))
        assert line.isprintable()
        line.encode()


def assert_refused(define: Callable[[], Any], subject: str, said: list[str]) -> None:
    """A definition is refused in lines that begin with a subject and say some words."""
    with pytest.raises(DefinitionError) as raised:
        define()

    message = str(raised.value)
    assert_well_formed(raised.value)
    assert message.startswith(subject)
    for words in said:
        assert words in message
