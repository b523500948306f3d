"""Law 7: one definition is one plan, to the byte, in every process and hash seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from kedro.pipeline import Pipeline, node
from optuna.distributions import FloatDistribution
from optuna.samplers import TPESampler
from pipelines.lowering import chooser, digests, lowered
from pipelines.random_pipelines import DrawnPipeline, drawn_pipelines, some_pipelines
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.preprocessing import StandardScaler

from kedro_rats import cross_validate, estimator, metric, transformer, tune
from kedro_rats.plan import verify

TESTS = Path(__file__).parents[1]
KINDS = ("lambda", "generator")


def elsewhere(script: str, stdin: str, hash_seed: str) -> Any:
    path = os.pathsep.join([str(TESTS), *(entry for entry in sys.path if entry)])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_plans_are_the_same_bytes_in_three_hash_seeds_and_processes() -> None:
    many = some_pipelines(25, extra_kinds=KINDS)
    here = [digests(drawn) for drawn in many]
    written = json.dumps([drawn.to_json() for drawn in many])
    script = "from pipelines.lowering import main; main()"

    with ThreadPoolExecutor() as threads:
        found = list(threads.map(partial(elsewhere, script, written), ("0", "1", "2")))

    assert found == [here, here, here]
    assert any(pickles for _, _, pickles in here)


@given(drawn=drawn_pipelines(extra_kinds=KINDS))
def test_a_pipeline_made_twice_has_one_plan(drawn: DrawnPipeline) -> None:
    assert digests(drawn) == digests(drawn)


def test_the_order_in_which_nodes_are_given_is_not_in_the_plan() -> None:
    for drawn in some_pipelines(10):
        turned = DrawnPipeline(
            steps=drawn.steps[::-1],
            files=drawn.files[::-1],
            memory=drawn.memory,
            versioned=drawn.versioned,
        )
        assert digests(turned) == digests(drawn)


def nested() -> Pipeline:
    slr = (
        transformer(np.log1p, inputs="raw", outputs="X")
        + estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
        + estimator(
            LogisticRegression(),
            fit_inputs=["Z", "y"],
            inputs="Z",
            outputs={"predict": "label"},
            name="clf",
            params="params:clf",
        )
    )
    rows = {"rows": ["raw", "y"], "stratify": "y"}
    accuracy = metric(accuracy_score, inputs=["y", "label"])
    inner = cross_validate(
        slr,
        splitter=StratifiedKFold(3),
        metrics={"accuracy": accuracy},
        name="cv",
        **rows,
    )
    best = tune(
        inner,
        space={"params:clf.C": FloatDistribution(1e-3, 1e2, log=True)},
        objective="accuracy",
        trials=4,
        batch=2,
        sampler=TPESampler(seed=0),
        name="tune",
    )
    return cross_validate(
        best,
        splitter=StratifiedKFold(3),
        metrics={"accuracy": accuracy},
        name="outer",
        **rows,
    ).train


NESTED_SCRIPT = """
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("nested", sys.stdin.read())
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(json.dumps(module.nested_digests()))
"""


def nested_digests() -> list[Any]:
    found = lowered(nested(), parameters={"params:clf": {"C": 1.0}}, given=["raw", "y"])
    return [found.digest, found.plan.header.parameters, sorted(found.pickles)]


def test_the_plan_of_a_nested_search_is_the_same_and_needs_no_pickle() -> None:
    here = nested_digests()

    with ThreadPoolExecutor() as threads:
        there = partial(elsewhere, NESTED_SCRIPT, __file__)
        assert list(threads.map(there, ("1", "2"))) == [here, here]
    assert here[2] == []


def test_the_plan_of_a_nested_search_has_no_task_for_a_slice() -> None:
    pipeline = nested()
    found = lowered(pipeline, parameters={"params:clf": {"C": 1.0}}, given=["raw", "y"])

    verify(found.plan)
    kept = [name for task in found.plan for name in task.writes]
    takes = [n for n in pipeline.nodes if "rats.take" in n.tags]
    assert len(takes) > 50
    assert not {name for one in takes for name in one.outputs} & set(kept)
    assert len(found.plan) < len(pipeline.nodes) - len(takes)


def test_a_closure_over_a_set_is_the_same_in_every_process() -> None:
    script = """
import json, sys
from kedro.pipeline import Pipeline, node
from pipelines.lowering import chooser, lowered
names = set(json.loads(sys.stdin.read()))
pipeline = Pipeline([node(chooser(names), "raw", "x", name="x")])
print(json.dumps(sorted(lowered(pipeline).pickles)))
"""
    names = [f"name {i}" for i in range(50)]
    here = sorted(
        lowered(Pipeline([node(chooser(set(names)), "raw", "x", name="x")])).pickles
    )
    assert len(here) == 1

    with ThreadPoolExecutor() as threads:
        there = partial(elsewhere, script, json.dumps(names))
        assert list(threads.map(there, ("1", "2"))) == [here, here]
