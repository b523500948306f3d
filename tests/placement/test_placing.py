"""Which node gets which placement, what is refused, and what it costs."""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.pipeline import Pipeline, node
from placement.documents import everything

from kedro_rats.errors import DefinitionError
from kedro_rats.placement import Placement, place, unmatched
from kedro_rats.placement.schema import parse


@dataclass(frozen=True)
class Fake:
    """What placing looks at in a node."""

    name: str
    namespace: str | None = None
    tags: frozenset[str] = frozenset()


def fake(name: str, *tags: str) -> Fake:
    return Fake(name, name.rpartition(".")[0] or None, frozenset(tags))


def placed(document: dict[str, Any], *nodes: Any) -> dict[str, Any]:
    placements, breaches = place(nodes, parse(document))
    assert not breaches
    return {name: placement.to_json() for name, placement in placements.items()}


IMAGES = {"image": {name: name for name in ("one", "two", "three")}}


def refs(document: dict[str, Any], *nodes: Any) -> dict[str, Any]:
    found = placed({**IMAGES, **document}, *nodes)
    return {name: place.get("image", {}).get("ref") for name, place in found.items()}


def test_a_tag_comes_before_assign_and_assign_before_default() -> None:
    document = {
        "default": {"image": "one"},
        "assign": [{"nodes": "*b*", "image": "two"}],
    }

    found = refs(document, fake("a"), fake("b"), fake("bb", "image.three", "mine"))

    assert found == {"a": "one", "b": "two", "bb": "three"}


def test_the_first_entry_that_says_something_of_a_kind_wins() -> None:
    document = {
        "resources": {"big": {"cpu": 4}},
        "assign": [
            {"nodes": "*", "resources": "big"},
            {"nodes": "a*", "image": "one"},
            {"nodes": "ab", "image": "two"},
        ],
    }

    assert refs(document, fake("ab"), fake("b")) == {"ab": "one", "b": None}


def test_patterns_match_names_namespaces_and_tags() -> None:
    document = {
        "assign": [
            {"namespaces": "cv", "tags": ["rats.fit", "slow*"], "image": "one"},
            {"nodes": ["x", "*.fold_?.*"], "image": "two"},
        ]
    }
    nodes = [
        fake("cv.a", "rats.fit"),
        fake("cv.fold_0.train.a", "slower"),
        fake("cv.fold_0.a"),
        fake("cvx.a", "rats.fit"),
        fake("x", "rats.fit"),
        fake("X", "rats.fit"),
    ]

    assert list(refs(document, *nodes).values()) == [
        "one",
        "one",
        "two",
        None,
        "two",
        None,
    ]


def test_bindings_add_up() -> None:
    document = {
        "bind": {
            "a": {"env": {"A": "1"}, "secrets": {"s": {"env": "all"}}},
            "b": {"env": {"B": "2"}, "secrets": {"s": {"env": "all"}}},
            "c": {"env": {"A": "1", "C": "3"}, "volumes": {"/c": {"claim": "c"}}},
        },
        "default": {"bind": "a"},
        "assign": [{"nodes": "*", "bind": ["b", "a"]}, {"nodes": "x", "bind": "b"}],
    }

    found = placed(document, fake("x", "bind.c"))["x"]["bind"]

    assert found == {
        "env": {"A": {"value": "1"}, "B": {"value": "2"}, "C": {"value": "3"}},
        "env_from": [{"secret": "s"}],
        "mounts": {"/c": {"claim": "c"}},
    }


GROUPS = [
    ({}, "group.g", "g"),
    ({"grouping": {"tags": False}}, "group.g", None),
    ({"grouping": {"namespace_depth": 1}}, "group.g", "g"),
    ({"grouping": {"namespace_depth": 1}}, "mine", "namespace:cv"),
    ({"grouping": {"namespace_depth": 2}}, "mine", "namespace:cv.fold_0"),
    ({"grouping": {"namespace_depth": 3}}, "mine", None),
    ({"assign": [{"nodes": "*", "group": "h"}]}, "mine", "h"),
    ({"assign": [{"nodes": "*", "group": "h"}]}, "group.g", "g"),
    (
        {
            "assign": [{"nodes": "*", "group": "h"}],
            "grouping": {"namespace_depth": 1, "tags": False},
        },
        "group.g",
        "h",
    ),
]


@pytest.mark.parametrize(("document", "tag", "group"), GROUPS)
def test_nodes_are_grouped(
    document: dict[str, Any], tag: str, group: str | None
) -> None:
    assert (
        placed(document, fake("cv.fold_0.a", tag))["cv.fold_0.a"].get("group") == group
    )


def test_reuse_is_switched_off_by_tag_or_pattern() -> None:
    document = {"assign": [{"nodes": "a*", "cache": False}]}
    nodes = [fake("a"), fake("ab", "cache.on"), fake("b"), fake("c", "cache.off")]

    found = placed(document, *nodes)

    assert {name: place.get("cache") for name, place in found.items()} == {
        "a": False,
        "ab": None,
        "b": None,
        "c": False,
    }


def test_tags_do_no_harm_where_no_profile_of_their_kind_is_defined() -> None:
    tagged = fake("a", "image.x", "resources.y", "policy.z", "bind.w", "nightly")

    assert placed({}, tagged) == {"a": {}}


WRONG = {
    "an unknown tag": (
        [fake("a", "image.on"), fake("b", "image.on"), fake("c", "image.on")],
        (
            "node 'a' and 2 more, tag image.on: expected a profile under image: in rats.yml,"
            " got 'on'. Did you mean 'one'? Known: one, two, three."
        ),
    ),
    "two tags of a kind": (
        [fake("a", "image.one", "image.two")],
        (
            "node 'a', tags: expected at most one tag image.NAME, got image.one, image.two."
            " A node runs in one place: keep one of them."
        ),
    ),
    "a switch that is none": (
        [fake("a", "cache.maybe")],
        (
            "node 'a', tag cache.maybe: expected cache.on or cache.off, got 'maybe'."
            " cache.off opts out of reuse, cache.on overrides assign."
        ),
    ),
    "a variable with two meanings": (
        [fake("a", "bind.y")],
        (
            "node 'a', variable A: expected one meaning, got two, from bind.x and bind.y."
            " Give the variable in one place, or rename one."
        ),
    ),
    "a folder with two meanings": (
        [fake("a", "bind.z")],
        (
            "node 'a', folder /m: expected one meaning, got two, from bind.x and bind.z."
            " Give the folder in one place, or rename one."
        ),
    ),
}


@pytest.mark.parametrize(("nodes", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_said_in_one_line(nodes: list[Fake], said: str) -> None:
    binds = {
        "x": {"env": {"A": "1"}, "volumes": {"/m": {"claim": "c"}}},
        "y": {"env": {"A": "2"}},
        "z": {"volumes": {"/m": {"scratch": "1Gi"}}},
    }
    settings = parse({**IMAGES, "bind": binds, "default": {"bind": "x"}})

    placements, breaches = place(nodes, settings)

    assert [str(breach) for breach in breaches] == [said]
    assert list(placements) == [node.name for node in nodes]


def test_all_breaches_are_said_at_once() -> None:
    nodes = [
        fake("a", "image.x"),
        fake("b", "image.y", "cache.x"),
        fake("c", "image.x"),
    ]

    _, breaches = place(nodes, parse(IMAGES))

    assert [breach.subject for breach in breaches] == [
        "node 'a' and 1 more, tag image.x",
        "node 'b', tag image.y",
        "node 'b', tag cache.x",
    ]


def test_an_entry_that_matches_nothing_is_a_warning() -> None:
    document = {
        "assign": [
            {"nodes": "a", "group": "g"},
            {"nodes": ["x", "y"], "tags": "t", "group": "g"},
        ]
    }

    assert unmatched([fake("a"), fake("x")], parse(document)) == [
        (
            "rats.yml, assign.1: nodes x or y with tags t matches no node. Mend the pattern,"
            " or leave the entry out."
        )
    ]


def test_nodes_of_kedro_are_placed() -> None:
    one = node(len, "X", "n", name="count", tags=["image.two", "rats.apply"])
    pipeline = Pipeline([one], namespace="cv")

    assert refs({}, *pipeline.nodes) == {"cv.count": "two"}


# --- the law of precedence ---

_NAMES = st.sampled_from(["one", "two", "three"])
_PATTERNS = st.sampled_from(["*", "a*", "?b", "cv", "cv.f*", "t", "x"])
_RULES = st.lists(
    st.fixed_dictionaries(
        {"image": _NAMES},
        optional={
            "nodes": _PATTERNS,
            "namespaces": st.lists(_PATTERNS, min_size=1, max_size=2),
            "tags": _PATTERNS,
        },
    ).filter(lambda rule: len(rule) > 1),
    max_size=4,
)
_NODES = st.builds(
    lambda namespace, name, tags: Fake(
        f"{namespace}.{name}" if namespace else name, namespace, frozenset(tags)
    ),
    st.sampled_from([None, "cv", "cv.f0", "x.cv"]),
    st.sampled_from(["a", "ab", "cb"]),
    st.sets(st.sampled_from(["t", "u", "image.one"])),
)


def image_by_the_law(
    rules: list[dict[str, Any]], default: str | None, each: Fake
) -> Any:
    """Say the same as slowly and plainly as it can be said."""
    if "image.one" in each.tags:
        return "one"
    parts = (each.namespace or "").split(".") if each.namespace else []
    inside = [".".join(parts[: n + 1]) for n in range(len(parts))]
    for rule in rules:
        namespaces = rule.get("namespaces", [])
        if (
            ("nodes" not in rule or fnmatchcase(each.name, rule["nodes"]))
            and (
                not namespaces
                or any(fnmatchcase(n, p) for n in inside for p in namespaces)
            )
            and (
                "tags" not in rule
                or any(fnmatchcase(t, rule["tags"]) for t in each.tags)
            )
        ):
            return rule["image"]
    return default


@given(_RULES, st.none() | _NAMES, st.lists(_NODES, max_size=6))
def test_placement_is_what_the_law_says(
    rules: list[dict[str, Any]], default: str | None, nodes: list[Fake]
) -> None:
    document = {"default": {"image": default}, "assign": rules}

    found = refs(document, *nodes)

    # Of nodes with one name the last one counts; Kedro has none such.
    assert found == {
        each.name: image_by_the_law(rules, default, each) for each in nodes
    }


# --- what it costs ---


def calls_to_place(count: int) -> int:
    """Return how many functions are called to place so many nodes."""
    document = everything()
    document["assign"] *= 5
    settings = parse({**document, "grouping": {"namespace_depth": 1}})
    nodes = [
        fake(f"cv.fold_{index % 50}.trial_{index}.fit", "rats.fit", "image.slim", "t")
        for index in range(count)
    ]
    calls = 0

    def count_calls(frame: object, event: str, arg: object) -> None:
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count_calls)
    try:
        placements, _ = place(nodes, settings)
    finally:
        sys.setprofile(None)
    assert len(placements) == count
    assert len(set(map(id, placements.values()))) == 1
    return calls


def test_ten_thousand_nodes_are_placed_in_linear_time() -> None:
    few, many = calls_to_place(1_000), calls_to_place(10_000)

    assert many < 10.5 * few
    assert many < 10_000 * 150


# --- placements travel ---

PLACEMENTS = st.builds(
    Placement,
    image=st.just({}) | st.just({"ref": "x"}),
    resources=st.just({}) | st.just({"cpu": "1", "gpu": {"count": 1}}),
    policy=st.just({}) | st.just({"retries": 2}),
    bind=st.just({}) | st.just({"env": {"A": {"value": "1"}}}),
    group=st.none() | st.just("g"),
    cache=st.booleans(),
)


@given(PLACEMENTS, PLACEMENTS)
def test_a_placement_comes_back_as_it_was(one: Placement, other: Placement) -> None:
    text = json.dumps(one.to_json(), sort_keys=True)

    assert (
        Placement.from_json(json.loads(text)) == one == pickle.loads(pickle.dumps(one))
    )
    assert (text == json.dumps(other.to_json(), sort_keys=True)) == (one == other)
    assert hash(Placement.from_json(json.loads(text))) == hash(one)


MALFORMED = {
    "no mapping": ([], "placement: expected a mapping, got []."),
    "an unknown key": (
        {"imag": {}},
        (
            "placement: expected keys image, resources, policy, bind, group, cache, got"
            " 'imag'. Did you mean 'image'?"
        ),
    ),
    "no profile": ({"image": 3}, "placement, image: expected mapping, got 3."),
    "no group": ({"group": 3}, "placement, group: expected str or nonetype, got 3."),
    "no switch": ({"cache": "off"}, "placement, cache: expected bool, got 'off'."),
}


@pytest.mark.parametrize(("value", "said"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_placement_is_refused(value: object, said: str) -> None:
    with pytest.raises(DefinitionError) as raised:
        Placement.from_json(value)

    assert str(raised.value).startswith(said)
