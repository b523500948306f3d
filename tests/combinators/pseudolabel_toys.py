"""What the tests of `pseudolabel` share: data, operands, and a loop written by hand.

All is at the top of a module, so that other processes can import it.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from combinators import toys
from sklearn.model_selection import KFold, StratifiedKFold

from kedro_rats import (
    Estimator,
    LeakWarning,
    cross_validate,
    estimator,
    pseudolabel,
    select,
)
from kedro_rats.combinators.idling import Idle

if TYPE_CHECKING:
    from collections.abc import Mapping

    from combinators.toys import Array

# --- data -----------------------------------------------------------------------------


def split(name: str, share: float, step: int = 1) -> dict[str, Array]:
    """Return some rows of a bundled data set with labels, and others without."""
    X, y = toys.bundled(name, step)
    labelled = np.random.default_rng(0).random(len(X)) < share
    return {
        "X": X[labelled],
        "y": y[labelled],
        "X_new": X[~labelled],
        "truth": y[~labelled],
    }


def transduced(made: Mapping[str, Any], size: int, column: str, absent: int) -> Array:
    """Return a column of the labels for all unlabelled rows, as scikit-learn does."""
    table = made["own.labels"]
    whole = np.full(size, absent)
    whole[table["row"]] = table[column]
    return whole


def rounds_that_ran(made: Mapping[str, Any], state: str) -> list[int]:
    """Return the rounds whose fit was not masked."""
    numbers = range(1, 100)
    names = [(k, f"own.round_{k}.train.{state}") for k in numbers]
    return [k for k, n in names if n in made and not isinstance(made[n], Idle)]


# --- operands -------------------------------------------------------------------------


def labelling(operand: Estimator | None = None, **options: Any) -> Estimator:
    """Return a classifier, or another operand, that learns from its own labels."""
    given = {
        "unlabeled": {"X": "X_new"},
        "target": "y",
        "label": "label",
        "confidence": "p",
        "select": select.threshold(0.75),
        "rounds": 5,
        "name": "own",
    }
    return pseudolabel(operand or toys.classifier(), **{**given, **options})


def few_rounds() -> Estimator:
    return labelling(select=select.k_best(20), rounds=3)


def judged(operand: Estimator, **options: Any) -> Estimator:
    """Return an operand that labels rows, cross-validated."""
    given = {
        "splitter": StratifiedKFold(3),
        "rows": ["X", "y"],
        "stratify": "y",
        "shared": ["X_new"],
        "metrics": {"accuracy": toys.ACCURACY},
        "name": "cv",
    }
    return cross_validate(operand, **{**given, **options})


def in_cross_validation() -> Estimator:
    return judged(few_rounds())


def small() -> Estimator:
    """Return few nodes, for runs in several processes."""
    return labelling(select=select.k_best(20), rounds=2)


def in_its_own_folds() -> Estimator:
    inner = cross_validate(
        toys.classifier(),
        splitter=KFold(2),
        rows=["X", "y"],
        metrics={"accuracy": toys.ACCURACY},
        name="cv",
    )
    with warnings.catch_warnings():
        # Its scores also count rows that it labelled.
        warnings.simplefilter("ignore", LeakWarning)
        return labelling(inner, rounds=2)


def relabelling() -> Estimator:
    rule = select.top_fraction(0.2, 0.5, 1.0)
    return labelling(select=rule, relabel=True, rounds=4)


# --- an operand whose state is all that its fit saw -------------------------------------


@dataclass(frozen=True)
class Seen:
    """Labels by the nearest row that it was fitted on; the first column is a place."""

    X: Any
    y: Any
    w: Any = None


def remember(X: Any, y: Any, w: Any = None) -> Seen:
    return Seen(X, y, w)


def label_by_nearest(seen: Seen, X: Any) -> list[Any]:
    """Return labels and how sure they are: the nearer the surer, and ties abound."""
    places, known = _places(X), _places(seen.X)
    distances = np.abs(places[:, None] - known[None, :])
    nearest = distances.argmin(axis=1)
    labels = np.asarray(seen.y)
    labels = labels.reshape(len(labels))
    return [labels[nearest], 1 / (1.0 + distances[np.arange(len(places)), nearest])]


def _places(X: Any) -> Array:
    if hasattr(X, "toarray"):
        X = X.toarray()
    if hasattr(X, "column"):
        return np.asarray(X.column(0))
    values = np.asarray(X)
    return values.reshape(len(values), -1)[:, 0].astype(int)


def nearest(*, weighed: bool = False) -> Estimator:
    return estimator(
        remember,
        label_by_nearest,
        fit_inputs=["X", "y", "w"] if weighed else ["X", "y"],
        inputs="X",
        outputs=["label", "p"],
        name="near",
    )


def near(**options: Any) -> Estimator:
    return labelling(nearest(), **options)


# --- the loop, written by hand ----------------------------------------------------------


@dataclass(frozen=True)
class Loop:
    """What a loop over lists comes to.

    Attributes:
        labels: For each labelled row its position, round, label and confidence.
        history: Round, selected and labelled rows.
        stop: Why it stopped.
        fits: The rows and labels that each fit got, the last one included.
    """

    labels: list[tuple[int, int, Any, float]]
    history: list[tuple[int, int, int]]
    stop: str
    fits: list[tuple[list[Any], list[Any]]]


def loop(
    X: list[Any], y: list[Any], new: list[Any], rule: Any, rounds: int, relabel: bool
) -> Loop:
    """Label rows by the nearest one, round by round."""
    chosen: dict[int, tuple[int, Any, float]] = {}
    history: list[tuple[int, int, int]] = []
    fits: list[tuple[list[Any], list[Any]]] = []

    def training() -> tuple[list[Any], list[Any]]:
        rows = sorted(chosen)
        labels = [chosen[row][1] for row in rows]
        return [*X, *(new[row] for row in rows)], [*y, *labels]

    for number in range(1, rounds + 1) if new else ():
        fits.append(training())
        rows = [row for row in range(len(new)) if relabel or row not in chosen]
        found = {row: by_hand(fits[-1], new[row]) for row in rows}
        earlier = [] if relabel else [label for _, label, _ in chosen.values()]
        picked = pick(rule, found, earlier, number)
        before = {row: label for row, (_, label, _) in chosen.items()}
        kept = {} if relabel else chosen
        chosen = {**kept, **{row: (number, *found[row]) for row in picked}}
        history.append((number, len(picked), len(chosen)))
        same = before == {row: label for row, (_, label, _) in chosen.items()}
        if len(chosen) == len(new) and not relabel:
            break
        if same and number >= settled(rule):
            break
    fits.append(training())
    done = len(history)
    full = len(chosen) == len(new)
    stop = "all_labeled" if full else "max_iter" if done == rounds else "no_change"
    labels = [(row, *chosen[row]) for row in sorted(chosen)]
    return Loop(labels, history, stop, fits)


def by_hand(fit: tuple[list[Any], list[Any]], row: Any) -> tuple[Any, float]:
    distances = [abs(row[0] - other[0]) for other in fit[0]]
    nearest = min(range(len(distances)), key=distances.__getitem__)
    return fit[1][nearest], 1 / (1.0 + distances[nearest])


def settled(rule: Any) -> int:
    """Return from which round on a rule, as `pick` takes it, is the same."""
    kind, *arguments = rule
    if kind == "fractions":
        return len(arguments)
    if kind == "each":
        return settled(arguments[0])
    if kind == "by label":
        return max(settled(one) for one in arguments[0].values())
    return 1


def pick(rule: Any, found: Mapping[int, Any], earlier: list[Any], number: int) -> set:
    """Return the rows that a rule of tuples chooses."""
    kind, *arguments = rule
    rows = list(found)
    if kind == "above":
        return {row for row in rows if found[row][1] > arguments[0]}
    if kind == "best":
        if arguments[0] >= len(rows):
            return set(rows)
        sure = np.array([-found[row][1] for row in rows])
        return {rows[i] for i in np.argpartition(sure, arguments[0])[: arguments[0]]}
    if kind == "fractions":
        fraction = arguments[min(number, len(arguments)) - 1]
        size = math.ceil(Fraction(str(fraction)) * (len(rows) + len(earlier)))
        return set(sorted(rows, key=lambda row: (-found[row][1], row))[:size])
    picked = set()
    for label in {found[row][0] for row in rows}:
        one = arguments[0] if kind == "each" else arguments[0].get(label)
        if one is not None:
            same = {row: found[row] for row in rows if found[row][0] == label}
            picked |= pick(one, same, [e for e in earlier if e == label], number)
    return picked


def as_rule(rule: Any) -> Any:
    """Return the rule of kedro-rats that a rule of tuples stands for."""
    kind, *arguments = rule
    if kind == "each":
        return select.per_class(as_rule(arguments[0]))
    if kind == "by label":
        by_label = {label: as_rule(one) for label, one in arguments[0].items()}
        return select.per_class(by_label)
    makers = {
        "above": select.threshold,
        "best": select.k_best,
        "fractions": select.top_fraction,
    }
    return makers[kind](*arguments)
