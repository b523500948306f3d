"""What must be true of every plan, whoever made it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kedro_rats.errors import Breach, listed, raise_if, shown
from kedro_rats.names import base_name, is_parameter
from kedro_rats.plan.document import AGAIN
from kedro_rats.plan.naming import TASK_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.plan.model import Header, Plan, Task

_MAX_NAME: Final = 63
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def verify(plan: Plan) -> Plan:
    """Return ``plan`` if every task can run when those before it have.

    Raises:
        DefinitionError: If not, with all that is wrong.
    """
    raise_if(_breaches(plan))
    return plan


def _breaches(plan: Plan) -> Iterator[Breach]:
    yield from _header_breaches(plan.header)
    done: dict[str, Task] = {}
    made: dict[str, str] = {}
    for name, task in plan.tasks.items():
        yield from _name_breaches(name, task)
        yield from _order_breaches(task, done)
        yield from _reads_breaches(task, done)
        yield from _node_breaches(task)
        for dataset in task.writes:
            if dataset in made:
                both = f"tasks {made[dataset]!r} and {name!r}"
                yield _breach(f"dataset {dataset!r}", "one task that writes it", both)
            made[dataset] = name
        done[name] = task


def _breach(subject: str, expected: str, got: str) -> Breach:
    return Breach(subject, expected, got, AGAIN)


def _header_breaches(header: Header) -> Iterator[Breach]:
    for digest in (header.parameters, *header.pickles):
        if not _DIGEST.fullmatch(str(digest)):
            yield _breach("the plan, digests", "64 hexadecimal digits", shown(digest))


def _name_breaches(name: str, task: Task) -> Iterator[Breach]:
    if not TASK_NAME.fullmatch(name) or len(name) > _MAX_NAME:
        yield _breach("task name", "at most 63 of [a-z0-9-]", shown(name))
    if task.name != name:
        yield _breach(f"task {name!r}", "a task of this name", shown(task.name))
    if not task.nodes:
        yield _breach(f"task {name!r}", "nodes", "none")


def _order_breaches(task: Task, done: dict[str, Task]) -> Iterator[Breach]:
    if task.position != len(done):
        got, expected = str(task.position), f"position {len(done)}"
        yield _breach(f"task {task.name!r}", expected, got)
    for earlier in task.after:
        if earlier not in done:
            yield _breach(f"task {task.name!r}, after", "earlier tasks", shown(earlier))
    sources = {s.task for s in task.reads.values() if s.task is not None}
    if sources != set(task.after):
        expected = f"the tasks that it reads from ({listed(sorted(sources))})"
        yield _breach(f"task {task.name!r}, after", expected, listed(task.after))


def _reads_breaches(task: Task, done: dict[str, Task]) -> Iterator[Breach]:
    for dataset, source in task.reads.items():
        if source.task is None:
            continue
        maker = done.get(source.task)
        if maker is None or source.dataset not in maker.writes:
            yield _breach(
                f"task {task.name!r}, dataset {dataset!r}",
                "an earlier task that writes it",
                shown(source.task),
            )


def _node_breaches(task: Task) -> Iterator[Breach]:
    """Yield a breach for what a node reads, or a task writes, from nowhere."""
    made: set[str] = set()
    for node in task.nodes:
        for name in _datasets(node.inputs):
            known = is_parameter(name) or name in task.reads or base_name(name) in made
            if not known:
                subject = f"task {task.name!r}, dataset {name!r}"
                got = "a node that reads it before anything makes it"
                yield _breach(subject, "data that is there", got)
        made.update(base_name(name) for name in _datasets(node.outputs))
    for name in task.writes:
        if base_name(name) not in made:
            subject = f"task {task.name!r}, dataset {name!r}"
            yield _breach(subject, "a node of this task that makes it", "none")


def _datasets(binding: Json) -> Iterable[str]:
    if isinstance(binding, str):
        return (binding,)
    values = binding.values() if isinstance(binding, dict) else binding or ()
    return (str(value) for value in values)  # type: ignore[union-attr]
