"""Matplotlib without windows, where it is installed."""

from __future__ import annotations

import warnings
from typing import Any

import pytest


def pyplot() -> Any:
    """Return ``matplotlib.pyplot``, or skip the test."""
    with warnings.catch_warnings():
        # Matplotlib 3.9 uses names that newer versions of pyparsing warn of.
        warnings.simplefilter("ignore", DeprecationWarning)
        matplotlib = pytest.importorskip("matplotlib")
        matplotlib.use("agg")
        from matplotlib import pyplot

        return pyplot
