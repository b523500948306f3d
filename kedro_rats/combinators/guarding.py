"""Nodes whose failure is a value, so that the rest of a pipeline goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_type_hints

from kedro_rats.estimators.arguments import Arguments, bind
from kedro_rats.estimators.node_function import node_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failed:
    """What a guarded node gives for each output when it, or one before it, failed.

    Attributes:
        name: The combinator whose node it is: guards of others do not mind.
        node: The node that failed first.
        error: Its error, as one line.
    """

    name: str
    node: str
    error: str


@dataclass(frozen=True)
class Masked:
    """What a trial gives when its search has stopped before.

    Attributes:
        name: The search: guards of others do not mind.
    """

    name: str


@dataclass(frozen=True)
class Guard:
    """Calls the function of a node; what that raises becomes its outputs.

    Attributes:
        name: The combinator whose node it is. What another one inside has masked, or noted
            as failed, goes to the function: there that one takes care of it.
    """

    func: Callable[..., Any]
    node: str
    keywords: tuple[str | None, ...]
    argument_names: tuple[str, ...]
    outputs: tuple[str, ...] | int | None
    name: str

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The function's annotations: Kedro makes typed parameters of them."""
        try:
            return get_type_hints(self.func)
        except (NameError, TypeError, AttributeError):
            return {}

    @node_function
    def guarded(self, *values: Any) -> Any:
        """Return what the function gives, or the failure for each output."""
        absent = (v for v in values if isinstance(v, (Failed, Masked)))
        own = (v for v in absent if v.name == self.name)
        failed: Failed | Masked | None = next(own, None)
        if failed is None:
            args, kwargs = bind(self.keywords, values)
            try:
                return self.func(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - a failure is a result here
                text = " ".join(f"{type(error).__name__}: {error}".split())
                failed = Failed(self.name, self.node, text)
                logger.warning("Node %s failed: %s", self.node, text)
        if isinstance(self.outputs, tuple):
            return dict.fromkeys(self.outputs, failed)
        return failed if self.outputs is None else [failed] * self.outputs


def owner_of(node: Node) -> Any:
    """Return the object whose method is a node's function, behind any guard."""
    owner = getattr(node.func, "__self__", None)
    while isinstance(owner, Guard):
        owner = getattr(owner.func, "__self__", None)
    return owner


def guarded(node: Node, name: str) -> Node:
    """Return a copy of a node that passes failures on.

    Args:
        node: A node of a combinator.
        name: The combinator, whose failures it passes on.
    """
    inputs, outputs = node._inputs, node._outputs
    arguments = Arguments.parse(inputs) if inputs else Arguments((), ())
    shape: tuple[str, ...] | int | None = None
    if isinstance(outputs, dict):
        shape = tuple(outputs)
    elif isinstance(outputs, list):
        shape = len(outputs)
    guard = Guard(
        node.func,
        node.name,
        arguments.keywords,
        arguments.named_after(node.func),
        shape,
        name,
    )
    return node._copy(func=guard.guarded, inputs=list(arguments.datasets))
