"""The nodes of an estimator that learns and applies by two functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats import names
from kedro_rats.errors import raise_if
from kedro_rats.estimators.arguments import Arguments, Names, check_call
from kedro_rats.estimators.nodes import function_node

if TYPE_CHECKING:
    from kedro.pipeline.node import Node

    from kedro_rats.estimators.definition import Definition


def function_nodes(definition: Definition) -> tuple[Node, Node]:
    """Return the node that fits and the node that applies.

    Raises:
        DefinitionError: If a function does not take its inputs.
    """
    fitted_with = Arguments.parse(definition.fit_inputs)
    applied_to = Arguments.parse(definition.inputs)
    subject, apply = definition.subject, definition.apply
    raise_if(
        [
            *check_call(f"{subject}, fit_inputs", definition.learns, fitted_with),
            *check_call(f"{subject}, inputs", apply, applied_to, leading=1),
        ]
    )
    fit_node = function_node(
        definition.learns,
        definition.fit_inputs,
        definition.state,
        name="fit",
        namespace=definition.name,
        node_type=names.FIT,
        tags=definition.tags,
    )
    apply_node = function_node(
        apply,
        _after_state(definition),
        definition.outputs,
        name="apply",
        namespace=definition.name,
        node_type=names.APPLY,
        tags=definition.tags,
    )
    return fit_node, apply_node


def _after_state(definition: Definition) -> Names:
    """Return the inputs of apply, whose first argument is the state."""
    inputs, state = definition.inputs, definition.state
    if isinstance(inputs, dict):
        (first,) = Arguments.parse(state).named_after(definition.apply)
        return {first: state, **inputs}
    return [state, *Arguments.parse(inputs).datasets]
