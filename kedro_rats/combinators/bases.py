"""What stacking asks of the estimators that it is given."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import TYPE_CHECKING, Any

from kedro_rats.combinators.operands import check_rows
from kedro_rats.combinators.splitters import splitting_of
from kedro_rats.combinators.stacked import outputs_of
from kedro_rats.errors import (
    Breach,
    DefinitionError,
    LeakWarning,
    listed,
    nearest,
    shown,
)
from kedro_rats.estimators.wiring import free_inputs, made_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kedro_rats.estimators.algebra import Estimator


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What a user said of a stack, names aside; `breaches` says what is wrong with it.

    Attributes:
        subject: How sentences about the stack begin.
        bases: The estimators whose outputs are learned from.
        final: The estimator that learns from them.
        features: The outputs that are put side by side.
        into: The dataset that holds them.
        passthrough: The rows that follow them.
        rows: The inputs that are sliced.
        shared: The inputs that are given whole.
    """

    subject: str
    bases: tuple[Estimator, ...]
    final: Estimator
    features: Sequence[str]
    into: str
    passthrough: Sequence[str]
    rows: Sequence[str]
    shared: Sequence[str]

    def breaches(self) -> Iterator[Breach]:
        """Find all that is wrong."""
        yield from self._check_features()
        yield from self._check_passthrough()
        yield from self._check_into()
        yield from self._check_apart()
        yield from self._check_inputs()
        yield from self._check_makers()

    @cached_property
    def _makers(self) -> dict[str, list[int]]:
        """The bases whose evaluation makes each dataset."""
        found: dict[str, list[int]] = {}
        for number, base in enumerate(self.bases):
            for name in made_by(base.eval.nodes):
                found.setdefault(name, []).append(number)
        return found

    @cached_property
    def _outputs(self) -> dict[str, int]:
        return outputs_of(self.bases, tuple(self.features))

    def _check_features(self) -> Iterator[Breach]:
        subject = f"{self.subject}, features"
        if not self.features:
            remedy = "Name at least one output of each base."
            yield Breach(subject, "row outputs of the bases", "none", remedy)
            return
        yield from _check_once(subject, self.features)
        for name in self.features:
            makers = self._makers.get(name, [])
            if not makers:
                known = sorted(self._outputs)
                remedy = f"{nearest(name, known)}Name what eval of a base makes."
                expected = f"row outputs of the bases ({listed(known)})"
                yield Breach(subject, expected, shown(name), remedy)
            elif len(makers) > 1:
                got = f"{name!r} of the bases {listed(map(str, makers))}"
                remedy = "Give the output another name in each base."
                yield Breach(subject, "each made by one base", got, remedy)
        silent = [
            str(number)
            for number, base in enumerate(self.bases)
            if not made_by(base.eval.nodes).keys() & set(self.features)
        ]
        if silent:
            remedy = "Name an output of it, or leave that base out."
            got = f"none of base {listed(silent)}"
            yield Breach(subject, "an output of each base", got, remedy)

    def _check_passthrough(self) -> Iterator[Breach]:
        subject = f"{self.subject}, passthrough"
        yield from _check_once(subject, self.passthrough)
        for name in self.passthrough:
            if name not in self.rows:
                remedy = f"{nearest(name, self.rows)}Name rows; outputs are features."
                expected = f"names among the rows ({listed(self.rows)})"
                yield Breach(subject, expected, shown(name), remedy)

    def _check_into(self) -> Iterator[Breach]:
        subject = f"{self.subject}, into"
        read = free_inputs(self.final.train), free_inputs(self.final.eval)
        if not all(self.into in inputs for inputs in read):
            known = sorted(read[0] & read[1])
            remedy = "Let fit_inputs and inputs of final read it, or change into."
            expected = f"a dataset that final reads in both phases ({listed(known)})"
            yield Breach(subject, expected, shown(self.into), remedy)

    def _check_apart(self) -> Iterator[Breach]:
        """Find bases that read each other: their folds would not be their own."""
        for number, base in enumerate(self.bases):
            read = free_inputs(base.train) | free_inputs(base.eval) - set(base.state)
            for name in sorted(read & {*self._makers, self.into}):
                makers = self._makers.get(name, ["final"])
                got = f"{name!r}, which base {makers[0]} makes and base {number} reads"
                if name == self.into:
                    got = f"{name!r}, which base {number} reads"
                remedy = "Chain the two with + and give them as one base."
                expected = "bases that read nothing of each other"
                yield Breach(f"{self.subject}, estimators", expected, got, remedy)

    def _check_inputs(self) -> Iterator[Breach]:
        given = {*self.rows, *self.shared}
        free = set()
        for part in (*self.bases, self.final):
            free |= free_inputs(part.train) | free_inputs(part.eval) - set(part.state)
        missing = sorted(free - given - {*self._makers, self.into})
        for name in missing:
            got = f"neither (rows: {listed(self.rows)}; shared: {listed(self.shared)})"
            remedy = (
                f"{nearest(name, given)}Add it to rows if it has a value for each row."
            )
            expected = "each input in rows or in shared"
            yield Breach(f"{self.subject}, input {name!r}", expected, got, remedy)
        unsaid = {*missing, *self._makers, self.into} - given
        for base in self.bases:
            known = [*self.shared, *sorted(unsaid)]
            yield from objections(check_rows, self.subject, base, self.rows, known)
        hidden = free_inputs(self.final.train) | free_inputs(self.final.eval)
        for name in sorted(hidden & self._makers.keys() - self._outputs.keys()):
            remedy = "Add it to features, or let final make it."
            expected = f"row outputs of the bases ({listed(self._outputs)})"
            yield Breach(f"{self.subject}, final", expected, shown(name), remedy)

    def _check_makers(self) -> Iterator[Breach]:
        """Find datasets that would be made twice, or are given and made."""
        subject = f"{self.subject}, estimators"
        for breach in objections(_chained, self.bases):
            where = breach.subject.replace("chain", subject, 1)
            yield Breach(where, breach.expected, breach.got, breach.remedy)
        taken = {*self.rows, *self.shared, self.into}
        for base in self.bases:
            yield from _check_untaken(subject, base, taken)
        states = {name for base in self.bases for name in base.state}
        taken |= {*states, *self._outputs}
        yield from _check_untaken(f"{self.subject}, final", self.final, taken)


def check_splitter(subject: str, splitter: Any, **has_roles: bool) -> Iterator[Breach]:
    """Find folds that leave some rows without a prediction that is out of fold."""
    where = f"{subject}, splitter"
    found: list[Any] = []
    kind = shown(splitter) if isinstance(splitter, str) else type(splitter).__name__

    def split() -> None:
        found.append(splitting_of(subject, splitter, n_splits=None, **has_roles))

    for breach in objections(split):
        if breach.expected.startswith("n_splits"):
            expected = "a splitter that tells its number of folds"
            remedy = "Give KFold(…), or pairs of positions."
            yield Breach(where, expected, kind, remedy)
        else:
            yield breach
    if found and found[0].partition is False:
        remedy = "final learns from every row once: choose a splitter such as KFold."
        expected = "folds of which each row is in one"
        yield Breach(where, expected, kind, remedy)


def objections(check: Callable[..., Any], *arguments: Any) -> tuple[Breach, ...]:
    """Return the breaches that a check raises, so that others can be told with them."""
    try:
        check(*arguments)
    except DefinitionError as error:
        return error.breaches
    return ()


def _chained(bases: tuple[Estimator, ...]) -> None:
    with warnings.catch_warnings():
        # One that feeds another one is refused anyway.
        warnings.simplefilter("ignore", LeakWarning)
        reduce(add, bases)


def _check_untaken(subject: str, part: Estimator, taken: set[str]) -> Iterator[Breach]:
    made = {**made_by(part.train.nodes), **made_by(part.eval.nodes)}
    for name in sorted(taken & made.keys()):
        got = f"{name!r}, which {made[name].name!r} makes too"
        remedy = "Give one of the two another name."
        yield Breach(subject, "names that nothing else has", got, remedy)


def _check_once(subject: str, given: Sequence[str]) -> Iterator[Breach]:
    for name, times in Counter(given).items():
        if times > 1:
            remedy = "Leave the others out."
            yield Breach(subject, "each name once", f"{name!r} {times} times", remedy)
