"""Datasets that a project might have: not of Kedro's, and not all well-behaved."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, AbstractVersionedDataset


class LinesDataset(AbstractDataset[list[str], list[str]]):
    """Keeps lines of text in a file; its folder must be there, as in Kedro's docs."""

    def __init__(
        self,
        filepath: str,
        end: str = "\n",
        mode: str = "w",
        save_args: dict[str, Any] | None = None,
    ) -> None:
        self._filepath = PurePosixPath(filepath)
        self._end = end
        self._mode = mode
        self.save_args = save_args

    def load(self) -> list[str]:
        return Path(self._filepath).read_text().split(self._end)[:-1]

    def save(self, data: list[str]) -> None:
        with Path(self._filepath).open(self._mode) as file:
            file.writelines(line + self._end for line in data)

    def _exists(self) -> bool:
        return Path(self._filepath).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}


class InsistingDataset(AbstractVersionedDataset[str, str]):
    """Insists on the argument ``version``, as the example in Kedro does."""

    def __init__(self, filepath: str, version: Any) -> None:
        super().__init__(PurePosixPath(filepath), version)

    def load(self) -> str:
        return Path(self._get_load_path()).read_text()

    def save(self, data: str) -> None:
        path = Path(self._get_save_path())
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data)

    def _exists(self) -> bool:
        return Path(self._get_load_path()).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}


class AlwaysVersionedDataset(InsistingDataset):
    """Is versioned whatever its entry says, as tracking datasets are."""

    versioned = True

    def __init__(self, filepath: str, version: Any = None) -> None:
        super().__init__(filepath, version)


class ShapeDataset(LinesDataset):
    """Writes a second file beside the first, as shapefiles do."""

    def save(self, data: list[str]) -> None:
        super().save(data)
        Path(self._filepath).with_suffix(".idx").write_text(str(len(data)))

    def load(self) -> list[str]:
        lines = super().load()
        assert Path(self._filepath).with_suffix(".idx").read_text() == str(len(lines))
        return lines


class PolarsCSVDataset(LinesDataset):
    """Reads and writes tables of Polars."""

    def save(self, data: Any) -> None:
        data.write_csv(str(self._filepath))

    def load(self) -> Any:
        import polars as pl

        return pl.read_csv(str(self._filepath))


class TableDataset(AbstractDataset[Any, Any]):
    """Is in a database: it has a connection, and no file."""

    def __init__(self, table: str, credentials: dict[str, Any]) -> None:
        if credentials.get("con", "").startswith("broken"):
            msg = f"could not parse {credentials['con']!r}"
            raise ValueError(msg)
        self.table, self.credentials = table, credentials

    def load(self) -> Any:
        return self.table

    def save(self, data: Any) -> None:
        self.table = data

    def _describe(self) -> dict[str, Any]:
        return {"table": self.table}


class Sorted:
    """A validator of Kedro 1.6: refuses an empty list, and sorts what it gets."""

    def validate(self, data: list[str]) -> list[str]:
        if not data:
            msg = "no lines"
            raise ValueError(msg)
        return sorted(data)
