"""What a real cluster said of tiny workflows: see `tests/cluster/situations.py`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from kedro_rats.engines.argo.progress import Progress, TaskProgress, progress
from kedro_rats.plan.model import Header, Plan, PlannedNode, Task

Json = dict[str, Any]

FOLDER = Path(__file__).parents[1] / "engines" / "argo" / "recorded"
TASK = "clf-fit-0a1b2c"
LABEL = "clf.fit"


@cache
def _text(situation: str) -> str:
    return (FOLDER / f"{situation}.json").read_text()


def recorded(situation: str) -> Json:
    """Return a workflow, its pods and their events, as they were."""
    return dict(json.loads(_text(situation)))


def plan_of_one(*, nodes: int = 1, **placement: Any) -> Plan:
    """The plan of the recorded workflows: one task."""
    planned = tuple(
        PlannedNode(
            name="fit" if nodes == 1 else f"fit_{number}",
            namespace="clf",
            function=None,
            inputs=None,
            outputs=None,
        )
        for number in range(nodes)
    )
    task = Task(name=TASK, label=LABEL, position=0, nodes=planned, placement=placement)
    return Plan(Header(parameters="0" * 64), {TASK: task})


def seen(situation: str, plan: Plan | None = None, **left_out: bool) -> Progress:
    """Return how the recorded run gets on; ``pods=False`` leaves its pods out."""
    found = recorded(situation)
    pods = found["pods"] if left_out.get("pods", True) else []
    events = found["events"] if left_out.get("events", True) else {}
    return progress(found["workflow"], plan or plan_of_one(), pods, events)


def seen_task(
    situation: str, plan: Plan | None = None, **left_out: bool
) -> TaskProgress:
    return seen(situation, plan, **left_out).tasks[TASK]


def plan_of(*labels: str) -> Plan:
    """A plan with a task of one node for each label."""
    tasks = [
        Task(
            name=label.replace(".", "-"),
            label=label,
            position=position,
            nodes=(
                PlannedNode(
                    name=label, namespace=None, function=None, inputs=None, outputs=None
                ),
            ),
        )
        for position, label in enumerate(labels)
    ]
    return Plan(Header(parameters="0" * 64), {task.name: task for task in tasks})
