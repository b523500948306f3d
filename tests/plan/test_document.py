"""The bytes of a plan: one line a task, read alone; whatever was changed is refused."""

from __future__ import annotations

import dataclasses
import json
import sys
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kedro.pipeline import Pipeline, node
from pipelines.definitions import assert_well_formed
from pipelines.lowering import lowered
from pipelines.random_pipelines import MODULUS, mix

from kedro_rats.encoding import canonical
from kedro_rats.errors import DefinitionError, RatsError
from kedro_rats.plan import Plan, Source, verify
from kedro_rats.plan.document import plan_from_bytes, plan_to_bytes, task_from_bytes
from kedro_rats.plan.naming import TASK_NAME, task_names


def chain_of(length: int) -> Plan:
    names = ["raw", *(f"d{i}" for i in range(length))]
    nodes = [node(mix, [a], b, name=b) for a, b in pairwise(names)]
    return lowered(Pipeline(nodes)).plan


PLAN = chain_of(4)
DATA = plan_to_bytes(PLAN)
NAMES = list(PLAN.tasks)


def test_a_plan_is_one_json_document_with_a_line_for_each_task() -> None:
    value = json.loads(DATA)

    assert sorted(value) == ["format", "plan", "tasks"]
    assert value["format"] == "rats/0"
    assert len(DATA.splitlines()) == len(PLAN) + 2
    assert DATA.isascii()


@pytest.mark.parametrize("name", NAMES)
def test_one_task_is_read_as_the_whole_plan_has_it(name: str) -> None:
    assert task_from_bytes(DATA, name) == (PLAN.header, PLAN.tasks[name])


def test_one_task_is_read_without_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[int] = []
    loads = json.loads

    def counting(data: Any, **options: Any) -> Any:
        parsed.append(len(data))
        return loads(data, **options)

    monkeypatch.setattr(canonical.json, "loads", counting)
    costs = []
    for length in (10, 300):
        data = plan_to_bytes(chain_of(length))
        parsed.clear()
        task_from_bytes(data, next(iter(plan_from_bytes(data).tasks)))
        costs.append(sum(parsed[1:]))  # the first one is the whole plan's, read above

    assert costs[0] > 0
    assert costs[1] < costs[0] + 20


def assert_one_line(error: RatsError) -> None:
    if isinstance(error, DefinitionError):
        assert_well_formed(error)
    assert len(str(error).splitlines()) == 1
    assert len(str(error)) < 400


BAD = {
    "nothing": b"",
    "no json": b"hello",
    "no plan": b"{}",
    "a list": b"[]",
    "a number": b"3\n",
    "nan": b"NaN",
    "deep": b"[" * 100_000,
    "no utf-8": b"\xff\xfe{",
    "newer": DATA.replace(b"rats/0", b"rats/1"),
    "format of another type": DATA.replace(b'"rats/0"', b"[0]"),
    "no header": DATA.replace(b'"plan"', b'"plam"'),
    "header of another type": DATA.replace(b'"plan":{', b'"plan":3,"x":{'),
    "header without parameters": DATA.replace(b'"parameters"', b'"p"'),
    "truncated in a task": DATA[:-40],
    "truncated by a byte": DATA[:-1],
    "truncated in the header": DATA[:30],
    "twice": DATA + DATA,
    "no nodes": DATA.replace(b'"nodes"', b'"modes"'),
    "nodes of another type": DATA.replace(b'"nodes":[', b'"nodes":3,"x":['),
    "another key": DATA.replace(b'"label"', b'"extra":1,"label"'),
    "a source of another kind": DATA.replace(b'{"raw":{}}', b'{"raw":{"x":1}}'),
    "spaces": DATA.replace(b'"label":', b'"label": '),
    "windows": DATA.replace(b"\n", b"\r\n"),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_no_plan_is_one_clear_line(what: str) -> None:
    data = BAD[what]
    assert data != DATA
    with pytest.raises(RatsError) as whole:
        plan_from_bytes(data)
    assert_one_line(whole.value)
    with pytest.raises(RatsError) as one:
        task_from_bytes(data, NAMES[0])
    assert_one_line(one.value)


def test_the_format_of_a_newer_version_is_named() -> None:
    with pytest.raises(RatsError, match="expected 'rats/0', got 'rats/1'"):
        task_from_bytes(BAD["newer"], NAMES[0])


def test_a_task_that_is_there_twice_is_refused() -> None:
    lines = DATA.split(b"\n")
    data = b"\n".join([lines[0], lines[1], *lines[1:]])
    name = json.loads(b"{" + lines[1].removesuffix(b",") + b"}")

    with pytest.raises(RatsError):
        plan_from_bytes(data)
    with pytest.raises(RatsError):
        task_from_bytes(data, next(iter(name)))


@pytest.mark.parametrize(
    "name",
    ["d0", "", 'a"', "\n", "format", "plan", "x" * 1000, "\ud800", NAMES[0][:-1]],
)
def test_a_task_that_is_not_there_is_one_clear_line(name: str) -> None:
    with pytest.raises(RatsError) as raised:
        task_from_bytes(DATA, name)

    assert "expected a task of this plan" in str(raised.value)
    assert len(str(raised.value)) < 300
    assert str(raised.value).isprintable()


@given(st.data())
def test_random_damage_is_one_clear_line_or_a_plan(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(DATA) - 1))
    cut = data.draw(st.integers(0, 6))
    damaged = DATA[:at] + data.draw(st.binary(max_size=4)) + DATA[at + cut :]
    for read in (
        plan_from_bytes,
        lambda d: task_from_bytes(d, NAMES[1]),
        lambda d: verify(plan_from_bytes(d)),
    ):
        try:
            read(damaged)
        except RatsError as error:
            assert str(error).splitlines()


# --- verify ---------------------------------------------------------------------------------


def changed(number: int, /, **changes: Any) -> Plan:
    tasks = {
        name: replace(task, **changes) if name == NAMES[number] else task
        for name, task in PLAN.tasks.items()
    }
    return replace(PLAN, tasks=tasks)


def renamed(name: str) -> Plan:
    first, *rest = PLAN.tasks.values()
    kept = {task.name: task for task in rest}
    return replace(PLAN, tasks={name: replace(first, name=name), **kept})


LAST = PLAN.tasks[NAMES[3]]
NODE = LAST.nodes[0]
WRONG = {
    "name with a path": (renamed("../x"), "at most 63 of [a-z0-9-]"),
    "name in capitals": (renamed("Aa"), "at most 63 of [a-z0-9-]"),
    "name that is long": (renamed("a" * 64), "at most 63 of [a-z0-9-]"),
    "another name": (changed(0, name="other-000000"), "expected a task of this name"),
    "no nodes": (changed(0, nodes=()), "expected nodes, got none"),
    "position": (changed(2, position=7), "expected position 2, got 7"),
    "after a later one": (changed(0, after=(NAMES[1],)), "expected earlier tasks"),
    "after itself": (changed(0, after=(NAMES[0],)), "expected earlier tasks"),
    "after nothing": (changed(3, after=()), "that it reads from"),
    "after too much": (changed(3, after=(NAMES[2], NAMES[0])), "that it reads from"),
    "reads from nobody": (
        changed(3, reads={"d2": Source(task="nobody", dataset="d2")}),
        "an earlier task that writes it, got 'nobody'",
    ),
    "reads what is not written": (
        changed(3, reads={"d2": Source(task=NAMES[2], dataset="zz")}),
        "an earlier task that writes it",
    ),
    "reads nothing": (changed(3, reads={}, after=()), "before anything makes it"),
    "writes nothing of its own": (
        changed(3, writes={"zz": None}),
        "a node of this task that makes it",
    ),
    "writes what another writes": (
        changed(3, nodes=(replace(NODE, outputs=["d3", "d1"]),), writes={"d1": None}),
        f"one task that writes it, got tasks '{NAMES[1]}' and '{NAMES[3]}'",
    ),
    "digest of parameters": (
        replace(PLAN, header=replace(PLAN.header, parameters="../../x")),
        "64 hexadecimal digits",
    ),
    "digest of a pickle": (
        replace(PLAN, header=replace(PLAN.header, pickles=("ab",))),
        "64 hexadecimal digits",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_plan_that_cannot_run_is_refused(what: str) -> None:
    plan, said = WRONG[what]

    with pytest.raises(DefinitionError) as raised:
        verify(plan)

    assert said in str(raised.value)
    assert_well_formed(raised.value)
    # It is still so when it has been written and read.
    if "another name" not in what and "position" not in what and "later" not in what:
        with pytest.raises(DefinitionError):
            verify(plan_from_bytes(plan_to_bytes(plan)))


def test_every_breach_of_a_plan_is_said_at_once() -> None:
    tasks = {name: replace(task, nodes=()) for name, task in PLAN.tasks.items()}

    with pytest.raises(DefinitionError) as raised:
        verify(replace(PLAN, tasks=tasks))

    assert str(raised.value).count("expected nodes, got none") == len(PLAN)


def test_a_good_plan_is_given_back() -> None:
    assert verify(PLAN) is PLAN
    assert verify(plan_from_bytes(DATA)) == PLAN


def test_every_part_of_a_task_reaches_the_bytes() -> None:
    """A field that `to_json` forgets would be lost without a word."""
    for part, change in {
        "label": "other",
        "position": 9,
        "nodes": (),
        "after": ("x",),
        "reads": {"x": Source(entry={"a": 1})},
        "writes": {"x": None},
        "inside": {"x": 1},
        "confirms": {"x": 1},
        "placement": {"x": 1},
    }.items():
        plan = changed(3, **{part: change})
        again = plan_from_bytes(plan_to_bytes(plan))
        assert again.tasks[NAMES[3]] == plan.tasks[NAMES[3]]
        assert plan_to_bytes(plan) != DATA
    fields = {field.name for field in dataclasses.fields(LAST)}
    assert len(fields) == 10  # those above, and the name


# --- names of tasks -------------------------------------------------------------------------

LABELS = st.lists(
    st.one_of(
        st.text(st.characters()),
        st.text(st.characters(categories=["Cs"]), min_size=1),
        st.text("aA._-/ {}$(`';\n\x00", max_size=60),
        st.sampled_from(["a_b", "a-b", "a.b", "A-b", "ünï", "../x", "{{x}}", "$(id)"]),
    ),
    unique=True,
    max_size=30,
)


@given(labels=LABELS)
def test_names_of_tasks_are_safe_and_never_alike(labels: list[str]) -> None:
    names = task_names(labels)

    assert len(set(names)) == len(labels)
    for name in names:
        assert TASK_NAME.fullmatch(name)
        assert len(name) <= 63


def test_names_of_many_tasks_are_never_alike() -> None:
    """All have one slug, so that six digits do not do: some names have seven."""
    labels = [f"{'a' * 60}{i * MODULUS}" for i in range(20_000)]

    names = task_names(labels)

    assert len(set(names)) == len(labels)
    assert {len(name) for name in names} == {47, 48}


def test_a_name_does_not_depend_on_the_others() -> None:
    assert task_names(["a", "b"])[1] == task_names(["b"])[0]


def test_two_tasks_of_one_label_are_refused() -> None:
    with pytest.raises(ValueError, match="two tasks have one label"):
        task_names(["a", "b", "a"])


def test_recursion_is_not_needed_for_a_long_chain() -> None:
    length = 3 * sys.getrecursionlimit()

    assert len(plan_from_bytes(plan_to_bytes(chain_of(length)))) == length
