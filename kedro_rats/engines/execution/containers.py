"""What the process of a task does for the container that it runs in."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from kedro_rats.engines.execution.exit_codes import ExitCode

LAST_WORDS: Final = "KEDRO_RATS_LAST_WORDS"
"""The variable that names the file in which a container says why it ended."""


def writable_home() -> None:
    """Give the process a home of its own where it has none that it can write to.

    A container may run as a user that its image does not know, whose home is ``/`` then.
    Libraries that keep fonts, settings or caches there would warn or fail. Elsewhere
    than in a container of an engine nothing is changed.
    """
    home = os.environ.get("HOME", "")
    if LAST_WORDS not in os.environ:
        return
    if not home or not os.access(home, os.W_OK | os.X_OK):
        os.environ["HOME"] = mkdtemp(prefix="home-")


def say_last(code: int) -> None:
    """Say how the process ends, in a fixed word that has nothing of the user in it.

    So an engine can tell a process that ran out of memory from one that was killed:
    their exit codes are the same.
    """
    path = os.environ.get(LAST_WORDS)
    if path and code:
        with suppress(OSError, ValueError):
            Path(path).write_text(ExitCode(code).name.lower().replace("_", "-"))
