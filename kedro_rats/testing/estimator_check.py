"""A check that an estimator keeps the laws, for a user's own tests."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from kedro_rats import names
from kedro_rats.errors import Breach, listed, shown
from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.equality import same_function
from kedro_rats.testing.description import described, described_elsewhere
from kedro_rats.testing.execution import first_half, run, same_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping


class CheckError(AssertionError):
    """An estimator does not keep a law; one line for each breach."""

    def __init__(self, *breaches: Breach) -> None:
        super().__init__(*breaches)
        self.breaches = breaches

    def __str__(self) -> str:
        return "\n".join(str(breach) for breach in self.breaches)


def check_estimator(
    definition: Callable[[], Estimator],
    *,
    data: Mapping[str, Any] | None = None,
    shared: Iterable[str] = (),
) -> None:
    """Check that an estimator keeps the laws; call it in a test of your own.

    Without ``data`` it looks at the pipelines: only the state crosses from training to
    evaluation, no node of evaluation learns, each node pickles, and the definition gives
    the same nodes each time (a function at the top of a module is also called in two
    other processes, under other hash seeds).

    With ``data`` it also trains and evaluates, and finds an evaluation that learns
    whatever its nodes are called: it must leave the state as it is, and give each row the
    same output when it sees only half of the rows.

    Args:
        definition: A function without arguments that returns the estimator.
        data: The free inputs of ``train`` and ``eval`` by name, parameters included;
            row inputs have at least two rows each.
        shared: Inputs that are not rows.

    Raises:
        CheckError: If a law is broken; it names all that were found.

    Example:
        >>> import numpy as np
        >>> from sklearn.preprocessing import StandardScaler
        >>> from kedro_rats import estimator
        >>> def scale():
        ...     return estimator(StandardScaler(), inputs="X", outputs="Z")
        >>> check_estimator(scale, data={"X": np.arange(12.0).reshape(6, 2)})
    """
    estimator = _made_by(definition)
    if estimator is None:
        remedy = "Give the function, not what it returns: check_estimator(my_model)."
        expected = "a function that returns an Estimator"
        raise CheckError(Breach("check_estimator", expected, shown(definition), remedy))
    breaches = [
        *_check_state(estimator),
        *_check_determinism(definition, estimator),
        *_check_pickling(estimator),
    ]
    if not breaches and data is not None:
        breaches += _check_runs(estimator, data, set(shared))
    if breaches:
        raise CheckError(*breaches)


def _made_by(definition: Any) -> Estimator | None:
    made = definition() if callable(definition) else None
    return made if isinstance(made, Estimator) else None


def _check_state(estimator: Estimator) -> Iterator[Breach]:
    """Find evaluation that learns, and training data that evaluation reads.

    That training reads nothing of evaluation is checked when an estimator is made.
    """
    makers = {output: n for n in estimator.train.nodes for output in n.outputs}
    for state in estimator.state:
        maker = makers.get(state)
        if maker is not None and names.APPLY in maker.tags:
            yield Breach(
                f"state {state!r}",
                "what a node of type 'rats.fit' learned",
                f"an output of {maker.name!r}, which applies something to training rows",
                "Let eval make it from its own rows.",
            )


def _check_determinism(
    definition: Callable[[], Estimator], estimator: Estimator
) -> Iterator[Breach]:
    expected = described(estimator)
    others = [described(definition()), *described_elsewhere(definition)]
    for other in others:
        if other != expected:
            lines = [line for line in expected if line not in other]
            lines += [line for line in other if line not in expected]
            yield Breach(
                "definition",
                "the same nodes in the same order each time",
                f"a difference in {shown(lines[0]) if lines else 'their order'}",
                "Use no random, timed or unordered value (a set) where it is defined.",
            )
            return


def _check_pickling(estimator: Estimator) -> Iterator[Breach]:
    nodes = {n.name: n for n in [*estimator.train.nodes, *estimator.eval.nodes]}
    for node in nodes.values():
        try:
            copy = pickle.loads(pickle.dumps(node))  # noqa: S301 - our own bytes
        except Exception as error:  # noqa: BLE001 - pickling calls any code
            yield Breach(
                f"node {node.name!r}",
                "a node that pickles",
                " ".join(str(error).split()),
                "Define its function at the top of a module.",
            )
            continue
        if not same_function(copy.func, node.func):
            yield Breach(
                f"node {node.name!r}",
                "the same function after pickling",
                "another one",
                "Keep all that it needs in attributes that pickle and compare equal.",
            )


def _check_runs(
    estimator: Estimator, data: Mapping[str, Any], shared: set[str]
) -> Iterator[Breach]:
    free = {*estimator.train.inputs(), *estimator.eval.inputs()} - set(estimator.state)
    missing = sorted(free - data.keys())
    if missing:
        remedy = "Give them in data."
        yield Breach("data", "all free inputs", f"none for {listed(missing)}", remedy)
        return
    learned = run(estimator.train, data)
    state = {name: learned[name] for name in estimator.state}
    before = {name: pickle.dumps(value) for name, value in state.items()}
    whole = run(estimator.eval, {**data, **state})
    rows = {
        name
        for name in estimator.eval.inputs()
        if name in data and name not in shared and not names.is_parameter(name)
    }
    fewer = {
        name: first_half(data[name]) if name in rows else data[name] for name in data
    }
    half = run(estimator.eval, {**fewer, **state})
    for name, value in state.items():
        if pickle.dumps(value) != before[name]:
            yield Breach(
                f"eval, state {name!r}",
                "to be the same after evaluation",
                "another one",
                "eval must not fit or change what train learned: work on a copy.",
            )
    for name in estimator.outputs:
        if not same_values(first_half(whole[name]), half[name]):
            yield Breach(
                f"eval, output {name!r}",
                "the same values for a row whichever other rows there are",
                "other values when half of the rows are left out",
                "eval must not learn from its rows: learn in train, keep it in the state.",
            )
