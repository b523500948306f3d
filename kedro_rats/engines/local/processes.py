"""A task's own process: started, watched, and ended with all that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from threading import Thread
from typing import IO, TYPE_CHECKING

from kedro_rats.engines.execution.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_LAST_LINES = 30
_SECONDS_FOR_LAST_LINES = 2.0
_SAID = " ERROR kedro_rats "


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended.

    Attributes:
        code: One of ``ExitCode``.
        cause: Why, on one line; empty if it did what it should.
    """

    code: ExitCode
    cause: str = ""


def run_process(
    command: Sequence[str],
    *,
    folder: Path,
    env: Mapping[str, str],
    timeout: float | None,
) -> Ended:
    """Run a task's process, show what it says, and return how it ended.

    It is the first of a process group. The group is killed when the time is over, when
    we are interrupted, and by itself when we are gone: it holds one end of a pipe, the
    other end of which closes with us.
    """
    with _lifeline() as line:
        process = subprocess.Popen(  # noqa: S603 - no shell, and no user's text
            [*command, "--lifeline", str(line)],
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            pass_fds=[line],
        )
        last: list[str] = []
        # In a thread: what a node has left running may keep the pipe open.
        reader = Thread(target=_relay, args=(process.stderr, last), daemon=True)
        reader.start()
        late = False
        with _group_of(process):
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                late = True
        reader.join(_SECONDS_FOR_LAST_LINES)
    if late:
        text = f"it took longer than its policy's timeout of {timeout:g} s."
        return Ended(ExitCode.USER_ERROR, text)
    return _ended(process.returncode, list(last))


@contextlib.contextmanager
def _lifeline() -> Iterator[int]:
    """Yield the end of a pipe whose other end closes when this process ends."""
    theirs, ours = os.pipe()
    try:
        yield theirs
    finally:
        os.close(theirs)
        os.close(ours)


@contextlib.contextmanager
def _group_of(process: subprocess.Popen[str]) -> Iterator[None]:
    """Kill a process and all that it started, unless it ended by itself."""
    try:
        yield
    finally:
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _relay(stream: IO[str], last: list[str]) -> None:
    with stream:
        for line in stream:
            sys.stderr.write(line)
            last.append(line.strip())
            del last[:-_LAST_LINES]


def _ended(code: int, last: Sequence[str]) -> Ended:
    if code == ExitCode.DONE:
        return Ended(ExitCode.DONE)
    if code == -signal.SIGKILL:
        text = "its process was killed: most likely it ran out of memory."
        return Ended(ExitCode.OUT_OF_MEMORY, text)
    if code < 0:
        text = f"its process ended by {signal.Signals(-code).name}."
        return Ended(ExitCode.USER_ERROR, text)
    known = [each for each in ExitCode if each == code]
    said = [line for line in last if _SAID in line]
    cause = f"its process ended with exit code {code}."
    if said and known:
        cause = said[-1].partition(_SAID)[2].partition(": ")[2]
    return Ended(known[0] if known else ExitCode.USER_ERROR, cause)
