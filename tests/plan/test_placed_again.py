"""A plan goes where `rats.yml` says now; what it does stays as it is."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kedro.pipeline import Pipeline, node

from kedro_rats.errors import DefinitionError
from kedro_rats.placement.schema import parse
from kedro_rats.plan import CatalogEntries, Plan, lower
from kedro_rats.plan.placing import SettingsPlacing, placed_again

NODES = Pipeline(
    [
        node(len, "X", "n", name="count", namespace="a", tags="image.slim"),
        node(sorted, "X", "Z", name="sort", tags=["group.both"]),
        node(list, "Z", "L", name="list", tags=["group.both"]),
    ]
)
BEFORE = {
    "image": {
        "slim": "registry.example.com/slim:1",
        "default": "registry.example.com/d:1",
    },
    "resources": {"small": {"memory": "1Gi"}, "large": {"memory": "8Gi"}},
    "default": {"image": "default", "resources": "small"},
}
AFTER = {
    **BEFORE,
    "image": {
        "slim": "registry.example.com/slim:2",
        "default": "registry.example.com/d:2",
    },
    "assign": [{"nodes": "sort", "resources": "large"}],
}


def plan_of(document: dict[str, object], pipeline: Pipeline = NODES) -> Plan:
    settings = parse(document)
    return lower(
        pipeline,
        catalog=CatalogEntries({}),
        parameters={},
        placing=SettingsPlacing(settings),
        given=["X", "a.X"],
    ).plan


def test_it_is_placed_as_a_new_plan_would_be() -> None:
    again = placed_again(plan_of(BEFORE), parse(AFTER))

    assert again == plan_of(AFTER)
    assert again != plan_of(BEFORE)


def test_only_the_placement_changes() -> None:
    before, after = plan_of(BEFORE), placed_again(plan_of(BEFORE), parse(AFTER))

    assert after.header == before.header
    assert [replace(t, placement={}) for t in after] == [
        replace(t, placement={}) for t in before
    ]


def test_a_task_with_a_node_without_a_name_stays_where_it_was() -> None:
    unnamed = Pipeline([node(sorted, "X", "Z")])
    before = plan_of(BEFORE, unnamed)

    assert placed_again(before, parse(AFTER)) == before


def test_nodes_that_run_together_cannot_part_now() -> None:
    parting = {
        **BEFORE,
        "assign": [
            {"nodes": "sort", "image": "slim"},
            {"nodes": "list", "resources": "large", "image": "default"},
            {"nodes": "*", "resources": "small"},
        ],
        "default": {"resources": "small"},
    }

    with pytest.raises(
        DefinitionError, match="task 'group both', image: expected the same"
    ):
        placed_again(plan_of(BEFORE), parse(parting))
