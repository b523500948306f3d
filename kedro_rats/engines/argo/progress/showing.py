"""Shows how a run gets on: live on a terminal, elsewhere a line for each change."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, TextIO

from kedro_rats.engines.argo.progress.text import (
    as_text,
    headline,
    note_of,
    took_between,
    tree,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from kedro_rats.engines.argo.progress.tasks import Progress, TaskProgress
    from kedro_rats.engines.argo.progress.text import Line
    from kedro_rats.plan.model import Plan

_MANY: Final = 100
"""Of a plan with more tasks, not each change is a line."""

_SUMMARY_SECONDS: Final = 10.0


@contextmanager
def live(
    plan: Plan, *, run: str = "", file: TextIO | None = None
) -> Iterator[Callable[[Progress], None]]:
    """Show a run while the block runs.

    Args:
        plan: The plan of the run.
        run: Its id.
        file: Where to; default standard error, so that standard output is the result's.

    Yields:
        A function that is told how the run gets on.
    """
    file = file if file is not None else sys.stderr
    if not file.isatty():
        yield Lines(len(plan), file)
        return
    from rich.console import Console
    from rich.live import Live

    screen = _Screen(run)
    with Live(screen, console=Console(file=file), refresh_per_second=2):
        yield screen.show


class Lines:
    """Writes a line for each change of a task; of a large plan, a summary.

    Args:
        tasks: How many tasks the plan has.
        file: Where to.
    """

    def __init__(self, tasks: int, file: TextIO) -> None:
        self._file = file
        self._is_large = tasks > _MANY
        self._said: dict[str, tuple[str, int, str | None]] = {}
        self._counts = ""
        self._when = float("-inf")

    def __call__(self, found: Progress) -> None:
        """Write what has changed."""
        for task in found.tasks.values():
            # The words of a cause change while it stays the same.
            now = (task.state, task.attempts, task.kind)
            if self._said.get(task.name, ("waiting", 0, None)) != now:
                self._said[task.name] = now
                if not self._is_large or task.cause:
                    self._write(_told(task))
        if self._is_large:
            self._summarise(found)

    def _summarise(self, found: Progress) -> None:
        counts = headline(found, "").partition(": ")[2].rpartition(",")[0]
        now = time.monotonic()
        ended = found.state != "running"
        if counts != self._counts and (ended or now - self._when > _SUMMARY_SECONDS):
            self._counts, self._when = counts, now
            self._write(counts)

    def _write(self, text: str) -> None:
        at = datetime.now().astimezone().strftime("%H:%M:%S")
        self._file.write(f"{at} {text}\n")
        self._file.flush()


def _told(task: TaskProgress) -> str:
    took = took_between(task.started, task.finished) if task.finished else ""
    state = f"{task.state} after {took}" if took else task.state
    note = note_of(task)
    return f"{task.label}: {state}{'. ' + note if note else ''}"


_COLOURS: Final = {
    "done": "green",
    "failed": "bold red",
    "retrying": "yellow",
    "running": "cyan",
    "pending": "yellow",
    "stopped": "magenta",
}


class _Screen:
    """What a terminal shows; made anew at each refresh, so that times go on."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._found: Progress | None = None

    def show(self, found: Progress) -> None:
        self._found = found

    def __rich__(self) -> Any:
        from rich.text import Text

        text = Text(no_wrap=True, overflow="ellipsis")
        if self._found is None:
            return text
        text.append(headline(self._found, self._run) + "\n")
        lines = _fitting(tree(self._found))
        for line, row in zip(lines, as_text(lines), strict=True):
            text.append(f"{row}\n", style=_COLOURS.get(line.state, "dim"))
        return text


def _fitting(lines: Sequence[Line]) -> Sequence[Line]:
    """Leave out what is quiet where a terminal is too small for all."""
    from shutil import get_terminal_size

    rows = get_terminal_size().lines - 3
    if len(lines) <= rows:
        return lines
    loud = [line for line in lines if line.state not in ("done", "waiting", "skipped")]
    return loud[:rows]
