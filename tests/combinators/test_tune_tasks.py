"""Searches as tasks: groups of nodes, and the same in every process and thread."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys, tune_toys
from combinators.tune_toys import ALPHA, DATA, SPACE, K
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner, ThreadRunner

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

    from kedro_rats import Estimator


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    tune_toys.quieten(caplog)


def in_folds() -> Estimator:
    return tune_toys.judged(tune_toys.in_rounds(), name="outer")


def in_a_search() -> Estimator:
    inner = tune_toys.tuned(space={ALPHA: SPACE[ALPHA]}, name="inner")
    return tune_toys.tuned(inner, space={K: SPACE[K]})


def with_groups_of_a_user() -> Estimator:
    operand = tune_toys.regression().tag("group.mine", only="fit")
    return tune_toys.tuned(tune_toys.judged(operand))


DEFINITIONS = {
    "search": tune_toys.in_rounds,
    "in folds": in_folds,
    "in a search": in_a_search,
    "in folds in a search": tune_toys.in_folds_in_a_search,
    "with groups of a user": with_groups_of_a_user,
}
definitions = pytest.mark.parametrize(
    "definition", DEFINITIONS.values(), ids=DEFINITIONS
)


# --- groups -----------------------------------------------------------------------------


def groups_of(node: Node) -> set[str]:
    return {tag for tag in node.tags if tag.startswith("group.")}


def test_each_trial_is_a_group() -> None:
    best = tune_toys.in_rounds()

    by_trial: dict[str, set[str]] = {}
    for node in best.train.nodes:
        trial = ".".join(node.namespace.split(".")[:3])
        if ".trial_" in trial:
            by_trial.setdefault(trial, set()).update(groups_of(node) or {"none"})

    trials = [f"tune.round_{trial // 2}.trial_{trial}" for trial in range(5)]
    assert by_trial == {trial: {f"group.{trial}"} for trial in trials}


def test_what_trials_share_and_the_refit_are_grouped_by_folds() -> None:
    best = tune_toys.in_rounds()

    found = {
        group
        for node in best.train.nodes
        for group in groups_of(node)
        if "trial" not in group
    }

    assert found == {
        f"group.tune.{part}.cv.fold_{fold}"
        for part in ("shared", "refit")
        for fold in (0, 1)
    }


@pytest.mark.parametrize("name", ["mine", "fold_1", "my_fold_1", "trial_0"])
def test_a_users_own_group_wins(name: str) -> None:
    operand = tune_toys.regression().tag(f"group.{name}", only="fit")

    best = tune_toys.tuned(tune_toys.judged(operand), trials=2)

    found = {
        group
        for node in best.train.nodes
        if "rats.fit" in node.tags and ".trial_" in node.namespace
        for group in groups_of(node)
    }
    assert found == {
        f"group.tune.round_{trial}.trial_{trial}.cv.fold_{fold}.train.{name}"
        for trial in (0, 1)
        for fold in (0, 1)
    }


@definitions
def test_groups_do_not_wait_for_each_other(definition: Any) -> None:
    nodes = definition().train.nodes

    task = {node.name: next(iter(groups_of(node)), node.name) for node in nodes}
    maker = {output: task[node.name] for node in nodes for output in node.outputs}
    before: dict[str, set[str]] = {name: set() for name in task.values()}
    for node in nodes:
        before[task[node.name]] |= {maker[i] for i in node.inputs if i in maker}

    assert all(len(groups_of(node)) <= 1 for node in nodes)
    assert not circular({name: made - {name} for name, made in before.items()})


def circular(before: dict[str, set[str]]) -> set[str]:
    """Return the tasks that wait for each other."""
    while ready := {name for name, needed in before.items() if not needed}:
        before = {
            name: needed - ready for name, needed in before.items() if name not in ready
        }
    return set(before)


# --- the same everywhere ----------------------------------------------------------------


@definitions
def test_every_node_pickles(definition: Any) -> None:
    nodes = definition().train.nodes

    copies = pickle.loads(pickle.dumps(nodes))

    for node, copy in zip(nodes, copies, strict=True):
        assert (copy.name, copy.tags) == (node.name, node.tags)
        assert (copy.inputs, copy.outputs) == (node.inputs, node.outputs)


def described() -> Any:
    """Return names, wiring and tags of all nodes in order, and the trials of a run."""
    wired = [
        [node.name, node.inputs, node.outputs, sorted(node.tags)]
        for definition in (tune_toys.in_rounds, tune_toys.in_folds_in_a_search)
        for node in definition().train.nodes
    ]
    made = toys.run(tune_toys.in_rounds().train, DATA)
    return json.loads(json.dumps([wired, made["tune.trials"].to_json()]))


def test_a_second_run_and_another_hash_seed_give_the_same_nodes_and_trials() -> None:
    here = described()
    program = (
        "import json; from combinators import test_tune_tasks as t; "
        "print(json.dumps(t.described()))"
    )
    path = os.pathsep.join(filter(None, sys.path))

    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"

    elsewhere = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()[-1]

    assert described() == here
    assert json.loads(elsewhere) == here


@pytest.mark.parametrize("runner", [SequentialRunner, ThreadRunner])
def test_runners_of_kedro_give_the_same_numbers(runner: Any) -> None:
    # Not with a selection of columns: NumPy gives it another memory layout than a copy
    # of it, as Kedro's catalog makes, and sums differ in the last bit.
    best = tune_toys.in_rounds(
        operand=tune_toys.judged(tune_toys.ridge()),
        space={ALPHA: SPACE[ALPHA]},
        trials=6,
        batch=3,
    )
    data = {name: DATA[name] for name in ("X", "y", "params:ridge")}
    expected = toys.run(best.train, data)
    catalog = DataCatalog({name: MemoryDataset(v) for name, v in data.items()})

    with warnings.catch_warnings():
        # Of the runner, not of ours: kedro 1.0 asks for datasets that it knows.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="kedro")
        made = runner().run(best.train, catalog)

    assert made["tune.trials"].load().equals(expected["tune.trials"])
    model = made["ridge_state"].load()
    assert np.array_equal(model.coef_, expected["ridge_state"].coef_)
    study = pickle.loads(made["tune.study"].load())
    assert tune_toys.told(study) == tune_toys.told(tune_toys.study_of(expected))
