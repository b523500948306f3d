"""Looks a whole workflow over: nothing in it may mean something to a template or a shell.

``rats.yml`` takes only harmless characters. But a plan may come from elsewhere, and what
is looked at here is what is sent.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.naming import OUTPUTS
from kedro_rats.engines.argo.translation.ladders import EXPRESSIONS as OF_LADDERS
from kedro_rats.engines.argo.translation.retrying import EXPRESSION
from kedro_rats.errors import Breach, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

TASK_INPUT: Final = "{{inputs.parameters.task}}"
"""The one expression of containers: the task that a pod runs."""

HARMLESS: Final = re.compile(r"[A-Za-z0-9._/:@=-]*")

_OURS: Final = frozenset({TASK_INPUT, EXPRESSION})


def harmful(manifest: object) -> list[Breach]:
    """Return a breach for each text of a workflow that other characters are in.

    Args:
        manifest: The workflow as JSON.

    Example:
        >>> print(*harmful({"metadata": {"name": "{{workflow.uid}}"}}))
        workflow, metadata.name: expected letters, digits and . _ / : @ = - alone, got \
'{{workflow.uid}}'. Rename it where it comes from: the plan or rats.yml.
    """
    return [
        Breach(
            f"workflow, {'.'.join(path)}",
            "letters, digits and . _ / : @ = - alone",
            shown(text),
            "Rename it where it comes from: the plan or rats.yml.",
        )
        for path, text in _texts(manifest, ())
        if not _is_harmless(text, path)
    ]


def _is_harmless(text: str, path: tuple[str, ...]) -> bool:
    if HARMLESS.fullmatch(text) or text in _OURS:
        return True
    if path == ("metadata", "annotations", OUTPUTS):
        inside = (part for _, part in _texts(json.loads(text), path))
        return "{{" not in text and all(map(HARMLESS.fullmatch, inside))
    return any(pattern.fullmatch(text) for pattern in OF_LADDERS)


def _texts(
    value: object, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield (*path, "key"), key
            yield from _texts(part, (*path, key))
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _texts(part, (*path, str(index)))


def is_harmless(text: Any) -> bool:
    """Say whether a text may stand in a workflow."""
    return isinstance(text, str) and HARMLESS.fullmatch(text) is not None
