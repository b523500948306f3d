"""What may be given as ``splitter``, and what is known of it when a pipeline is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, raise_if, shown

if TYPE_CHECKING:
    from kedro_rats.combinators.folds import Splitter

_NOT_PARTITIONS = ("TimeSeriesSplit", "ShuffleSplit", "Repeated", "LeaveP")


@dataclass(frozen=True)
class Splitting:
    """A splitter, and what is known of its folds at definition.

    Attributes:
        splitter: Makes the folds.
        n_splits: Number of folds.
        partition: Whether each row is evaluated once; None where it cannot be told.
        written: Whether the user wrote the folds down, and so knows what they are.
    """

    splitter: Splitter
    n_splits: int
    partition: bool | None
    written: bool = False


@dataclass(frozen=True)
class ObjectSplitter:
    """A splitter that follows scikit-learn's conventions."""

    splitter: Any

    def pairs(self, given: Mapping[str, Any]) -> Sequence[tuple[Any, Any]]:
        """Return what the splitter's ``split(X, y, groups)`` yields."""
        return list(
            self.splitter.split(given["X"], given.get("y"), given.get("groups"))
        )


@dataclass(frozen=True)
class GivenPairs:
    """Folds that the user wrote down."""

    written: tuple[tuple[Any, Any], ...]

    def pairs(self, given: Mapping[str, Any]) -> Sequence[tuple[Any, Any]]:
        """Return the pairs as they were given."""
        del given
        return self.written


@dataclass(frozen=True)
class FoldColumn:
    """Rows that carry the number of the fold in which they are evaluated."""

    def pairs(self, given: Mapping[str, Any]) -> Sequence[tuple[Any, Any]]:
        """Return a pair for each value, in sorted order."""
        import numpy as np

        column = np.asarray(given["column"])
        return [
            (np.flatnonzero(column != fold), np.flatnonzero(column == fold))
            for fold in np.unique(column)
        ]


@dataclass(frozen=True)
class TrainTest:
    """One split, as scikit-learn's ``train_test_split`` makes it."""

    test_size: float | int
    random_state: int
    shuffle: bool

    def pairs(self, given: Mapping[str, Any]) -> Sequence[tuple[Any, Any]]:
        """Return one pair; whole groups where ``groups`` are given."""
        import numpy as np
        from sklearn.model_selection import (
            GroupShuffleSplit,
            train_test_split,
        )

        from kedro_rats.combinators.rows import count

        rows = np.arange(count(given["X"]))
        if "groups" in given:
            split = GroupShuffleSplit(
                1, test_size=self.test_size, random_state=self.random_state
            )
            return list(split.split(rows, groups=given["groups"]))
        train, test = train_test_split(
            rows,
            test_size=self.test_size,
            random_state=self.random_state if self.shuffle else None,
            shuffle=self.shuffle,
            stratify=given.get("y"),
        )
        return [(train, test)]


def splitting_of(
    subject: str,
    splitter: object,
    *,
    n_splits: int | None,
    has_groups: bool,
    has_stratify: bool,
) -> Splitting:
    """Return what a user's ``splitter`` means.

    Args:
        subject: What the sentences are about.
        splitter: A scikit-learn splitter, index pairs, or the name of a dataset.
        n_splits: The number of folds, where the splitter cannot tell.
        has_groups: Whether ``groups`` are named.
        has_stratify: Whether ``stratify`` is named.

    Raises:
        DefinitionError: If it is none of these, cannot tell its number of folds, or
            would give other folds each time.
    """
    subject = f"{subject}, splitter"
    if isinstance(splitter, str):
        count = _required(subject, n_splits, "a fold column")
        return Splitting(FoldColumn(), count, partition=True, written=True)
    if isinstance(splitter, type):
        own = splitter.__name__
        remedy = f"Give an instance: {own}()."
        raise_if([Breach(subject, "a splitter", f"the class {own}", remedy)])
    if hasattr(splitter, "split") and hasattr(splitter, "get_n_splits"):
        raise_if(
            [
                *_check_seed(subject, splitter),
                *_check_roles(subject, splitter, has_groups, has_stratify),
            ]
        )
        told = _own_count(splitter) if n_splits is None else n_splits
        count = _required(subject, told, type(splitter).__name__)
        return Splitting(ObjectSplitter(splitter), count, _is_partition(splitter))
    pairs = _pairs(subject, splitter)
    if n_splits not in (None, len(pairs)):
        remedy = "Leave n_splits out."
        expected = f"n_splits={len(pairs)}, the number of pairs"
        raise_if([Breach(subject, expected, shown(n_splits), remedy)])
    return Splitting(GivenPairs(pairs), len(pairs), partition=None, written=True)


def _pairs(subject: str, splitter: object) -> tuple[tuple[Any, Any], ...]:
    given = list(splitter) if isinstance(splitter, Iterable) else []
    pairs = [tuple(p) for p in given if isinstance(p, (tuple, list)) and len(p) == 2]
    if not pairs or len(pairs) != len(given):
        expected = "a splitter, index pairs, or the name of a dataset"
        remedy = "Give KFold(5), [(train, test), …], or a dataset of fold numbers."
        raise_if([Breach(subject, expected, shown(splitter), remedy)])
    return tuple((train, evaluated) for train, evaluated in pairs)


def _required(subject: str, n_splits: int | None, what: str) -> int:
    if not isinstance(n_splits, int) or n_splits < 1:
        expected = f"n_splits, since {what} cannot tell its number of folds"
        remedy = "Give n_splits=…; it is checked when the folds are made."
        raise_if([Breach(subject, expected, shown(n_splits), remedy)])
    return n_splits or 0


def _own_count(splitter: Any) -> int | None:
    try:
        return int(splitter.get_n_splits())
    except (TypeError, ValueError, AttributeError):
        return None


def _check_seed(subject: str, splitter: Any) -> list[Breach]:
    shuffles = getattr(splitter, "shuffle", hasattr(splitter, "random_state"))
    seed = getattr(splitter, "random_state", 0)
    if not shuffles or (hasattr(seed, "__index__") and not isinstance(seed, bool)):
        return []
    name = type(splitter).__name__
    remedy = f"Give {name}(…, random_state=0): folds must be the same in each process."
    return [Breach(subject, "an integer random_state", shown(seed), remedy)]


def _check_roles(
    subject: str,
    splitter: Any,
    has_groups: bool,  # noqa: FBT001 - two facts of one definition
    has_stratify: bool,  # noqa: FBT001
) -> list[Breach]:
    name = type(splitter).__name__
    breaches = []
    if "Group" in name and not has_groups:
        remedy = "Name the rows that hold the groups: groups='…'."
        breaches.append(Breach(subject, f"groups, which {name} needs", "none", remedy))
    if "Stratified" in name and not has_stratify:
        remedy = "Name the rows that hold the classes: stratify='…'."
        breaches.append(
            Breach(subject, f"stratify, which {name} needs", "none", remedy)
        )
    return breaches


def _is_partition(splitter: Any) -> bool | None:
    from sklearn.model_selection import (
        LeaveOneGroupOut,
        LeaveOneOut,
        PredefinedSplit,
    )
    from sklearn.model_selection._split import _BaseKFold

    if isinstance(splitter, PredefinedSplit):
        return bool((splitter.test_fold >= 0).all())
    lineage = [ancestor.__name__ for ancestor in type(splitter).__mro__]
    if any(part in name for part in _NOT_PARTITIONS for name in lineage):
        return False
    known = (_BaseKFold, LeaveOneOut, LeaveOneGroupOut)
    is_own = type(splitter).__module__.startswith("sklearn.")
    # A subclass may leave rows out, as purged folds of time series do.
    return True if isinstance(splitter, known) and is_own else None
