"""What the tests share."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest
from kedro.framework.startup import bootstrap_project

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def penguins() -> pd.DataFrame:
    """Return the training rows."""
    return pd.read_csv(PROJECT / "data" / "01_raw" / "penguins.csv")


@pytest.fixture
def held_out() -> pd.DataFrame:
    """Return the held-out rows."""
    return pd.read_csv(PROJECT / "data" / "01_raw" / "penguins_held_out.csv")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a copy of configuration and raw data, so that tests leave data/ alone."""
    bootstrap_project(PROJECT)
    for folder in ["conf", "data/01_raw"]:
        shutil.copytree(PROJECT / folder, tmp_path / folder)
    return tmp_path
