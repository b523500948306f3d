"""Runs of pipelines made in code: prepared, and their tasks run one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kedro.io import DataCatalog, MemoryDataset

from kedro_rats.engines.execution.hooks import NoHooks
from kedro_rats.engines.execution.task import execute
from kedro_rats.runners.local import LocalOptions, LocalRunner
from kedro_rats.runners.preparing import Asked, prepare
from kedro_rats.runners.project import of_catalog

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.pipeline import Pipeline

    from kedro_rats.engines.execution.task import Outcome
    from kedro_rats.placement.settings import Settings
    from kedro_rats.plan.model import Task
    from kedro_rats.runners.preparing import Prepared

ISOLATED = LocalOptions(isolate=True)


def catalog_of(**values: Any) -> DataCatalog:
    return DataCatalog({name: MemoryDataset(value) for name, value in values.items()})


def prepared(
    pipeline: Pipeline,
    catalog: DataCatalog | Mapping[str, Any],
    run: str = "r1",
    *,
    settings: Settings | None = None,
) -> Prepared:
    """Put a run of a pipeline into the store of the current folder; run nothing."""
    if not isinstance(catalog, DataCatalog):
        catalog = DataCatalog({n: MemoryDataset(v) for n, v in catalog.items()})
    names = sorted(n for n in pipeline.inputs() if n.startswith("param"))
    values = {name: catalog[name].load() for name in names}
    view = of_catalog(catalog, None)
    view = replace(view, settings=settings or view.settings)
    return prepare(pipeline, view, parameters=values, asked=Asked(run=run))


def task_of(found: Prepared, node: str) -> Task:
    """Return the task that has a node."""
    return next(t for t in found.lowered.plan if node in [n.name for n in t.nodes])


def run_task(found: Prepared, task: Task, hooks: Any = None) -> Outcome:
    """Run a task of a prepared run in this process."""
    around = found.surroundings()
    return execute(task, around, hooks=lambda _: hooks or NoHooks())


def isolated_runner(**options: Any) -> LocalRunner:
    return LocalRunner(_options=ISOLATED, **options)
