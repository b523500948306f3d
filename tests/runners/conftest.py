"""Tests of runners run in a folder of their own, with calls counted in a file of it."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest
from pipelines.engine_steps import CALLS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Go to a new folder; processes started from here can import what we can."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(CALLS, str(tmp_path / "calls"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    return tmp_path
