"""What translating a plan costs, against Hera alone and against argo-kedro.

Seconds of the processor, the best of some turns. "Hera" makes one flat DAG of the same
tasks, with one template: what anyone who uses Hera has to pay, in a form that Argo does
not hold. "argo-kedro" is its own compilation of the same pipeline, if it is installed; its
time grows with the square of the tasks, so it is left out above a thousand.

Usage: ``python tests/bench/bench_translation.py``.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["DO_NOT_TRACK"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hera.workflows import DAG, Container, Parameter, Task, Workflow
from kedro.pipeline import Pipeline, node
from pipelines.plans import lanes, plan_of, task, workflow
from pipelines.random_pipelines import mix

from kedro_rats.engines.argo.translation.sizes import size_report

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro_rats.plan.model import Plan

SIZES = (100, 1_000, 10_000)
MOST_OF_THE_PEER = 1_000
TURNS = 3


def irregular(size: int) -> Plan:
    """A random graph: each task reads up to three of those before it."""
    draw = random.Random(0)  # noqa: S311 - the same graph in every run
    made = []
    for i in range(size):
        known = range(max(0, i - 300), i)
        reads = draw.sample(known, min(len(known), draw.randint(1, 3)))
        made.append(task(f"n{i}", *(f"n{j}" for j in sorted(reads))))
    return plan_of(made)


SHAPES: dict[str, Callable[[int], Plan]] = {
    "lanes": lambda size: lanes(50, max(1, size // 50)),
    "namespaces": lambda size: lanes(50, max(1, size // 50), namespaces=True),
    "random": irregular,
}


def of_hera(plan: Plan) -> str:
    """Return the flat workflow that Hera makes of the same tasks."""
    tasks = [
        Task(
            name=one.name,
            template="pod",
            arguments=[Parameter(name="task", value=one.name)],
            dependencies=list(one.after) or None,
        )
        for one in plan
    ]
    pod = Container(name="pod", image="a", inputs=[Parameter(name="task")])
    made = Workflow(
        name="flat",
        entrypoint="main",
        templates=[DAG(name="main", tasks=[*tasks]), pod],
    )
    return str(made.build().model_dump_json(by_alias=True, exclude_none=True))


def pipeline_of(plan: Plan) -> Pipeline:
    """Return a pipeline of the same shape."""
    return Pipeline(
        [
            node(mix, list(one.after) or ["raw"], one.name, name=f"make_{one.name}")
            for one in plan
        ]
    )


def of_the_peer(pipeline: Pipeline) -> str:
    """Return what argo-kedro writes for a pipeline, as its command does."""
    import argo_kedro.framework.cli.cli as peer
    import yaml
    from argo_kedro.argo import get_argo_dag
    from argo_kedro.config.kedro_argo_config import MachineType, TemplateConfig

    tasks = get_argo_dag(
        pipeline,
        machine_types={"default": MachineType(mem=1, cpu=1, num_gpu=0)},
        default_machine_type="default",
        template_config=TemplateConfig(),
    )
    rendered = peer.render_jinja_template(
        src=peer.ARGO_TEMPLATES_DIR_PATH / "argo_wf_spec.tmpl",
        trim_blocks=True,
        lstrip_blocks=True,
        pipeline_tasks=list(tasks.values()),
        template=TemplateConfig(),
        pipeline_name="p",
        image="a",
        namespace="n",
        environment="base",
        workflow_name="w",
        random="x",
        init_templates=[],
    )
    return str(yaml.dump(yaml.safe_load(rendered), sort_keys=False))


def cpu(work: Callable[[], Any], turns: int = TURNS) -> tuple[float, Any]:
    best, result = float("inf"), None
    for _ in range(turns):
        begun = time.process_time()
        result = work()
        best = min(best, time.process_time() - begun)
    return best, result


def main() -> None:
    warnings.simplefilter("ignore")
    cpu(lambda: workflow(lanes(2, 2)), 1)
    has_peer = find_spec("argo_kedro") is not None
    head = f"{'shape':<11}{'tasks':>7}{'seconds':>9}{'us/task':>9}{'of Hera':>9}"
    print(f"{head}{'argo-kedro':>12}{'kB':>7}{'Hera kB':>9}{'DAGs':>6}{'largest':>9}")
    for shape, make in SHAPES.items():
        for size in SIZES:
            plan = make(size)
            seconds, made = cpu(lambda plan=plan: workflow(plan))
            hera, flat = cpu(lambda plan=plan: of_hera(plan))
            peer = "-"
            if has_peer and size <= MOST_OF_THE_PEER:
                pipeline = pipeline_of(plan)
                theirs, _ = cpu(lambda one=pipeline: of_the_peer(one), 1)
                peer = f"{seconds / theirs:.2f}"
            report = size_report(made)
            dags = sum("dag" in one for one in made["spec"]["templates"])
            print(
                f"{shape:<11}{len(plan):>7}{seconds:>9.2f}"
                f"{seconds / len(plan) * 1e6:>9.0f}{seconds / hera:>9.2f}{peer:>12}"
                f"{len(json.dumps(made, separators=(',', ':'))) // 1000:>7}"
                f"{len(flat) // 1000:>9}{dags:>6}{report.largest:>9}"
            )


if __name__ == "__main__":
    main()
