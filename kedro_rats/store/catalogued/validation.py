"""Kedro's validators (``validator:`` of an entry, Kedro 1.6), kept with the dataset."""

from __future__ import annotations

from typing import Any

from kedro.io import AbstractDataset, DataCatalog


class Handed(AbstractDataset[Any, Any]):
    """Hands on what it was given; the catalog validates it on the way."""

    def __init__(self) -> None:
        self._value: Any = None

    def load(self) -> Any:
        """Return the value."""
        return self._value

    def save(self, data: Any) -> None:
        """Take the value."""
        self._value = data

    def _describe(self) -> dict[str, Any]:
        return {}


class Validated(AbstractDataset[Any, Any]):
    """A dataset whose values are validated as the catalog of Kedro validates them.

    In Kedro the catalog does it, which knows the entry; a dataset alone would not.
    """

    def __init__(
        self, name: str, dataset: AbstractDataset[Any, Any], validator: Any
    ) -> None:
        self.dataset = dataset
        self._name = name
        self._validator = validator

    def load(self) -> Any:
        """Load, then validate."""
        value = self.dataset.load()
        catalog, handed = self._catalog()
        handed.save(value)
        return catalog.load(self._name)

    def save(self, data: Any) -> None:
        """Validate, then save what the validator returns."""
        catalog, handed = self._catalog()
        catalog.save(self._name, data)
        self.dataset.save(handed.load())

    def _exists(self) -> bool:
        return self.dataset.exists()

    def _release(self) -> None:
        self.dataset.release()

    def _describe(self) -> dict[str, Any]:
        described: dict[str, Any] = self.dataset._describe()
        return described

    def _catalog(self) -> tuple[DataCatalog, Handed]:
        # By its public interface alone: the functions behind it are Kedro's own affair.
        kind = f"{Handed.__module__}.{Handed.__qualname__}"
        entry = {"type": kind, "validator": self._validator}
        catalog = DataCatalog.from_config({self._name: entry})
        handed: Any = catalog[self._name]
        return catalog, handed
