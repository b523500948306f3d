"""Kedro's doors to the engines, and what they know of a project."""

from __future__ import annotations

from kedro_rats.runners.argo import ArgoRunner
from kedro_rats.runners.local import LocalRunner

__all__ = ["ArgoRunner", "LocalRunner"]
