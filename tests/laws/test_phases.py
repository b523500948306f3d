"""Law 2: evaluation never fits, and training never depends on evaluation."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from pipelines.chains import FITS, SHIFT, SOURCE, TARGET, build_chain
from pipelines.described import node_data
from pipelines.running import run
from pipelines.strategies import chains

from kedro_rats.names import APPLY, FIT, TRAIN_ONLY, node_type

if TYPE_CHECKING:
    from pipelines.chains import Step


def rows(seed: int, count: int = 6) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        SOURCE: random.normal(size=(count, 2)),
        TARGET: random.normal(size=count),
        SHIFT: 0.5,
    }


def needed(pipeline: Any, data: dict[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in pipeline.inputs()}


@given(steps=chains())
def test_evaluation_has_no_node_that_learns(steps: list[Step]) -> None:
    chain = build_chain(steps)

    types = {node_type(node.tags) for node in chain.eval.nodes}

    assert types <= {APPLY}


@given(steps=chains())
def test_every_node_has_one_type_and_each_fit_is_in_training(
    steps: list[Step],
) -> None:
    chain = build_chain(steps)

    types = {node.name: node_type(node.tags) for node in chain.train.nodes}

    assert None not in types.values()
    fits = [name for name, kind in types.items() if kind == FIT]
    resamples = [name for name, kind in types.items() if kind == TRAIN_ONLY]
    assert len(fits) == sum(step.kind in FITS for step in steps)
    assert len(resamples) == sum(step.kind == "train_only" for step in steps)


@given(steps=chains())
def test_the_state_is_what_training_makes_and_evaluation_reads_unmade(
    steps: list[Step],
) -> None:
    chain = build_chain(steps)

    crossing = chain.train.all_outputs() & chain.eval.inputs()

    assert chain.state == tuple(sorted(crossing))
    assert set(chain.state) == {f"{s.name}_state" for s in steps if s.kind in FITS}


@given(steps=chains())
def test_training_reads_nothing_that_only_evaluation_makes(steps: list[Step]) -> None:
    chain = build_chain(steps)

    assert not chain.train.inputs() & chain.eval.all_outputs()
    assert chain.train.inputs() <= {SOURCE, TARGET, SHIFT}


@given(steps=chains())
def test_both_phases_make_the_same_of_the_same_rows(steps: list[Step]) -> None:
    chain = build_chain(steps)
    data = rows(seed=0)

    trained = run(chain.train, needed(chain.train, data))
    evaluated = run(chain.eval, needed(chain.eval, {**data, **trained}))

    for name in sorted(chain.eval.all_outputs()):
        np.testing.assert_array_equal(trained[name], evaluated[name])


@given(steps=chains(), seed=st.integers(1, 5))
def test_evaluation_on_other_rows_never_changes_the_state(
    steps: list[Step], seed: int
) -> None:
    chain = build_chain(steps)
    data = rows(seed=0)
    trained = run(chain.train, needed(chain.train, data))
    state = {name: trained[name] for name in chain.state}
    before = {name: pickle.dumps(value) for name, value in state.items()}

    for node in chain.eval.nodes:
        # By hand: a runner would give each node a copy, which hides a change.
        made = {**rows(seed, count=4), **state}
        made.update(run(chain.eval, needed(chain.eval, made)))
        node.run({name: made[name] for name in node.inputs})

    assert {name: pickle.dumps(value) for name, value in state.items()} == before


@given(steps=chains())
def test_a_row_is_evaluated_the_same_whichever_other_rows_there_are(
    steps: list[Step],
) -> None:
    chain = build_chain(steps)
    data = rows(seed=0)
    trained = run(chain.train, needed(chain.train, data))

    whole = run(chain.eval, needed(chain.eval, {**data, **trained}))
    alone = {**trained, SOURCE: data[SOURCE][:1]}
    first = run(chain.eval, needed(chain.eval, alone))

    for name in chain.outputs:
        np.testing.assert_array_equal(whole[name][:1], first[name])


@given(steps=chains(), data=st.data())
def test_eval_on_renames_rows_and_keeps_state_parameters_and_shared(
    steps: list[Step], data: st.DataObject
) -> None:
    chain = build_chain(steps)
    free = sorted(chain.eval.inputs() - set(chain.state))
    shared = data.draw(st.lists(st.sampled_from(free), unique=True)) if free else []
    kept = {*chain.state, *shared}

    moved = chain.eval_on("test", shared=shared)

    expected = {f"test.{node.name}": node_data(node) for node in chain.eval.nodes}
    assert {node.name for node in moved.nodes} == expected.keys()
    for node in moved.nodes:
        _, func, inputs, outputs, tags = expected[node.name]
        renamed = [renamed_to("test", names, kept) for names in (inputs, outputs)]
        assert node_data(node) == [node.name, func, *renamed, tags]


def renamed_to(namespace: str, names: Any, kept: set[str]) -> Any:
    if isinstance(names, dict):
        return {key: renamed_to(namespace, name, kept) for key, name in names.items()}
    if isinstance(names, list):
        return [renamed_to(namespace, name, kept) for name in names]
    return names if names in kept else f"{namespace}.{names}"


@given(steps=chains())
def test_eval_on_gives_what_evaluation_gives(steps: list[Step]) -> None:
    chain = build_chain(steps)
    data, other = rows(seed=0), rows(seed=1)
    trained = run(chain.train, needed(chain.train, data))
    state = {name: trained[name] for name in chain.state}

    direct = run(chain.eval, needed(chain.eval, {**other, **state}))
    test = chain.eval_on("test")
    renamed = {f"test.{SOURCE}": other[SOURCE], **state}
    moved = run(test, needed(test, renamed))

    for name in chain.outputs:
        np.testing.assert_array_equal(moved[f"test.{name}"], direct[name])
