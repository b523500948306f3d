"""What becomes of nodes: which run together, what they read and what they keep."""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from kedro.pipeline import Node, Pipeline, node
from pipelines.definitions import assert_refused
from pipelines.lowering import ByTags, contents, lowered
from pipelines.random_pipelines import (
    PARAMETERS,
    DrawnPipeline,
    drawn_pipelines,
    in_chunks,
    mix,
    parameter_datasets,
    salted,
)
from pydantic import BaseModel

from kedro_rats.encoding.canonical import from_bytes
from kedro_rats.encoding.objects import ObjectDecoder
from kedro_rats.errors import DefinitionError
from kedro_rats.names import base_name
from kedro_rats.plan import Project, verify
from kedro_rats.plan.document import plan_from_bytes

# Keys are sorted: so an entry is its own JSON.
FILE = {"filepath": "data/x", "type": "no.such.Dataset"}
MEMORY = {"type": "MemoryDataset"}


def step(reads: Any, makes: Any, *tags: str, **options: Any) -> Node:
    """Return a node that is named after what it makes."""
    if "name" not in options:
        name = makes if isinstance(makes, str) else makes[0]
        options["name"] = name.partition("@")[0]
    return node(options.pop("func", mix), reads, makes, tags=tags, **options)


def take(reads: str, makes: str, *tags: str) -> Node:
    return step(reads, makes, "rats.take", *tags)


def gather(reads: list[str], makes: str, *tags: str) -> Node:
    return step(reads, makes, "rats.gather", *tags)


def plan_of(*nodes: Node, **options: Any) -> list[list[str]]:
    return contents(lowered(Pipeline(nodes), **options))


# --- slices ---------------------------------------------------------------------------


def test_a_slice_is_made_where_it_is_read() -> None:
    found = lowered(
        Pipeline(
            [take("raw", "x"), step("x", "a"), step("x", "b"), step(["a", "b"], "c")]
        )
    )

    assert contents(found) == [["x", "a"], ["x", "b"], ["c"]]
    assert [list(task.writes) for task in found.plan] == [["a"], ["b"], ["c"]]
    assert [sorted(task.reads) for task in found.plan] == [["raw"], ["raw"], ["a", "b"]]


def test_a_slice_of_a_slice_goes_along() -> None:
    nodes = [step("raw", "all"), take("all", "x"), take("x", "xx"), step("xx", "a")]

    assert plan_of(*nodes) == [["all"], ["x", "xx", "a"]]


def test_a_slice_that_nobody_reads_or_that_is_kept_is_a_task() -> None:
    nodes = [take("raw", "x"), take("raw", "unread"), step("x", "a")]

    assert plan_of(*nodes, catalog={"x": FILE}) == [["unread"], ["x"], ["a"]]


def test_a_slice_in_memory_is_made_where_it_is_read() -> None:
    nodes = [take("raw", "x"), step("x", "a"), step("x", "b")]

    assert plan_of(*nodes, catalog={"x": MEMORY}) == [["x", "a"], ["x", "b"]]


def test_a_slice_has_no_place_of_its_own() -> None:
    nodes = [take("raw", "x", "group.g", "image.small"), step("x", "a", "image.big")]

    (task,) = lowered(Pipeline(nodes)).plan

    assert [n.name for n in task.nodes] == ["x", "a"]
    assert task.placement == {"image": "big"}
    assert task.label == "a"


def test_a_group_makes_the_slices_once_that_its_nodes_read() -> None:
    nodes = [
        take("raw", "x"),
        step("x", "a", "group.g"),
        step(["x", "a"], "b", "group.g"),
    ]

    assert plan_of(*nodes) == [["x", "a", "b"]]


# --- gatherings -----------------------------------------------------------------------


def test_a_gathering_joins_its_one_reader() -> None:
    nodes = [
        step("raw", "a"),
        step("raw", "b"),
        gather(["a", "b"], "c"),
        step("c", "d"),
    ]

    assert plan_of(*nodes) == [["a"], ["b"], ["c", "d"]]


@pytest.mark.parametrize(
    ("more", "catalog"),
    [
        ([step("c", "e")], {}),
        ([], {"c": FILE}),
        ([], {"c@x": FILE}),
    ],
)
def test_a_gathering_is_a_task_if_others_want_it(more: Any, catalog: Any) -> None:
    name = next(iter(catalog), "c")
    nodes = [step("raw", "a"), gather(["a", "raw"], name), step(name, "d"), *more]

    assert ["c", "d"] not in plan_of(*nodes, catalog=catalog)


def test_a_gathering_stays_where_it_was_put() -> None:
    nodes = [step("raw", "a"), gather(["a", "raw"], "c", "group.g"), step("c", "d")]

    assert plan_of(*nodes) == [["a"], ["c"], ["d"]]


def test_a_gathering_of_another_place_does_not_join() -> None:
    nodes = [
        step("raw", "a"),
        gather(["a", "raw"], "c", "image.small"),
        step("c", "d", "image.big"),
    ]

    assert plan_of(*nodes) == [["a"], ["c"], ["d"]]


def test_gatherings_that_one_slice_reads_stay_apart() -> None:
    nodes = [
        gather(["raw", "other"], "c1"),
        gather(["raw", "other"], "c2"),
        step(["c1", "c2"], "x", "rats.take"),
        step("x", "a"),
    ]

    assert plan_of(*nodes, given=["raw", "other"]) == [["c1"], ["c2"], ["x", "a"]]


# --- groups ---------------------------------------------------------------------------


def test_a_group_is_one_task() -> None:
    found = lowered(
        Pipeline(
            [
                step("raw", "a", "group.g"),
                step("a", "b", "group.g"),
                step("b", "c"),
                step("raw", "d", "group.g"),
            ]
        )
    )

    assert contents(found) == [["a", "d", "b"], ["c"]]
    assert [task.label for task in found.plan] == ["group g", "c"]
    assert next(iter(found.plan)).writes.keys() == {"b", "d"}


def test_a_group_around_another_task_is_refused_with_the_path() -> None:
    nodes = [step("raw", "a", "group.g"), step("a", "b"), step("b", "c", "group.g")]

    assert_refused(
        lambda: plan_of(*nodes), "group 'g': ", ["a → a → b, then b → b → c", "Take a"]
    )


def test_two_groups_around_each_other_are_both_named() -> None:
    nodes = [
        step("raw", "a", "group.g"),
        step("a", "b", "group.h"),
        step("raw", "c", "group.h"),
        step("c", "d", "group.g"),
    ]

    assert_refused(lambda: plan_of(*nodes), "group 'g' and group 'h': ", ["a → a → b"])


def test_a_cycle_through_a_slice_names_it() -> None:
    nodes = [
        step("raw", "a", "group.g"),
        take("a", "x"),
        step("x", "b"),
        step("b", "c", "group.g"),
    ]

    assert_refused(lambda: plan_of(*nodes), "group 'g'", ["a → a → x"])


def test_what_only_comes_after_a_cycle_is_not_in_its_path() -> None:
    nodes = [
        step("raw", "z", "group.g"),
        step("z", "y"),
        step("y", "x", "group.g"),
        step("x", "a_later"),
        step("a_later", "b_later"),
    ]

    with pytest.raises(DefinitionError) as raised:
        plan_of(*nodes)

    assert "later" not in str(raised.value)


def test_a_group_of_two_places_is_refused() -> None:
    nodes = [
        step("raw", "a", "group.g", "image.x"),
        step("a", "b", "group.g", "image.y"),
    ]

    assert_refused(lambda: plan_of(*nodes), "group g: ", ["x and y"])


# --- data in memory ---------------------------------------------------------------------


def test_data_in_memory_joins_its_maker_and_readers() -> None:
    nodes = [step("raw", "a"), step("a", "b"), step("a", "c"), step("b", "d")]
    found = lowered(Pipeline(nodes), {"a": MEMORY})

    assert contents(found) == [["a", "b", "c"], ["d"]]
    first = next(iter(found.plan))
    assert first.inside == {"a": MEMORY}
    assert first.writes.keys() == {"b", "c"}


def test_data_in_memory_reaches_readers_by_way_of_slices() -> None:
    nodes = [step("raw", "a"), take("a", "x"), take("x", "xx"), step("xx", "b")]

    assert plan_of(*nodes, catalog={"a": MEMORY}) == [["a", "x", "xx", "b"]]


def test_data_in_memory_around_another_task_are_refused_with_the_path() -> None:
    nodes = [step("raw", ["a", "b"]), step("b", "c"), step(["a", "c"], "d")]

    assert_refused(
        lambda: plan_of(*nodes, catalog={"a": MEMORY}),
        "MemoryDataset 'a': ",
        ["a → b → c, then c → c → d"],
    )


def test_data_in_memory_between_two_places_are_refused() -> None:
    nodes = [step("raw", "a", "image.x"), step("a", "b", "image.y")]

    assert_refused(lambda: plan_of(*nodes, catalog={"a": MEMORY}), "b: ", ["x and y"])


def test_a_pattern_may_say_that_data_are_in_memory() -> None:
    nodes = [step("raw", "a_mem"), step("a_mem", "b")]
    found = lowered(Pipeline(nodes), {"{x}_mem": {"type": "kedro.io.MemoryDataset"}})

    assert contents(found) == [["a_mem", "b"]]


# --- transcoding, versions, confirms, nodes of every shape ----------------------------------


TRANSCODED = {
    "x@a": {"filepath": "x", "type": "no.A"},
    "x@b": {"filepath": "x", "type": "no.B"},
}


def test_transcoded_data_between_two_tasks() -> None:
    nodes = [step("raw", "x@a"), step("x@b", "y")]
    first, second = lowered(Pipeline(nodes), TRANSCODED).plan

    assert first.writes == {"x@a": TRANSCODED["x@a"]}
    assert second.reads["x@b"].task == first.name
    assert second.reads["x@b"].dataset == "x@a"
    assert second.reads["x@b"].entry == TRANSCODED["x@b"]
    assert second.after == (first.name,)


def test_transcoded_data_inside_a_task() -> None:
    nodes = [step("raw", "x@a", "group.g"), step("x@b", "y", "group.g")]
    (task,) = lowered(Pipeline(nodes), TRANSCODED).plan

    assert task.writes.keys() == {"x@a", "y"}
    assert task.inside == {"x@b": TRANSCODED["x@b"]}
    assert task.reads.keys() == {"raw"}


@pytest.mark.parametrize(
    ("catalog", "without"),
    [({}, "x@a, x@b"), ({"x@a": FILE}, "x@b"), ({"x@a": MEMORY, "x@b": FILE}, "x@a")],
)
def test_transcoded_data_without_a_place_are_refused(
    catalog: Any, without: str
) -> None:
    nodes = [step("raw", "x@a"), step("x@b", "y")]

    assert_refused(
        lambda: plan_of(*nodes, catalog=catalog),
        "dataset 'x@b', read by node 'y'",
        [f"got none for {without}."],
    )


def test_an_entry_travels_as_it_is_written() -> None:
    entry = {
        "versioned": True,
        "type": "pandas.CSVDataset",
        "filepath": "data/x.csv",
        "credentials": "dev_s3",
        "save_args": {"sep": ";", "index": False},
        "load_args": {"dtype": {"b": "str", "a": "int"}, "rows": (1, 2)},
        "metadata": None,
    }
    found = lowered(Pipeline([step("raw", "x"), step("x", "y")]), {"x": entry})
    first, second = plan_from_bytes(found.document)
    decode = ObjectDecoder().decode

    for written in (first.writes["x"], second.reads["x"].entry):
        assert decode(written) == entry
        assert list(decode(written)) == list(entry)


def test_what_a_node_confirms_is_in_its_task() -> None:
    nodes = [step("raw", "a"), step("a", "b", confirms="inbox")]
    first, second = lowered(Pipeline(nodes), {"inbox": FILE}).plan

    assert second.confirms == {"inbox": FILE}
    assert second.nodes[0].confirms == ("inbox",)
    assert not first.confirms


def test_nodes_without_inputs_or_outputs_and_generators() -> None:
    nodes = [
        step(None, "a", func=mix),
        step("a", None, name="sink"),
        step("a", "b", func=in_chunks),
        step(["a", "b"], {"k": "c", "j": "d"}, name="keyed"),
        step({"first": "a", "salt": "b"}, "e", func=with_names),
    ]
    found = lowered(Pipeline(nodes))

    by_name = {
        n.name: n for task in plan_from_bytes(found.document) for n in task.nodes
    }
    for one in nodes:
        again = by_name[one.name]
        assert (again.inputs, again.outputs) == (one._inputs, one._outputs)
        if isinstance(one._inputs, dict):
            assert list(again.inputs) == list(one._inputs)  # type: ignore[arg-type]
        assert ObjectDecoder().decode(again.function) is one.func


def with_names(salt: Any, first: Any) -> Any:
    return salted(salt, first)


def test_a_node_that_kedro_named_gets_that_name_again() -> None:
    one = node(partial(salted, 3), "raw", "a", namespace="ns")
    ((planned,),) = [task.nodes for task in lowered(Pipeline([one])).plan]

    again = Node(
        ObjectDecoder().decode(planned.function),
        planned.inputs,  # type: ignore[arg-type]
        planned.outputs,  # type: ignore[arg-type]
        name=planned.name,
        namespace=planned.namespace,
    )

    assert again.name == one.name
    assert "partial(" in one.name


def test_a_part_of_a_pipeline_reads_what_the_rest_would_make() -> None:
    whole = Pipeline([step("raw", "a"), step("a", "b"), step("b", "c")])
    part = whole.from_nodes("b")

    assert_refused(
        lambda: lowered(part), "dataset 'a', read by node 'b'", ["--from-run"]
    )
    assert contents(lowered(part, given=["a"])) == [["b"], ["c"]]
    assert contents(lowered(part, {"a": FILE}, given=[])) == [["b"], ["c"]]


# --- parameters, hooks, what is missing -----------------------------------------------------


@dataclass
class Options:
    depth: int
    names: tuple[str, ...]


class Model(BaseModel):
    rate: float
    names: set[str]


class Hook:
    def __init__(self, level: int) -> None:
        self.level = level


def test_parameters_travel_apart_with_their_types() -> None:
    values = {
        **parameter_datasets(PARAMETERS),
        "params:typed": Options(3, ("b",)),
        "params:model": Model(rate=1, names={"x", "y"}),
        "params:unused": 1,
    }
    nodes = [step(["raw", "params:model.depth", "parameters"], "a")]
    nodes.append(step(["params:typed", "params:model"], "b"))
    found = lowered(Pipeline(nodes), parameters=values)

    again = ObjectDecoder().decode(from_bytes(found.parameters))

    assert again.keys() == {n for one in nodes for n in one.inputs} - {"raw"}
    for name, value in again.items():
        assert value == values[name]
        assert type(value) is type(values[name])


def test_hooks_travel_in_their_order() -> None:
    project = Project(
        package="mine", source="src", hooks=(Hook(2), Hook(1)), context=True
    )
    found = lowered(Pipeline([step("raw", "a")]), project=project)
    header = plan_from_bytes(found.document).header

    hooks = [ObjectDecoder(found.pickles.__getitem__).decode(h) for h in header.hooks]
    assert [hook.level for hook in hooks] == [2, 1]
    assert (header.package, header.source, header.context) == ("mine", "src", True)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    lock = threading.Lock()
    nodes = [
        step("raw", "a", "group.g"),
        step(["a", "tabel"], "b"),
        step(["b", "params:transfrom"], "c", "group.g"),
        step("c", "d", func=partial(salted, lock)),
        step(["d", "params:bad"], "e"),
        step("e", "f"),
    ]
    catalog = {
        "table": FILE,
        "d": {"filepath": "x"},
        "e": {"type": "x", "load_args": {"what": lock}},
        "f": 3,
    }

    with pytest.raises(DefinitionError) as raised:
        lowered(
            Pipeline([*nodes, step("table", "g")]),
            catalog,
            parameters={"params:transform": 1, "params:bad": {"x": [lock]}},
            project=Project(hooks=(partial(salted, lock),)),
        )

    message = str(raised.value)
    for words in [
        "dataset 'd': expected a type as text",
        "dataset 'e'.load_args.what: expected plain values, got _thread.lock",
        "dataset 'f': expected a mapping, got a int",
        "dataset 'tabel', read by node 'b'",
        "Did you mean 'table'?",
        "node 'c', 'params:transfrom'",
        "Did you mean 'params:transform'?",
        "group 'g'",
        "node 'd', function: ",
        "_thread.lock",
        "params:bad.x[0]",
        "hook partial",
    ]:
        assert words in message
    assert len(raised.value.breaches) == message.count("\n") + 1


def test_a_dataset_that_many_nodes_miss_is_named_once() -> None:
    nodes = [step("tabel", f"a{i}") for i in range(5)]

    assert_refused(
        lambda: plan_of(*nodes, given=[]), "dataset 'tabel', read by node 'a0'", []
    )


def test_an_empty_pipeline_is_an_empty_plan() -> None:
    found = lowered(Pipeline([]))

    assert len(plan_from_bytes(found.document)) == 0


# --- any pipeline ---------------------------------------------------------------------------


def lowered_drawn(drawn: DrawnPipeline, **options: Any) -> Any:
    return lowered(
        drawn.pipeline(),
        drawn.catalog(),
        parameters=drawn.parameters(),
        given=drawn.inputs(),
        **options,
    )


@given(drawn=drawn_pipelines(extra_kinds=["lambda", "generator"]))
def test_a_random_pipeline_is_lowered_whole(drawn: DrawnPipeline) -> None:
    pipeline = drawn.pipeline()
    found = lowered_drawn(drawn)
    plan = verify(found.plan)

    names = [name for task in contents(found) for name in task]
    kedro_names = {n.name for n in pipeline.nodes if n._name}
    takes = {n.name for n in pipeline.nodes if "rats.take" in n.tags}
    assert {n for n in names if not n.endswith("None")} >= kedro_names - takes
    once = [n for n in names if n in kedro_names - takes]
    assert len(once) == len(set(once))
    # Nothing is lost: what the catalog keeps, and what nobody reads, is written once.
    written = [name for task in plan for name in task.writes]
    free = {base_name(n) for n in pipeline.outputs()}
    assert len(written) == len(set(written))
    assert {base_name(n) for n in written} >= free
    made = {name for one in pipeline.nodes for name in one.outputs}
    assert set(written) >= set(drawn.files) & made
    # Data in memory never leave their task.
    assert not {s.dataset for t in plan for s in t.reads.values()} & set(drawn.memory)


@given(drawn=drawn_pipelines(extra_kinds=["lambda", "generator"]))
def test_the_plan_of_a_random_pipeline_is_read_as_it_was_written(
    drawn: DrawnPipeline,
) -> None:
    found = lowered_drawn(drawn)

    again = plan_from_bytes(found.document)

    assert again == found.plan
    assert list(again.tasks) == list(found.plan.tasks)


@given(drawn=drawn_pipelines(groups=False, memory=False))
def test_without_groups_only_gatherings_and_slices_are_with_another_node(
    drawn: DrawnPipeline,
) -> None:
    for task in lowered_drawn(drawn).plan:
        types = [{"rats.take", "rats.gather"} & set(n.tags) for n in task.nodes]
        assert types.count(set()) <= 1


def test_lowering_imports_nothing_and_builds_no_dataset() -> None:
    catalog = {
        "a": {"type": "no.such.module.Dataset", "filepath": "a"},
        "b": {"type": "pandas.ParquetDataset", "filepath": "s3://bucket/b"},
        "{x}_sql": {"type": "pandas.SQLTableDataset", "credentials": "db"},
    }
    pipeline = Pipeline(
        [step("raw", "a"), step("a", "b"), step(["b", "c_sql"], "d_sql")]
    )
    lowered(Pipeline([step("raw", "x")]))
    before = set(sys.modules)

    lowered(pipeline, catalog)

    assert set(sys.modules) == before


def test_where_nodes_run_is_asked_once_a_task_and_gathering() -> None:
    placing = ByTags()
    nodes = [
        step("raw", "a"),
        step("raw", "b"),
        gather(["a", "b"], "c"),
        step("c", "d"),
    ]

    lowered(Pipeline(nodes), placing=placing)

    assert placing.asked == 3 + 1
