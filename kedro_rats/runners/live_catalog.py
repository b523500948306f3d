"""What a catalog made in code says of its datasets, as configuration.

``DataCatalog({"X": CSVDataset(...)})`` has no configuration; Kedro can write one for it,
with the credentials apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro.io import MemoryDataset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kedro.io import DataCatalog

_MEMORY = {"type": "MemoryDataset"}


class LiveCatalog:
    """The entries of a catalog that was made in code.

    Attributes:
        credentials: What was taken out of the entries, by the name given to it.
        load_versions: The versions that the catalog loads, by dataset.
        save_version: The version that it saves, if it says one.
    """

    def __init__(self, catalog: DataCatalog) -> None:
        self._catalog = catalog
        self._names = set(catalog.keys())
        config, credentials, versions, save_version = catalog.to_config()
        self._config: Mapping[str, Mapping[str, Any]] = config
        self.credentials: dict[str, Any] = dict(credentials)
        self.load_versions = {n: v for n, v in versions.items() if v is not None}
        self.save_version = save_version

    def entry(self, name: str) -> Mapping[str, Any] | None:
        """Return the entry of a dataset; None if the catalog has none."""
        if name in self._config:
            return self._config[name]
        if name in self._names:
            # Data that is there already is an input of the run, not an entry.
            return None if self.has_value(name) else self._memory(name)
        return self._by_pattern(name)

    def replaced(self, configured: Iterable[str]) -> set[str]:
        """Return those of the configured datasets that somebody put another one for.

        A hook may do that when Kedro has made the catalog.
        """
        known = self._catalog.config_resolver.config
        return {n for n in configured if n in self._names and n not in known}

    def has_value(self, name: str) -> bool:
        """Say whether the catalog holds a dataset's value in memory."""
        if name not in self._names:
            return False
        dataset = self._catalog.get(name)
        return isinstance(dataset, MemoryDataset) and dataset.exists()

    def value(self, name: str) -> object:
        """Return a value that the catalog holds in memory."""
        dataset = self._catalog.get(name)
        return dataset.load() if dataset is not None else None

    def _memory(self, name: str) -> Mapping[str, Any]:
        """Return the entry of a dataset in memory: Kedro's own configuration has none."""
        mode = getattr(self._catalog.get(name), "_copy_mode", None)
        return {**_MEMORY, "copy_mode": mode} if mode else _MEMORY

    def _by_pattern(self, name: str) -> Mapping[str, Any] | None:
        resolver = self._catalog.config_resolver
        if not (
            resolver.match_dataset_pattern(name)
            or resolver.match_user_catch_all_pattern(name)
        ):
            return None
        return self._without_credentials(name, resolver.resolve_pattern(name))

    def _without_credentials(
        self, name: str, entry: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        found = dict(entry)
        if isinstance(found.get("credentials"), dict):
            reference = f"{name}_credentials"
            self.credentials[reference] = found["credentials"]
            found["credentials"] = reference
        return found
