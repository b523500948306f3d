"""Checks of what a picture is made of, each with one line for all that is wrong."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, RatsError, listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import ModuleType

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Column = npt.NDArray[Any]
    Numbers = npt.NDArray[np.float64]


def refuse_if(breaches: Iterable[Breach]) -> None:
    """Raise one error with a line for each breach, if there are any."""
    found = [str(breach) for breach in breaches]
    if found:
        raise RatsError("\n".join(found))


def needed(module: str, extra: str = "plots") -> ModuleType:
    """Return a module of an extra, or say how to install it."""
    try:
        return import_module(module)
    except ImportError as error:
        library = module.partition(".")[0]
        remedy = f"Install kedro-rats[{extra}]."
        breach = Breach("plots", library, "an environment without it", remedy)
        raise RatsError(str(breach)) from error


def table(
    subject: str, value: object, columns: Sequence[str], remedy: str
) -> pd.DataFrame:
    """Return a pandas table that has some columns and at least one row."""
    pd = needed("pandas")
    expected = f"a pandas table with the columns {listed(columns)}"
    if not isinstance(value, pd.DataFrame):
        got = f"a {type(value).__name__}"
        refuse_if([Breach(subject, expected, got, remedy)])
    known: list[str] = [str(name) for name in value.columns]  # type: ignore[attr-defined]
    if not set(columns) <= set(known):
        refuse_if([Breach(subject, expected, listed(known), remedy)])
    if not len(value):  # type: ignore[arg-type]
        refuse_if([Breach(subject, "at least one row", "an empty table", remedy)])
    return value


def numeric(subject: str, rows: pd.DataFrame, columns: Sequence[str]) -> None:
    """Refuse columns of a table that are not numbers."""
    refuse_if(
        Breach(
            f"{subject}, column {name!r}",
            "numbers",
            f"{rows[name].dtype} ({shown(rows[name].iloc[0])} first)",
            "Read the table as it was written.",
        )
        for name in columns
        if rows[name].dtype.kind not in "iuf"
    )


def column(subject: str, value: object, *, classes: bool = False) -> Column:
    """Return one value a row: numbers without NaN, or with ``classes`` anything."""
    import numpy as np

    values = np.asarray(value)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    what = "class" if classes else "number"
    if values.ndim != 1 or not len(values):
        got = f"shape {values.shape}"
        remedy = "Name a dataset of one column."
        refuse_if([Breach(subject, f"one {what} a row", got, remedy)])
    return values if classes else finite(subject, values)


def finite(subject: str, values: Column) -> Numbers:
    """Return numbers as floats; refuse what is no number, NaN or infinite."""
    import numpy as np

    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        breach = Breach(
            subject, "numbers", shown(values.ravel()[0]), "Name an output of numbers."
        )
        raise RatsError(str(breach)) from None
    bad = int(np.sum(~np.isfinite(numbers.reshape(len(numbers), -1).sum(axis=1))))
    if bad:
        remedy = (
            "Leave these rows out; on_error='nan' leaves them for a fold that failed."
        )
        got = f"NaN or infinity in {bad} of {len(numbers)}"
        refuse_if([Breach(subject, "a finite number in each row", got, remedy)])
    return numbers


def same_rows(subject: str, rows: dict[str, Any]) -> None:
    """Refuse arguments with different numbers of rows."""
    sizes = {name: len(values) for name, values in rows.items()}
    if len(set(sizes.values())) > 1:
        got = listed(f"{size} in {name}" for name, size in sizes.items())
        remedy = "Give outputs of the same rows."
        refuse_if([Breach(subject, "as many rows in each", got, remedy)])
