"""How a run on a cluster gets on, why something failed, and how to wait for its end."""

from __future__ import annotations

from kedro_rats.engines.argo.progress.failures import explained, failure_lines
from kedro_rats.engines.argo.progress.tasks import (
    ENDED,
    Progress,
    RunState,
    TaskProgress,
    TaskState,
    progress,
)
from kedro_rats.engines.argo.progress.waiting import (
    Looking,
    finish_record,
    progress_in_store,
    wait,
)

__all__ = [
    "ENDED",
    "Looking",
    "Progress",
    "RunState",
    "TaskProgress",
    "TaskState",
    "explained",
    "failure_lines",
    "finish_record",
    "progress",
    "progress_in_store",
    "wait",
]
