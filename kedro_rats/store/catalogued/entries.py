"""What an entry of the catalog says about where its data is, without its class."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from kedro_rats.errors import Breach, DefinitionError, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = "Literal['file', 'folder', 'in_place']"
Entry: TypeAlias = "Mapping[str, Any]"

LOCAL: Final = "file"
HTTP: Final = frozenset({"http", "https"})

_PROTOCOL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/")
_IN_MEMORY: Final = frozenset({"MemoryDataset", "SharedMemoryDataset"})
# The file of the first two is a query; a table's log must not be moved.
_NOT_STAGED: Final = frozenset(
    {"SQLQueryDataset", "GBQQueryDataset", "DeltaTableDataset", "IncrementalDataset"}
)

_SHORT: Final = frozenset({"pandas", "partitions", "spark"})


@dataclass(frozen=True)
class Location:
    """Where an entry keeps its data.

    Attributes:
        argument: The argument that says so.
        uri: Its value: a path, or a URL.
        protocol: ``file`` for paths.
    """

    argument: str
    uri: str
    protocol: str

    @property
    def base(self) -> str:
        """The last part of the path, with the suffixes that say its format.

        Raises:
            DefinitionError: If there is none, as in ``s3://`` or ``..``.
        """
        path = self.uri.partition("://")[2] if "://" in self.uri else self.uri
        if self.protocol in HTTP:
            path = urlsplit(self.uri).path
        base = PurePosixPath(path).name
        if base in {"", ".."}:
            expected = "the path of a file or folder"
            remedy = "Give it a name of its own."
            raise DefinitionError(
                Breach(f"dataset, {self.argument}", expected, shown(self.uri), remedy)
            )
        return base

    @property
    def path(self) -> str:
        """The same without ``file://`` and without a slash at its end."""
        uri = self.uri
        if self.protocol == LOCAL:
            if uri.startswith("file:"):
                uri = _after_host(self.uri)
            uri = str(Path(uri).expanduser()) if uri.startswith("~") else uri
        return uri.rstrip("/") or "/"


def kind_of(entry: Entry) -> Kind:
    """Say how the data of an entry is kept; its class is not imported.

    - ``file``: it has a ``filepath``. Saving may still make a folder or several files.
    - ``folder``: it has a ``path`` and a ``dataset`` for each file in it, as
      ``PartitionedDataset``.
    - ``in_place``: it has neither (SQL, APIs), or its files must stay where they are: a
      Delta table with its log, an ``IncrementalDataset`` with its checkpoint, partitions
      that are versioned one by one, a file that holds a query.

    Raises:
        DefinitionError: If the data is in memory, so there is nothing to keep.

    Example:
        >>> kind_of({"type": "pandas.CSVDataset", "filepath": "data/x.csv"})
        'file'
        >>> kind_of({"type": "pandas.SQLTableDataset", "table_name": "x"})
        'in_place'
    """
    return kind_of_named(entry, "dataset")


def kind_of_named(entry: Entry, subject: str) -> Kind:
    """Return the same as ``kind_of``; ``subject`` names the dataset in an error."""
    inner = unwrapped(entry)
    kind = class_name(inner)
    if kind in _IN_MEMORY and _is_kedros(inner):
        expected, remedy = "a dataset that keeps its data", "Leave it out of the store."
        raise DefinitionError(Breach(subject, expected, shown(inner["type"]), remedy))
    if kind in _NOT_STAGED and _is_kedros(inner):
        return "in_place"
    if inner.get("filepath") is not None:
        return "file"
    if is_partitioned(inner):
        each = inner["dataset"]
        versioned = isinstance(each, dict) and each.get("versioned")
        return "in_place" if versioned or "checkpoint" in inner else "folder"
    return "in_place"


def unwrapped(entry: Entry) -> dict[str, Any]:
    """Return the entry in a ``CachedDataset``, versioned like it; else the same."""
    if class_name(entry) != "CachedDataset" or not _is_kedros(entry):
        return dict(entry)
    inside = entry.get("dataset")
    inner = dict(inside) if isinstance(inside, dict) else {"type": inside}
    if entry.get("versioned"):
        inner["versioned"] = True
    return unwrapped(inner)


def location_of(entry: Entry) -> Location | None:
    """Return where an entry keeps its data, or None if it has no path."""
    inner = unwrapped(entry)
    argument = "path" if is_partitioned(inner) else "filepath"
    uri = inner.get(argument)
    if uri is None:
        return None
    found = _PROTOCOL.match(str(uri))
    return Location(argument, str(uri), found[1].lower() if found else LOCAL)


def is_local(entry: Entry) -> bool:
    """Say whether an entry keeps its data in files of this machine.

    False for what has no path, such as a table of a database.

    Example:
        >>> is_local({"type": "pandas.CSVDataset", "filepath": "data/x.csv"})
        True
        >>> is_local({"type": "pandas.CSVDataset", "filepath": "s3://bucket/x.csv"})
        False
    """
    location = location_of(entry)
    return location is not None and location.protocol == LOCAL


def is_partitioned(entry: Entry) -> bool:
    """Say whether an entry is a folder with a dataset for each file in it."""
    return "path" in entry and "dataset" in entry and "filepath" not in entry


def class_name(entry: Entry) -> str:
    """Return the last part of an entry's type; ``""`` where it has none."""
    return str(entry.get("type") or "").rpartition(".")[2]


def _is_kedros(entry: Entry) -> bool:
    """Say whether a type is one that Kedro or kedro-datasets defines."""
    first, *others = str(entry["type"]).split(".")
    if first in {"kedro", "kedro_datasets"} or not others:
        return True
    return first in _SHORT and len(others) == 1


def _after_host(url: str) -> str:
    """Return the path of a ``file:`` URL, as Kedro reads it."""
    rest = url.removeprefix("file:")
    return "/" + rest[2:].partition("/")[2] if rest.startswith("//") else rest
