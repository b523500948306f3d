"""What every combinator asks of the estimator that it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats import names
from kedro_rats.errors import Breach, listed, nearest, raise_if, shown
from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.wiring import free_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence


def check_operand(subject: str, operand: object, name: object) -> None:
    """Raise if the operand is no estimator, or the name is malformed or used inside."""
    if not isinstance(operand, Estimator):
        remedy = "Give what estimator(…), transformer(…) or a combinator returns."
        raise_if([Breach(subject, "an Estimator", shown(operand), remedy)])
        return
    raise_if(names.check_name(f"{subject}, name", name))
    inside = {
        f".{node.namespace}."
        for node in [*operand.train.nodes, *operand.eval.nodes]
        if node.namespace
    }
    if any(f".{name}." in namespace for namespace in inside):
        remedy = "Give the combinator another name."
        expected = "a name that is not used inside the estimator"
        raise_if([Breach(f"{subject}, name", expected, shown(name), remedy)])


def strings(subject: str, names_: object) -> list[str]:
    """Return names as a list; one name is a list of one."""
    if isinstance(names_, str):
        return [names_]
    if isinstance(names_, (list, tuple)) and all(
        isinstance(name, str) for name in names_
    ):
        return list(names_)
    if isinstance(names_, (set, frozenset)):
        remedy = "Give a list: a set has another order in each process."
        raise_if([Breach(subject, "names in an order", shown(names_), remedy)])
    raise_if([Breach(subject, "a list of names", shown(names_), "Give strings.")])
    return []


def check_rows(
    subject: str, operand: Estimator, rows: Sequence[str], shared: Sequence[str]
) -> None:
    """Raise unless each input of the operand is either rows or shared."""
    given = [*rows, *shared]
    breaches = [
        b for name in given for b in names.check_dataset(f"{subject}, rows", name)
    ]
    breaches += [
        Breach(
            f"{subject}, rows and shared",
            f"{name!r} in one of them",
            "both",
            "Rows are sliced; shared inputs are given whole to each fold.",
        )
        for name in rows
        if name in shared
    ]
    breaches += [
        Breach(
            f"{subject}, input {name!r}",
            "rows that are read under their own name",
            "a transcoded name",
            "Rows are sliced in memory: leave out what follows '@'.",
        )
        for pipeline in (operand.train, operand.eval)
        for name in sorted({n for node in pipeline.nodes for n in node.inputs})
        if "@" in name and names.base_name(name) in rows
    ]
    breaches += [
        Breach(f"{subject}, rows", "names without '@'", repr(name), "Leave out '@' …")
        for name in given
        if "@" in str(name)
    ]
    free = free_inputs(operand.train) | free_inputs(operand.eval) - set(operand.state)
    breaches += [
        Breach(
            f"{subject}, input {name!r}",
            "each input in rows or in shared",
            f"neither (rows: {listed(rows)}; shared: {listed(shared)})",
            f"{nearest(name, given)}Add it to rows if it has a value for each row.",
        )
        for name in sorted(free - set(given))
    ]
    raise_if(breaches)
