"""The templates of a workflow: one for each placement, and one for each DAG."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo import naming
from kedro_rats.engines.argo.translation.characters import TASK_INPUT
from kedro_rats.engines.argo.translation.joins import JOIN
from kedro_rats.engines.argo.translation.ladders import ladder, steps
from kedro_rats.engines.argo.translation.pods import artifacts, container, queue_labels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hera.workflows import DAG, Container

    from kedro_rats.engines.argo.settings import ArgoSettings
    from kedro_rats.engines.argo.translation.structure import Dag, Item

ENTRY: Final = "main"
"""The DAG that a workflow begins with."""

_DAG: Final = "dag"
_POD: Final = "pod"
_LADDER: Final = "ladder"
# They say when a task runs, or how its results are used, and nothing of its pod.
_NOT_OF_A_POD: Final = ("group", "cache")


class Templates:
    """Collects the templates of one workflow; equal ones are one."""

    def __init__(self, settings: ArgoSettings, command: Sequence[str]) -> None:
        self._settings = settings
        self._command = command
        self._namer = naming.Namer()
        self._dags: list[DAG] = []
        self._ladders: list[DAG] = []
        self._pods: dict[str, Container] = {}
        self._of: dict[str, str] = {}
        self._has_join = False

    def add(self, dag: Dag, placements: Mapping[str, Mapping[str, Any]]) -> None:
        """Add a DAG, all DAGs in it and the pods of its tasks.

        Args:
            dag: The DAG with which the workflow begins.
            placements: Where each task runs, by its name.
        """
        by_task = {task: self._template_of(said) for task, said in placements.items()}
        self._add_dag(dag, ENTRY, by_task)

    def built(self) -> list[Any]:
        """Return all templates, as Hera takes them."""
        from hera.workflows import Suspend

        joins = [Suspend(name=JOIN, duration="0")] if self._has_join else []
        return [*self._dags, *self._ladders, *joins, *self._pods.values()]

    # ------------------------------------------------------------------ DAGs

    def _add_dag(self, dag: Dag, name: str, by_task: Mapping[str, str]) -> None:
        from hera.workflows import DAG

        place = len(self._dags)
        tasks = [self._dag_task(item, by_task) for item in dag.items]
        self._dags.insert(place, DAG(name=name, tasks=tasks))

    def _dag_task(self, item: Item, by_task: Mapping[str, str]) -> Any:
        from hera.workflows import Parameter, Task

        after = list(item.after) or None
        if item.task is not None:
            told = [Parameter(name="task", value=item.task)]
            template = by_task[item.task]
            return Task(
                name=item.name, template=template, arguments=told, dependencies=after
            )
        if item.dag is None:
            self._has_join = True
            return Task(name=item.name, template=JOIN, dependencies=after)
        # Pods and ladders are called otherwise, and no namespace has their names.
        name = self._namer.name(f"{_DAG}-{item.dag.label}")
        self._add_dag(item.dag, name, by_task)
        return Task(name=item.name, template=name, dependencies=after)

    # ------------------------------------------------------------------ pods

    def _template_of(self, placement: Mapping[str, Any]) -> str:
        """Return the name of the template that runs a task."""
        said = {k: v for k, v in placement.items() if k not in _NOT_OF_A_POD}
        key = json.dumps(said, sort_keys=True)
        if key not in self._of:
            pods = [self._pod(placement, memory) for memory in steps(placement)]
            self._of[key] = pods[0] if len(pods) == 1 else self._ladder(pods)
        return self._of[key]

    def _ladder(self, pods: Sequence[str]) -> str:
        name = f"{_LADDER}-{len(self._ladders)}"
        self._ladders.append(ladder(name, pods, task=TASK_INPUT))
        return name

    def _pod(self, placement: Mapping[str, Any], memory: str | None) -> str:
        from hera.workflows import Parameter

        made = container(
            f"{_POD}-{len(self._pods)}",
            placement,
            self._command,
            self._settings,
            memory=memory,
            inputs=[Parameter(name="task")],
            outputs=artifacts(self._settings),
            labels={
                naming.TASK: TASK_INPUT,
                **queue_labels(placement, self._settings),
            },
        )
        model = made._build_template().model_copy(update={"name": None})
        key = model.model_dump_json(exclude_none=True)
        return self._pods.setdefault(key, made).name or ""
