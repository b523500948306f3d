"""How large a workflow is, and will become: Argo keeps all of it in one object."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach, raise_if

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 1024 * 1024
"""Bytes of a workflow with its status that Argo takes."""

LIMIT: Final = MOST * 8 // 10
"""Bytes that a workflow may have: what comes on top is not known to the byte."""

# Measured on Argo 3.7, docs/reference/argo.md: bytes of a node in the status, which Argo
# compresses, and what it notes beside it for each pod as it is.
_NODE_BYTES: Final = 95
_ATTEMPT_BYTES: Final = 95
_NOTE_BYTES: Final = 20
_STATUS_BYTES: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeReport:
    """How large a workflow is.

    Attributes:
        spec: Bytes of what is submitted.
        status: Bytes of its status at the end, if nothing is tried twice.
        status_retried: The same, if all that can be retried is, as often as can be.
        tasks: Tasks of the plan in it.
        nodes: What Argo keeps a status of: pods, their retries, DAGs and joins.
        levels: Tasks on the longest way through it: each costs the start of a pod.
        largest: Tasks of its largest DAG.
        limit: Bytes that it may have in all.
    """

    spec: int
    status: int
    status_retried: int
    tasks: int
    nodes: int
    levels: int
    largest: int
    limit: int = LIMIT

    @property
    def total(self) -> int:
        """Bytes at the end, if nothing is tried twice."""
        return self.spec + self.status


def size_report(manifest: Mapping[str, Any]) -> SizeReport:
    """Return how large a workflow is.

    Args:
        manifest: As ``translate`` makes it.
    """
    counted = _Counter({t["name"]: t for t in manifest["spec"]["templates"]})
    total = counted.of(manifest["spec"]["entrypoint"])
    text = json.dumps(manifest, separators=(",", ":"), ensure_ascii=False)
    note = len(manifest["metadata"]["name"]) + _NOTE_BYTES
    first = total.nodes * _NODE_BYTES + total.tasks * note + _STATUS_BYTES
    return SizeReport(
        spec=len(text.encode()),
        status=first,
        status_retried=first + total.retries * (_ATTEMPT_BYTES + note),
        tasks=total.tasks,
        nodes=total.nodes,
        levels=total.levels,
        largest=counted.largest,
    )


def refuse_too_large(manifest: Mapping[str, Any]) -> None:
    """Raise if a workflow is larger than Argo takes, or will be before it ends.

    Raises:
        DefinitionError: With what makes it smaller.
    """
    report = size_report(manifest)
    if report.total <= report.limit:
        return
    fewer = report.tasks * report.limit // report.total
    raise_if(
        [
            Breach(
                "the workflow",
                f"at most {report.limit} bytes with its status, 80 % of what Argo takes",
                f"{report.spec} bytes, and about {report.status} of status, for "
                f"{report.tasks} tasks",
                f"Make about {fewer} tasks of them: let nodes run together with a tag "
                "group.NAME, or a whole namespace with grouping: {namespace_depth: N} "
                "in rats.yml.",
            )
        ]
    )


@dataclass(frozen=True, slots=True)
class _Count:
    tasks: int = 0
    nodes: int = 0
    retries: int = 0
    levels: int = 0


class _Counter:
    """Counts what the templates of a workflow come to; each one once."""

    def __init__(self, templates: Mapping[str, Mapping[str, Any]]) -> None:
        self._templates = templates
        self._found: dict[str, _Count] = {}
        self.largest = 0

    def of(self, name: str) -> _Count:
        if name not in self._found:
            template = self._templates[name]
            if "dag" in template:
                self._found[name] = self._of_dag(template)
            else:
                self._found[name] = _of_node(template)
        return self._found[name]

    def _of_dag(self, template: Mapping[str, Any]) -> _Count:
        tasks = template["dag"].get("tasks", [])
        self.largest = max(self.largest, len(tasks))
        counts = {task["name"]: self.of(task["template"]) for task in tasks}
        nodes = 1 + sum(count.nodes for count in counts.values())
        retries = sum(count.retries for count in counts.values())
        if "inputs" in template:
            # A ladder: its pods are attempts of one task.
            return _Count(1, nodes, retries, 1)
        end: dict[str, int] = {}
        for task in tasks:
            before = (end[name] for name in task.get("dependencies", ()))
            end[task["name"]] = max(before, default=0) + counts[task["name"]].levels
        return _Count(
            sum(count.tasks for count in counts.values()),
            nodes,
            retries,
            max(end.values(), default=0),
        )


def _of_node(template: Mapping[str, Any]) -> _Count:
    if "suspend" in template:
        return _Count(nodes=1)
    retry = template.get("retryStrategy")
    return _Count(1, 2 if retry else 1, int(retry["limit"]) if retry else 0, 1)
