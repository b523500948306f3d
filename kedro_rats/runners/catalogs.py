"""What a runner takes from Kedro's catalog, and what it puts back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.engines.execution.data import Fetched, TaskDataset
from kedro_rats.names import is_parameter
from kedro_rats.store.records import record_of

if TYPE_CHECKING:
    from kedro.io import AbstractDataset, DataCatalog
    from kedro.pipeline import Pipeline

    from kedro_rats.runners.preparing import Prepared
    from kedro_rats.runners.project import ProjectView


def save_version(view: ProjectView) -> str | None:
    """Return the version that the catalog saves versioned datasets under."""
    return view.live.save_version if view.live is not None else None


def parameters_of(pipeline: Pipeline, catalog: DataCatalog) -> dict[str, object]:
    """Return the values of the parameters that a pipeline reads, by their names."""
    names = {n for node in pipeline.nodes for n in node.inputs if is_parameter(n)}
    found = {}
    for name in sorted(names):
        if name in catalog:
            found[name] = catalog[name].load()
    return found


def outputs_of(
    pipeline: Pipeline, catalog: DataCatalog, prepared: Prepared
) -> dict[str, AbstractDataset[Any, Any]]:
    """Return the free outputs; those without a place are read from the store."""
    made = {
        name: (task.name, entry)
        for task in prepared.lowered.plan
        for name, entry in task.writes.items()
    }
    run = prepared.request.run
    for name in sorted(pipeline.outputs()):
        task, entry = made[name]
        if entry is None:
            record = record_of(prepared.store, run, task)
            if record is not None:
                fetched = Fetched(name, record.outputs[name], prepared.store)
                catalog[name] = TaskDataset(fetched)
    return {name: catalog[name] for name in pipeline.outputs()}
