"""Tables of pandas: Parquet where it keeps everything, pickle where it would not."""

from __future__ import annotations

import io
import pickle
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.encoding import values
from kedro_rats.store.formats.pickles import PROTOCOL, needs_main
from kedro_rats.store.formats.protocol import Unsuitable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.formats.protocol import Meta

_FILE: Final = "data.parquet"
_INDEX_FILE: Final = "index.parquet"
_INDEX: Final = "index"
_SERIES: Final = "values"


class PandasParquet:
    """``pandas.parquet``: a DataFrame, Series or Index that Parquet keeps exactly.

    The index and the labels of the columns are kept by us, not by Parquet, so that a
    ``RangeIndex`` and a name that is no text come back. All else that Parquet would
    change is left to ``pandas.pickle``.
    """

    name = "pandas.parquet"
    keeps_folder = False

    def accepts(self, value: object) -> bool:
        """Say whether a value is a table of pandas, not of a subclass."""
        return _kind(value) is not None

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the table; the same table is the same bytes."""
        if find_spec("pyarrow") is None:
            raise Unsuitable("pyarrow is not installed")
        import pyarrow as pa

        kind = str(_kind(value))
        frame, meta = _as_frame(value, kind)
        try:
            packed = _packed(frame)
            _check_types(frame, packed)
        except (pa.ArrowException, UnicodeError, values.Unencodable) as reason:
            raise Unsuitable(str(reason)) from reason
        _write(packed.table, folder / _FILE)
        if packed.labels is not None:
            _write(packed.labels, folder / _INDEX_FILE)
        return {"kind": kind, **meta, **packed.meta}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:
        """Return the table."""
        path = folder / _INDEX_FILE
        labels = _read(path) if path.exists() else None
        frame = _unpacked(_Packed(_read(folder / _FILE), labels, meta))
        found: Any = meta
        if found["kind"] == "series":
            return frame[_SERIES].rename(values.decode(found["name"]))
        return frame.index if found["kind"] == "index" else frame


class PandasPickle:
    """``pandas.pickle``: what pandas defines and Parquet would change.

    Loading runs code that the file holds, so only after its digest was verified.
    """

    name = "pandas.pickle"
    keeps_folder = False
    _FILE = "data.pickle"

    def accepts(self, value: object) -> bool:
        """Say whether the value's class is one of pandas itself."""
        return type(value).__module__.partition(".")[0] == "pandas"

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the value; one that pickle cannot write is left to cloudpickle."""
        if needs_main(value):
            raise Unsuitable("it refers to the module __main__")
        try:
            with (folder / self._FILE).open("wb") as file:
                pickle.dump(value, file, protocol=PROTOCOL)
        except (OSError, MemoryError):
            raise
        except Exception as reason:
            raise Unsuitable(str(reason)) from reason
        return {}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:  # noqa: ARG002
        """Return the value. Runs code: verify the digest before."""
        with (folder / self._FILE).open("rb") as file:
            return pickle.load(file)  # noqa: S301 - the caller verified the digest


def _kind(value: object) -> str | None:
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return None
    kinds = {
        getattr(pandas, name, None): kind
        for name, kind in [
            ("DataFrame", "frame"),
            ("Series", "series"),
            ("Index", "index"),
            ("RangeIndex", "index"),
            ("DatetimeIndex", "index"),
            ("TimedeltaIndex", "index"),
        ]
    }
    return kinds.get(type(value))


def _as_frame(value: Any, kind: str) -> tuple[Any, Meta]:
    import pandas as pd

    if kind == "index":
        return pd.DataFrame(index=value), {}
    if value.attrs or not value.flags.allows_duplicate_labels:
        raise Unsuitable("it has attributes or flags of its own")
    if kind == "frame":
        return value, {}
    name = _encoded(value.name)
    return value.rename(_SERIES).to_frame(), {"name": name}


def _encoded(label: object) -> Json:
    try:
        return values.encode(label)
    except values.Unencodable as reason:
        raise Unsuitable(f"a label is no plain data: {reason}") from reason


@dataclass(frozen=True)
class _Packed:
    """A frame as Arrow tables with plain labels, and what these stand for."""

    table: Any
    labels: Any
    """The index; None where it is a range."""

    meta: Mapping[str, Json]


def _packed(frame: Any) -> _Packed:
    columns, names = _columns_meta(frame.columns)
    index = _index_meta(frame.index)
    packed = frame.copy(deep=False)
    packed.columns = names
    labels = None
    if index["range"] is None:
        labels = _table(frame.index.to_frame(index=False, name=_INDEX))
    meta: Meta = {"columns": columns, "index": index, "by_rows": _is_by_rows(frame)}
    return _Packed(_table(packed), labels, meta)


def _table(frame: Any) -> Any:
    import pyarrow as pa

    for name in frame.columns:
        _check_column(frame[name])
    return pa.Table.from_pandas(frame, preserve_index=False)


def _columns_meta(columns: Any) -> tuple[Meta, list[str]]:
    import pandas as pd

    name = _encoded(columns.name)
    if type(columns) is pd.RangeIndex:
        return {"range": _range(columns), "name": name}, [*map(str, columns)]
    if type(columns) is not pd.Index or not columns.is_unique:
        raise Unsuitable("the columns have labels that Parquet does not have")
    names = list(columns)
    if not all(type(label) is str for label in names):
        raise Unsuitable("the columns have labels that are no text")
    return {"range": None, "dtype": str(columns.dtype), "name": name}, names


def _index_meta(index: Any) -> Meta:
    import pandas as pd

    if type(index) is pd.RangeIndex:
        return {"range": _range(index), "name": _encoded(index.name)}
    if type(index) not in (pd.Index, pd.DatetimeIndex, pd.TimedeltaIndex):
        raise Unsuitable(f"Parquet has no {type(index).__name__}")
    if getattr(index, "freq", None) is not None:
        raise Unsuitable("the index has a frequency")
    return {"range": None, "name": _encoded(index.name)}


def _range(index: Any) -> Json:
    return [int(index.start), int(index.stop), int(index.step)]


def _check_column(column: Any) -> None:
    """Raise if Parquet would change values of a column.

    What it would do to the type is seen by trying (``_check_types``); what it would do
    to single values is known here.
    """
    import numpy as np
    import pandas as pd

    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        if dtype.kind in "biuMm" or (dtype.kind == "f" and dtype.itemsize in (4, 8)):
            return
        if dtype.kind == "O" and set(map(type, column)) <= {str, type(None)}:
            return
    elif isinstance(dtype, pd.StringDtype):
        # Only Python's own storage may hold text of another class.
        if dtype.storage == "pyarrow" or set(map(type, column.dropna())) <= {str}:
            return
    elif isinstance(dtype, (pd.BooleanDtype, pd.DatetimeTZDtype, *_integers())):
        return
    raise Unsuitable(f"Parquet does not keep columns of type {dtype}")


def _integers() -> tuple[type, ...]:
    import pandas as pd

    signs, sizes = ("Int", "UInt"), (8, 16, 32, 64)
    return tuple(getattr(pd, f"{s}{n}Dtype") for s in signs for n in sizes)


def _is_by_rows(frame: Any) -> bool:
    """Say whether the values are one array, row by row, as after ``DataFrame(array)``.

    Sums over such an array differ in the last bit from those over one that is stored
    by columns, so the order is kept.
    """
    rows, width = frame.shape
    if rows < 2 or width < 2 or frame.dtypes.nunique() != 1:
        return False
    first, second = (frame.iloc[:, i].to_numpy() for i in (0, 1))
    if first.dtype.kind not in "biuf" or first.dtype != frame.dtypes.iloc[0]:
        return False
    start, following = (
        int(part.__array_interface__["data"][0]) for part in (first, second)
    )
    size = first.itemsize
    return bool(first.strides[0] >= width * size and following - start == size)


def _check_types(frame: Any, packed: _Packed) -> None:
    """Raise if a frame of these types, here without rows, comes back with others."""
    empty = frame.iloc[:0]
    meta, index = packed.meta, dict[str, Any](packed.meta["index"])  # type: ignore[arg-type]
    if index["range"] is not None:
        meta = {**meta, "index": {**index, "range": _range(empty.index)}}
    labels = None if packed.labels is None else _reread(packed.labels.slice(0, 0))
    back = _unpacked(_Packed(_reread(packed.table.slice(0, 0)), labels, meta))
    pairs = [
        (back.index, empty.index),
        (back.columns, frame.columns),
        *zip(back.dtypes, frame.dtypes, strict=True),
    ]
    if not all(_same_type(one, other) for one, other in pairs):
        raise Unsuitable("Parquet changes the type of a column or of the index")


def _same_type(one: Any, other: Any) -> bool:
    """Compare two dtypes, or two indexes with all that they are."""
    if hasattr(one, "identical"):
        return bool(one.identical(other)) and _same_type(one.dtype, other.dtype)
    zones = [type(getattr(dtype, "tz", None)) for dtype in (one, other)]
    return type(one) is type(other) and bool(one == other) and zones[0] is zones[1]


def _unpacked(packed: _Packed) -> Any:
    """Return the frame of which ``_packed`` made the tables."""
    import numpy as np
    import pandas as pd

    meta = packed.meta
    columns: Any = meta["columns"]
    index: Any = meta["index"]
    frame = packed.table.to_pandas()
    if packed.labels is None:
        frame.index = pd.RangeIndex(*index["range"])
    else:
        labels = packed.labels.to_pandas()[_INDEX]
        frame.index = pd.Index(labels, dtype=labels.dtype)
    frame.index.name = values.decode(index["name"])
    if meta["by_rows"]:
        data = np.ascontiguousarray(frame.to_numpy())
        frame = pd.DataFrame(data, frame.index, frame.columns, copy=False)
    if columns["range"] is None:
        frame.columns = pd.Index(list(frame.columns), dtype=columns["dtype"])
    else:
        frame.columns = pd.RangeIndex(*columns["range"])
    frame.columns.name = values.decode(columns["name"])
    return frame


def _write(table: Any, where: Any) -> None:
    from pyarrow.parquet import write_table

    write_table(table, where, version="2.6", compression="lz4")


def _read(where: Any) -> Any:
    from pyarrow.parquet import ParquetFile

    # Not `read_table`: it looks for partitions in the names of folders.
    with ParquetFile(where) as file:
        return file.read()


def _reread(table: Any) -> Any:
    file = io.BytesIO()
    _write(table, file)
    return _read(file)
