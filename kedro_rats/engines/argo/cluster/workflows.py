"""What a workflow of Argo is called, and how far it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

GROUP: Final = "argoproj.io"
VERSION: Final = "v1alpha1"

STOPPED: Final = "rats.kedro/stopped"
"""The annotation of a workflow that says why it was stopped."""

_ENDED: Final = ("Succeeded", "Failed", "Error")


def phase_of(workflow: Mapping[str, Any]) -> str:
    """Return a workflow's phase; empty before the controller has seen it.

    Example:
        >>> phase_of({"metadata": {"name": "run"}}), phase_of({"status": {"phase": "Error"}})
        ('', 'Error')
    """
    return str(workflow.get("status", {}).get("phase") or "")


def has_ended(workflow: Mapping[str, Any]) -> bool:
    """Say whether a workflow has ended, however."""
    return phase_of(workflow) in _ENDED
