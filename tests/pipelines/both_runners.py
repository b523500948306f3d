"""One pipeline run by Kedro's ``SequentialRunner`` and by ours, on the same catalog."""

from __future__ import annotations

import os
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from kedro_rats.engines.execution.data import Fetched, TaskDataset
from kedro_rats.runners.local import run_prepared
from kedro_rats.runners.preparing import Asked, prepare
from kedro_rats.runners.project import of_catalog
from kedro_rats.store.records import record_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kedro.pipeline import Pipeline

    from kedro_rats.placement.settings import Settings
VERSION = "2026-11-21T10.00.00.000Z"


@dataclass(frozen=True)
class Case:
    """A pipeline with all that it runs on."""

    pipeline: Pipeline
    config: Mapping[str, Mapping[str, Any]]
    values: Mapping[str, Any]

    def catalog(self) -> DataCatalog:
        config = {name: dict(entry) for name, entry in self.config.items()}
        catalog = DataCatalog.from_config(config, save_version=VERSION)
        for name, value in self.values.items():
            catalog[name] = MemoryDataset(value)
        return catalog

    def files(self) -> list[str]:
        """Return what the catalog keeps in files and the pipeline makes."""
        return sorted(
            name
            for name in self.pipeline.all_outputs()
            if self.config.get(name, {}).get("filepath")
        )


@dataclass(frozen=True)
class Made:
    """What a runner left: free outputs, what is in files, and the files."""

    outputs: dict[str, Any]
    loaded: dict[str, Any]
    files: dict[str, bytes]


@contextmanager
def new_folder() -> Iterator[Path]:
    """Go to a new folder while this lasts: catalogs and the store are relative to it."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as made:
        os.chdir(made)
        try:
            yield Path(made)
        finally:
            os.chdir(before)


@contextmanager
def without_advice() -> Iterator[None]:
    """Ignore what Kedro says about pipelines and versions, once a process."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="kedro")
        warnings.filterwarnings("ignore", category=UserWarning)
        yield


def by_kedro(case: Case) -> Made:
    with new_folder() as folder, without_advice():
        catalog = case.catalog()
        made = SequentialRunner().run(case.pipeline, catalog)
        return _made(case, made, folder)


def by_us(case: Case, runner: Any) -> Made:
    with new_folder() as folder, without_advice():
        catalog = case.catalog()
        made = runner.run(case.pipeline, catalog)
        return _made(case, made, folder)


def with_settings(case: Case, settings: Settings) -> tuple[Made, int]:
    """Run a pipeline as a project with a ``rats.yml`` does; also say how many tasks."""
    with new_folder() as folder, without_advice():
        catalog = case.catalog()
        view = replace(of_catalog(catalog, None), settings=settings)
        given = {n: v for n, v in case.values.items() if n.startswith("param")}
        prepared = prepare(
            case.pipeline, view, parameters=given, asked=Asked(run=VERSION)
        )
        run_prepared(prepared, hooks=None, isolate=False, keep_going=False)
        outputs: dict[str, Any] = {}
        for task in prepared.lowered.plan:
            record = record_of(prepared.store, prepared.request.run, task.name)
            assert record is not None
            for name in set(record.outputs) & case.pipeline.outputs():
                if name in case.files():
                    outputs[name] = catalog[name]
                    continue
                fetched = Fetched(name, record.outputs[name], prepared.store)
                outputs[name] = TaskDataset(fetched)
        return _made(case, outputs, folder), len(prepared.lowered.plan)


def _made(case: Case, outputs: Mapping[str, Any], folder: Path) -> Made:
    # A catalog of its own, since one that saved remembers the versions.
    reading = case.catalog()
    return Made(
        {
            name: outputs[name].load()
            for name in sorted(outputs)
            if name not in case.files()
        },
        {name: reading.load(name) for name in case.files()},
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and ".rats" not in path.parts
        },
    )
