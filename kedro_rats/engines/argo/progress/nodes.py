"""What Argo keeps of a workflow: its nodes, and which pods were for which task."""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PARAMETER: Final = "task"
"""The parameter of a template by which a pod is told its task."""

LOGS: Final = "main-logs"
"""Argo's name of the artifact that is a pod's log."""

_NUMBER: Final = re.compile(r"\((\d+)\)$")
_GZIP: Final = 16 + zlib.MAX_WBITS
_LONGEST_NAME: Final = 253 - 10 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PodNode:
    """One pod that Argo made, or was to make, for a task.

    Attributes:
        node: Its id in the workflow.
        pod: The pod's name.
        phase: As Argo has it.
        message: What Argo says of it.
        code: The exit code of its process, as Argo has it.
        started: When it was made, ISO 8601, UTC.
        finished: When it ended.
        log: Where its log is kept as an artifact; None if it is not.
    """

    node: str
    pod: str
    phase: str
    message: str = ""
    code: str | None = None
    started: str = ""
    finished: str | None = None
    log: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskNodes:
    """What a workflow has of one task.

    Attributes:
        heads: Phase and message of each of its tasks in a DAG: more than one where it
            has steps of a memory ladder.
        pods: Its pods in the order of their start.
    """

    heads: tuple[tuple[str, str], ...]
    pods: tuple[PodNode, ...]


def nodes_of(workflow: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """Return the nodes of a workflow by id, unpacked where Argo has packed them.

    Raises:
        RatsError: If they are not in it, or packed in another way.
    """
    status = workflow.get("status", {})
    nodes: Mapping[str, Mapping[str, Any]] = status.get("nodes") or {}
    if nodes:
        return nodes
    name = workflow.get("metadata", {}).get("name")
    if status.get("compressedNodes"):
        try:
            data = base64.b64decode(status["compressedNodes"], validate=True)
            nodes = json.loads(zlib.decompress(data, _GZIP))
        except (binascii.Error, zlib.error, ValueError) as error:
            msg = (
                f"Workflow {name!r}: expected nodes packed with gzip, got others. A newer "
                "Argo packs them in another way: upgrade kedro-rats. `kedro rats runs` "
                "shows what the store knows of the run."
            )
            raise RatsError(msg) from error
    elif status.get("offloadNodeStatusVersion"):
        msg = (
            f"Workflow {name!r}: expected its nodes in it, got a note that they are in "
            "Argo's database (nodeStatusOffLoad). Look at it in Argo's own UI; "
            "`kedro rats runs` shows what the store knows of the run."
        )
        raise RatsError(msg)
    return nodes


def tasks_in(workflow: Mapping[str, Any]) -> Mapping[str, int]:
    """Return how many tasks of DAGs a workflow has for each task of the plan.

    A workflow of a retry has only some tasks of the plan.
    """
    found: dict[str, int] = {}
    for template in workflow.get("spec", {}).get("templates") or ():
        for each in (template.get("dag") or {}).get("tasks") or ():
            task = _parameter(each.get("arguments"))
            if task is not None and "{{" not in task:
                found[task] = found.get(task, 0) + 1
    return found


def by_task(workflow: Mapping[str, Any]) -> Mapping[str, TaskNodes]:
    """Return what a workflow has of each task that it has begun with.

    Raises:
        RatsError: If its nodes cannot be read.
    """
    nodes = sorted(nodes_of(workflow).values(), key=_age)
    heads: dict[str, list[tuple[str, str]]] = {}
    pods: dict[str, list[PodNode]] = {}
    for node in nodes:
        task = _parameter(node.get("inputs"))
        if task is None:
            continue
        retried = (node.get("nodeFlag") or {}).get("retried", False)
        if node.get("type") in ("Retry", "Pod", "Skipped") and not retried:
            head = (str(node.get("phase") or ""), str(node.get("message") or ""))
            heads.setdefault(task, []).append(head)
        if node.get("type") == "Pod":
            pods.setdefault(task, []).append(_pod(node, workflow))
    return {
        task: TaskNodes(
            heads=tuple(found),
            pods=tuple(pods.get(task, ())),
        )
        for task, found in heads.items()
    }


def pods_by_node(pods: Iterator[Mapping[str, Any]]) -> Mapping[str, Mapping[str, Any]]:
    """Return pods by the id of their node."""
    key = "workflows.argoproj.io/node-id"
    found = {}
    for pod in pods:
        node = (pod["metadata"].get("annotations") or {}).get(key)
        if node is not None:
            found[node] = pod
    return found


def _age(node: Mapping[str, Any]) -> tuple[str, int]:
    """Return what puts nodes in the order of their start; attempts are numbered."""
    number = _NUMBER.search(str(node.get("displayName") or ""))
    return str(node.get("startedAt") or ""), int(number[1]) if number else 0


def _parameter(given: Mapping[str, Any] | None) -> str | None:
    for each in (given or {}).get("parameters") or ():
        if each.get("name") == PARAMETER and each.get("value") is not None:
            return str(each["value"])
    return None


def _pod(node: Mapping[str, Any], workflow: Mapping[str, Any]) -> PodNode:
    outputs = node.get("outputs") or {}
    kept = [a for a in outputs.get("artifacts") or () if a.get("name") == LOGS]
    return PodNode(
        node=str(node["id"]),
        pod=pod_name(node, workflow),
        phase=str(node.get("phase") or ""),
        message=str(node.get("message") or ""),
        code=outputs.get("exitCode"),
        started=str(node.get("startedAt") or ""),
        finished=node.get("finishedAt"),
        log=kept[0] if kept else None,
    )


def pod_name(node: Mapping[str, Any], workflow: Mapping[str, Any]) -> str:
    """Return the name of a node's pod, which Argo derives and does not keep.

    Example:
        >>> node = {"id": "run-3660628021", "name": "run.a", "templateName": "c0"}
        >>> pod_name(node, {"metadata": {"name": "run"}})
        'run-c0-3660628021'
    """
    metadata = workflow["metadata"]
    name, ident = str(metadata["name"]), str(node["id"])
    annotations = metadata.get("annotations") or {}
    version = annotations.get("workflows.argoproj.io/pod-name-format", "v2")
    if version == "v1" or node.get("name") == name:
        return ident
    template = node.get("templateName") or (node.get("templateRef") or {}).get(
        "template"
    )
    prefix = f"{name}-{template}" if template else name
    return f"{prefix[:_LONGEST_NAME]}-{ident.rpartition('-')[2]}"
