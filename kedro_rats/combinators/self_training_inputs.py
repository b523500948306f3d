"""What pseudo-labelling reads: unlabelled rows, and the weights of rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

from kedro_rats import names
from kedro_rats.combinators.select import is_number
from kedro_rats.errors import Breach, listed, nearest, shown
from kedro_rats.estimators.arguments import Arguments
from kedro_rats.estimators.wiring import free_inputs, made_by

if TYPE_CHECKING:
    from kedro_rats.estimators.algebra import Estimator

_WEIGHTS = "sample_weight"


@dataclass(frozen=True)
class Weighing:
    """How pseudo-labelled rows are weighed.

    Attributes:
        dataset: The row input that holds weights; None if rows are not weighed.
        ramp: Weights by round; empty where an output gives them.
        output: An output that gives the weight of each row, or None.
    """

    dataset: str | None = None
    ramp: tuple[float, ...] = ()
    output: str | None = None


def weighing_of(
    subject: str, operand: Estimator, weight: Any
) -> tuple[Weighing, list[Breach]]:
    """Return how rows are weighed, and what is wrong with how the user said it."""
    subject = f"{subject}, weight"
    if weight is None:
        return Weighing(), []
    dataset: Any = None
    given = weight
    if isinstance(weight, Mapping) and len(weight) == 1:
        ((dataset, given),) = weight.items()
    ramp = [given] if isinstance(given, Real) else given
    is_ramp = (
        isinstance(ramp, Sequence)
        and not isinstance(ramp, str)
        and bool(ramp)
        and all(map(_is_weight, ramp))
    )
    if not is_ramp and not isinstance(given, str):
        remedy = "Give e.g. 0.5, [0.1, 0.5, 1.0], an output, or {'w': 0.5}."
        expected = "a number from 0, numbers by round, or an output"
        return Weighing(), [Breach(subject, expected, shown(weight), remedy)]
    dataset, breaches = _weights_of(subject, operand, dataset)
    if is_ramp:
        return Weighing(dataset, tuple(map(float, ramp))), breaches
    return Weighing(dataset, output=str(given)), breaches


def _is_weight(value: Any) -> bool:
    return is_number(value) and 0 <= value < math.inf


def _weights_of(
    subject: str, operand: Estimator, dataset: object
) -> tuple[str | None, list[Breach]]:
    """Return the row input that holds weights: the named one, or what fits read."""
    free = free_inputs(operand.train) - free_inputs(operand.eval)
    reaching = {
        name
        for node in operand.train.nodes
        if node._inputs
        for arguments in [Arguments.parse(node._inputs)]
        for name, argument in zip(
            arguments.datasets, arguments.named_after(node.func), strict=True
        )
        if argument == _WEIGHTS and name in free
    }
    known = sorted(reaching)
    if dataset is None and len(known) == 1:
        return known[0], []
    if isinstance(dataset, str) and dataset in free:
        return dataset, []
    if dataset is None:
        expected = f"one input that reaches {_WEIGHTS}"
        got = listed(known)
        remedy = (
            "Give the estimator fit_inputs={…, 'sample_weight': 'w'}, or name the "
            "input: weight={'w': 0.5}."
        )
    else:
        expected = f"an input of training alone ({listed(sorted(free))})"
        got = shown(dataset)
        remedy = f"{nearest(str(dataset), free)}Name the input that holds weights."
    return None, [Breach(subject, expected, got, remedy)]


def row_inputs(unlabeled: Mapping[str, str]) -> dict[str, str]:
    """Return the row inputs with their unlabelled rows, without what is shared."""
    return {row: more for row, more in unlabeled.items() if row != more}


def check_unlabeled(
    subject: str,
    operand: Estimator,
    unlabeled: object,
    own: tuple[object, object],
) -> list[Breach]:
    """Return what is wrong with the unlabelled rows.

    Args:
        subject: The combinator.
        operand: What is trained.
        unlabeled: What the user gave.
        own: The target and the weights, which unlabelled rows do not have.
    """
    subject_of_all = f"{subject}, unlabeled"
    if not isinstance(unlabeled, Mapping) or not unlabeled:
        remedy = "Give {'X': 'X_new'} for each row input that eval reads."
        expected = "a dict from row inputs to datasets"
        return [Breach(subject_of_all, expected, shown(unlabeled), remedy)]
    breaches = [
        breach
        for name in [*unlabeled, *unlabeled.values()]
        for breach in _check_name(subject_of_all, name)
    ]
    if breaches:
        return breaches
    if not row_inputs(unlabeled):
        remedy = "Give {'X': 'X_new'}: an input that stands for itself is no rows."
        expected = "unlabelled rows for at least one input"
        breaches.append(Breach(subject_of_all, expected, shown(unlabeled), remedy))
    return [
        *breaches,
        *_check_inputs(subject, operand, unlabeled, own),
        *_check_values(subject, operand, unlabeled),
        *_check_transcoding(subject, operand, {*unlabeled, *own}),
    ]


def _check_name(subject: str, name: object) -> list[Breach]:
    if isinstance(name, str) and ("@" in name or names.is_parameter(name)):
        expected = "datasets without '@', and no parameters"
        remedy = "Rows are put together in memory: leave out what follows '@'."
        return [Breach(subject, expected, shown(name), remedy)]
    return names.check_dataset(subject, name)


def _check_inputs(
    subject: str,
    operand: Estimator,
    unlabeled: Mapping[str, str],
    own: tuple[object, object],
) -> list[Breach]:
    applied = free_inputs(operand.eval) - set(operand.state)
    read = free_inputs(operand.train) | applied
    breaches = [
        Breach(
            f"{subject}, input {name!r}",
            f"unlabelled rows for each row input that {phase} reads",
            f"none (unlabeled: {listed(unlabeled)})",
            f"{nearest(name, unlabeled)}Give unlabeled={{'{name}': …}}, or "
            f"{{'{name}': '{name}'}} if it is no rows.",
        )
        for phase, inputs in (("eval", applied), ("train", read - applied))
        for name in sorted(inputs - set(unlabeled) - set(own))
    ]
    for name in unlabeled:
        if name in own:
            expected = "row inputs that unlabelled rows have"
            remedy = "Leave it out: it is made for the rows that are labelled."
            got = f"{name!r}, the {'target' if name == own[0] else 'weights'}"
            breaches.append(Breach(f"{subject}, unlabeled", expected, got, remedy))
        elif name not in read:
            expected = f"inputs of the estimator ({listed(sorted(read))})"
            remedy = f"{nearest(name, read)}Name what it reads."
            got = shown(name)
            breaches.append(Breach(f"{subject}, unlabeled", expected, got, remedy))
    return breaches


def _check_values(
    subject: str, operand: Estimator, unlabeled: Mapping[str, str]
) -> list[Breach]:
    taken = {
        *free_inputs(operand.train),
        *free_inputs(operand.eval),
        *made_by(operand.train.nodes),
        *made_by(operand.eval.nodes),
    }
    return [
        Breach(
            f"{subject}, unlabeled {name!r}",
            "a dataset of unlabelled rows",
            f"{more!r}, which the estimator reads or makes",
            "Give the unlabelled rows as a dataset of their own.",
        )
        for name, more in row_inputs(unlabeled).items()
        if more in taken
    ]


def _check_transcoding(
    subject: str, operand: Estimator, rows: set[object]
) -> list[Breach]:
    return [
        Breach(
            f"{subject}, input {name!r}",
            "rows that are read under their own name",
            "a transcoded name",
            "Rows are put together in memory: leave out what follows '@'.",
        )
        for pipeline in (operand.train, operand.eval)
        for name in sorted({n for node in pipeline.nodes for n in node.inputs})
        if "@" in name and names.base_name(name) in rows
    ]
