"""The record of a run: what was asked for, and what came of each task.

It is put together from what the tasks left in the store, so that it can be made again,
also of a run that was killed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kedro_rats.encoding.canonical import to_bytes
from kedro_rats.engines.request import Request, request_of
from kedro_rats.names import FORMAT
from kedro_rats.plan.document import plan_from_bytes
from kedro_rats.store import layout
from kedro_rats.store.records import Record, attempts_of, record_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kedro_rats.plan.model import Plan, Task
    from kedro_rats.store.base import Store


def write_run_record(
    store: Store, request: Request, plan: Plan, *, finished: str | None
) -> dict[str, Any]:
    """Write the record of a run, in place of an earlier one; return it.

    Args:
        store: Where to.
        request: The run.
        plan: Its plan.
        finished: When it ended, ISO 8601, UTC; None for one that goes on.
    """
    record = run_record(store, request, plan, finished=finished)
    store.replace(layout.run_key(request.run), to_bytes(record))
    return record


def run_record(
    store: Store, request: Request, plan: Plan, *, finished: str | None = None
) -> dict[str, Any]:
    """Return the record of a run as JSON, from what its tasks left in the store."""
    found = store.each(lambda task: _task(store, request.run, task), plan)
    tasks = dict(zip(plan.tasks, found, strict=True))
    committed = sum(task["state"] == "done" for task in tasks.values())
    return {
        "format": FORMAT,
        "run": request.run,
        "plan": request.plan,
        "parameters": plan.header.parameters,
        "request": request.digest,
        "started": request.started,
        "finished": finished,
        "state": _state(committed, tasks, finished),
        "env": request.env,
        "save_version": request.save_version,
        "load_versions": dict(request.load_versions),
        "imports": {n: a.digest for n, a in sorted(request.imports.items())},
        "about": dict(request.about),
        "tasks": tasks,
    }


def saved_run_record(store: Store, run: str) -> dict[str, Any]:
    """Return the record of a run; put together now if the run has not finished.

    Raises:
        RatsError: If there is no such run.
    """
    data = store.read(layout.run_key(run))
    saved: dict[str, Any] = json.loads(data) if data is not None else {}
    if saved.get("finished") is None:
        request = request_of(store, run)
        return run_record(store, request, plan_from_bytes(store.get(request.plan)))
    return saved


def names_of_runs(store: Store) -> set[str]:
    """Return the ids of all runs in a store."""
    keys = store.keys(layout.RUNS)
    return {key.split("/")[1] for key in keys if key.endswith("/request.json")}


def runs(store: Store) -> list[str]:
    """Return the ids of all runs in a store, the latest first."""
    names = names_of_runs(store)
    started = {name: request_of(store, name).started for name in names}
    return sorted(names, key=lambda name: (started[name], name), reverse=True)


def records_of(store: Store, run: str) -> Iterator[Record]:
    """Yield the records of a run's tasks, in the order of its plan.

    Raises:
        RatsError: If there is no such run.
    """
    plan = plan_from_bytes(store.get(request_of(store, run).plan))
    found = store.each(lambda task: record_of(store, run, task.name), plan)
    yield from (record for record in found if record is not None)


def _task(store: Store, run: str, task: Task) -> dict[str, Any]:
    record = record_of(store, run, task.name)
    attempts = [
        {"name": a.name, **_said(a.begun), **_said(a.ended or {})}
        for a in attempts_of(store, run, task.name)
    ]
    attempts.sort(key=lambda attempt: (attempt.get("started", ""), attempt["name"]))
    found: dict[str, Any] = {
        "label": task.label,
        "position": task.position,
        "state": "done" if record else _task_state(attempts),
        "attempts": attempts,
    }
    if record is not None:
        found["started"] = record.started
        found["finished"] = record.finished
        found["inputs"] = dict(record.inputs)
        found["outputs"] = {n: a.to_json() for n, a in record.outputs.items()}
        found["versions"] = dict(record.versions)
    return found


def _task_state(attempts: Sequence[Mapping[str, Any]]) -> str:
    """Say how far a task is that is not done; one that was killed has said nothing."""
    if not attempts:
        return "not run"
    return "failed" if "outcome" in attempts[-1] else "not finished"


def _said(note: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in note.items() if k not in _OF_EVERY_NOTE}


_OF_EVERY_NOTE = ("format", "run", "task", "attempt")


def _state(committed: int, tasks: dict[str, Any], finished: str | None) -> str:
    if committed == len(tasks):
        return "done"
    return "failed" if finished else "not finished"
