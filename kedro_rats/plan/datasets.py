"""What the catalog says of the datasets of one pipeline, and as data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kedro_rats.encoding.values import Unencodable
from kedro_rats.errors import Breach, DefinitionError
from kedro_rats.plan.catalog import is_memory
from kedro_rats.plan.entries import entry_breaches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.encoding.objects import ObjectEncoder
    from kedro_rats.plan.catalog import CatalogEntries


class Datasets:
    """The catalog entries of some datasets, each looked up and encoded once.

    Attributes:
        breaches: What is wrong with them.
    """

    def __init__(
        self, names: Iterable[str], catalog: CatalogEntries, encoder: ObjectEncoder
    ) -> None:
        self._encoder = encoder
        self.breaches: list[Breach] = []
        self._entries: dict[str, Mapping[str, Any]] = {}
        for name in dict.fromkeys(names):
            self._look_up(name, catalog)
        self._encoded: dict[str, Json] = {}

    def _look_up(self, name: str, catalog: CatalogEntries) -> None:
        try:
            entry = catalog.get(name)
        except DefinitionError as error:
            self.breaches += error.breaches
            return
        if entry is None:
            return
        self.breaches += entry_breaches(name, entry)
        if isinstance(entry, Mapping):
            self._entries[name] = entry

    def catalogued(self, name: str) -> bool:
        """Say whether the catalog gives a dataset a place."""
        entry = self._entries.get(name)
        return entry is not None and not is_memory(entry)

    def in_memory(self, name: str) -> bool:
        """Say whether the catalog says that a dataset lives in memory only."""
        entry = self._entries.get(name)
        return entry is not None and is_memory(entry)

    def known(self) -> list[str]:
        """Return the datasets that have a place."""
        return [name for name in self._entries if self.catalogued(name)]

    def entry(self, name: str) -> Json:
        """Return a dataset's entry as data; None if it has none."""
        if name not in self._entries:
            return None
        if name not in self._encoded:
            self._encoded[name] = self._encode(name, self._entries[name])
        return self._encoded[name]

    def _encode(self, name: str, entry: Mapping[str, Any]) -> Json:
        try:
            return self._encoder.encode(dict(entry))
        except Unencodable as error:
            self.breaches.append(
                Breach(
                    f"dataset {name!r}{error.path}",
                    "plain values",
                    error.type_name,
                    "Write it as text, a number, a list or a mapping.",
                )
            )
            return None
