"""A project from ``kedro new --starter=rats``, and commands in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path


def call(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a module of this Python, with stdin closed and without telemetry."""
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=cwd,
        env={**os.environ, "DO_NOT_TRACK": "1", "MPLBACKEND": "agg"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def kedro(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run Kedro, and show what it said if it fails."""
    done = call("kedro", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def new_project(folder: Path) -> subprocess.CompletedProcess[str]:
    """Make the project ``my-model`` in a folder."""
    return call("kedro", "new", "--starter=rats", "--name=My Model", cwd=folder)


def copy_of(folder: Path, target: Path) -> Path:
    """Return a copy of the project that was made in a folder, in another one."""
    return Path(shutil.copytree(folder / "my-model", target / "my-model"))
