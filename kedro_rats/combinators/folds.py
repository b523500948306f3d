"""Folds, and the nodes that make them and take their rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

from kedro_rats.combinators import rows as row_data
from kedro_rats.errors import RatsError, shown
from kedro_rats.estimators.node_function import node_function

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kedro_rats.combinators.rows import Positions

Part = Literal["train", "eval"]


class Folds(TypedDict):
    """Positions of rows: plain data, so that any store keeps it and any person reads it."""

    rows: int
    train: list[Positions]
    eval: list[Positions]


class Splitter(Protocol):
    """What makes folds of rows, from the datasets that play a role in it."""

    def pairs(self, given: Mapping[str, Any]) -> Sequence[tuple[Any, Any]]:
        """Return positions for training and evaluation, a pair for each fold.

        Args:
            given: The datasets by role: ``X``, and ``y`` and ``groups`` where named.
        """


@dataclass(frozen=True)
class Split:
    """Makes the folds of one combinator.

    Attributes:
        name: The combinator, for messages.
        splitter: How rows are split.
        roles: The role of each dataset that it reads; the first is ``X``.
        n_splits: How many folds the pipeline was made for.
        partition: Whether each row must be in exactly one evaluation part.
    """

    name: str
    splitter: Splitter
    roles: tuple[str, ...]
    n_splits: int
    partition: bool

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The roles."""
        return self.roles

    @node_function
    def split(self, *values: Any) -> Folds:
        """Return the positions of the rows of each fold."""
        given = dict(zip(self.roles, values, strict=True))
        pairs = self.splitter.pairs(given)
        rows = row_data.count(given["X"])
        folds: Folds = {
            "rows": rows,
            "train": [self._positions(train, rows) for train, _ in pairs],
            "eval": [self._positions(evaluated, rows) for _, evaluated in pairs],
        }
        self._check_apart(folds)
        if len(pairs) != self.n_splits:
            got, remedy = str(len(pairs)), f"Define it with n_splits={len(pairs)}."
            raise self._error(f"{self.n_splits} folds", got, remedy)
        if self.partition:
            self._check_partition(folds)
        return folds

    def _positions(self, part: Any, rows: int) -> Positions:
        import numpy as np

        array = np.asarray(part)
        if array.dtype == bool and array.shape == (rows,):
            return np.flatnonzero(array)
        whole = np.issubdtype(array.dtype, np.integer) or not array.size
        if array.ndim != 1 or not whole or (array < 0).any() or (array >= rows).any():
            expected = f"positions from 0 to {rows - 1}, or a mask of {rows} rows"
            remedy = "Give whole numbers, each the position of a row."
            raise self._error(expected, shown(part), remedy)
        return array.astype(np.intp)

    def _check_apart(self, folds: Folds) -> None:
        import numpy as np

        for fold, evaluated in enumerate(folds["eval"]):
            both = np.intersect1d(folds["train"][fold], evaluated)
            if len(both):
                got = f"{len(both)} rows in both parts of fold {fold}"
                remedy = "A fit must not see the rows that it is judged on."
                raise self._error("training apart from evaluation", got, remedy)

    def _check_partition(self, folds: Folds) -> None:
        import numpy as np

        rows = folds["rows"]
        times = np.bincount(np.concatenate(folds["eval"]), minlength=rows)
        if len(times) != rows or (times != 1).any():
            got = (
                f"{(times == 0).sum()} rows in none and {(times > 1).sum()} in several"
            )
            remedy = "Give outputs=[], since such folds have no out-of-fold outputs."
            raise self._error("each row in one evaluation part", got, remedy)

    def _error(self, expected: str, got: str, remedy: str) -> RatsError:
        return RatsError(
            f"folds of {self.name!r}: expected {expected}, got {got}. {remedy}"
        )


@dataclass(frozen=True)
class Take:
    """Takes one part of one fold of some rows.

    Attributes:
        dataset: The rows' name, for messages.
        part: Which rows of the fold: those it trains on, or those it is judged on.
        fold: Number of the fold, from 0.
    """

    dataset: str
    part: Part
    fold: int
    argument_names: tuple[str, ...] = ("folds", "rows")

    @node_function
    def take(self, *values: Any) -> Any:
        """Return the rows of this part, in the order of the splitter."""
        folds, rows = values
        if row_data.count(rows) != folds["rows"]:
            msg = (
                f"rows {self.dataset!r}: expected {folds['rows']}, as the first of rows "
                f"has, got {row_data.count(rows)}. Align them, or name it in shared."
            )
            raise RatsError(msg)
        return row_data.take(rows, folds[self.part][self.fold])
