"""The engine that runs a plan on this machine, one task after the other."""

from __future__ import annotations

from kedro_rats.engines.local.engine import LocalEngine, RunFailed, TaskFailure

__all__ = ["LocalEngine", "RunFailed", "TaskFailure"]
