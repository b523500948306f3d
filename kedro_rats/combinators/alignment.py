"""Outputs of folds that do not match: other classes, or a failure in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.combinators.guarding import Failed
from kedro_rats.combinators.rows import count
from kedro_rats.errors import RatsError, listed, shown

if TYPE_CHECKING:
    from collections.abc import Sequence


def aligned(parts: list[Any], classes: Sequence[Any], method: str) -> list[Any]:
    """Return outputs with a column for each class that any fold knows.

    The value for a class that a fold did not see is 0 as a probability, minus infinity as
    its logarithm (scikit-learn's ``cross_val_predict`` puts the smallest float there),
    and the smallest float as a decision.

    Args:
        parts: An output of each fold, or its failure.
        classes: ``classes_`` of the object that made it, for each fold.
        method: The method that made it.
    """
    import numpy as np

    whole = [
        (part, known)
        for part, known in zip(parts, classes, strict=True)
        if not isinstance(part, Failed)
    ]
    if not whole or any(known is None for _, known in whole):
        return parts
    if all(isinstance(part, list) for part, _ in whole):
        # Several targets: scikit-learn gives a list with a matrix for each.
        by_target = [
            aligned(
                [part[i] for part, _ in whole], [known[i] for _, known in whole], method
            )
            for i in range(len(whole[0][0]))
        ]
        whole_columns = iter([list(target) for target in zip(*by_target, strict=True)])
    elif any(isinstance(known, list) for _, known in whole):
        # Several targets, whose outputs are side by side in one matrix (ClassifierChain):
        # its columns are targets, not classes.
        return parts
    else:
        union = np.unique(np.concatenate([known for _, known in whole]))
        whole_columns = iter(
            [_columns(part, known, union, method) for part, known in whole]
        )
    return [part if isinstance(part, Failed) else next(whole_columns) for part in parts]


def _columns(part: Any, known: Any, union: Any, method: str) -> Any:
    import numpy as np

    if len(known) == len(union):
        return part
    values = np.asarray(part)
    if values.ndim != 2 or values.shape[1] != len(known):
        msg = (
            f"{method} in a fold: expected a column for each of its classes "
            f"{shown(list(known))}, got shape {values.shape}. Each fold must train on "
            f"at least three of the classes {shown(list(union))}: use a stratified "
            "splitter."
        )
        raise RatsError(msg)
    absent = {
        "predict_proba": 0.0,
        "predict_log_proba": -np.inf,
        "decision_function": np.finfo(values.dtype).min,
    }[method]
    whole = np.full((len(values), len(union)), absent, dtype=values.dtype)
    whole[:, np.searchsorted(union, known)] = values
    if hasattr(part, "iloc"):
        return type(part)(whole, index=part.index, columns=union)
    return whole


def are_by_target(
    parts: Sequence[Any], sizes: Sequence[int], method: str | None
) -> bool:
    """Say whether each part is a list of rows for each target, not a list of rows.

    Classifiers of several targets give such lists. Where the method is not known, the
    lengths tell: one fold may have as many rows as there are targets, the others have not.
    """
    if method is not None:
        return all(isinstance(part, list) for part in parts)
    pairs = list(zip(parts, sizes, strict=True))
    return any(
        isinstance(part, list) and len(part) != size for part, size in pairs
    ) and all(
        isinstance(part, list)
        and all(hasattr(target, "shape") and count(target) == size for target in part)
        for part, size in pairs
    )


def check_columns(dataset: str, parts: Sequence[Any]) -> None:
    """Raise if the tables of folds have other columns: pandas fills up what one lacks.

    Their order does not matter, since pandas puts columns together by name.

    Args:
        dataset: The output, for messages.
        parts: An output of each fold, or its failure.
    """
    frames = {fold: part.columns for fold, part in enumerate(parts) if _is_frame(part)}
    first = next(iter(frames), 0)
    for fold, columns in frames.items():
        if not _same_names(frames[first], columns):
            msg = (
                f"output {dataset!r} in fold {fold}: expected the columns of fold {first} "
                f"({listed(map(str, frames[first]))}), got {listed(map(str, columns))}. "
                "Make them the same in each fold (tell an encoder all its categories), or "
                "leave the output out of outputs."
            )
            raise RatsError(msg)


def _is_frame(part: Any) -> bool:
    return hasattr(part, "iloc") and hasattr(part, "columns")


def _same_names(first: Any, other: Any) -> bool:
    if first.equals(other):
        return True
    return first.is_unique and other.is_unique and set(first) == set(other)


def with_failed_rows(
    dataset: str, parts: list[Any], positions: Sequence[Any], index: Any
) -> list[Any]:
    """Return parts in which the rows of failed folds are NaN.

    Args:
        dataset: The output, for messages.
        parts: An output of each fold, or its failure.
        positions: The rows of each fold.
        index: Labels of all rows, if they are in a pandas table; else None.

    Raises:
        RatsError: If all failed, or the output cannot hold NaN.
    """
    whole = next((part for part in parts if not isinstance(part, Failed)), None)
    if whole is None:
        msg = f"output {dataset!r}: expected rows of at least one fold, got only failures."
        raise RatsError(msg)
    return [
        _missing(dataset, whole, len(rows), None if index is None else index[rows])
        if isinstance(part, Failed)
        else part
        for part, rows in zip(parts, positions, strict=True)
    ]


def _missing(dataset: str, like: Any, size: int, index: Any) -> Any:
    import numpy as np

    if isinstance(like, list) and like and hasattr(like[0], "shape"):
        return [_missing(dataset, target, size, index) for target in like]
    values = np.asarray(like)
    if not np.issubdtype(values.dtype, np.floating):
        msg = (
            f"output {dataset!r}: expected floats, which can be NaN for a failed fold, got "
            f"{values.dtype}. Leave it out of outputs, or let on_error be 'raise'."
        )
        raise RatsError(msg)
    empty = np.full((size, *values.shape[1:]), np.nan, dtype=values.dtype)
    if hasattr(like, "iloc"):
        names = (
            {"columns": like.columns}
            if hasattr(like, "columns")
            else {"name": like.name}
        )
        return type(like)(empty, index=index, **names)
    if hasattr(like, "schema"):
        return type(like)(empty, schema=like.schema)
    if isinstance(like, (list, tuple)):
        return type(like)(empty.tolist())
    return empty if isinstance(like, np.ndarray) else type(like)(like.name, empty)
