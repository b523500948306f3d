"""How a run gets on, as text: a tree by namespace, folded where nothing is to be seen."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final

from kedro_rats.engines.argo.progress.tasks import ENDED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from kedro_rats.engines.argo.progress.tasks import Progress, TaskProgress

_MANY: Final = 12
"""So many quiet tasks beside each other are shown; of more, how many there are."""

_LONGEST_NOTE: Final = 160
_PATH: Final = re.compile(r"[^(\[\s]*")
_QUIET: Final = ("done", "waiting", "skipped")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the tree.

    Attributes:
        depth: How far it is indented.
        name: A namespace, or a task in it.
        state: Of the task, or of all tasks in the namespace.
        count: How many are done of how many; empty for a task.
        time: How long it took or has taken.
        note: Attempts and cause.
    """

    depth: int
    name: str
    state: str
    count: str = ""
    time: str = ""
    note: str = ""


@dataclass(slots=True)
class _Branch:
    """A namespace.

    Attributes:
        parts: What is in it, by name, in the order of the plan; a task may be called as
            a namespace is.
        inner: The namespaces in it.
    """

    parts: list[tuple[str, _Branch | TaskProgress]] = field(default_factory=list)
    inner: dict[str, _Branch] = field(default_factory=dict)

    def at(self, path: Sequence[str]) -> _Branch:
        """Return the namespace at a path; those that are not there are made."""
        here = self
        for name in path:
            if name not in here.inner:
                here.inner[name] = _Branch()
                here.parts.append((name, here.inner[name]))
            here = here.inner[name]
        return here

    def tasks(self) -> Iterator[TaskProgress]:
        for _, part in self.parts:
            if isinstance(part, _Branch):
                yield from part.tasks()
            else:
                yield part


def headline(found: Progress, run: str, *, now: datetime | None = None) -> str:
    """Return a run's state in a sentence.

    Example:
        >>> from kedro_rats.engines.argo.progress import Progress, TaskProgress
        >>> tasks = {"a": TaskProgress(name="a", label="a", state="done")}
        >>> found = Progress(workflow="w", state="succeeded", tasks=tasks,
        ...                  started="2026-11-21T10:00:00Z", finished="2026-11-21T10:01:05Z")
        >>> headline(found, "r1")
        'Run r1 succeeded: 1 of 1 tasks done, 1m05s.'
    """
    state = {"running": "is running", "stopped": "was stopped"}.get(
        found.state, found.state
    )
    others = [
        f"{found.count(each)} {each}"
        for each in ("running", "pending", "retrying", "failed")
        if found.count(each)
    ]
    counts = ", ".join(
        [f"{found.count('done')} of {len(found.tasks)} tasks done", *others]
    )
    took = took_between(found.started, found.finished, now=now)
    return f"Run {run} {state}: {counts}{', ' + took if took else ''}."


def tree(found: Progress, *, now: datetime | None = None) -> list[Line]:
    """Return the lines of a run's tree.

    A namespace is one line where all of it is done or nothing of it has begun.
    """
    root = _Branch()
    for task in found.tasks.values():
        _insert(root, task)
    return list(_lines(root, 0, now or datetime.now(timezone.utc)))


def as_text(lines: Sequence[Line]) -> list[str]:
    """Return lines in columns, each as wide as its widest cell."""
    rows = [
        ("  " * line.depth + line.name, line.state, line.count, line.time, line.note)
        for line in lines
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    return [
        "  ".join(
            (
                row[0].ljust(widths[0]),
                row[1].ljust(widths[1]),
                row[2].rjust(widths[2]),
                row[3].rjust(widths[3]),
                row[4],
            )
        ).rstrip()
        for row in rows
    ]


def note_of(task: TaskProgress) -> str:
    """Return what is to be said of a task besides its state."""
    several = f"{task.attempts} attempts" if task.attempts > 1 else ""
    cause = task.cause if task.state not in ("done", "stopped") else None
    text = ": ".join(filter(None, (several, cause)))
    return text if len(text) <= _LONGEST_NOTE else f"{text[:_LONGEST_NOTE]}..."


def took_between(
    started: str | None, finished: str | None, *, now: datetime | None = None
) -> str:
    """Return the time between two moments, or until now.

    Example:
        >>> took_between("2026-11-21T10:00:00Z", "2026-11-21T11:01:05Z")
        '1h01m'
    """
    if not started:
        return ""
    end = _moment(finished) if finished else now or datetime.now(timezone.utc)
    seconds = max(int((end - _moment(started)).total_seconds()), 0)
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _moment(text: str) -> datetime:
    # Python 3.10 does not read the Z.
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _insert(root: _Branch, task: TaskProgress) -> None:
    # A node without a name is called after what it does: its dots are not ours.
    match = _PATH.match(task.label)
    path = match[0] if match else ""
    *namespaces, last = path.split(".")
    root.at(namespaces).parts.append((last + task.label[len(path) :], task))


def _lines(branch: _Branch, depth: int, now: datetime) -> Iterator[Line]:
    quiet = [
        part
        for _, part in branch.parts
        if not isinstance(part, _Branch) and part.state in _QUIET
    ]
    hidden = quiet if len(quiet) > _MANY else []
    hidden_names = {task.name for task in hidden}
    for own, inner in branch.parts:
        name, part = _chained(own, inner)
        if isinstance(part, _Branch):
            yield from _branch_lines(part, name, depth, now)
        elif part.name not in hidden_names:
            yield _task_line(part, name, depth, now)
    for state in _QUIET:
        some = sum(task.state == state for task in hidden)
        if some:
            yield Line(depth, f"({some} more)", state)


def _branch_lines(
    branch: _Branch, name: str, depth: int, now: datetime
) -> Iterator[Line]:
    inside = list(branch.tasks())
    yield _branch_line(inside, name, depth, now)
    if not _is_quiet(inside):
        yield from _lines(branch, depth + 1, now)


def _chained(
    name: str, part: _Branch | TaskProgress
) -> tuple[str, _Branch | TaskProgress]:
    """Return a chain of namespaces with nothing beside them as one."""
    while isinstance(part, _Branch) and len(part.parts) == 1:
        ((inner, part),) = part.parts
        name = f"{name}.{inner}"
    return name, part


def _is_quiet(tasks: Iterable[TaskProgress]) -> bool:
    states = {task.state for task in tasks}
    return len(states) == 1 and states <= set(_QUIET)


def _task_line(task: TaskProgress, name: str, depth: int, now: datetime) -> Line:
    took = took_between(task.started, task.finished, now=now)
    return Line(depth, name, task.state, "", took, note_of(task))


def _branch_line(
    tasks: Sequence[TaskProgress], name: str, depth: int, now: datetime
) -> Line:
    done = sum(task.state == "done" for task in tasks)
    started = min((t.started for t in tasks if t.started), default=None)
    ended = all(task.state in ENDED for task in tasks)
    finished = max((t.finished for t in tasks if t.finished), default=None)
    took = took_between(started, finished if ended else None, now=now)
    return Line(depth, name, _of_all(tasks), f"{done}/{len(tasks)}", took)


_ORDER: Final = (
    "failed",
    "retrying",
    "running",
    "pending",
    "stopped",
    "waiting",
    "skipped",
    "done",
)


def _of_all(tasks: Iterable[TaskProgress]) -> str:
    """Return the state of a namespace: the one that asks most for a look."""
    states = {task.state for task in tasks}
    if states == {"done", "waiting"}:
        return "running"
    return min(states, key=_ORDER.index)
