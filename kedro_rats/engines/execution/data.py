"""The data of one task: read from the store, kept in memory, or written to be stored.

Each dataset that a node names is a Kedro dataset here, so that hooks see an ordinary
catalog. What is written goes to a folder of its own first, and into the store when all
nodes have run.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any
from weakref import finalize

from kedro.io import AbstractDataset, DataCatalog, MemoryDataset
from kedro.io.core import DatasetError, Version

from kedro_rats.engines.execution.exit_codes import BadInput, NodeFailed
from kedro_rats.names import base_name, is_parameter
from kedro_rats.plan.catalog import is_memory
from kedro_rats.store import catalogued, formats
from kedro_rats.store.artifacts import (
    DATASET,
    IN_PLACE,
    Artifact,
    fetch_folder,
    put_folder,
)
from kedro_rats.store.catalogued.entries import location_of
from kedro_rats.store.errors import StoreError
from kedro_rats.store.records import record_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.engines.execution.surroundings import Surroundings
    from kedro_rats.plan.model import Source, Task
    from kedro_rats.store.base import Store
    from kedro_rats.store.records import Record


@dataclass(frozen=True, slots=True)
class TaskData:
    """The datasets of one task.

    Attributes:
        task: The task.
        around: What it is executed with.
        folder: A private folder that lives as long as the task.
        inputs: The digest of what was read, by dataset; None for what is not in the
            store.
    """

    task: Task
    around: Surroundings
    folder: Path
    inputs: dict[str, str | None] = field(default_factory=dict)
    _written: dict[str, Path | Kept | None] = field(default_factory=dict)
    _records: dict[str, Record | None] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def catalog(self) -> DataCatalog:
        """Return all datasets that the nodes read, write or confirm."""
        read = {name for node in self.task.nodes for name in _names(node.inputs)}
        datasets = {
            name: self._write(name, read_here=name in read) for name in self.task.writes
        }
        named = (
            name
            for node in self.task.nodes
            for name in (*_names(node.inputs), *_names(node.outputs))
        )
        for name in named:
            if name not in datasets:
                datasets[name] = self._input(name)
        for name, entry in self.task.confirms.items():
            if name not in datasets:
                datasets[name] = self._in_place(name, self.around.entry(entry))
        return DataCatalog(datasets)

    def artifacts(self) -> dict[str, Artifact]:
        """Put what was written into the store; return it by dataset.

        Raises:
            NodeFailed: If a node has not saved what the plan says that it writes.
            StoreError: If the store cannot be written.
        """
        return {name: self._stored(name, w) for name, w in self._written.items()}

    # ---------------------------------------------------------------- reading

    def _input(self, name: str) -> AbstractDataset[Any, Any]:
        if is_parameter(name):
            encoded = self.around.parameters[name]
            return TaskDataset(lambda: self.around.decoder.decode(encoded))
        if name in self.task.reads:
            return self._read(name, self.task.reads[name])
        return self._kept_inside(name)

    def _read(self, name: str, source: Source) -> AbstractDataset[Any, Any]:
        entry = self.around.entry(source.entry)
        artifact = self._artifact(name, source)
        self.inputs[name] = artifact.digest if artifact is not None else None
        if artifact is None or artifact.format == IN_PLACE:
            return self._in_place(name, entry)
        folder = self._new_folder("in")
        # Made now: that its class is not installed here is no fault of the node.
        made = artifact.format == DATASET
        dataset = catalogued.staged(name, entry, folder) if made else None
        return TaskDataset(Fetched(name, artifact, self.around.store, folder, dataset))

    def _artifact(self, name: str, source: Source) -> Artifact | None:
        request = self.around.request
        if source.task is None:
            return request.imports.get(name)
        if source.task not in self._records:
            found = record_of(self.around.store, request.run, source.task)
            self._records[source.task] = found
        record = self._records[source.task]
        made = record.outputs if record is not None else {}
        if source.dataset is None or source.dataset not in made:
            msg = (
                f"Dataset {name!r}: expected that task {source.task!r} of run "
                f"{request.run!r} is committed, got no record of it. Run that task first."
            )
            raise BadInput(msg)
        return made[source.dataset]

    def _in_place(self, name: str, entry: Any) -> AbstractDataset[Any, Any]:
        if entry is None:
            msg = (
                f"Dataset {name!r}: expected a catalog entry or a value from another "
                "run, got neither. Give it an entry in the catalog."
            )
            raise BadInput(msg)
        request = self.around.request
        load_version = request.load_versions.get(name)
        return catalogued.in_place(
            name,
            entry,
            credentials=self.around.credentials,
            version=Version(load_version, request.save_version)
            if entry.get("versioned")
            else None,
        )

    # ---------------------------------------------------------------- inside

    def _kept_inside(self, name: str) -> AbstractDataset[Any, Any]:
        """Return a dataset that stays in the task."""
        entry = self.around.entry(self.task.inside.get(name))
        if entry is None:
            return MemoryDataset()
        if is_memory(entry):
            return AbstractDataset.from_config(name, dict(entry))
        # Read under another name than it is written: the files are the same.
        base = base_name(name)
        folder = next(w for n, w in self._written.items() if base_name(n) == base)
        if not isinstance(folder, Path):
            return self._in_place(name, entry)
        return catalogued.staged(name, entry, folder)

    # ---------------------------------------------------------------- writing

    def _write(self, name: str, *, read_here: bool) -> AbstractDataset[Any, Any]:
        entry = self.around.entry(self.task.writes[name])
        if entry is not None and catalogued.kind_of(entry) == IN_PLACE:
            self._written[name] = None
            return self._in_place(name, entry)
        folder = self._new_folder("out")
        if entry is not None:
            self._written[name] = folder
            location = location_of(entry)
            if catalogued.kind_of(entry) == "folder" and location is not None:
                # As the project's folder is, before a partition is written to it.
                (folder / location.base).mkdir()
            return catalogued.staged(name, entry, folder)
        kept = Kept(name, folder, read_here)
        self._written[name] = kept
        return TaskDataset(kept.load, kept.save)

    def _stored(self, name: str, written: Path | Kept | None) -> Artifact:
        if written is None:
            return Artifact(IN_PLACE)
        if not isinstance(written, Kept):
            return put_folder(self.around.store, written, DATASET, move=True)
        if written.format is None:
            msg = (
                f"Dataset {name!r}: expected that its node saves it, got nothing. Let "
                "the generator yield at least once."
            )
            error = DatasetError(msg)
            raise NodeFailed(self._maker(name), error) from error
        return put_folder(
            self.around.store, written.folder, written.format, written.meta, move=True
        )

    def _maker(self, name: str) -> str:
        nodes = self.task.nodes
        maker = next(node for node in nodes if name in _names(node.outputs))
        return ".".join(filter(None, (maker.namespace, maker.name or self.task.label)))

    def _new_folder(self, kind: str) -> Path:
        folder = self.folder / f"{kind}-{next(self._numbers)}"
        folder.mkdir()
        return folder


class TaskDataset(AbstractDataset[Any, Any]):
    """A dataset of a task whose place is not the catalog's."""

    def __init__(
        self,
        loads: Callable[[], Any],
        saves: Callable[[Any], None] | None = None,
    ) -> None:
        self._loads = loads
        self._saves = saves

    def load(self) -> Any:
        """Return the value."""
        return self._loads()

    def save(self, data: Any) -> None:
        """Take the value."""
        if self._saves is None:
            msg = "an input is not written"
            raise BadInput(msg)
        self._saves(data)

    def _describe(self) -> dict[str, Any]:
        return {}


@dataclass(slots=True)
class Kept:
    """An output without a catalog entry: written by its type, and kept for readers.

    Attributes:
        read_here: Whether another node of the task reads it.
        format: How it was written; None until it was.
        meta: What the format wants to know later.
    """

    name: str
    folder: Path
    read_here: bool
    format: str | None = None
    meta: Mapping[str, Json] = field(default_factory=dict)
    memory: MemoryDataset = field(default_factory=MemoryDataset)

    def save(self, data: Any) -> None:
        """Write the value, in place of an earlier chunk."""
        if self.format is not None:
            shutil.rmtree(self.folder)
            self.folder.mkdir()
        try:
            self.format, self.meta = formats.save_value(data, self.folder)
        except formats.FormatError as error:
            msg = f"Dataset {self.name!r}: {error}"
            raise BadInput(msg) from error
        if self.read_here:
            self.memory.save(data)

    def load(self) -> Any:
        """Return the value, as Kedro's memory gives it."""
        return self.memory.load()


class OwnFolder:
    """A private folder that is removed when nobody has it any more."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix="rats-"))
        finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(slots=True)
class Fetched:
    """A value in the store; its bytes are fetched and verified when it is first loaded.

    Attributes:
        name: The dataset.
        artifact: What is in the store.
        store: Where it is.
        folder: Where its files go; None for a folder that lives as long as this does.
        dataset: Reads the files, if a dataset of the catalog wrote them.
    """

    name: str
    artifact: Artifact
    store: Store
    folder: Path | None = None
    dataset: AbstractDataset[Any, Any] | None = None
    _own: OwnFolder | None = None
    _fetched: bool = False

    def __call__(self) -> Any:
        """Return the value."""
        if self.folder is None:
            self._own = OwnFolder()
            self.folder = self._own.path
        if not self._fetched:
            self._fetch(self.folder)
        if self.dataset is not None:
            return self.dataset.load()
        try:
            value = formats.load_value(
                self.artifact.format, self.folder, self.artifact.meta
            )
            return laid_out(value)
        except formats.FormatError as error:
            msg = f"Dataset {self.name!r}: {error}"
            raise BadInput(msg) from error

    def _fetch(self, folder: Path) -> None:
        try:
            fetch_folder(self.store, self.artifact, folder)
        except StoreError as error:
            named = [
                replace(breach, subject=f"dataset {self.name!r}, {breach.subject}")
                for breach in error.breaches
            ]
            raise type(error)(*named, transient=error.transient) from error
        self._fetched = True


def laid_out(value: Any) -> Any:
    """Return an array or table as Kedro's memory gives it to its readers: as a copy.

    A copy has its rows, or its columns of one type, one after the other in memory; a sum
    of numbers in another order has other last digits.
    """
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return value if value.flags.c_contiguous else value.copy()
    if pandas is not None and isinstance(value, pandas.DataFrame):
        return value.copy()
    return value


def _names(binding: Any) -> list[str]:
    if binding is None:
        return []
    if isinstance(binding, str):
        return [binding]
    return list(binding.values() if isinstance(binding, dict) else binding)
