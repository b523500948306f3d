"""Kedro's runners give the same numbers for a cross-validated chain."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from combinators import toys
from kedro.io import DataCatalog, MemoryDataset, SharedMemoryDataCatalog
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner

if TYPE_CHECKING:
    from kedro.runner import AbstractRunner

    from kedro_rats import Estimator

X, Y = toys.bundled("breast_cancer", step=8)
DATA = {"X": X, "y": Y, "g": toys.groups_of(X, 9)}
DEFINITIONS = {"cv": toys.cross_validated, "cv in cv": toys.nested}
definitions = pytest.mark.parametrize(
    "definition", DEFINITIONS.values(), ids=DEFINITIONS.keys()
)


def run_by(runner: AbstractRunner, model: Estimator, kept: set[str]) -> dict[str, Any]:
    """Return what a runner of Kedro, with Kedro's own catalog, makes of training."""
    of_processes = isinstance(runner, ParallelRunner)
    catalog_type = SharedMemoryDataCatalog if of_processes else DataCatalog
    catalog = catalog_type(
        {name: MemoryDataset(DATA[name]) for name in model.train.inputs()}
    )

    with warnings.catch_warnings():
        # Of the runner, not of ours: kedro 1.0 asks for datasets that it knows.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="kedro")
        made = runner.run(model.train, catalog)

    return {name: made[name].load() for name in sorted(kept)}


def assert_same(made: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in made.items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, expected[name])
        elif isinstance(value, pd.DataFrame):
            pd.testing.assert_frame_equal(value, expected[name], check_exact=True)
        elif isinstance(value, dict):
            assert value == expected[name]
        else:
            np.testing.assert_equal(vars(value), vars(expected[name]))


def kept_outputs(model: Estimator) -> set[str]:
    """Return the free outputs: what a runner gives back."""
    outputs = model.train.outputs()
    assert {"p", "model_state"} <= outputs
    return outputs


@definitions
@pytest.mark.parametrize("runner", [SequentialRunner, ThreadRunner])
def test_runners_in_one_process_give_the_same_numbers(
    runner: Any, definition: Any
) -> None:
    model = definition()
    expected = toys.run(model.train, DATA)

    made = run_by(runner(), model, kept_outputs(model))

    assert_same(made, expected)


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_processes_give_the_same_numbers(
    context: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEDRO_MP_CONTEXT", context)
    model = toys.small()
    expected = toys.run(model.train, DATA)

    made = run_by(ParallelRunner(max_workers=2), model, kept_outputs(model))

    assert_same(made, expected)


def test_evaluation_by_a_runner_is_that_of_the_refit() -> None:
    model = toys.cross_validated()
    state = {name: toys.run(model.train, DATA)[name] for name in model.state}
    catalog = DataCatalog(
        {name: MemoryDataset(v) for name, v in {"X": X[:7] + 1, **state}.items()}
    )

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="kedro")
        made = SequentialRunner().run(model.eval, catalog)

    peer = toys.classifier_of_sklearn().fit(X, Y)
    assert np.array_equal(made["p"].load(), peer.predict_proba(X[:7] + 1))
