"""Nodes that do nothing once pseudo-labelling has stopped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.combinators.guarding import Guard, guarded
from kedro_rats.estimators.arguments import bind
from kedro_rats.estimators.node_function import node_function
from kedro_rats.names import base_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kedro.pipeline.node import Node


@dataclass(frozen=True)
class Idle:
    """What the nodes of a masked round give.

    It is not `Masked`, which the guards of a search pass on to the end of a trial: a
    masked round is left out, and what surrounds it goes on.

    Attributes:
        name: The combinator whose round it is: others, inside or outside, do not mind.
    """

    name: str


@dataclass(frozen=True)
class Skip(Guard):
    """Calls the function of a node, except in a masked round. What it raises is raised.

    Attributes:
        name: The combinator whose rounds may be masked.
        watches: Whether the last value is only there to tell of a masked round.
    """

    watches: bool

    @node_function
    def guarded(self, *values: Any) -> Any:
        """Return what the function gives, or idle for each output."""
        idle = Idle(self.name)
        if not any(isinstance(value, Idle) and value == idle for value in values):
            args, kwargs = bind(self.keywords, values[:-1] if self.watches else values)
            return self.func(*args, **kwargs)
        if isinstance(self.outputs, tuple):
            return dict.fromkeys(self.outputs, idle)
        return idle if self.outputs is None else [idle] * self.outputs


def idling(
    nodes: Iterable[Node], name: str, fed: Iterable[str], watched: str
) -> list[Node]:
    """Return copies of the nodes of a round that do nothing where it is masked.

    Args:
        nodes: In running order.
        name: The combinator.
        fed: The datasets of the round that are idle where it is masked.
        watched: One of these. A node that needs none, nor anything made of them, reads it
            beside its own inputs.
    """
    told = set(fed)
    copies = []
    for node in nodes:
        watches = not told & set(map(base_name, node.inputs))
        copies.append(_skipping(node, name, watched if watches else None))
        told |= set(map(base_name, node.outputs))
    return copies


def _skipping(node: Node, name: str, watched: str | None) -> Node:
    plain = guarded(node, name)
    guard: Guard = plain.func.__self__  # type: ignore[attr-defined]
    extra = () if watched is None else (watched,)
    skip = Skip(
        guard.func,
        guard.node,
        guard.keywords,
        (*guard.argument_names, *(_unused(guard.argument_names) for _ in extra)),
        guard.outputs,
        name,
        watches=bool(extra),
    )
    return node._copy(func=skip.guarded, inputs=[*plain.inputs, *extra])


def _unused(taken: tuple[str, ...]) -> str:
    name = "watched"
    while name in taken:
        name += "_"
    return name
