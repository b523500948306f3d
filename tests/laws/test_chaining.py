"""Law 1: grouping by component and grouping by phase give the same pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipelines.chains import build, build_chain
from pipelines.described import described, identities
from pipelines.strategies import chains

from kedro_rats import Estimator

if TYPE_CHECKING:
    from pipelines.chains import Step

PHASES = pytest.mark.parametrize("phase", ["train", "eval"])


def bracketed(parts: list[Estimator], data: st.DataObject) -> Estimator:
    """Add neighbours in an order that Hypothesis chooses, until one is left."""
    while len(parts) > 1:
        i = data.draw(st.integers(0, len(parts) - 2))
        parts = [*parts[:i], parts[i] + parts[i + 1], *parts[i + 2 :]]
    return parts[0]


@PHASES
@given(steps=chains())
def test_grouping_by_component_equals_grouping_by_phase(
    phase: str, steps: list[Step]
) -> None:
    components = [build(step) for step in steps]

    by_component = sum(components)
    by_phase = sum(getattr(component, phase) for component in components)

    of_phase = getattr(by_component, phase).nodes
    assert identities(of_phase) == identities(by_phase.nodes)


@PHASES
@given(steps=chains())
def test_a_chain_has_the_nodes_of_its_components_and_no_other(
    phase: str, steps: list[Step]
) -> None:
    components = [build(step) for step in steps]

    chain = getattr(sum(components), phase)

    parts = [node for part in components for node in getattr(part, phase).nodes]
    assert sorted(identities(chain.nodes)) == sorted(identities(parts))


@given(steps=chains(), data=st.data())
def test_any_bracketing_gives_the_same_nodes_in_the_same_order(
    steps: list[Step], data: st.DataObject
) -> None:
    components = [build(step) for step in steps]
    from_the_left = sum(components)

    bracketed_anyhow = bracketed(components, data)

    assert described(bracketed_anyhow) == described(from_the_left)
    for phase in ("train", "eval"):
        mine, theirs = (
            getattr(chain, phase).nodes for chain in (bracketed_anyhow, from_the_left)
        )
        assert identities(mine) == identities(theirs)


@given(steps=chains(min_size=2), data=st.data())
def test_the_order_of_components_does_not_matter_to_the_nodes(
    steps: list[Step], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(steps))

    chain, other = build_chain(steps), build_chain(shuffled)

    assert described(chain) == described(other)


@given(steps=chains(), data=st.data())
def test_a_part_chained_twice_counts_once(
    steps: list[Step], data: st.DataObject
) -> None:
    components = [build(step) for step in steps]
    chain = sum(components)
    again = data.draw(st.sampled_from(components))

    assert described(chain + again) == described(chain)


@given(steps=chains(min_size=2), data=st.data())
def test_a_diamond_of_one_definition_made_twice_is_no_clash(
    steps: list[Step], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(1, len(steps)))
    chain = build_chain(steps)

    left, right = build_chain(steps[:cut]), build_chain(steps)

    assert described(left + right) == described(chain)


@given(steps=chains())
def test_an_estimator_from_the_two_pipelines_is_the_same(steps: list[Step]) -> None:
    chain = build_chain(steps)

    rebuilt = Estimator(chain.train, chain.eval)

    assert described(rebuilt) == described(chain)


@given(steps=chains())
def test_names_of_nodes_are_unique_and_begin_with_their_component(
    steps: list[Step],
) -> None:
    chain = build_chain(steps)

    nodes = [node.name for node in chain.train.nodes]

    assert len(set(nodes)) == len(nodes)
    assert {name.rpartition(".")[0] for name in nodes} == {s.name for s in steps}
