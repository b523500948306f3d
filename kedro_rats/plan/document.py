"""The bytes of a plan: one JSON document, named by its digest, one line for each task.

A pod runs one task of thousands. It verifies the digest of the whole, finds the line of
its task and reads that line and the first one: its start costs the same whatever the
size of the plan.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.encoding.canonical import from_bytes, to_text
from kedro_rats.errors import Breach, DefinitionError, RatsError, raise_if, shown
from kedro_rats.names import FORMAT
from kedro_rats.plan.model import Header, Plan, Task

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

AGAIN: Final = "Make the plan again: this one was changed."
"""What to do with a plan that is not as it was made."""

_TASKS: Final = b',"tasks":{\n'
_END: Final = b"\n}}\n"


def plan_to_bytes(plan: Plan) -> bytes:
    """Return a plan as JSON with sorted keys: the same bytes for the same plan."""
    first = to_text({"format": FORMAT, "plan": plan.header.to_json()})
    lines = [
        f"{to_text(name)}:{to_text(plan.tasks[name].to_json())}"
        for name in sorted(plan.tasks)
    ]
    body = ",\n".join(lines)
    return first[:-1].encode() + _TASKS + body.encode() + _END


def plan_from_bytes(data: bytes) -> Plan:
    """Return the plan that ``plan_to_bytes`` wrote.

    Raises:
        RatsError: If it is no plan, or of a newer format.
    """
    value = _document(data)
    header = _header(value)
    with _reading("the plan"):
        tasks = [Task.from_json(name, item) for name, item in value["tasks"].items()]
        tasks.sort(key=lambda task: task.position)
        plan = Plan(header, {task.name: task for task in tasks})
        # What would be lost in reading (a task that is in it twice, a key that is not
        # known) must not be.
        if plan_to_bytes(plan) != data:
            raise ValueError
    return plan


def task_from_bytes(data: bytes, name: str) -> tuple[Header, Task]:
    """Return one task of a plan and what all tasks share, and read nothing else.

    Raises:
        RatsError: If it is no plan, of a newer format, or has no such task.
    """
    end_of_first = data.find(_TASKS)
    if end_of_first < 0 or not data.endswith(_END):
        _header(_document(data))
        raise _no_plan(data)
    header = _header(_document(data[:end_of_first] + b"}"))
    start = b"\n" + to_text(name).encode() + b":"
    at = data.find(start)
    if at < 0:
        msg = (
            f"Task {shown(name)}: expected a task of this plan, got none of that name. "
            "`kedro rats plan` lists the tasks."
        )
        raise RatsError(msg)
    end = data.index(b"\n", at + 1)
    line = data[at + len(start) : end].removesuffix(b",")
    with _reading(f"task {shown(name)}"):
        task = Task.from_json(name, from_bytes(line))  # type: ignore[arg-type]
        if to_text(task.to_json()).encode() != line or data.count(start) > 1:
            raise ValueError
    return header, task


def _document(data: bytes) -> dict[str, Any]:
    try:
        value = from_bytes(data)
    except ValueError as error:
        raise _no_plan(data) from error
    return value if isinstance(value, dict) else {}


def _no_plan(data: bytes) -> RatsError:
    msg = (
        "The plan: expected a JSON document that `kedro rats` wrote, got "
        f"{len(data)} bytes that are none. Make the plan again."
    )
    return RatsError(msg)


@contextmanager
def _reading(what: str) -> Iterator[None]:
    """Turn whatever goes wrong in reading something that was changed into one line."""
    try:
        yield
    except (
        ArithmeticError,
        AttributeError,
        LookupError,
        TypeError,
        ValueError,
    ) as error:
        breach = Breach(what, "what `kedro rats` wrote", "something else", AGAIN)
        raise DefinitionError(breach) from error


def _header(value: Mapping[str, Any]) -> Header:
    found = value.get("format")
    raise_if(
        [
            Breach(
                "the plan, format",
                repr(FORMAT),
                shown(found),
                "It was made by another version of kedro-rats: use that one, here and "
                "in the image.",
            )
        ]
        if found != FORMAT
        else []
    )
    with _reading("the plan"):
        return Header.from_json(value["plan"])
