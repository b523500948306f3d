"""Running a pipeline on values, and comparing what comes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.names import base_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.pipeline import Pipeline


def run(pipeline: Pipeline, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return all datasets of a pipeline, run on ``data`` without copies and catalog."""
    values = {base_name(name): value for name, value in data.items()}
    for node in pipeline.nodes:
        made = node.run({name: values[base_name(name)] for name in node.inputs})
        values.update({base_name(name): value for name, value in made.items()})
    return values


def first_half(rows: Any) -> Any:
    """Return the first half of some rows, at least one; of a dict that of each value.

    Example:
        >>> first_half([1, 2, 3, 4])
        [1, 2]
    """
    if isinstance(rows, dict):
        return {key: first_half(value) for key, value in rows.items()}
    size = rows.shape[0] if hasattr(rows, "shape") else len(rows)
    half = slice(0, max(1, size // 2))
    return rows.iloc[half] if hasattr(rows, "iloc") else rows[half]


def same_values(one: Any, other: Any) -> bool:
    """Say whether two outputs are equal, but for the rounding of batched arithmetic.

    Example:
        >>> same_values([0.1 + 0.2, 1.0], [0.3, 1.0]), same_values([1.0], [1.1])
        (True, False)
    """
    import numpy as np

    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            same_values(value, other[key]) for key, value in one.items()
        )
    mine, theirs = (_array(value) for value in (one, other))
    if mine.shape != theirs.shape:
        return False
    try:
        return bool(np.allclose(mine, theirs, rtol=1e-6, atol=1e-9, equal_nan=True))
    except TypeError:
        return bool(np.array_equal(mine, theirs))


def _array(value: Any) -> Any:
    import numpy as np

    return np.asarray(value.toarray() if hasattr(value, "toarray") else value)
