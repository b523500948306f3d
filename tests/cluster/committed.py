"""What a run has left in its store, and that each of its tasks was committed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_rats.engines.execution.data import Fetched
from kedro_rats.engines.request import request_of
from kedro_rats.plan.document import plan_from_bytes
from kedro_rats.store.opening import open_store
from kedro_rats.store.records import attempts_of, is_published, record_of

if TYPE_CHECKING:
    from cluster.harness import Project

    from kedro_rats.plan.model import Plan
    from kedro_rats.store.artifacts import Artifact
    from kedro_rats.store.base import Store
    from kedro_rats.store.records import Attempt, Record


@dataclass(frozen=True)
class Run:
    """A run in a store.

    Attributes:
        store: The store.
        name: The run's id.
    """

    store: Store
    name: str

    @classmethod
    def of(cls, project: Project, name: str, *, store: str | None = None) -> Run:
        """Return a run of a project: in its store on S3, or in another."""
        return cls(open_store(store or project.store, base=Path.cwd()), name)

    @cached_property
    def plan(self) -> Plan:
        request = request_of(self.store, self.name)
        return plan_from_bytes(self.store.get(request.plan))

    def record(self, task: str) -> Record | None:
        return record_of(self.store, self.name, task)

    def records(self) -> dict[str, Record]:
        """Return the records there are, by the label of the task."""
        found = {task.label: self.record(task.name) for task in self.plan}
        return {label: record for label, record in found.items() if record is not None}

    def attempts(self, label: str) -> list[Attempt]:
        """Return the attempts of a task, in the order in which they began."""
        (name,) = [task.name for task in self.plan if task.label == label]
        found = attempts_of(self.store, self.name, name)
        return sorted(found, key=lambda attempt: str(attempt.begun["started"]))

    def artifacts(self) -> dict[str, Artifact]:
        """Return what was made, by dataset."""
        return {
            name: artifact
            for record in self.records().values()
            for name, artifact in record.outputs.items()
        }

    def value(self, dataset: str) -> Any:
        """Return the value of a dataset that has no place in the catalog."""
        return Fetched(dataset, self.artifacts()[dataset], self.store)()


def assert_committed_once(run: Run, *, only: set[str] | None = None) -> None:
    """See that all tasks are done, and that none ran again once it was committed.

    A record is made if there is none, so there cannot be two; an attempt that lost, or
    that came too late, would have left a note.
    """
    for task in run.plan:
        if only is not None and task.label not in only:
            continue
        record = run.record(task.name)
        assert record is not None, f"{task.label} is not committed"
        assert is_published(run.store, run.name, task.name), task.label
        attempts = attempts_of(run.store, run.name, task.name)
        done = [a for a in attempts if (a.ended or {}).get("outcome") == "done"]
        assert [a.name for a in done] == [record.attempt], (task.label, attempts)
        late = [a.name for a in attempts if a.begun["started"] > record.finished]
        assert not late, (task.label, attempts)
