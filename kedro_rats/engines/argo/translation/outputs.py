"""The catalogued outputs of a run with their places, for people who look at a workflow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.encoding.values import decode
from kedro_rats.engines.argo.translation.characters import is_harmless
from kedro_rats.store.catalogued.entries import location_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.plan.model import Task

LEFT_OUT: Final = "-left-out"
"""The key under which stands how many are not listed; no dataset is called so."""

_MOST_BYTES: Final = 16_384


def outputs_text(tasks: Iterable[Task]) -> str:
    """Return JSON with the place of each output that the catalog gives one.

    Names and places with other characters than a workflow may hold are left out, and
    what would make it large; how many is said.

    Args:
        tasks: The tasks of the workflow.
    """
    found: dict[str, str | int] = {}
    size, left_out = 0, 0
    for name, place in sorted(_places(tasks)):
        size += len(name) + len(place)
        if is_harmless(name) and is_harmless(place) and size <= _MOST_BYTES:
            found[name] = place
        else:
            left_out += 1
    if left_out:
        found[LEFT_OUT] = left_out
    return json.dumps(found, separators=(",", ":"))


def _places(tasks: Iterable[Task]) -> Iterator[tuple[str, str]]:
    for task in tasks:
        for name, entry in task.writes.items():
            place = None if entry is None else location_of(_decoded(entry))
            if place is not None:
                yield name, place.uri


def _decoded(entry: Json) -> Any:
    # An entry is plain data: nothing of it is anywhere else.
    return decode(entry)
