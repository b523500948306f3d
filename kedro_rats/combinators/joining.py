"""Nodes that put pseudo-labelled rows below the labelled ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.combinators import rows as row_data
from kedro_rats.combinators.appending import appended, in_container_of
from kedro_rats.combinators.idling import Idle
from kedro_rats.combinators.labelling import unlabeled
from kedro_rats.errors import RatsError
from kedro_rats.estimators.node_function import node_function

if TYPE_CHECKING:
    from kedro_rats.combinators.labelling import Labels


@dataclass(frozen=True)
class Joining:
    """What such a node knows.

    Attributes:
        name: The combinator.
        dataset: The row input.
        last: Whether it feeds the last fit, which is never masked.
    """

    name: str
    dataset: str
    last: bool

    @property
    def subject(self) -> str:
        """How a sentence about it begins."""
        return f"pseudolabel {self.name!r}, rows {self.dataset!r}"

    def is_idle(self, labels: Labels) -> bool:
        """Say whether the round is masked."""
        return labels["stop"] is not None and not self.last


@dataclass(frozen=True)
class JoinRows(Joining):
    """Puts the chosen unlabelled rows below the labelled ones."""

    argument_names: tuple[str, ...] = ("labels", "rows", "unlabeled")

    @node_function
    def join(self, *values: Any) -> Any:
        """Return the labelled rows, then the chosen ones in their own order."""
        labels, rows, more = values
        if self.is_idle(labels):
            return Idle(self.name)
        _check_count(self.subject, labels, more)
        if not len(labels["chosen"]):
            return rows
        return appended(self.subject, rows, row_data.take(more, labels["chosen"]))


@dataclass(frozen=True)
class JoinLabels(Joining):
    """Puts the pseudo-labels below the true ones, which stay as they are."""

    argument_names: tuple[str, ...] = ("labels", "target")

    @node_function
    def join(self, *values: Any) -> Any:
        """Return the true labels, then those of the chosen rows."""
        labels, target = values
        if self.is_idle(labels):
            return Idle(self.name)
        return _below(self.subject, target, labels, labels["label"])


@dataclass(frozen=True)
class JoinWeights(Joining):
    """Puts the weights of pseudo-labelled rows below those of the labelled ones.

    Attributes:
        ramp: The weight after the first round, the second and so on, of which the last
            stays; empty where each row has its own.
    """

    ramp: tuple[float, ...]
    argument_names: tuple[str, ...] = ("labels", "weights")

    @node_function
    def join(self, *values: Any) -> Any:
        """Return the weights of the labelled rows, then those of the chosen ones."""
        import numpy as np

        labels, given = values
        if self.is_idle(labels):
            return Idle(self.name)
        weights = labels["weight"]
        if self.ramp:
            done = max(1, len(labels["history"]))
            value = self.ramp[min(done, len(self.ramp)) - 1]
            weights = np.full(len(labels["chosen"]), value, dtype=float)
        return _below(self.subject, _floats(given), labels, weights)


@dataclass(frozen=True)
class TakeUnlabeled:
    """Takes the unlabelled rows that a round judges.

    Attributes:
        name: The combinator.
        dataset: The row input that they stand for.
        relabel: Whether all are judged, or those that have no label yet.
    """

    name: str
    dataset: str
    relabel: bool
    argument_names: tuple[str, ...] = ("labels", "unlabeled")

    @node_function
    def take(self, *values: Any) -> Any:
        """Return the rows to judge, in their own order."""
        labels, rows = values
        if labels["stop"] is not None:
            return Idle(self.name)
        subject = f"pseudolabel {self.name!r}, rows {self.dataset!r}"
        _check_count(subject, labels, rows)
        return row_data.take(rows, unlabeled(labels, relabel=self.relabel))


def _below(subject: str, rows: Any, labels: Labels, values: Any) -> Any:
    chosen = labels["chosen"]
    if not len(chosen):
        return rows
    index = None if labels["index"] is None else labels["index"][chosen]
    return appended(subject, rows, in_container_of(subject, rows, values, index))


def _floats(weights: Any) -> Any:
    """Return weights that can be fractions: whole numbers would be cut in Polars."""
    module = type(weights).__module__.partition(".")[0]
    if module == "polars":
        import polars as pl

        return weights.cast(pl.Float64)
    return weights.cast("float64") if module == "pyarrow" else weights


def _check_count(subject: str, labels: Labels, rows: Any) -> None:
    got = row_data.count(rows)
    if got != labels["rows"]:
        msg = (
            f"{subject}: expected {labels['rows']} unlabelled rows, as in the others, got "
            f"{got}. Align them."
        )
        raise RatsError(msg)
