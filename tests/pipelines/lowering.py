"""Lowering for tests: a placing of tags alone, and short ways to look at a plan."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach
from kedro_rats.plan import CatalogEntries, Lowered, lower

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node


@dataclass
class ByTags:
    """Places by ``group.`` and ``image.`` tags; nodes of two images cannot be together."""

    asked: int = 0

    def groups(self, nodes: Sequence[Node]) -> tuple[dict[str, str], list[Breach]]:
        return {node.name: g for node in nodes for g in tagged(node, "group.")}, []

    def together(
        self, nodes: Sequence[Node], subject: str
    ) -> tuple[Mapping[str, Any], list[Breach]]:
        self.asked += 1
        images = sorted({image for node in nodes for image in tagged(node, "image.")})
        if len(images) > 1:
            got = " and ".join(images)
            return {}, [Breach(subject, "one image", got, "Give one of them.")]
        return ({"image": images[0]} if images else {}), []


def tagged(node: Node, prefix: str) -> list[str]:
    return sorted(t.removeprefix(prefix) for t in node.tags if t.startswith(prefix))


def lowered(
    pipeline: Pipeline,
    catalog: Mapping[str, Any] | None = None,
    *,
    parameters: Mapping[str, object] | None = None,
    given: Collection[str] = ("raw",),
    **options: Any,
) -> Lowered:
    """Return the plan of a pipeline whose input is ``raw``."""
    return lower(
        pipeline,
        catalog=CatalogEntries(catalog or {}),
        parameters=parameters or {},
        placing=options.pop("placing", None) or ByTags(),
        given=given,
        **options,
    )


def contents(found: Lowered) -> list[list[str]]:
    """Return the names of the nodes of each task, in the order of the tasks."""
    return [
        [".".join(filter(None, (n.namespace, n.name))) for n in task.nodes]
        for task in found.plan
    ]


def chooser(names: set[str]) -> Any:
    """Return a function that only a pickle can carry, with sets in it."""

    def choose(name: str) -> Any:
        return name in names or name in {"one", "two", "three", "four"}

    return choose


def main() -> None:
    """Lower the pipelines that are described on stdin, and print digests of all bytes."""
    from pipelines.random_pipelines import read_drawn

    sys.stdout.write(json.dumps([digests(drawn) for drawn in read_drawn()]))


def digests(drawn: Any) -> list[Any]:
    """Return what names all bytes that lowering a drawn pipeline gives."""
    found = lowered(
        drawn.pipeline(),
        drawn.catalog(),
        parameters=drawn.parameters(),
        given=drawn.inputs(),
    )
    return [found.digest, found.plan.header.parameters, sorted(found.pickles)]


if __name__ == "__main__":
    main()
