"""Rows below other rows, in the container of the first ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.combinators import rows as row_data
from kedro_rats.errors import RatsError, listed, shown

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBERS, _TEXTS, _TIMES = "biufc", "US", "mM"


def appended(subject: str, rows: Any, more: Any) -> Any:
    """Return rows, and more rows of the same container below them.

    Args:
        subject: What a message is about.
        rows: The first rows; the container, its columns and its name are theirs.
        more: The other ones.

    Raises:
        RatsError: If they do not go together, e.g. have other columns.
    """
    import numpy as np

    if hasattr(rows, "iloc") and hasattr(more, "iloc"):
        more = _labelled_like(subject, rows, more)
    if _kinds(rows) and _kinds(more) and _kinds(rows) != _kinds(more):
        raise _misfit(subject, f"values like {rows.dtype}", f"{more.dtype}")
    first, second = row_data.count(rows), row_data.count(more)
    positions = np.arange(first), np.arange(first, first + second)
    try:
        return row_data.put_together([rows, more], positions)
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        got = f"{type(more).__name__} ({text})"
        raise _misfit(subject, f"rows like {type(rows).__name__}", got) from error


def in_container_of(subject: str, like: Any, values: Any, index: Any) -> Any:
    """Return values, one a row, in a container such as that of other rows.

    Args:
        subject: What a message is about.
        like: The rows whose container, name and columns the values get.
        values: An array, a list or whatever an estimator gives.
        index: Labels of the rows, where the container has an index.

    Raises:
        RatsError: If the container cannot hold them.
    """
    try:
        converted = _converter(like)(like, values, index)
        _check_whole(converted, values)
    except Exception as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())
        expected = f"values that {type(like).__name__} can hold"
        raise _misfit(subject, expected, f"{shown(values)} ({text})") from error
    return converted


def dense(values: Any) -> Any:
    """Return values as a NumPy array."""
    import numpy as np

    return np.asarray(values.toarray() if hasattr(values, "toarray") else values)


def _check_whole(converted: Any, values: Any) -> None:
    """Raise if a container of whole numbers has cut what it was given."""
    import numpy as np

    one, other = dense(converted).reshape(-1), dense(values).reshape(-1)
    is_cut = one.dtype.kind in "iub" and other.dtype.kind == "f"
    if is_cut and not np.array_equal(one, other):
        raise ValueError("it holds whole numbers")


def _converter(like: Any) -> Callable[[Any, Any, Any], Any]:
    if isinstance(like, (list, tuple)):
        return _as_list
    if hasattr(like, "tocsr"):
        return _as_sparse
    by_module = {"pandas": _as_pandas, "polars": _as_polars, "pyarrow": _as_arrow}
    return by_module.get(type(like).__module__.partition(".")[0], _as_array)


def _as_list(like: Any, values: Any, index: Any) -> Any:
    del index
    plain = values if isinstance(values, (list, tuple)) else dense(values).tolist()
    return type(like)(plain)


def _as_sparse(like: Any, values: Any, index: Any) -> Any:
    del index
    return values if hasattr(values, "tocsr") else type(like)(dense(values))


def _as_array(like: Any, values: Any, index: Any) -> Any:
    del index
    array = dense(values)
    # A target of one column is learned as such, and predicted without it.
    return array.reshape(len(array), *like.shape[1:]) if like.ndim != 1 else array


def _as_pandas(like: Any, values: Any, index: Any) -> Any:
    import pandas as pd

    array = values.array if isinstance(values, pd.Series) else dense(values)
    if hasattr(like, "columns"):
        array = dense(values).reshape(len(values), len(like.columns))
        return pd.DataFrame(array, index=index, columns=like.columns)
    series = pd.Series(array, index=index, name=like.name)
    if isinstance(like.dtype, pd.StringDtype) and series.map(type).eq(str).all():
        return series.astype(like.dtype)
    if not isinstance(like.dtype, pd.CategoricalDtype):
        return series
    known = like.cat.categories
    if not (series.isin(known) | series.isna()).all():
        raise ValueError(f"expected the categories {listed(map(str, known))}")
    return series.astype(like.dtype)


def _as_polars(like: Any, values: Any, index: Any) -> Any:
    import polars as pl

    del index
    if isinstance(like, pl.DataFrame):
        array = dense(values).reshape(len(values), like.width)
        return pl.DataFrame(array, schema=like.schema)
    same = isinstance(values, pl.Series)
    series = values if same else pl.Series(dense(values).tolist())
    return series.alias(like.name).cast(like.dtype)


def _as_arrow(like: Any, values: Any, index: Any) -> Any:
    import pyarrow as pa

    del index
    array = pa.array(dense(values).tolist(), type=like.type)
    return pa.chunked_array([array]) if hasattr(like, "chunks") else array


def _labelled_like(subject: str, rows: Any, more: Any) -> Any:
    """Return a table if its columns are those of the other; a series gets its name.

    Else pandas would fill up with NaN what either does not have.
    """
    if not hasattr(rows, "columns") or not hasattr(more, "columns"):
        return more.rename(rows.name) if hasattr(rows, "name") else more
    if set(rows.columns) != set(more.columns):
        got = f"columns {listed(map(str, more.columns))}"
        raise _misfit(subject, f"columns {listed(map(str, rows.columns))}", got)
    return more


def _kinds(rows: Any) -> str:
    """Return the family of a NumPy array's values; empty where NumPy mixes them."""
    import numpy as np

    if not isinstance(rows, np.ndarray):
        return ""
    families = (kinds for kinds in (_NUMBERS, _TEXTS, _TIMES))
    return next((kinds for kinds in families if rows.dtype.kind in kinds), "")


def _misfit(subject: str, expected: str, got: str) -> RatsError:
    return RatsError(
        f"{subject}: expected {expected}, got {got}. What is put below the labelled rows "
        "must be of their kind."
    )
