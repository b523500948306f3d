"""Our own node functions look like functions to Kedro and to Kedro-Viz."""

from __future__ import annotations

import copy
import functools
import inspect
import pickle
from dataclasses import dataclass
from typing import Any

import pytest
from kedro.pipeline import node
from pipelines import toys
from sklearn.linear_model import LogisticRegression

from kedro_rats import Estimator, estimator
from kedro_rats.estimators.node_function import node_function


@dataclass(frozen=True)
class Sum:
    """Adds a constant."""

    argument_names: tuple[str, ...]
    constant: int = 0

    @node_function
    def total(self, *values: int) -> int:
        """Return the sum of all and the constant."""
        return sum(values) + self.constant


def classify(**changed: Any) -> Estimator:
    given = {
        "fit_inputs": {"X": "Z", "y": "y", "sample_weight": "w"},
        "inputs": "Z",
        "outputs": {"predict": "label"},
        "name": "clf",
        **changed,
    }
    return estimator(LogisticRegression(), **given)


def test_it_has_the_arguments_of_its_instance() -> None:
    two, three = Sum(("a", "b")), Sum(("x", "y", "z"))

    assert list(inspect.signature(two.total).parameters) == ["a", "b"]
    assert list(inspect.signature(three.total).parameters) == ["x", "y", "z"]
    assert list(inspect.signature(two.total).parameters) == ["a", "b"]


def test_it_is_a_bound_method_with_a_doc_and_a_source() -> None:
    method = Sum(("a",)).total

    assert inspect.ismethod(method)
    assert method.__doc__ == "Return the sum of all and the constant."
    assert method.__qualname__ == "Sum.total"
    assert method.__module__ == __name__
    assert "sum(values) + self.constant" in inspect.getsource(method.__func__)


def test_it_pickles_and_copies_with_its_instance() -> None:
    method = Sum(("a", "b"), 3).total

    for other in (pickle.loads(pickle.dumps(method)), copy.deepcopy(method)):
        assert other(1, 2) == method(1, 2)
        assert inspect.signature(other) == inspect.signature(method)


def test_it_decorates_methods_alone() -> None:
    with pytest.raises(TypeError, match="decorates a method"):
        node_function(functools.partial(len))


def test_kedro_still_checks_the_inputs_of_a_node() -> None:
    fit = classify().train.nodes[0].func

    for inputs in (["Z"], ["Z", "y", "w", "more"], {"X": "Z", "labels": "y"}):
        with pytest.raises(TypeError, match="Inputs of"):
            node(fit, inputs, "state", name="wrong")


def test_a_node_shows_what_fit_takes() -> None:
    train = classify(params="params:clf").train

    signatures = [list(inspect.signature(n.func).parameters) for n in train.nodes]

    assert signatures == [
        ["X", "y", "sample_weight", "set_params"],
        ["fitted", "X"],
    ]


def test_every_node_of_ours_has_a_source_as_viz_looks_for_it() -> None:
    nodes = [*classify().train.nodes, *classify().eval.nodes]

    for part in nodes:
        func = part.func.__func__ if inspect.ismethod(part.func) else part.func
        assert "@node_function" in inspect.getsource(func)


def test_the_function_of_a_user_is_given_as_it_is() -> None:
    own = estimator(toys.learn_mean, toys.subtract, inputs="X", outputs="Z", name="own")

    assert [n.func for n in own.train.nodes] == [toys.learn_mean, toys.subtract]
    assert own.eval.nodes[0].func is toys.subtract
