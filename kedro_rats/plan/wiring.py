"""Who makes and who reads each dataset of a pipeline: worked out once, in one pass."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kedro_rats.names import base_name, is_parameter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kedro.pipeline.node import Node


@dataclass(frozen=True, slots=True)
class Wiring:
    """The nodes of a pipeline in the order in which they can run, and their data.

    Nodes are known by their place in that order; datasets by their names without a
    transcoding suffix, since ``x@pandas`` and ``x@spark`` are one dataset.

    Attributes:
        nodes: The nodes.
        names: Their names.
        inputs: The datasets that each node reads, parameters apart, as it names them.
        maker: The node that makes a dataset, and the name under which it does.
        readers: The nodes that read a dataset, in their order.
    """

    nodes: tuple[Node, ...]
    names: tuple[str, ...]
    inputs: tuple[tuple[str, ...], ...]
    maker: dict[str, tuple[int, str]] = field(default_factory=dict)
    readers: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> Wiring:
        """Return the wiring of nodes that are in an order in which they can run."""
        kept = tuple(nodes)
        inputs = tuple(
            tuple(dict.fromkeys(n for n in node.inputs if not is_parameter(n)))
            for node in kept
        )
        wiring = cls(kept, tuple(node.name for node in kept), inputs)
        for i, node in enumerate(kept):
            for name in node.outputs:
                wiring.maker[base_name(name)] = (i, name)
            for base in dict.fromkeys(base_name(name) for name in inputs[i]):
                wiring.readers.setdefault(base, []).append(i)
        return wiring

    def makers_of(self, node: int) -> Iterator[tuple[int, str]]:
        """Yield each node that ``node`` reads from, with the dataset as it is read."""
        for name in self.inputs[node]:
            made = self.maker.get(base_name(name))
            if made is not None:
                yield made[0], name

    def readers_of(self, node: int) -> list[int]:
        """Return the nodes that read what ``node`` makes, each once, in order."""
        found = {
            reader
            for name in self.nodes[node].outputs
            for reader in self.readers.get(base_name(name), ())
        }
        return sorted(found)
