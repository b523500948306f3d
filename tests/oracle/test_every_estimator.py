"""Every estimator of scikit-learn, as a node and used directly, in the same run."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pipelines.catalogue import METHODS, SKIPPED, data_for, everything
from pipelines.running import run, train_then_eval
from pipelines.same import assert_identical, assert_same_learned
from sklearn import datasets
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils import all_estimators
from sklearn.utils.validation import has_fit_parameter
from threadpoolctl import threadpool_limits

from kedro_rats import estimator
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Iterator

# On purpose small, so that all fit fast: they warn of that, of both sides alike.
pytestmark = pytest.mark.filterwarnings("ignore")

EVERYTHING = everything()


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Rows are few: threads would only wait for one another."""
    with threadpool_limits(1):
        yield


def methods_of(obj: Any) -> list[str]:
    return [method for method in METHODS if hasattr(obj, method)]


APPLIED = [(name, obj) for name, obj in EVERYTHING if methods_of(obj)]
WEIGHTED = [(n, o) for n, o in APPLIED if has_fit_parameter(o, "sample_weight")]


def other_rows(data: dict[str, Any]) -> Any:
    """Return a copy of the rows, as a catalog gives to each node.

    The last bits depend on it for what keeps its training rows (`KernelRidge`): NumPy
    computes the product of an array with itself in another way.
    """
    return copy.deepcopy(data["X"])


def takes_target(obj: Any, data: dict[str, Any]) -> bool:
    return "y" in data and any(has_fit_parameter(obj, name) for name in ("y", "Y"))


@pytest.mark.parametrize(("name", "obj"), APPLIED, ids=[n for n, _ in APPLIED])
def test_it_learns_and_gives_what_it_does_alone(name: str, obj: Any) -> None:
    data = data_for(name, obj)
    fit_inputs = ["X", "y"] if takes_target(obj, data) else ["X"]
    outputs = {method: method for method in methods_of(obj)}
    alone, args = clone(obj), [data[key] for key in fit_inputs]

    part = estimator(obj, fit_inputs=fit_inputs, inputs="X", outputs=outputs, name="it")
    trained, evaluated = train_then_eval(
        part, {key: data[key] for key in fit_inputs}, {"X": data["X"]}
    )
    fused = [node.name for node in part.train.nodes] == ["it.fit_transform"]
    transformed = alone.fit_transform(*args) if fused else alone.fit(*args)

    assert_same_learned(trained["it_state"], alone)
    if fused:
        assert_identical(trained["transform"], transformed)
    for method in outputs:
        expected = getattr(alone, method)(other_rows(data))
        assert_identical(evaluated[method], expected)
        if not fused:
            assert_identical(trained[method], expected)


@pytest.mark.parametrize(("name", "obj"), WEIGHTED, ids=[n for n, _ in WEIGHTED])
def test_weights_reach_its_fit(name: str, obj: Any) -> None:
    data = data_for(name, obj)
    data["w"] = np.linspace(0.5, 2.0, len(data["X"]))
    fit_inputs = {"X": "X", "y": "y", "sample_weight": "w"}
    if not takes_target(obj, data):
        del fit_inputs["y"]
    outputs = {method: method for method in methods_of(obj)}
    used = {argument: data[key] for argument, key in fit_inputs.items()}

    part = estimator(
        obj, fit_inputs=fit_inputs, inputs="X", outputs=outputs, name="it", fused=False
    )
    trained = run(part.train, {key: data[key] for key in fit_inputs.values()})
    alone = clone(obj).fit(**used)

    assert_same_learned(trained["it_state"], alone)
    for method in outputs:
        assert_identical(trained[method], getattr(alone, method)(other_rows(data)))


def test_what_has_no_method_for_other_rows_is_refused() -> None:
    transductive = [obj for _, obj in EVERYTHING if not methods_of(obj)]

    refused = []
    for obj in transductive:
        with pytest.raises(DefinitionError, match="neither"):
            estimator(obj, inputs="X", outputs="labels", name="it")
        refused.append(type(obj).__name__)

    assert {"DBSCAN", "TSNE", "SpectralClustering"} <= set(refused)


def test_no_estimator_is_left_out_without_a_reason() -> None:
    known = {name for name, _ in all_estimators()}

    assert {name for name, _ in EVERYTHING} == known - SKIPPED.keys()


def test_a_frozen_estimator_keeps_what_it_learned() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    fitted = LogisticRegression(max_iter=500).fit(X, y)
    frozen = FrozenEstimator(fitted)

    part = estimator(
        frozen, fit_inputs=["X", "y"], inputs="X", outputs={"predict": "p"}, name="it"
    )
    trained = run(part.train, {"X": X[:50], "y": y[:50]})

    assert_identical(trained["p"], fitted.predict(X[:50]))


def test_the_object_of_a_definition_is_never_fitted() -> None:
    X, y = datasets.load_iris(return_X_y=True)
    mine = LogisticRegression(max_iter=500)
    before = dict(vars(mine))

    part = estimator(
        mine, fit_inputs=["X", "y"], inputs="X", outputs={"predict": "p"}, name="it"
    )
    run(part.train, {"X": X, "y": y})

    assert vars(mine) == before
