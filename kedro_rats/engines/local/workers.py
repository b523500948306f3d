"""Where the local engine runs a task: in this process, or in one of its own."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kedro_rats.engines.execution.exit_codes import ExitCode, NodeFailed, exit_code
from kedro_rats.engines.execution.task import execute
from kedro_rats.engines.local.engine import TaskFailure
from kedro_rats.engines.local.processes import run_process

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from kedro_rats.engines.execution.surroundings import Surroundings
    from kedro_rats.plan.model import Task


@dataclass(frozen=True, slots=True)
class InProcess:
    """Runs tasks in this process.

    Attributes:
        around: What tasks are executed with.
        hooks: Calls hooks: ``hook_manager.hook`` of pluggy.
        redact: Takes secrets out of a text that is kept.
    """

    around: Surroundings
    hooks: Any
    redact: Callable[[str], str]

    def run(self, task: Task) -> TaskFailure | None:
        """Run a task; return how it failed, or None if it is done."""
        try:
            with _environment(task):
                execute(
                    task, self.around, hooks=lambda _: self.hooks, redact=self.redact
                )
        except Exception as error:  # noqa: BLE001 - whatever it is, others may go on
            cause = error.__cause__ if isinstance(error, NodeFailed) else error
            return TaskFailure(task, exit_code(error), self.redact(str(error)), cause)
        return None


@dataclass(frozen=True, slots=True)
class Isolated:
    """Runs each task in a process of its own, which imports what its nodes import.

    Attributes:
        store: Where the store is, as a user writes it.
        request: Digest of the run's request.
        project: The folder in which the process starts.
        secrets: Variables with what the process needs to reach the store.
    """

    store: str
    request: str
    project: Path
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def run(self, task: Task) -> TaskFailure | None:
        """Run a task; return how it failed, or None if it is done."""
        command = [
            *(sys.executable, "-m", "kedro_rats.engines.execution"),
            *("--store", self.store, "--request", self.request, "--task", task.name),
        ]
        ended = run_process(
            command,
            folder=self.project,
            env={**os.environ, **_variables(task), **self.secrets},
            timeout=task.placement.get("policy", {}).get("timeout"),
        )
        if ended.code == ExitCode.DONE:
            return None
        return TaskFailure(task, ended.code, ended.cause)


def _variables(task: Task) -> Mapping[str, str]:
    """Return the plain variables that a task is bound to; secrets are a cluster's."""
    env = task.placement.get("bind", {}).get("env", {})
    return {name: said["value"] for name, said in env.items() if "value" in said}


@contextlib.contextmanager
def _environment(task: Task) -> Iterator[None]:
    """Set the variables that a task is bound to while it runs."""
    variables = _variables(task)
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
