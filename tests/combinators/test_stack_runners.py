"""Stacks and mappings in stock runners, in Kedro-Viz, and in the users' own check."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from combinators import stack_toys, toys
from kedro.io import DataCatalog, MemoryDataset, SharedMemoryDataCatalog
from kedro.pipeline.node import Node
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner

from kedro_rats import map_over, transformer
from kedro_rats.estimators.equality import same_function
from kedro_rats.names import NODE_TYPES
from kedro_rats.testing import CheckError, check_estimator

TESTS = Path(__file__).parents[1]
X, Y = toys.bundled("breast_cancer", step=8)
DATA = {"X": X, "y": Y, "target.first.y": Y, "target.second.y": 1 - Y}
DEFINITIONS = {"stack": stack_toys.small, "map_over": stack_toys.mapped}
definitions = pytest.mark.parametrize(
    "definition", DEFINITIONS.values(), ids=DEFINITIONS.keys()
)


def data_of(definition: Any) -> dict[str, Any]:
    return {name: DATA[name] for name in definition().train.inputs()}


def assert_same(found: Any, expected: Any) -> None:
    if isinstance(found, dict):
        assert list(found) == list(expected)
        for key, value in found.items():
            assert np.array_equal(value, expected[key])
    else:
        assert np.array_equal(found, expected)


@definitions
@pytest.mark.parametrize("runner", [SequentialRunner, ThreadRunner, ParallelRunner])
@pytest.mark.filterwarnings("ignore::DeprecationWarning:kedro")
def test_every_runner_gives_the_same_numbers(runner: Any, definition: Any) -> None:
    model, data = definition(), data_of(definition)
    expected = toys.run(model.train, data)
    of_processes = runner is ParallelRunner
    catalog_type = SharedMemoryDataCatalog if of_processes else DataCatalog
    catalog = catalog_type({name: MemoryDataset(value) for name, value in data.items()})

    # Kept: a runner of processes that is forgotten takes its memory with it.
    chosen = runner(max_workers=2) if of_processes else runner()
    made = chosen.run(model.train, catalog)

    assert "p" in made
    assert_same(made["p"].load(), expected["p"])
    for name in set(model.state) & made.keys():
        np.testing.assert_equal(
            getattr(made[name].load(), "coef_", None),
            getattr(expected[name], "coef_", None),
        )


@definitions
def test_they_pass_the_check_that_users_have(definition: Any) -> None:
    check_estimator(definition, data=data_of(definition))


def demeaned(rows: Any) -> Any:
    return rows - rows.mean(axis=0)


def test_the_check_finds_evaluation_that_learns_in_a_copy() -> None:
    learns = transformer(demeaned, inputs="X", outputs="Z")

    with pytest.raises(CheckError, match="eval, output 'Z'"):
        check_estimator(
            lambda: map_over(learns, keys=["a", "b"], over=["X"], name="m"),
            data={"m.a.X": X, "m.b.X": X + 1},
        )


@definitions
def test_nodes_are_plain_pickle_and_have_exactly_one_type(definition: Any) -> None:
    model = definition()

    for node in [*model.train.nodes, *model.eval.nodes]:
        copy = pickle.loads(pickle.dumps(node))
        assert type(node) is Node
        assert len(node.tags & set(NODE_TYPES)) == 1
        assert (copy.name, copy.inputs, copy.tags) == (
            node.name,
            node.inputs,
            node.tags,
        )
        assert same_function(copy.func, node.func)
    assert {n for node in model.eval.nodes for n in node.tags & set(NODE_TYPES)} == {
        "rats.apply"
    }


@definitions
def test_one_definition_made_twice_chains_with_itself(definition: Any) -> None:
    chained = definition() + definition()

    assert len(chained.train.nodes) == len(definition().train.nodes)


PROGRAM = """
import json
import sys

from kedro.io import DataCatalog
from kedro_viz.api.rest.responses.pipelines import get_kedro_project_json_data
from kedro_viz.data_access import data_access_manager
from kedro_viz.server import populate_data

from combinators import stack_toys

pipelines = {
    f"{name}.{phase}": getattr(definition(), phase)
    for name, definition in (("stack", stack_toys.small), ("map", stack_toys.mapped))
    for phase in ("train", "eval")
}
pipelines["__default__"] = pipelines["stack.train"]
populate_data(data_access_manager, DataCatalog(), pipelines, {})
found = {}
for name, pipeline in pipelines.items():
    graph = json.loads(json.dumps(get_kedro_project_json_data(name)))
    tasks = [node for node in graph["nodes"] if node["type"] == "task"]
    found[name] = [len(tasks), len(pipeline.nodes), sorted(graph["modular_pipelines"])]
print(json.dumps(found))
"""


def test_kedro_viz_draws_both() -> None:
    pytest.importorskip("kedro_viz", reason="needs the extra kedro-rats[viz]")
    path = os.pathsep.join([str(TESTS), *(entry for entry in sys.path if entry)])

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    for drawn, nodes, _ in found.values():
        assert drawn == nodes > 0
    assert {
        "stack",
        "stack.base_0",
        "stack.base_1.fold_1.train",
        "stack.refit",
        "stack.final.final",
    } <= set(found["stack.train"][2])
    assert {"target.first", "target.second.scale"} <= set(found["map.eval"][2])
