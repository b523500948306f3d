"""What our node functions do with parameters and objects, at run time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pipelines import toys
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from kedro_rats import Estimator, estimator, transformer
from kedro_rats.errors import RatsError

ROWS = np.arange(12.0).reshape(6, 2)


@dataclass(frozen=True)
class Typed:
    with_mean: bool = False


def scale(**changed: Any) -> Estimator:
    given = {"inputs": "X", "outputs": "Z", "name": "scale", "params": "params:s"}
    return estimator(StandardScaler(), **{**given, **changed})


def fitted(part: Estimator, value: object) -> Any:
    fit = part.train.nodes[0]
    return fit.run({"X": ROWS, "params:s": value})["scale_state"]


@pytest.mark.parametrize("value", [{"with_mean": False}, Typed()])
def test_parameters_are_given_to_set_params(value: object) -> None:
    assert fitted(scale(), value).with_mean is False


def test_a_pydantic_model_is_a_typed_parameter() -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Model", with_mean=(bool, False))

    assert fitted(scale(), model()).with_mean is False


def test_parameters_that_are_empty_change_nothing() -> None:
    assert fitted(scale(), {}).get_params() == StandardScaler().get_params()


@pytest.mark.parametrize("value", [3, "with_mean", None, ["with_mean"], Typed])
def test_parameters_that_are_no_mapping_are_refused(value: object) -> None:
    with pytest.raises(RatsError, match="expected a mapping") as raised:
        fitted(scale(), value)

    assert "Parameters of StandardScaler" in str(raised.value)
    assert "parameters.yml" in str(raised.value)


def test_a_parameter_that_the_object_lacks_is_refused_by_name() -> None:
    with pytest.raises(RatsError, match="what set_params takes") as raised:
        fitted(scale(), {"with_men": False})

    assert "with_men" in str(raised.value)
    assert "with_mean" in str(raised.value)


def test_each_fit_begins_with_a_fresh_copy() -> None:
    mine = StandardScaler()
    part = estimator(mine, inputs="X", outputs="Z", name="scale", fused=False)
    fit = part.train.nodes[0]

    first, second = (fit.run({"X": rows})["scale_state"] for rows in (ROWS, ROWS * 2))

    assert first is not second
    assert first is not mine
    assert not hasattr(mine, "mean_")
    np.testing.assert_array_equal(first.mean_ * 2, second.mean_)


def test_an_object_of_no_library_is_copied_whole() -> None:
    mine = toys.Centre(2.0)
    part = estimator(mine, inputs="X", outputs="Z", name="scale")

    state = part.train.nodes[0].run({"X": ROWS})["scale_state"]

    assert not hasattr(mine, "mean_")
    np.testing.assert_array_equal(state.mean_, ROWS.mean(axis=0) * 2.0)


def test_several_methods_make_their_own_outputs_in_the_order_given() -> None:
    outputs = {"decision_function": "d", "predict": "label"}
    part = estimator(
        LogisticRegression(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs=outputs,
        name="c",
    )
    y = np.array([0, 1] * 3)
    peer = LogisticRegression().fit(ROWS, y)

    fit, apply = part.train.nodes
    state = fit.run({"X": ROWS, "y": y})
    made = apply.run({"X": ROWS, **state})

    assert apply.outputs == ["d", "label"]
    np.testing.assert_array_equal(made["d"], peer.decision_function(ROWS))
    np.testing.assert_array_equal(made["label"], peer.predict(ROWS))


def test_a_transformer_calls_an_object_that_needs_no_fit() -> None:
    part = transformer(Normalizer(), inputs="X", outputs="Z")

    made = part.eval.nodes[0].run({"X": ROWS})

    assert part.eval.nodes[0].name == "normalizer.apply"
    np.testing.assert_array_equal(made["Z"], Normalizer().transform(ROWS))


def test_a_transformer_calls_an_object_that_was_fitted() -> None:
    scaler = StandardScaler().fit(ROWS)
    part = transformer(scaler, inputs="X", outputs={"inverse_transform": "raw"})

    made = part.eval.nodes[0].run({"X": ROWS})

    np.testing.assert_array_equal(made["raw"], scaler.inverse_transform(ROWS))


@pytest.mark.parametrize("func", [np.log1p, np.negative, abs, toys.double])
def test_a_transformer_takes_any_callable_of_its_inputs(func: Any) -> None:
    part = transformer(func, inputs="X", outputs="Z", name="f")

    made = part.train.nodes[0].run({"X": ROWS})

    np.testing.assert_array_equal(made["Z"], func(ROWS))


def test_a_dict_of_inputs_names_the_arguments() -> None:
    inputs = {"right": "a", "left": "b"}
    part = transformer(np.subtract, inputs=["a", "b"], outputs="Z", name="minus")
    named = transformer(toys.add, inputs=inputs, outputs="Z", name="plus")

    assert part.eval.nodes[0].run({"a": 3.0, "b": 1.0})["Z"] == 2.0
    assert named.eval.nodes[0].run({"a": 3.0, "b": 1.0})["Z"] == 4.0


def test_stateless_objects_of_functions_are_transformers() -> None:
    part = transformer(FunctionTransformer(np.log1p), inputs="X", outputs="Z")

    np.testing.assert_array_equal(
        part.eval.nodes[0].run({"X": ROWS})["Z"], np.log1p(ROWS)
    )
