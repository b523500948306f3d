"""Parameters that a function's annotations type arrive typed in folds and guards."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys
from sklearn.model_selection import KFold

from kedro_rats import cross_validate, estimator, transformer

if TYPE_CHECKING:
    from kedro_rats import Estimator

# Kedro makes typed parameters from version 1.3 on.
validator = pytest.importorskip("kedro.validation.parameter_validator")

Array = Any
X = np.arange(12.0)[:, None]


@dataclass
class Shift:
    """How far the learned mean is moved."""

    by: float
    times: int = 1


def learn(rows: Array, shift: Shift) -> Array:
    assert isinstance(shift, Shift)
    return rows.mean(axis=0) + shift.by * shift.times


def subtract(mean: Array, rows: Array) -> Array:
    return rows - mean


def scale(rows: Array, shift: Shift) -> Array:
    assert isinstance(shift, Shift)
    return rows * shift.by


def of_functions(inputs: Any = None) -> Estimator:
    return estimator(
        learn,
        subtract,
        fit_inputs=["X", "params:shift"] if inputs is None else inputs,
        inputs="X",
        outputs="Z",
        name="own",
    )


def scaled() -> Estimator:
    last = transformer(scale, inputs=["Z", "params:shift"], outputs="out", name="scale")
    return of_functions() + last


def in_folds(operand: Estimator, on_error: Any, name: str = "cv") -> Estimator:
    return cross_validate(
        operand,
        splitter=KFold(3),
        rows=["X"],
        on_error=on_error,
        name=name,
    )


def typed(model: Estimator) -> dict[str, Any]:
    """Return the parameters as Kedro gives them to the nodes of this pipeline."""
    pipelines = {"train": model.train, "eval": model.eval}
    made = validator.ParameterValidator(pipelines).validate_raw_params(
        {"shift": {"by": 2.0, "times": 3}}
    )
    return {f"params:{name}": value for name, value in made.items()}


@pytest.mark.parametrize("on_error", ["raise", "nan"])
@pytest.mark.parametrize("levels", [1, 2])
def test_a_dataclass_arrives_in_every_fold(levels: int, on_error: Any) -> None:
    model = scaled()
    for level in range(levels):
        model = in_folds(model, on_error, name=f"level_{level}")
    parameters = typed(model)

    made = toys.run(model.train, {"X": X, **parameters})

    assert parameters == {"params:shift": Shift(2.0, 3)}
    for train, test in KFold(3).split(X):
        expected = (X[test] - (X[train].mean(axis=0) + 6.0)) * 2.0
        assert np.array_equal(made["out"][test], expected)


@pytest.mark.parametrize("on_error", ["raise", "nan"])
def test_a_dataclass_arrives_where_inputs_are_named_by_argument(on_error: Any) -> None:
    operand = of_functions({"shift": "params:shift", "rows": "X"})
    model = in_folds(operand, on_error)

    made = toys.run(model.train, {"X": X, **typed(model)})

    for train, test in KFold(3).split(X):
        expected = X[test] - (X[train].mean(axis=0) + 6.0)
        assert np.array_equal(made["Z"][test], expected)


@pytest.mark.parametrize("on_error", ["raise", "nan"])
def test_folds_alone_type_the_parameters(on_error: Any) -> None:
    """Without the refit only copies, guarded or not, carry the annotations."""
    model = cross_validate(
        of_functions(),
        splitter=KFold(3),
        rows=["X"],
        on_error=on_error,
        refit=False,
        name="cv",
    )

    assert typed(model) == {"params:shift": Shift(2.0, 3)}


@pytest.mark.parametrize("on_error", ["raise", "nan"])
def test_a_pydantic_model_arrives_in_every_fold(on_error: Any) -> None:
    pydantic = pytest.importorskip("pydantic")
    model_type = pydantic.create_model("Shift", by=(float, ...), times=(int, 1))

    def learn_with_model(rows: Array, shift: Any) -> Array:
        assert isinstance(shift, model_type)
        return rows.mean(axis=0) + shift.by * shift.times

    # Annotations are strings here, which could not name a local class.
    learn_with_model.__annotations__ = {"shift": model_type}
    operand = estimator(
        learn_with_model,
        subtract,
        fit_inputs=["X", "params:shift"],
        inputs="X",
        outputs="Z",
        name="own",
    )
    model = in_folds(operand, on_error)

    made = toys.run(model.train, {"X": X, **typed(model)})

    for train, test in KFold(3).split(X):
        expected = X[test] - (X[train].mean(axis=0) + 6.0)
        assert np.array_equal(made["Z"][test], expected)


def test_a_guarded_node_shows_the_arguments_of_its_function() -> None:
    model = in_folds(scaled(), "nan")

    guarded = next(n for n in model.train.nodes if n.name == "cv.fold_0.train.own.fit")
    assert list(inspect.signature(guarded.func).parameters) == ["rows", "shift"]
