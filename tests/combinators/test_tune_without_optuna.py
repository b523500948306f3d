"""Without Optuna, which is an extra, `tune` says what to install."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from kedro_rats import tune
from kedro_rats.errors import DefinitionError


def test_without_optuna_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # `None` makes Python treat the package as one that is not installed.
    monkeypatch.setitem(sys.modules, "optuna", None)
    anything: Any = None

    with pytest.raises(DefinitionError, match=r"Install kedro-rats\[tune\]"):
        tune(anything, space={}, objective="", trials=1, sampler=None, name="tune")
