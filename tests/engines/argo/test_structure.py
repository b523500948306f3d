"""The shape of a workflow: every task once, in order, in DAGs that stay small."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipelines.lowering import lowered
from pipelines.plans import (
    IMAGE,
    Order,
    dags,
    lanes,
    layers,
    plan_of,
    task,
    templates,
    told,
    workflow,
)
from pipelines.random_pipelines import drawn_pipelines

from kedro_rats.engines.argo.translation.bands import bands
from kedro_rats.engines.argo.translation.sizes import size_report
from kedro_rats.engines.argo.translation.structure import MOST, Dag, dag_of
from kedro_rats.placement.settings import Choice, Settings
from kedro_rats.plan.placing import SettingsPlacing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.random_pipelines import DrawnPipeline

    from kedro_rats.plan.model import Plan, Task


def check(plan: Plan, manifest: dict[str, object]) -> None:
    """Check that a workflow runs each task of a plan once, after all that it reads."""
    order = Order(manifest)
    assert Counter(order.tasks) == Counter(list(plan.tasks))
    assert order.is_acyclic()
    for one in plan:
        for earlier in one.after:
            assert order.waits(one.name, earlier), (one.name, earlier)
    assert all(len(items) <= MOST for items in dags(manifest))


@given(drawn=drawn_pipelines())
def test_a_random_pipeline_runs_each_task_once_and_in_order(
    drawn: DrawnPipeline,
) -> None:
    placing = SettingsPlacing(
        Settings(
            profiles={
                "image": {"one": IMAGE},
                "resources": {},
                "policy": {},
                "bind": {},
            },
            default=Choice(image="one"),
        )
    )
    found = lowered(
        drawn.pipeline(),
        drawn.catalog(),
        parameters=drawn.parameters(),
        given=drawn.inputs(),
        placing=placing,
    )
    check(found.plan, workflow(found.plan))


SPACES = st.sampled_from([None, "a", "a.b", "a.b.c", "b", "b.a", "c_d", "c-d"])


@st.composite
def tasks(draw: st.DrawFn) -> list[Task]:
    """Draw tasks whose namespaces wait for each other in circles."""
    count = draw(st.integers(1, 40))
    found: list[Task] = []
    for number in range(count):
        known = [t.name for t in found]
        after = draw(st.sets(st.sampled_from(known), max_size=4)) if known else set()
        found.append(task(f"t{number}", *sorted(after), namespace=draw(SPACES)))
    return found


@given(drawn=tasks(), most=st.integers(3, 12))
def test_small_dags_keep_the_order_whatever_the_namespaces(
    drawn: list[Task], most: int
) -> None:
    dag = dag_of(drawn, most=most)
    seen: list[str] = []
    for inner in every(dag):
        assert 0 < len(inner.items) <= most
        names: list[str] = []
        for item in inner.items:
            assert set(item.after) <= set(names), "items stand in an order to run"
            names.append(item.name)
        assert len(set(names)) == len(names)
        seen += [item.task for item in inner.items if item.task]
    assert sorted(seen) == sorted(t.name for t in drawn)
    ends = ended(dag)
    for one in drawn:
        for earlier in one.after:
            assert earlier in ends[one.name]


@given(drawn=tasks())
def test_no_task_begins_later_because_of_namespaces(drawn: list[Task]) -> None:
    """Counted in tasks one after the other, each of which costs the start of a pod."""
    level: dict[str, int] = {}
    for one in drawn:
        level[one.name] = 1 + max((level[other] for other in one.after), default=-1)
    assert begun(dag_of(drawn), 0)[0] == level


def begun(dag: Dag, at: int) -> tuple[dict[str, int], int]:
    """Return when each task begins, and when all have ended."""
    found: dict[str, int] = {}
    ends: dict[str, int] = {}
    for item in dag.items:
        start = max((ends[name] for name in item.after), default=at)
        ends[item.name] = start
        if item.task is not None:
            found[item.task] = start
            ends[item.name] = start + 1
        elif item.dag is not None:
            inner, ends[item.name] = begun(item.dag, start)
            found |= inner
    return found, max(ends.values())


def every(dag: Dag) -> Iterator[Dag]:
    yield dag
    for item in dag.items:
        if item.dag is not None:
            yield from every(item.dag)


def ended(dag: Dag, before: frozenset[str] = frozenset()) -> dict[str, frozenset[str]]:
    """Return, for each task, the tasks that have ended when it begins."""
    found: dict[str, frozenset[str]] = {}
    done: dict[str, frozenset[str]] = {}
    for item in dag.items:
        known = before.union(*(done[name] for name in item.after))
        inside = frozenset[str]()
        if item.dag is not None:
            inner = ended(item.dag, known)
            found |= inner
            inside = frozenset(inner)
        elif item.task is not None:
            found[item.task] = known
            inside = frozenset([item.task])
        done[item.name] = known | inside
    return found


# --- namespaces -------------------------------------------------------------------------


def test_a_namespace_is_a_dag_and_a_namespace_of_one_task_is_that_task() -> None:
    manifest = workflow(
        [
            task("split"),
            task("fit", "split", namespace="cv.fold_0"),
            task("apply", "fit", namespace="cv.fold_0"),
            task("fit2", "split", namespace="cv.fold_1"),
            task("apply2", "fit2", namespace="cv.fold_1"),
            task("gather", "apply", "apply2", namespace="cv"),
            task("report", "gather", namespace="alone.inside"),
        ]
    )
    found = templates(manifest)
    shape = {
        name: {
            item["name"]: item.get("dependencies")
            for item in found[name]["dag"]["tasks"]
        }
        for name in found
        if "dag" in found[name]
    }
    assert shape == {
        "main": {"split": None, "cv": ["split"], "alone-inside-report": ["cv"]},
        "dag-cv": {
            "fold-0": None,
            "fold-1": None,
            "gather": ["fold-0", "fold-1"],
        },
        "dag-cv-fold-0": {"fit": None, "apply": ["fit"]},
        "dag-cv-fold-1": {"fit2": None, "apply2": ["fit2"]},
    }


def test_a_namespace_is_cut_where_some_of_it_could_run_long_before() -> None:
    manifest = workflow(
        [
            task("fit"),
            task("fit2", "fit"),
            task("prepare", namespace="test"),
            task("clean", "prepare", namespace="test"),
            task("apply", "clean", "fit2", namespace="test"),
            task("score", "apply", namespace="test"),
        ]
    )
    main = templates(manifest)["main"]["dag"]["tasks"]
    assert {i["name"]: i.get("dependencies") for i in main} == {
        "fit": None,
        "fit2": ["fit"],
        "test": None,
        "test-2": ["fit2", "test"],
    }
    assert size_report(manifest).levels == 4


def test_a_namespace_that_waits_for_what_waits_for_it_is_cut() -> None:
    plan = plan_of(
        [
            task("a1", namespace="a"),
            task("a2", "a1", namespace="a"),
            task("b1", "a2", namespace="b"),
            task("b2", "b1", namespace="b"),
            task("a3", "b2", namespace="a"),
            task("a4", "a3", namespace="a"),
        ]
    )
    manifest = workflow(plan)
    check(plan, manifest)
    main = templates(manifest)["main"]["dag"]["tasks"]
    assert [(i["name"], i.get("dependencies")) for i in main] == [
        ("a", None),
        ("b", ["a"]),
        ("a-2", ["b"]),
    ]


def test_names_that_look_alike_stay_apart() -> None:
    manifest = workflow(
        [
            *(task(f"x{n}", namespace="fold_0") for n in range(2)),
            *(task(f"y{n}", namespace="fold-0") for n in range(2)),
            task("fold.0"),
        ]
    )
    assert [item["name"] for item in dags(manifest)[0]] == [
        "fold-0",
        "fold-0-2",
        "fold-0-3",
    ]


def test_slices_do_not_move_a_task_out_of_its_namespace() -> None:
    from dataclasses import replace

    from kedro_rats.plan.model import PlannedNode

    taken = PlannedNode(
        name="take",
        namespace="cv",
        function=None,
        inputs=None,
        outputs=None,
        tags=("rats.take",),
    )
    made = [task(f"t{n}", namespace="cv.fold_0") for n in range(2)]
    made = [replace(t, nodes=(taken, *t.nodes)) for t in made]
    assert dag_of([*made, task("other", namespace="cv")]).items[0].dag is not None
    labels = {dag.label for dag in every(dag_of([*made, task("other")]))}
    assert labels == {"", "cv.fold_0"}


# --- size -------------------------------------------------------------------------------


@pytest.mark.parametrize("namespaces", [False, True])
def test_lanes_never_wait_for_each_other(namespaces: bool) -> None:
    plan = lanes(20, 30, namespaces=namespaces)
    manifest = workflow(plan)
    check(plan, manifest)
    # As many as on the longest way through the plan itself.
    assert size_report(manifest).levels == 32


def test_a_wide_fan_out_is_cut_into_bands_side_by_side() -> None:
    plan = lanes(600, 1)
    manifest = workflow(plan)
    check(plan, manifest)
    assert size_report(manifest).levels == 3
    assert len(dags(manifest)) == 4


def test_bands_are_cut_again_where_there_are_too_many() -> None:
    dag = dag_of([task(f"t{n}") for n in range(100)], most=5)
    assert {len(inner.items) <= 5 for inner in every(dag)} == {True}
    assert sum(item.task is not None for d in every(dag) for item in d.items) == 100


def test_a_chain_is_cut_in_the_middle() -> None:
    chain = [(n, n + 1) for n in range(9)]
    assert bands(range(10), chain, most=5) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert max(map(len, bands(range(10), chain, most=4))) <= 4


def test_many_readers_of_many_makers_meet_in_a_join() -> None:
    plan = layers(20, 2)
    manifest = workflow(plan)
    check(plan, manifest)
    items = dags(manifest)[0]
    joins = [item for item in items if item["template"] == "join"]
    assert len(joins) == 1
    assert sum(len(item.get("dependencies", ())) for item in items) == 40
    assert templates(manifest)["join"]["suspend"] == {"duration": "0"}


def test_a_join_takes_readers_that_read_something_else_too() -> None:
    makers = [task(f"m{n}") for n in range(12)]
    own = [task(f"o{n}") for n in range(12)]
    readers = [task(f"r{n}", *(m.name for m in makers), f"o{n}") for n in range(12)]
    plan = plan_of([*makers, *own, *readers])
    manifest = workflow(plan)
    check(plan, manifest)
    assert sum(item["template"] == "join" for item in dags(manifest)[0]) == 1


def test_few_readers_of_few_makers_need_no_join() -> None:
    manifest = workflow(layers(6, 2))
    assert "join" not in templates(manifest)


def test_a_wide_namespace_ends_in_a_join() -> None:
    inside = [task(f"t{n}", namespace="wide") for n in range(30)]
    readers = [task(f"r{n}", *(t.name for t in inside)) for n in range(30)]
    plan = plan_of([*inside, *readers])
    manifest = workflow(plan)
    check(plan, manifest)
    last = templates(manifest)["dag-wide"]["dag"]["tasks"][-1]
    assert (last["template"], len(last["dependencies"])) == ("join", 30)


def test_the_work_grows_with_the_number_of_tasks() -> None:
    """Calls of functions, so that a slow machine is no failure."""

    def calls(plan: Plan) -> int:
        count = 0

        def counting(frame: object, event: str, arg: object) -> None:
            nonlocal count
            count += event in {"call", "c_call"}

        sys.setprofile(counting)
        try:
            dag_of(plan)
        finally:
            sys.setprofile(None)
        return count

    for shape in (
        lambda n: lanes(n // 20, 20),
        lambda n: lanes(n // 20, 20, namespaces=True),
        lambda n: lanes(n, 1),
        lambda n: lanes(1, n),
    ):
        small, large = calls(shape(400)), calls(shape(3200))
        # Eight times as much, and two or three more cuts of each part.
        assert large < 8 * small * 2.5, (small, large)


def test_only_what_is_left_to_be_run_is_in_a_workflow() -> None:
    plan = lanes(3, 2)
    manifest = workflow(plan, only=["l1-1", "sink"])
    assert sorted(Order(manifest).tasks) == ["l1-1", "sink"]
    assert [told(i) for i in dags(manifest)[0] if "dependencies" not in i] == ["l1-1"]
