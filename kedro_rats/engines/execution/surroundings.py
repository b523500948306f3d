"""What a task is executed with, besides itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.encoding.objects import ObjectDecoder
    from kedro_rats.engines.request import Request
    from kedro_rats.store.base import Store


STORE_SECRETS = "KEDRO_RATS_STORE_SECRETS"
"""A variable with the store's credentials as JSON, for the process of a task alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a task is executed with, besides itself.

    Attributes:
        store: Where data and records are.
        request: The run.
        project: The folder that relative paths of the catalog start from.
        credentials: Credentials by name.
        decoder: Makes functions, entries and parameters from what the plan says.
        parameters: Their values, encoded, by the names of Kedro's datasets.
    """

    store: Store
    request: Request
    project: Path
    credentials: Mapping[str, Mapping[str, Any]]
    decoder: ObjectDecoder
    parameters: Mapping[str, Json]

    def entry(self, encoded: Json) -> Any:
        """Return the catalog entry that a plan carries, with the project's paths."""
        if encoded is None:
            return None
        return absolute(self.decoder.decode(encoded), self.project)


def absolute(entry: Mapping[str, Any], project: Path) -> dict[str, Any]:
    """Return an entry whose local paths do not depend on the current folder."""
    found = dict(entry)
    for key in ("filepath", "path", "filename"):
        value = found.get(key)
        if isinstance(value, str) and ":/" not in value and not value.startswith("~"):
            found[key] = str(project / value)
    if isinstance(found.get("dataset"), dict):
        found["dataset"] = absolute(found["dataset"], project)
    return found
