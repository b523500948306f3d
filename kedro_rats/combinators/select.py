"""Rules that say which rows are pseudo-labelled, by how sure their labels are."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from kedro_rats.errors import Breach, RatsError, listed, raise_if, shown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from kedro_rats.combinators.rows import Positions

__all__ = ["k_best", "per_class", "threshold", "top_fraction"]


@dataclass(frozen=True)
class Judged:
    """The rows that a rule chooses from, in their own order.

    Attributes:
        confidence: How sure the label of each is.
        label: The label of each.
        earlier: The labels of unlabelled rows that were chosen before and stay so.
        round: Number of the round, from 1.
    """

    confidence: npt.NDArray[np.floating[Any]]
    label: Any
    earlier: Any
    round: int

    @property
    def total(self) -> int:
        """The number of all unlabelled rows, those chosen before included."""
        return len(self.confidence) + len(self.earlier)


@runtime_checkable
class Rule(Protocol):
    """What chooses rows; made by the functions of this module."""

    @property
    def needs_confidence(self) -> bool:
        """Whether it looks at how sure labels are."""

    @property
    def settled(self) -> int:
        """The round from which on the rule stays the same."""

    def chosen(self, judged: Judged) -> Positions:
        """Return the positions of the chosen among the judged rows."""


@dataclass(frozen=True)
class _Threshold:
    limit: float
    needs_confidence: bool = True
    settled: int = 1

    def chosen(self, judged: Judged) -> Positions:
        import numpy as np

        return np.flatnonzero(judged.confidence > self.limit)


@dataclass(frozen=True)
class _KBest:
    k: int
    needs_confidence: bool = True
    settled: int = 1

    def chosen(self, judged: Judged) -> Positions:
        import numpy as np

        if self.k >= len(judged.confidence):
            return np.arange(len(judged.confidence))
        # As scikit-learn's SelfTrainingClassifier, so that ties fall as they do there.
        return np.argpartition(-judged.confidence, self.k)[: self.k]


@dataclass(frozen=True)
class _TopFraction:
    fractions: tuple[float, ...]

    @property
    def needs_confidence(self) -> bool:
        return any(fraction < 1 for fraction in self.fractions)

    @property
    def settled(self) -> int:
        return len(self.fractions)

    def chosen(self, judged: Judged) -> Positions:
        import numpy as np

        fraction = self.fractions[min(judged.round, len(self.fractions)) - 1]
        # In decimals, as it was written: 0.07 of 100 rows are 7, and not 8.
        size = math.ceil(Fraction(repr(float(fraction))) * judged.total)
        return np.argsort(-judged.confidence, kind="stable")[:size]


@dataclass(frozen=True)
class _PerClass:
    by_class: tuple[tuple[Any, Rule], ...]
    otherwise: Rule | None

    @property
    def _rules(self) -> list[Rule]:
        rules = [rule for _, rule in self.by_class]
        return rules if self.otherwise is None else [*rules, self.otherwise]

    @property
    def needs_confidence(self) -> bool:
        return any(rule.needs_confidence for rule in self._rules)

    @property
    def settled(self) -> int:
        return max(rule.settled for rule in self._rules)

    def chosen(self, judged: Judged) -> Positions:
        import numpy as np

        rules = dict(self.by_class)
        labels, earlier = _classes(judged.label), _classes(judged.earlier)
        found = [np.empty(0, dtype=np.intp)]
        for label in dict.fromkeys(labels):
            rule = rules.get(label, self.otherwise)
            if rule is None:
                continue
            rows = np.array([i for i, own in enumerate(labels) if own == label])
            same = [own for own in earlier if own == label]
            inside = Judged(
                judged.confidence[rows], [label] * len(rows), same, judged.round
            )
            found.append(rows[rule.chosen(inside)])
        return np.concatenate(found)


def threshold(t: float) -> Rule:
    """Choose the rows whose confidence is above ``t``, and not those that equal it.

    Raises:
        DefinitionError: If ``t`` is no number.

    It is the criterion ``"threshold"`` of scikit-learn's ``SelfTrainingClassifier``.
    """
    _check("select.threshold", "a number", [t], is_number(t))
    return _Threshold(t)


def k_best(k: int) -> Rule:
    """Choose the ``k`` rows with the highest confidence, or all if there are fewer.

    Raises:
        DefinitionError: If ``k`` is no whole number from 1.

    It is the criterion ``"k_best"`` of scikit-learn's ``SelfTrainingClassifier``; ties
    fall as there.
    """
    holds = not isinstance(k, bool) and is_number(k) and k >= 1 and k == int(k)
    _check("select.k_best", "a whole number from 1", [k], holds)
    return _KBest(int(k))


def top_fraction(*fractions: float) -> Rule:
    """Choose a part of all unlabelled rows, those with the highest confidence.

    The first round takes the first fraction, and so on; the last one stays. A round takes
    ceil(fraction · all unlabelled rows) of the rows that it judges; ties go to the first
    row. With ``relabel=True`` it judges all rows, so that ``top_fraction(0.2, 0.4, 0.6,
    0.8, 1.0)`` is the curriculum of Cascante-Bonilla et al.
    (https://arxiv.org/abs/2001.06001).

    Raises:
        DefinitionError: If there is no fraction, or one is not above 0 and at most 1.
    """
    holds = bool(fractions) and all(is_number(f) and 0 < f <= 1 for f in fractions)
    expected = "fractions above 0 and at most 1"
    _check("select.top_fraction", expected, fractions, holds)
    return _TopFraction(fractions)


def per_class(
    rule: Rule | Mapping[Any, Rule], *, otherwise: Rule | None = None
) -> Rule:
    """Choose by a rule among the rows of each label apart.

    So ``per_class(k_best(10))`` takes as many rows of each label, and a frequent label
    does not crowd out a rare one. A fraction is one of the rows with that label.

    Args:
        rule: The rule for every label; or rules by label, where each has its own.
        otherwise: The rule for labels that the mapping does not name; None chooses none
            of their rows.

    Raises:
        DefinitionError: If something is no rule, or ``otherwise`` is given though one
            rule holds for every label.

    Example:
        >>> from kedro_rats import select
        >>> rare = select.per_class({"rare": select.threshold(0.6)},
        ...                         otherwise=select.threshold(0.9))
    """
    subject = "select.per_class"
    own = list(rule.values()) if isinstance(rule, Mapping) else [rule]
    given = [*own, *([] if otherwise is None else [otherwise])]
    expected = "rules such as select.k_best(10), at least one"
    holds = bool(own) and all(is_rule(one) for one in given)
    _check(subject, expected, [rule, *given[len(own) :]], holds)
    if isinstance(rule, Mapping):
        return _PerClass(tuple(rule.items()), otherwise)
    _check(
        f"{subject}, otherwise",
        "no other rule, since one holds for every label",
        [otherwise],
        otherwise is None,
    )
    return _PerClass((), rule)


def is_rule(value: object) -> bool:
    """Say whether a value is what the functions of this module return.

    Example:
        >>> is_rule(threshold(0.9)), is_rule(0.9), is_rule(threshold)
        (True, False, False)
    """
    return isinstance(value, Rule) and not isinstance(value, type)


def is_number(value: object) -> bool:
    """Say whether a value is a number, NumPy's included, and not NaN.

    Example:
        >>> is_number(1), is_number(True), is_number(float("nan")), is_number("1")
        (True, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return not math.isnan(value)


def _check(subject: str, expected: str, got: Any, holds: bool) -> None:  # noqa: FBT001
    if not holds:
        remedy = "Give e.g. threshold(0.9), k_best(10) or top_fraction(0.2, 0.4)."
        raise_if([Breach(subject, expected, listed(map(shown, got)), remedy)])


def _classes(labels: Any) -> list[Any]:
    """Return labels as plain values, which can be counted and looked up."""
    import numpy as np

    values = np.asarray(labels)
    if values.ndim != 1:
        msg = (
            f"select.per_class: expected one label a row, got shape {values.shape}. "
            "Use a rule for all rows together."
        )
        raise RatsError(msg)
    plain: list[Any] = values.tolist()
    return plain
