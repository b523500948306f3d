"""Lowering costs in proportion to the pipeline: calls are counted, not seconds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest
from kedro.pipeline import Pipeline, node
from pipelines.lowering import lowered
from pipelines.random_pipelines import mix

if TYPE_CHECKING:
    from collections.abc import Callable

CATALOG = {
    "{name}_kept": {"type": "no.such", "filepath": "data/{name}.x"},
    "{ns}.{name}_kept": {"type": "no.such", "filepath": "data/{ns}/{name}.x"},
    "raw": {"type": "no.such", "filepath": "raw"},
}


def lanes(size: int) -> Pipeline:
    """Return chains of ten nodes, each of which begins at the one input."""
    return Pipeline(
        [
            node(
                mix,
                ["raw" if not i % 10 else f"d{i - 1}", "params:a"],
                f"d{i}" if i % 10 < 9 else f"d{i}_kept",
                name=f"n{i}",
            )
            for i in range(size)
        ]
    )


def folds(size: int) -> Pipeline:
    """Return folds of ten nodes, of which two are slices, and a gathering of all."""
    nodes = []
    for k in range(size // 10):
        ns = f"f{k}"
        reads = [f"{ns}_x0", f"{ns}_x1"]
        for j in (0, 1):
            nodes.append(node(mix, "raw", reads[j], name=f"{ns}t{j}", tags="rats.take"))
        for i in range(7):
            nodes.append(node(mix, reads, f"{ns}_d{i}", name=f"{ns}n{i}"))
            reads = [f"{ns}_x0", f"{ns}_d{i}"]
        nodes.append(node(mix, reads, f"{ns}_out", name=f"{ns}o", tags=f"group.g{k}"))
    outs = [f"f{k}_out" for k in range(size // 10)]
    nodes.append(node(mix, outs, "all", name="gather", tags="rats.gather"))
    nodes.append(node(mix, "all", "end_kept", name="end"))
    return Pipeline(nodes)


def one_group(size: int) -> Pipeline:
    return Pipeline(
        [
            node(
                mix, f"d{i - 1}" if i else "raw", f"d{i}", name=f"n{i}", tags="group.g"
            )
            for i in range(size)
        ]
    )


def calls_of(work: Callable[[], Any]) -> int:
    """Return how many functions, of Python and of C, are called."""
    count = 0

    def counting(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("shape", [lanes, folds, one_group])
def test_twice_the_nodes_are_twice_the_calls(shape: Callable[[int], Pipeline]) -> None:
    # Kedro's own sorting of the nodes is not ours.
    pipelines = [shape(size) for size in (200, 400, 800)]

    small, middle, large = (
        calls_of(lambda: lowered(p, CATALOG, parameters={"params:a": 1}))  # noqa: B023
        for p in pipelines
    )

    assert (large - middle) < 2.1 * (middle - small)
    assert large < 800 * 400


def test_many_missing_datasets_are_not_each_compared_with_all() -> None:
    def missing(size: int) -> int:
        nodes = [node(mix, f"in{i}", f"out{i}", name=f"n{i}") for i in range(size)]
        pipeline = Pipeline(nodes)

        def refused() -> None:
            with pytest.raises(ValueError, match="in1"):
                lowered(pipeline)

        return calls_of(refused)

    small, middle, large = (missing(size) for size in (50, 100, 200))

    assert (large - middle) < 2.3 * (middle - small)
