"""The catalog's configuration is resolved as Kedro resolves it."""

from __future__ import annotations

import copy
import logging
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.io import CatalogConfigResolver
from pipelines.definitions import assert_refused

from kedro_rats.errors import DefinitionError
from kedro_rats.plan import CatalogEntries

LETTERS = st.text("abA._-1@#x", min_size=1, max_size=4)
PLACEHOLDERS = st.sampled_from(["{name}", "{ns}", "{n:d}", "{w:w}"])
PATTERNS = st.lists(
    st.one_of(LETTERS, PLACEHOLDERS, PLACEHOLDERS), min_size=1, max_size=4
).map("".join)
FILLED = st.sampled_from(
    ["data/{name}.csv", "{ns}", "{name}/{name}", "plain", "{n}", "{w}x", 3, None, True]
)
ENTRIES = st.fixed_dictionaries(
    {"type": st.sampled_from(["a.B", "MemoryDataset", "{name}.X"])},
    optional={
        "filepath": FILLED,
        "load_args": st.dictionaries(LETTERS, FILLED, max_size=2),
        "several": st.lists(FILLED, max_size=3),
        "pair": st.tuples(FILLED, FILLED),
        "versioned": st.booleans(),
    },
)
CATALOGS = st.dictionaries(st.one_of(LETTERS, PATTERNS), ENTRIES, max_size=6)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    # Kedro warns of each dataset that a catch-all pattern matches, at length.
    logging.getLogger("kedro").setLevel(logging.ERROR)


def by_kedro(config: Any, name: str) -> Any:
    resolver = CatalogConfigResolver(config, {}, {"{default}": {"type": "none"}})
    return resolver.resolve_pattern(name)


def legal(config: dict[str, Any]) -> dict[str, Any]:
    """Return a catalog that Kedro takes: placeholders are of the name, anchors are gone."""
    found: dict[str, Any] = {}
    catch_all = False
    for name, entry in config.items():
        all_of_it = "{" in name and not re.sub(r"\{.*?\}", "", name)
        if name[0] == "_" or (all_of_it and catch_all):
            continue
        catch_all |= all_of_it
        used = set(re.findall(r"\{.*?\}", repr(entry)))
        there = set(re.findall(r"\{.*?\}", name))
        found[name] = entry if used <= there else {"type": "a.B", "filepath": name}
    return found


@given(config=CATALOGS.map(legal), names=st.lists(LETTERS, min_size=1, max_size=8))
def test_random_catalogs_are_resolved_as_kedro_resolves_them(
    config: dict[str, Any], names: list[str]
) -> None:
    # What the patterns themselves look like matches them, often.
    likely = [re.sub(r"\{.*?\}", "7", name) for name in config]
    entries = CatalogEntries(config)

    for name in [*names, *likely]:
        try:
            expected = by_kedro(copy.deepcopy(config), name)
        except (AttributeError, LookupError, ValueError):
            # A number is asked for where the name has several.
            with pytest.raises(DefinitionError):
                entries.get(name)
        else:
            assert (entries.get(name) or {"type": "none"}) == expected


OVERLAPPING = st.lists(
    st.sampled_from(
        [
            *("{a}_x", "{a}_{b}", "{b}_{a}", "{n}.{a}_x", "p{a}", "p{a}_x", "{a}x"),
            *("{a}", "{a}_{b}_x", "{b}{a}x", "{a}{b}_x", "pq_{a}", "{z}_x", "p{a}{b}x"),
        ]
    ),
    unique=True,
    min_size=2,
)


@given(patterns=OVERLAPPING)
def test_of_several_patterns_that_match_kedros_one_is_taken(
    patterns: list[str],
) -> None:
    config = {p: {"type": f"of {i}", "filepath": p} for i, p in enumerate(patterns)}
    entries = CatalogEntries(config)

    for name in ("p_x", "p.q_x", "pq_x", "pp_r_x", "zx", "pq_r", "pqx"):
        expected = by_kedro(copy.deepcopy(config), name)
        assert (entries.get(name) or {"type": "none"}) == expected


def test_names_match_more_often_than_by_chance() -> None:
    config = {
        "{name}_csv": {"type": "csv", "filepath": "data/{name}.csv"},
        "{ns}.{name}_csv": {"type": "nested", "filepath": "{ns}/{name}.csv"},
        "prep.x_csv": {"type": "own"},
        "{x}": {"type": "all"},
    }
    names = ["a_csv", "prep.a_csv", "prep.x_csv", "other", "a_csv@pandas", "PREP.a_CSV"]
    entries = CatalogEntries(config)

    found = [entries.get(name) for name in names]

    assert found == [by_kedro(config, name) for name in names]
    assert [e["type"] for e in found if e] == [
        "csv",
        "nested",
        "own",
        "all",
        "all",
        "nested",
    ]


def test_an_entry_is_not_changed_by_being_looked_up() -> None:
    config = {
        "{name}": {"type": "x", "filepath": "{name}", "load_args": {"a": ["{name}"]}}
    }
    before = copy.deepcopy(config)
    entries = CatalogEntries(config)

    assert entries.get("one") != entries.get("two")
    assert config == before


def test_anchors_are_no_datasets() -> None:
    entries = CatalogEntries(
        {"_csv": {"type": "csv"}, "_{x}": {"type": "csv"}, "a": {}}
    )

    assert entries.get("_csv") is None
    assert entries.names() == ["a"]


def test_what_is_not_in_it_may_be_elsewhere() -> None:
    entries = CatalogEntries({"a": {"type": "x"}}, fallback={"b": {"type": "y"}}.get)

    assert [entries.get(name) for name in "abc"] == [{"type": "x"}, {"type": "y"}, None]


def test_bad_patterns_are_refused_all_at_once() -> None:
    config = {"{a}": {"type": "x"}, "{b}": {"type": "x"}, "{a}{a:d}x": {"type": "x"}}

    with pytest.raises(DefinitionError) as raised:
        CatalogEntries(config)

    assert "at most one that matches every name, got {a}, {b}" in str(raised.value)
    assert len(raised.value.breaches) == 2


def test_a_placeholder_that_the_name_has_not_is_refused_when_it_is_needed() -> None:
    entries = CatalogEntries({"{name}_csv": {"type": "x", "filepath": "{other}.csv"}})

    assert entries.get("other") is None
    assert_refused(
        lambda: entries.get("a_csv"), "catalog pattern of dataset 'a_csv'", ["'other'"]
    )
