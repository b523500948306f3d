"""Executes one task: once, however often it is asked for.

What a task makes is put into the store, then its record is written, and only the first
record counts. What that record names is then published to the places that the catalog
gives. Whoever finds a task committed and not published finishes it.
"""

from __future__ import annotations

import platform
import socket
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import kedro

import kedro_rats
from kedro_rats.engines.execution.exit_codes import BadInput, NodeFailed, exit_code
from kedro_rats.store.errors import StoreError
from kedro_rats.store.records import (
    Record,
    begin_attempt,
    commit,
    end_attempt,
    is_published,
    mark_published,
    record_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kedro.io import DataCatalog
    from kedro.pipeline.node import Node

    from kedro_rats.engines.execution.surroundings import Surroundings
    from kedro_rats.plan.model import PlannedNode, Task


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of asking for a task.

    Attributes:
        record: The proof that it is committed.
        ran: Whether its nodes ran now.
    """

    record: Record
    ran: bool


def execute(
    task: Task,
    around: Surroundings,
    *,
    hooks: Callable[[DataCatalog], Any],
    redact: Callable[[str], str] = str,
) -> Outcome:
    """Run a task unless it is committed, and publish what it made.

    Args:
        task: The task.
        around: What it is executed with.
        hooks: Returns what calls hooks, given the task's catalog; asked only if the
            task runs.
        redact: Takes secrets out of a text that is kept.

    Raises:
        NodeFailed: If a node, a hook or a dataset raises.
        BadInput: If the task cannot be run.
        StoreError: If the store cannot be read or written.
    """
    record = record_of(around.store, around.request.run, task.name)
    if record is not None:
        _finish(task, around, record)
        return Outcome(record, ran=False)
    with _attempt(task, around, redact) as attempt:
        record, catalog = _run(task, around, hooks, attempt)
        _finish(task, around, record)
        # Last of all: data that is confirmed is not offered again. And only by the one
        # whose outputs count.
        if record.attempt == attempt:
            _confirm(task, catalog)
    return Outcome(record, ran=True)


def _finish(task: Task, around: Surroundings, record: Record) -> None:
    """Publish what a record names, if it is one of this plan."""
    run, plan = around.request.run, around.request.plan
    if record.plan != plan:
        msg = (
            f"Task {task.name!r} of run {run!r}: expected a record of plan {plan[:12]}, "
            f"got one of {record.plan[:12]}. Give the run an id of its own."
        )
        raise BadInput(msg)
    if not is_published(around.store, run, task.name):
        _publish(task, around, record)


@contextmanager
def _attempt(
    task: Task, around: Surroundings, redact: Callable[[str], str]
) -> Iterator[str]:
    """Keep a note that the task is being tried, and how that ended."""
    attempt = uuid4().hex[:12]
    run = around.request.run
    begin_attempt(
        around.store,
        run,
        task.name,
        attempt,
        {"started": _now(), "host": socket.gethostname()},
    )
    try:
        yield attempt
    except BaseException as error:
        # Redacted first: afterwards a secret of two lines is not the same text.
        text = " ".join(redact(str(error)).split()) or type(error).__name__
        end = {"outcome": _outcome(error), "error": text[:_LONGEST]}
        # What went wrong counts, not that a full disk takes no note of it.
        with suppress(StoreError):
            _end(around, task, attempt, end)
        raise
    _end(around, task, attempt, {"outcome": "done"})


def _outcome(error: BaseException) -> str:
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return exit_code(error).name.lower()


def _end(
    around: Surroundings, task: Task, attempt: str, said: Mapping[str, str]
) -> None:
    note = {**said, "finished": _now()}
    end_attempt(around.store, around.request.run, task.name, attempt, note)


_LONGEST = 2000
"""So many characters of an error are kept."""


def _run(
    task: Task,
    around: Surroundings,
    hooks: Callable[[DataCatalog], Any],
    attempt: str,
) -> tuple[Record, DataCatalog]:
    """Run the nodes and commit; return the record that counts, and the datasets."""
    # Kedro's own modules are not needed for a task that is committed already.
    from kedro_rats.engines.execution.data import TaskData
    from kedro_rats.engines.execution.running import run_node

    started = _now()
    nodes = [_node(planned, around) for planned in task.nodes]
    with around.store.staged() as folder:
        data = TaskData(task, around, folder)
        catalog = data.catalog()
        caller = hooks(catalog)
        for node in nodes:
            with _failing(node.name):
                run_node(node, catalog, caller, around.request.run)
        record = commit(
            around.store,
            Record(
                run=around.request.run,
                task=task.name,
                plan=around.request.plan,
                attempt=attempt,
                inputs=data.inputs,
                outputs=data.artifacts(),
                started=started,
                finished=_now(),
                host=socket.gethostname(),
                versions=_versions(),
            ),
        )
    return record, catalog


@contextmanager
def _failing(node: str) -> Iterator[None]:
    """Name the node in what it, its datasets or a hook raises."""
    try:
        yield
    except Exception as error:
        raise NodeFailed(node, error) from error


def _confirm(task: Task, catalog: DataCatalog) -> None:
    for planned in task.nodes:
        with _failing(_label(planned)):
            for name in planned.confirms:
                catalog.confirm(name)


def _label(planned: PlannedNode) -> str:
    given = (planned.namespace, planned.name or "a node without a name")
    return ".".join(filter(None, given))


def _node(planned: PlannedNode, around: Surroundings) -> Node:
    from kedro.pipeline.node import Node

    try:
        function = around.decoder.decode(planned.function)
    except StoreError:
        raise
    except ImportError as error:
        msg = (
            f"Node {_label(planned)!r}: expected its function where it runs, got "
            f"{error}. Install that module there: in the image, or in this environment."
        )
        raise BadInput(msg) from error
    except Exception as error:  # what a module raises when it is imported
        msg = (
            f"Node {_label(planned)!r}: expected its function where it runs, got "
            f"{type(error).__name__}: {error}. Mend what its module does when it is "
            "imported, or the versions there."
        )
        raise BadInput(msg) from error
    return Node(
        function,
        planned.inputs,  # type: ignore[arg-type]
        planned.outputs,  # type: ignore[arg-type]
        name=planned.name,
        tags=planned.tags,
        namespace=planned.namespace,
    )


def _publish(task: Task, around: Surroundings, record: Record) -> None:
    if not any(task.writes.values()):
        mark_published(around.store, record)
        return
    from kedro_rats.engines.execution.places import places
    from kedro_rats.store.publishing import publish

    publish(around.store, record, places(task, around, record))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _versions() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "kedro": kedro.__version__,
        "kedro-rats": kedro_rats.__version__,
    }
