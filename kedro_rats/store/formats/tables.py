"""Tables of Polars and of Arrow."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.store.formats.protocol import Unsuitable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.formats.protocol import Meta

_ONE_COLUMN: Final = "values"


class PolarsParquet:
    """``polars.parquet``: a DataFrame, Series or LazyFrame of Polars.

    A LazyFrame is collected when it is saved and read as a lazy view of the result, so
    that the reader needs no file of the writer. Objects and categoricals are left to a
    later format.
    """

    name = "polars.parquet"
    keeps_folder = False
    _FILE = "data.parquet"

    def accepts(self, value: object) -> bool:
        """Say whether a value is a table of Polars, not of a subclass."""
        polars = sys.modules.get("polars")
        return polars is not None and type(value) in (
            polars.DataFrame,
            polars.Series,
            polars.LazyFrame,
        )

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the table; the same table is the same bytes."""
        import polars as pl

        kind = type(value).__name__
        frame = value.collect() if kind == "LazyFrame" else value
        frame = value.to_frame() if kind == "Series" else frame
        if not frame.width or any(_has_codes(dtype) for dtype in frame.dtypes):
            raise Unsuitable("Parquet does not keep such columns")
        try:
            empty = io.BytesIO()
            frame.clear().write_parquet(empty)
            empty.seek(0)
            kept = pl.read_parquet(empty, hive_partitioning=False).schema
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as reason:
            raise Unsuitable(str(reason)) from reason
        if kept != frame.schema:
            raise Unsuitable("Parquet changes the type of a column")
        frame.write_parquet(folder / self._FILE, compression="lz4")
        return {"kind": kind}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:
        """Return the table."""
        import polars as pl

        with (folder / self._FILE).open("rb") as file:
            frame = pl.read_parquet(file, hive_partitioning=False)
        if meta["kind"] == "LazyFrame":
            return frame.lazy()
        return frame.to_series() if meta["kind"] == "Series" else frame


class ArrowIPC:
    """``pyarrow.ipc``: a Table, RecordBatch, Array or ChunkedArray of Arrow.

    Arrow's own file keeps every type and the metadata of schemas; Parquet changes
    times in seconds and dictionaries.
    """

    name = "pyarrow.ipc"
    keeps_folder = False
    _FILE = "data.arrow"

    def accepts(self, value: object) -> bool:
        """Say whether a value is one of these."""
        arrow = sys.modules.get("pyarrow")
        return arrow is not None and isinstance(
            value, (arrow.Table, arrow.RecordBatch, arrow.Array, arrow.ChunkedArray)
        )

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the table; the same table is the same bytes."""
        import pyarrow as pa

        kind, table = _as_table(value)
        try:
            same = pa.ipc.read_schema(table.schema.serialize())
        except pa.ArrowException as reason:
            raise Unsuitable(str(reason)) from reason
        if not same.equals(table.schema, check_metadata=True):
            raise Unsuitable("Arrow does not keep the type of a column")
        path = str(folder / self._FILE)
        with pa.OSFile(path, "wb") as file, pa.ipc.new_file(file, table.schema) as out:
            # A batch has its number of rows even without columns, a table may not.
            out.write(value if kind == "RecordBatch" else table)
        return {"kind": kind}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:
        """Return the table; it is read into memory, so it does not need the file."""
        import pyarrow as pa

        kind = meta["kind"]
        with pa.OSFile(str(folder / self._FILE), "rb") as file:
            reader = pa.ipc.open_file(file)
            if kind == "RecordBatch":
                return reader.get_batch(0)
            table = reader.read_all()
        if kind == "Table":
            return table
        chunks = table.column(0)
        if kind == "ChunkedArray":
            return chunks
        none = pa.array([], type=chunks.type)
        return pa.concat_arrays(chunks.chunks) if chunks.chunks else none


def _as_table(value: Any) -> tuple[str, Any]:
    import pyarrow as pa

    if isinstance(value, pa.Table):
        return "Table", value
    if isinstance(value, pa.RecordBatch):
        return "RecordBatch", pa.Table.from_batches([value])
    kind = "Array" if isinstance(value, pa.Array) else "ChunkedArray"
    return kind, pa.table({_ONE_COLUMN: value})


def _has_codes(dtype: Any) -> bool:
    """Say whether a type has objects or categories in it, at any depth."""
    import polars as pl

    if isinstance(dtype, (pl.Object, pl.Categorical)):
        return True
    inner = getattr(dtype, "inner", None)
    fields = getattr(dtype, "fields", ())
    return (inner is not None and _has_codes(inner)) or any(
        _has_codes(field.dtype) for field in fields
    )
