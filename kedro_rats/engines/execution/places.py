"""Where the catalog wants what a task made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.store import catalogued
from kedro_rats.store.artifacts import IN_PLACE
from kedro_rats.store.catalogued.places import named_credentials
from kedro_rats.store.publishing import Place

if TYPE_CHECKING:
    from kedro_rats.engines.execution.surroundings import Surroundings
    from kedro_rats.plan.model import Task
    from kedro_rats.store.artifacts import Artifact
    from kedro_rats.store.records import Record


def places(task: Task, around: Surroundings, record: Record) -> dict[str, Place]:
    """Return the place of each output that has files and a catalog entry."""
    found = {}
    for name, encoded in task.writes.items():
        artifact = record.outputs[name]
        if encoded is None or artifact.format == IN_PLACE:
            continue
        place = catalogued.place_of(
            around.entry(encoded), save_version=around.request.save_version
        )
        secrets = (
            named_credentials(place.credentials, around.credentials)
            if place.credentials
            else {}
        )
        found[name] = _place(place, artifact, {**secrets, **place.fs_args})
    return found


def _place(
    place: catalogued.PlaceOf, artifact: Artifact, options: dict[str, Any]
) -> Place:
    """Return a place for what was made: a file, a folder, or files beside a file.

    Only when it has been saved is it known what a ``filepath`` is: several figures or
    Spark's parts are a folder, a shapefile is a file with others beside it.
    """
    paths = [file.path for file in artifact.files]
    inside = f"{place.root}/"
    if place.folder or (paths and all(path.startswith(inside) for path in paths)):
        return Place(
            place.uri,
            folder=True,
            additive=place.additive,
            options=options,
            strip=inside,
        )
    if paths == [place.root]:
        return Place(place.uri, options=options)
    folder = place.uri.rpartition("/")[0] or "."
    return Place(folder, folder=True, additive=True, options=options)
