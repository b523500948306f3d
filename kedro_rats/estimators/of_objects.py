"""The nodes of an estimator that learns by an object such as scikit-learn's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats import names
from kedro_rats.errors import Breach, listed, raise_if
from kedro_rats.estimators.arguments import Arguments, check_call
from kedro_rats.estimators.calls import PARAMETERS, ApplyState, FitObject
from kedro_rats.estimators.methods import methods_by_output
from kedro_rats.estimators.nodes import called, make_node
from kedro_rats.estimators.preview import NodePreview

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

    from kedro_rats.estimators.definition import Definition


def object_nodes(definition: Definition) -> tuple[Node, Node]:
    """Return the node that fits (and, if fused, transforms) and the one that applies.

    Raises:
        DefinitionError: If a method is missing, or does not take its inputs.
    """
    subject, obj = definition.subject, definition.learns
    may_change = definition.params is not None
    by_method = methods_by_output(
        subject, obj, definition.outputs, may_change=may_change
    )
    fitted_with = Arguments.parse(definition.fit_inputs)
    applied_to = Arguments.parse(definition.inputs)
    breaches = check_call(f"{subject}, fit_inputs", obj.fit, fitted_with)
    for method in by_method:
        if hasattr(obj, method):
            bound = getattr(obj, method)
            breaches += check_call(f"{subject}, inputs", bound, applied_to)
    obstacles = _obstacles(definition, tuple(by_method), fitted_with, applied_to)
    if definition.fused and obstacles:
        expected, got = "what one fused node needs", listed(obstacles)
        remedy = "Leave fused out, or mend these."
        breaches.append(Breach(f"{subject}, fused", expected, got, remedy))
    raise_if(breaches)
    fused = definition.fused is not False and not obstacles
    fused_output = by_method["transform"] if fused else None
    return (
        _fit_node(definition, fitted_with, fused_output),
        _apply_node(definition, applied_to, by_method),
    )


def _fit_node(
    definition: Definition, arguments: Arguments, fused_output: str | None
) -> Node:
    obj = definition.learns
    read, keywords = list(arguments.datasets), arguments.keywords
    argument_names = arguments.named_after(obj.fit)
    call = called(
        obj.fit if fused_output is None else obj.fit_transform, argument_names
    )
    if definition.params is not None:
        read, keywords = [*read, definition.params], (*keywords, PARAMETERS)
        argument_names = (*argument_names, PARAMETERS)
        call = f"{PARAMETERS}, then {call}"
    learned = FitObject(obj, keywords, argument_names)
    return make_node(
        learned.fit if fused_output is None else learned.fit_transform,
        read,
        definition.state if fused_output is None else [definition.state, fused_output],
        name="fit" if fused_output is None else "fit_transform",
        namespace=definition.name,
        node_type=names.FIT,
        tags=definition.tags,
        preview=NodePreview(names.FIT, obj, call),
    )


def _apply_node(
    definition: Definition, arguments: Arguments, by_method: dict[str, str]
) -> Node:
    obj, methods = definition.learns, tuple(by_method)
    made = list(by_method.values())
    argument_names = arguments.named_after(getattr(obj, methods[0], obj.fit))
    apply = ApplyState(methods, arguments.keywords, ("fitted", *argument_names))
    call = f"{', '.join(methods)}({', '.join(argument_names)})"
    return make_node(
        apply.apply,
        [definition.state, *arguments.datasets],
        made[0] if len(made) == 1 else made,
        name="apply",
        namespace=definition.name,
        node_type=names.APPLY,
        tags=definition.tags,
        preview=NodePreview(names.APPLY, obj, call),
    )


def _obstacles(
    definition: Definition,
    methods: tuple[str, ...],
    fitted_with: Arguments,
    applied_to: Arguments,
) -> list[str]:
    """Return why fit and transform cannot be one node; empty if they can."""
    obj = definition.learns
    fused = getattr(obj, "fit_transform", None)
    first = fitted_with.first_of(obj.fit)
    reasons = {
        "no method fit_transform": fused is None,
        "outputs other than transform": methods != ("transform",),
        "inputs that are not what fit gets first": applied_to.datasets != (first,),
        "fit_inputs that fit_transform does not take": fused is not None
        and bool(check_call("", fused, fitted_with)),
        "train_outputs=False": not definition.train_outputs,
    }
    return [reason for reason, holds in reasons.items() if holds]
