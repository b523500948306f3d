"""Where things are in a store: keys, and the names that may be part of them.

Names come from manifests, command lines and other people's documents, so every key is
checked before it becomes a path.
"""

from __future__ import annotations

import re
from typing import Final

from kedro_rats.errors import Breach, DefinitionError, shown

MARKER: Final = "rats-store.json"
"""The document that says that a folder or a prefix is a store."""

OBJECTS: Final = "objects"
RUNS: Final = "runs"
STAGING: Final = "staging"

_RUN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_TASK: Final = re.compile(r"[a-z0-9-]{1,63}")
_ATTEMPT: Final = re.compile(r"[a-z0-9-]{1,40}")
DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_PART: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")


def check_run(name: str) -> str:
    """Return the name of a run.

    Raises:
        DefinitionError: If it cannot be part of a key.

    Example:
        >>> check_run("2026-11-21T13.40.05.123Z")
        '2026-11-21T13.40.05.123Z'
    """
    expected = "1 to 128 of A-Z, a-z, 0-9, '.', '_', '-', a letter or digit first"
    return _check("run", name, _RUN, expected)


def check_task(name: str) -> str:
    """Return the name of a task.

    Raises:
        DefinitionError: If it cannot be part of a key.
    """
    return _check("task", name, _TASK, "1 to 63 of a-z, 0-9, '-'")


def check_attempt(name: str) -> str:
    """Return the name of an attempt.

    Raises:
        DefinitionError: If it cannot be part of a key.
    """
    return _check("attempt", name, _ATTEMPT, "1 to 40 of a-z, 0-9, '-'")


def check_digest(digest: str) -> str:
    """Return a digest.

    Raises:
        DefinitionError: If it is not 64 lower-case hexadecimal digits.
    """
    return _check("digest", digest, DIGEST, "64 digits of 0-9, a-f")


def check_key(key: str) -> str:
    """Return the key of a document, or of a folder of documents.

    Raises:
        DefinitionError: If it leaves the store, or is not a plain path.

    Example:
        >>> check_key("runs/r1/run.json")
        'runs/r1/run.json'
    """
    parts = key.split("/")
    if all(_PART.fullmatch(part) for part in parts) and parts[0] != STAGING:
        return key
    raise DefinitionError(
        Breach(
            "key of the store",
            "names of A-Z, a-z, 0-9, '.', '_', '-' with '/' between",
            shown(key),
            "Use the functions of kedro_rats.store.layout.",
        )
    )


def check_document(key: str) -> str:
    """Return the key of a document that may be created.

    Raises:
        DefinitionError: If it is no plain path, or that of an object.
    """
    if check_key(key).split("/", 1)[0] == OBJECTS:
        raise DefinitionError(
            Breach(
                "key of the store",
                "a document",
                shown(key),
                "Objects are named by their digest: use put.",
            )
        )
    return key


def check_replaceable(key: str) -> str:
    """Return the key of a document that may be written a second time.

    Raises:
        DefinitionError: If it is not the record of a run: all else is proof, and is
            written once.
    """
    parts = check_key(key).split("/")
    if len(parts) == len(run_key("r").split("/")) and run_key(parts[1]) == key:
        return key
    raise DefinitionError(
        Breach(
            "key of the store",
            "runs/RUN/run.json",
            shown(key),
            "Only this can be replaced: use create.",
        )
    )


def object_key(digest: str) -> str:
    """Return where bytes with this digest are.

    Raises:
        DefinitionError: If it is not a digest.

    Example:
        >>> object_key("ab" * 32)[:14]
        'objects/ab/aba'
    """
    check_digest(digest)
    return f"{OBJECTS}/{digest[:2]}/{digest[2:]}"


def run_folder(run: str) -> str:
    """Return the folder of a run.

    Raises:
        DefinitionError: If the name cannot be part of a key. So do all that follow.
    """
    return f"{RUNS}/{check_run(run)}"


def request_key(run: str) -> str:
    """Return where it is said what was asked for."""
    return f"{run_folder(run)}/request.json"


def run_key(run: str) -> str:
    """Return where the record of the run is."""
    return f"{run_folder(run)}/run.json"


def records_folder(run: str) -> str:
    """Return the folder of the records of a run's tasks."""
    return f"{run_folder(run)}/records"


def record_key(run: str, task: str) -> str:
    """Return where the proof is that a task is committed.

    Example:
        >>> record_key("r1", "clf-fit-0a1b2c")
        'runs/r1/records/clf-fit-0a1b2c.json'
    """
    return f"{records_folder(run)}/{check_task(task)}.json"


def published_key(run: str, task: str) -> str:
    """Return where it is said that the publishing of a task is finished."""
    return f"{run_folder(run)}/published/{check_task(task)}.json"


def attempts_folder(run: str, task: str) -> str:
    """Return the folder of the attempts of a task."""
    return f"{run_folder(run)}/attempts/{check_task(task)}"


def attempt_key(run: str, task: str, attempt: str) -> str:
    """Return where it is said that an attempt has begun."""
    return f"{attempts_folder(run, task)}/{check_attempt(attempt)}.json"


def attempt_end_key(run: str, task: str, attempt: str) -> str:
    """Return where it is said how an attempt has ended."""
    return f"{attempts_folder(run, task)}/{check_attempt(attempt)}.end.json"


def matches(pattern: re.Pattern[str], value: object) -> bool:
    """Say whether a value, of whatever type, is a text of this form.

    Example:
        >>> matches(DIGEST, "ab" * 32), matches(DIGEST, 3)
        (True, False)
    """
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _check(subject: str, name: str, pattern: re.Pattern[str], expected: str) -> str:
    if matches(pattern, name):
        return name
    raise DefinitionError(
        Breach(f"name of a {subject}", expected, shown(name), "Give another name.")
    )
