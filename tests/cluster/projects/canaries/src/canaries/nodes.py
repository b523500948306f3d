"""Nodes that talk: they log what is secret, and fail with it in their message."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

logger = logging.getLogger(__name__)


class Ledger(AbstractDataset[int, int]):
    """Stands for a database: it needs credentials, has no file, and logs too much."""

    def __init__(self, *, table: str, credentials: dict[str, str]) -> None:
        self._table = table
        self._credentials = credentials

    def load(self) -> int:
        raise ConnectionError(f"refused: {self._credentials}")

    def save(self, data: int) -> None:
        logger.warning("saving %s with %s", data, self._credentials)

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table, "credentials": self._credentials}


def _secrets(database: dict[str, str], token: str) -> dict[str, str]:
    found = {name: os.environ[name] for name in ("VAULT_TOKEN", "DATABASE_PASSWORD")}
    file = Path("/etc/canaries/file").read_text()
    assert file
    return {**found, "password": database["password"], "token": token}


def speak(database: dict[str, str], token: str) -> tuple[int, int]:
    """Log all secrets; return how many letters they have."""
    secrets = _secrets(database, token)
    logger.warning("I know %s", secrets)
    for name, value in secrets.items():
        logger.error("%s is %s", name, value)
    return sum(map(len, secrets.values())), 1


def shout(database: dict[str, str], token: str) -> int:
    """Fail with all secrets in the message."""
    secrets = _secrets(database, token)
    raise ValueError(f"cannot connect with {secrets} {list(secrets.values())}")


def read(ledger: int) -> int:
    return ledger
