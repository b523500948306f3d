"""What pseudo-labels are read from: an output that labels, and one that is sure of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats import names
from kedro_rats.combinators.labelling import Source
from kedro_rats.combinators.pruning import pruned
from kedro_rats.errors import Breach, listed, nearest, raise_if, shown
from kedro_rats.estimators.calls import ApplyState
from kedro_rats.estimators.wiring import made_by

if TYPE_CHECKING:
    from kedro_rats.combinators.select import Rule
    from kedro_rats.estimators.algebra import Estimator

_BY_CLASS = ("predict_proba", "predict_log_proba", "decision_function")


def check_outputs(
    subject: str,
    operand: Estimator,
    label: object,
    confidence: object,
    weight: object,
) -> list[Breach]:
    """Return what is wrong with the outputs that are read, and if nothing is learned."""
    known = made_by(operand.eval.nodes)
    given = {"label": label, "confidence": confidence, "weight": weight}
    breaches = [
        Breach(
            f"{subject}, {role}",
            f"an output of eval ({listed(sorted(known))})",
            shown(output),
            f"{nearest(str(output), known)}Name what the estimator makes.",
        )
        for role, output in given.items()
        if output not in known and (role == "label" or output is not None)
    ]
    if not operand.state:
        remedy = "What learns nothing labels the same in each round."
        got = "one without state"
        return [*breaches, Breach(subject, "an estimator that learns", got, remedy)]
    if label in known:
        read = {n for node in pruned(operand.eval, [str(label)]) for n in node.inputs}
        if not set(map(names.base_name, read)) & set(operand.state):
            remedy = "Name an output of what learns the target."
            expected = "an output that depends on what is learned"
            got = f"{label!r}, which does not"
            breaches.append(Breach(f"{subject}, label", expected, got, remedy))
    return breaches


def source_of(
    subject: str,
    operand: Estimator,
    rule: Rule,
    label: str,
    confidence: str | None,
    weight: str | None,
) -> tuple[Source, str | None]:
    """Return where labels are read, and the state that knows the classes if needed.

    Raises:
        DefinitionError: If nothing tells how sure a label is, and the rule must know.
    """
    methods, state = _methods(operand, label)
    by_class = methods.get(label) in _BY_CLASS and state in operand.state
    if confidence is None:
        sure = {method: output for output, method in methods.items()}
        confidence = label if by_class else sure.get("predict_proba")
    if confidence is None and rule.needs_confidence:
        remedy = "Name an output such as that of predict_proba: confidence='p'."
        expected = "an output that tells how sure a label is"
        raise_if([Breach(f"{subject}, confidence", expected, "none", remedy)])
    signed = [
        output
        for output in (confidence, weight)
        if output is not None
        and _methods(operand, output)[0].get(output) == "decision_function"
    ]
    source = Source(label, by_class, confidence, tuple(signed), weight)
    return source, state if by_class else None


def _methods(operand: Estimator, output: str) -> tuple[dict[str, str], str]:
    """Return the methods of the object that makes an output, by output; and its state."""
    node = made_by(operand.eval.nodes)[output]
    applies = getattr(node.func, "__self__", None)
    if not isinstance(applies, ApplyState):
        return {}, ""
    outputs = map(names.base_name, node.outputs)
    methods = dict(zip(outputs, applies.methods, strict=True))
    return methods, names.base_name(node.inputs[0])
