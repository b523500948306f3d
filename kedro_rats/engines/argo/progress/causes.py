"""Why a task of a workflow has ended: in words, with the cure.

Kubernetes and Argo say it in messages for people. What they mean is read off the reason
where there is one, and off the words of the message only where there is nothing else.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from kedro_rats.engines.execution.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal[
    "image",
    "config",
    "delayed",
    "unschedulable",
    "queued",
    "starting",
    "memory",
    "lost",
    "time",
    "refused",
    "stopped",
    "exit",
]

_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a task does not start, or has ended.

    Attributes:
        kind: What sort of cause it is.
        text: The cause, without a full stop.
        remedy: What to do, as a whole sentence; empty where it says itself.
        code: How its process ended, where one ran.
    """

    kind: Kind
    text: str
    remedy: str = ""
    code: int | None = None

    def __str__(self) -> str:
        return f"{self.text}. {self.remedy}".rstrip()

    @property
    def is_final(self) -> bool:
        """Whether the rules for retries do not try such a pod again."""
        ours = (ExitCode.USER_ERROR, ExitCode.BAD_INPUT)
        return self.kind in ("memory", "time") or self.code in ours


MACHINE: Final = "Ask for less under resources in rats.yml, or for other machines."
_MEMORY: Final = (
    "Raise memory under resources in rats.yml, or list more under memory_ladder."
)
_DISK: Final = "Raise disk or scratch in rats.yml, or write less there."
_AGAIN: Final = "Such failures are worth a retry."
_RIGHTS: Final = (
    "Give the service account its rights: `kedro rats init --argo` writes them."
)


def why_ended(
    message: str,
    *,
    phase: str = "Failed",
    code: str | None = None,
    pod: Mapping[str, Any] | None = None,
    memory: str | None = None,
) -> Cause:
    """Return why a pod has failed.

    Args:
        message: What Argo says of it.
        phase: Its phase, as Argo has it.
        code: Its exit code, as Argo has it.
        pod: The pod, where there still is one.
        memory: The memory that it had.

    Example:
        >>> print(why_ended("main: OOMKilled (exit code 137)", memory="2Gi").text)
        out of memory: it was killed at its limit of 2Gi
    """
    status = (pod or {}).get("status", {})
    number = int(code) if code and code.isdigit() else None
    message = _with_container(message, phase)
    if _out_of_memory(message, status):
        limit = f" of {memory}" if memory else ""
        text = f"out of memory: it was killed at its limit{limit}"
        return Cause("memory", text, _MEMORY, ExitCode.OUT_OF_MEMORY)
    for pattern, found in _SAID:
        if pattern.search(message):
            text = found.text.format(message=short(message))
            return Cause(found.kind, text, found.remedy, found.code)
    # A task's own last words, after what Kubernetes says of its container.
    if number == ExitCode.OUT_OF_MEMORY and message.endswith(": out-of-memory"):
        text = f"out of memory: it had {memory}" if memory else "out of memory"
        return Cause("memory", text, _MEMORY, number)
    if status.get("reason") in ("Evicted", "Preempting", "NodeLost", "Terminated"):
        return _lost(f"its pod was evicted: {short(message)}")
    # What Argo's own containers say is not the exit code of the task.
    ours = message.startswith("main:") or not message
    if ours and number == ExitCode.BAD_INPUT and not message.endswith("bad-input"):
        # Ours says that word. Argo's helper ends so if its pod is deleted early.
        return _lost("its pod ended before the task began (exit code 2)")
    if ours and number is not None:
        return of_exit_code(number, message)
    return Cause("exit", short(message) or "it gave no reason", "", number)


_UNNAMED: Final = re.compile(r"\w+ \(exit code \d+\)")


def _with_container(message: str, phase: str) -> str:
    """Return what Argo says with the container of which it says it.

    Argo 3.6 does not name the task's own, but has another phase for those of Argo.
    """
    named = phase != "Failed" or not _UNNAMED.match(message)
    return message if named else f"main: {message}"


def _out_of_memory(message: str, status: Mapping[str, Any]) -> bool:
    ended = [
        c.get("state", {}).get("terminated") or {}
        for c in status.get("containerStatuses") or ()
        if c.get("name") == "main"
    ]
    return "OOMKilled" in message or any(e.get("reason") == "OOMKilled" for e in ended)


def _lost(text: str) -> Cause:
    return Cause("lost", text, _AGAIN, ExitCode.INFRASTRUCTURE)


_SAID: Final = (
    (
        re.compile(r"^pod deleted$"),
        _lost("its pod was deleted, by somebody or with its machine"),
    ),
    (
        re.compile(r"local storage usage exceeds|Usage of EmptyDir"),
        Cause("lost", "its pod was evicted: {message}", _DISK, ExitCode.INFRASTRUCTURE),
    ),
    (
        re.compile(
            r"(was|were) low on resource|[Ee]victed"
            r"|[Pp]reempt|node shutdown|Node is shutting down"
        ),
        _lost("its pod was evicted: {message}"),
    ),
    (
        re.compile(r"workflow shutdown with strategy|Stopped with strategy"),
        Cause("stopped", "the workflow was stopped"),
    ),
    (
        re.compile(r"longer than the specified deadline|Max duration limit"),
        Cause(
            "time",
            "its time was over",
            "Raise timeout or deadline of its policy in rats.yml.",
        ),
    ),
    (
        re.compile(r"exceeded (its|workflow) deadline"),
        Cause(
            "time",
            "the time of the whole workflow was over",
            "Raise ext.argo.deadline in rats.yml.",
        ),
    ),
    (
        re.compile(r"cannot create resource \"workflowtaskresults\""),
        Cause("refused", "Argo could not note its result: {message}", _RIGHTS),
    ),
    (
        re.compile(r"error looking up service account"),
        Cause(
            "refused",
            "the cluster did not take its pod: {message}",
            "Correct ext.argo.service_account in rats.yml, or have it made.",
        ),
    ),
    (
        re.compile(r"exceeded quota"),
        Cause("refused", "the cluster did not take its pod: {message}", MACHINE),
    ),
    (
        re.compile(r"is forbidden"),
        Cause(
            "refused",
            "the cluster did not take its pod: {message}",
            "Ask whoever runs the cluster.",
        ),
    ),
    (
        re.compile(r"^main: .*(failed to find name in PATH|no such file or directory)"),
        Cause(
            "image",
            "its image cannot run tasks: {message}",
            "Install Python and kedro-rats in it.",
        ),
    ),
)

_CODES: Final[Mapping[int, Cause]] = {
    1: Cause("exit", "a node, a hook or a dataset raised (exit code 1)", "", 1),
    2: Cause("exit", "it cannot be run at all (exit code 2)", "", 2),
    75: Cause(
        "exit",
        "the store or a place could not be reached or written (exit code 75)",
        _AGAIN,
        75,
    ),
}


def of_exit_code(code: int, message: str = "") -> Cause:
    """Return what the exit code of a task's process means.

    Example:
        >>> of_exit_code(139).text
        'it was killed by SIGSEGV (exit code 139)'
    """
    if code in _CODES:
        return _CODES[code]
    try:
        name = signal.Signals(code - 128).name
    except ValueError:
        text = (
            short(message.removeprefix("main: ")) or f"it ended with exit code {code}"
        )
        return Cause("exit", text, "", code)
    return Cause("exit", f"it was killed by {name} (exit code {code})", "", code)


def short(text: str) -> str:
    """Return what a cluster says as one line without a full stop, of bounded length."""
    text = " ".join(text.split()).rstrip(".")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
