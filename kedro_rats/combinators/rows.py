"""Rows of any container: counting them, taking some, putting parts together again.

Rows are always found by position. An index, which may be duplicated or in any order, is
carried along and never joined on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.errors import RatsError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    Positions = npt.NDArray[np.intp]


def count(rows: Any) -> int:
    """Return the number of rows.

    Example:
        >>> count([[1, 2], [3, 4], [5, 6]])
        3
    """
    if hasattr(rows, "num_rows"):
        return int(rows.num_rows)
    if hasattr(rows, "shape") and rows.shape:
        return int(rows.shape[0])
    if hasattr(rows, "__len__"):
        return len(rows)
    msg = (
        f"Rows: expected an array, a table or a list, got {shown(rows)}. "
        "Name what is not rows in shared."
    )
    raise RatsError(msg)


def take(rows: Any, positions: Positions) -> Any:
    """Return the rows at some positions, in a container of the same type.

    Sparse formats that cannot be sliced by rows (COO, BSR, DIA) become CSR.

    Example:
        >>> import numpy as np
        >>> take(["a", "b", "c"], np.array([2, 0]))
        ['c', 'a']
    """
    if hasattr(rows, "iloc"):
        # Not iloc: pandas 2 warns when a function then writes into its rows.
        return rows.take(positions)
    if _is_sparse(rows):
        return rows[positions] if rows.format in _SLICED else rows.tocsr()[positions]
    if _module(rows) == "pyarrow":
        return rows.take(positions)
    if isinstance(rows, (list, tuple)):
        return type(rows)([rows[i] for i in positions])
    return rows[positions]


def put_together(parts: Sequence[Any], positions: Sequence[Positions]) -> Any:
    """Return the rows of several parts, each where ``positions`` says.

    Args:
        parts: Containers of one type.
        positions: For each part, where its rows belong. Together they are all positions
            from 0, each once.

    Example:
        >>> import numpy as np
        >>> put_together([["b"], ["c", "a"]], [np.array([1]), np.array([2, 0])])
        ['a', 'b', 'c']
    """
    import numpy as np

    order = np.concatenate([np.asarray(p, dtype=np.intp) for p in positions])
    where = np.empty(len(order), dtype=np.intp)
    where[order] = np.arange(len(order))
    return take(_concatenated(parts), where)


def _concatenated(parts: Sequence[Any]) -> Any:
    first = parts[0]
    if isinstance(first, (list, tuple)):
        return type(first)([row for part in parts for row in part])
    if _is_sparse(first):
        from scipy import sparse

        return sparse.vstack(list(parts), format=first.format)
    if _module(first) == "pandas":
        import pandas as pd

        return pd.concat(list(parts))
    if _module(first) == "polars":
        import polars as pl

        return pl.concat(list(parts))
    if _module(first) == "pyarrow":
        return _concatenated_arrow(parts)
    import numpy as np

    if isinstance(first, np.ma.MaskedArray):
        joined: Any = np.ma.concatenate(list(parts))  # type: ignore[no-untyped-call]
        return joined
    return np.concatenate(list(parts))


def _concatenated_arrow(parts: Sequence[Any]) -> Any:
    import pyarrow as pa

    if isinstance(parts[0], pa.RecordBatch):
        (batch,) = pa.Table.from_batches(list(parts)).combine_chunks().to_batches()
        return batch
    if hasattr(parts[0], "schema"):
        return pa.concat_tables(list(parts))
    arrays = [c for p in parts for c in (p.chunks if hasattr(p, "chunks") else [p])]
    joined = pa.concat_arrays(arrays)
    return pa.chunked_array([joined]) if hasattr(parts[0], "chunks") else joined


_SLICED = ("csr", "csc", "lil", "dok")


def _is_sparse(rows: Any) -> bool:
    return hasattr(rows, "tocsr") and hasattr(rows, "format")


def _module(rows: Any) -> str:
    return type(rows).__module__.partition(".")[0]
