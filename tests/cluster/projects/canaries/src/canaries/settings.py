"""A project whose credentials come from a variable that is not called like a secret."""

from __future__ import annotations

import os
from typing import Any

from kedro.config import OmegaConfigLoader


class Vault(OmegaConfigLoader):
    """Stands for a vault. (Kedro does not see files of secrets that are mounted.)"""

    def __getitem__(self, key: str) -> Any:
        if key == "credentials":
            return {"database": {"user": "me", "password": os.environ["LEDGER"]}}
        return super().__getitem__(key)


CONFIG_LOADER_CLASS = Vault
CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local"}
