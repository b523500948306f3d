"""Law 6: everything made is a plain Kedro node that copies, pickles and keeps its type."""

from __future__ import annotations

import pickle
from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from pipelines.chains import SHIFT, SOURCE, TARGET, build_chain
from pipelines.running import run
from pipelines.strategies import TAGS, chains

from kedro_rats.names import node_type, tag_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.chains import Step

    from kedro_rats import Estimator

# Kedro says so where it copies pipelines: it cannot group by such a namespace.
pytestmark = pytest.mark.filterwarnings("ignore:Namespace '.*' is interrupted")

DATA = {
    SOURCE: np.arange(12.0).reshape(6, 2) ** 2,
    TARGET: np.arange(6.0),
    SHIFT: 0.5,
}


def run_by_hand(nodes: list[Node]) -> dict[str, Any]:
    made = dict(DATA)
    for node in nodes:
        made.update(node.run({name: made[name] for name in node.inputs}))
    return made


def assert_same(one: Any, other: Any) -> None:
    """Compare two datasets: arrays, or fitted objects of arrays."""
    if not isinstance(one, np.ndarray):
        one, other = vars(one), vars(other)
    np.testing.assert_equal(one, other)


def types(pipeline: Pipeline) -> dict[str, str | None]:
    return {node.name: node_type(node.tags) for node in pipeline.nodes}


@pytest.mark.parametrize("dumps", [pickle.dumps, ForkingPickler.dumps])
@given(steps=chains())
def test_nodes_that_were_pickled_give_the_same(
    dumps: Callable[[object], bytes], steps: list[Step]
) -> None:
    nodes = build_chain(steps).train.nodes

    copies = [pickle.loads(dumps(node)) for node in nodes]

    made, again = run_by_hand(nodes), run_by_hand(copies)
    assert copies == nodes
    assert made.keys() == again.keys()
    for name in made.keys() - {SHIFT}:
        assert_same(made[name], again[name])


@given(steps=chains())
def test_every_node_is_a_plain_node(steps: list[Step]) -> None:
    chain = build_chain(steps)

    classes = {type(node) for node in [*chain.train.nodes, *chain.eval.nodes]}

    assert classes <= {Node}


@given(steps=chains())
def test_the_type_survives_all_that_kedro_does_with_pipelines(
    steps: list[Step],
) -> None:
    train = build_chain(steps).train
    expected = types(train)

    tagged = train.tag("nightly")
    summed = train + Pipeline([])
    filtered = train.filter(node_names=list(expected))
    moved = Pipeline(train, namespace="outer")

    for copy in (tagged, summed, filtered, Pipeline(train, tags="nightly")):
        assert types(copy) == expected
    assert types(moved) == {f"outer.{name}": kind for name, kind in expected.items()}
    assert {type(node) for node in moved.nodes} == {Node}


@given(steps=chains())
def test_nodes_can_be_filtered_by_type(steps: list[Step]) -> None:
    train = build_chain(steps).train

    by_type = {
        kind: {node.name for node in train.only_nodes_with_tags(kind).nodes}
        for kind in set(types(train).values())
    }

    assert {name: kind for kind, names in by_type.items() for name in names} == types(
        train
    )


@given(steps=chains())
def test_a_namespace_changes_names_and_not_results(steps: list[Step]) -> None:
    train = build_chain(steps).train

    moved = Pipeline(train, namespace="outer")

    data = {f"outer.{name}": value for name, value in DATA.items() if name != SHIFT}
    data["params:outer.shift"] = DATA[SHIFT]
    made = run(train, {name: DATA[name] for name in train.inputs()})
    again = run(moved, {name: data[name] for name in moved.inputs()})
    for name in train.all_outputs():
        assert_same(made[name], again[f"outer.{name}"])


def tags_of(estimator: Estimator) -> dict[str, set[str]]:
    return {
        node.name: node.tags for node in [*estimator.train.nodes, *estimator.eval.nodes]
    }


@given(steps=chains(), outer=TAGS)
def test_the_inner_tag_of_a_kind_wins(
    steps: list[Step], outer: tuple[str, ...]
) -> None:
    chain = build_chain(steps)

    tagged = chain.tag(*outer)

    before = tags_of(chain)
    for name, tags in tags_of(tagged).items():
        taken = {tag_kind(tag) for tag in before[name]} - {None}
        added = {tag for tag in outer if tag_kind(tag) not in taken}
        assert tags == before[name] | added


@given(steps=chains(), outer=TAGS)
def test_tagging_twice_is_tagging_once(
    steps: list[Step], outer: tuple[str, ...]
) -> None:
    once = build_chain(steps).tag(*outer)

    twice = once.tag(*outer)

    assert tags_of(twice) == tags_of(once)


@given(steps=chains(), only=st.sampled_from(["fit", "apply"]))
def test_tags_of_one_type_reach_nodes_of_that_type_alone(
    steps: list[Step], only: str
) -> None:
    chain = build_chain(steps)

    tagged = chain.tag("policy.twice", only=only)

    for name, tags in tags_of(tagged).items():
        assert ("policy.twice" in tags) == (f"rats.{only}" in tags_of(chain)[name])


@given(steps=chains(), outer=TAGS)
def test_tagging_a_chain_is_tagging_its_parts(
    steps: list[Step], outer: tuple[str, ...]
) -> None:
    cut = len(steps) // 2 or 1
    chain = build_chain(steps)

    parts = [
        build_chain(part).tag(*outer) for part in (steps[:cut], steps[cut:]) if part
    ]

    assert tags_of(sum(parts)) == tags_of(chain.tag(*outer))
