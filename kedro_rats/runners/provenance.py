"""Where the code of a run comes from."""

from __future__ import annotations

import platform
import subprocess
from typing import TYPE_CHECKING

import kedro

import kedro_rats

if TYPE_CHECKING:
    from pathlib import Path


def git_state(folder: Path) -> dict[str, object] | None:
    """Return the commit of a folder and whether it has changes; None without git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return None
    return {"commit": commit, "changed": bool(_git(folder, "status", "--porcelain"))}


def versions() -> dict[str, str]:
    """Return the versions that a result may depend on first."""
    return {
        "python": platform.python_version(),
        "kedro": kedro.__version__,
        "kedro-rats": kedro_rats.__version__,
    }


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            ["git", *arguments],  # noqa: S607 - whichever git the user has
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
