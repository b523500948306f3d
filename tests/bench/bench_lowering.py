"""What lowering costs, against Kedro's own making of the same pipeline.

Seconds of the processor, the best of some turns; what the bytes of the plan come to; and
how long it takes to read one task of it. Usage: ``python tests/bench/bench_lowering.py``.
"""

from __future__ import annotations

import os
import random
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["DO_NOT_TRACK"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kedro.pipeline import Pipeline, node
from pipelines.lowering import lowered
from pipelines.random_pipelines import mix

from kedro_rats.plan import verify
from kedro_rats.plan.document import plan_from_bytes, task_from_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro.pipeline.node import Node

SIZES = (100, 1_000, 10_000)
TURNS = 3
CATALOG = {
    "raw": {"type": "pandas.CSVDataset", "filepath": "data/raw.csv"},
    "{name}_kept": {"type": "pickle.PickleDataset", "filepath": "data/{name}.pkl"},
}


def lanes(size: int) -> list[Node]:
    """Chains of a hundred nodes, side by side."""
    return [
        node(
            mix, [f"d{i - 1}" if i % 100 else "raw", "params:a"], f"d{i}", name=f"n{i}"
        )
        for i in range(size)
    ]


def folds(size: int) -> list[Node]:
    """Fifty folds of one template, with slices and a gathering."""
    each = max(4, size // 50)
    nodes, outs = [], []
    for k in range(50 if size > 200 else size // each):
        ns = f"cv.fold_{k}"
        take = node(
            mix, ["raw", "params:a"], f"{ns}.X", name=f"take_{k}", tags="rats.take"
        )
        nodes.append(take)
        last = f"{ns}.X"
        for i in range(each - 1):
            made = f"{ns}.d{i}"
            nodes.append(node(mix, [last, f"{ns}.X"], made, name=f"n{i}_{k}"))
            last = made
        outs.append(last)
    return [*nodes, node(mix, outs, "oof_kept", name="gather", tags="rats.gather")]


def irregular(size: int) -> list[Node]:
    """A random graph: each node reads up to three of those before it."""
    draw = random.Random(0)  # noqa: S311 - the same graph in every run
    nodes = []
    for i in range(size):
        known = ["raw", *(f"d{j}" for j in range(max(0, i - 300), i))]
        reads = draw.sample(known, min(len(known), draw.randint(1, 3)))
        nodes.append(node(mix, reads, f"d{i}", name=f"n{i}"))
    return nodes


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    best, found = float("inf"), None
    for _ in range(TURNS):
        start = time.process_time()
        found = work()
        best = min(best, time.process_time() - start)
    return best, found


def main() -> None:
    warnings.simplefilter("ignore")
    title = "shape"
    print(
        f"{title:<11}{'nodes':>7}{'tasks':>7}{'kedro s':>9}{'lower s':>9}{'ratio':>7}"
        f"{'verify s':>10}{'read s':>8}{'task ms':>9}{'kB':>8}{'B/node':>8}"
    )
    for shape in (lanes, folds, irregular):
        for size in SIZES:
            report(shape, size)


def report(shape: Callable[[int], list[Node]], size: int) -> None:
    made, pipeline = cpu(lambda: Pipeline(shape(size)))
    cost, found = cpu(lambda: lowered(pipeline, CATALOG, parameters={"params:a": 1}))
    verified, _ = cpu(lambda: verify(found.plan))
    read, plan = cpu(lambda: plan_from_bytes(found.document))
    last = list(plan.tasks)[-1]
    one, _ = cpu(lambda: task_from_bytes(found.document, last))
    nodes, data = len(pipeline.nodes), len(found.document)
    print(
        f"{shape.__name__:<11}{nodes:>7}{len(plan):>7}{made:>9.3f}{cost:>9.3f}"
        f"{cost / made:>7.2f}{verified:>10.3f}{read:>8.3f}{one * 1000:>9.2f}"
        f"{data / 1000:>8.0f}{data / nodes:>8.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
