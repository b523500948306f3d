"""Datasets of the catalog: where their data is, and how it gets into files of ours.

What lies at an entry's path lies at ``folder/BASENAME`` when it is staged, whether it is
a file or a folder; ``PlaceOf.root`` is that BASENAME.
"""

from kedro_rats.store.catalogued.entries import (
    Entry,
    Kind,
    Location,
    is_local,
    kind_of,
    location_of,
)
from kedro_rats.store.catalogued.places import (
    PlaceOf,
    latest_version,
    named_credentials,
    place_of,
    source_of,
)
from kedro_rats.store.catalogued.staging import in_place, staged

__all__ = [
    "Entry",
    "Kind",
    "Location",
    "PlaceOf",
    "in_place",
    "is_local",
    "kind_of",
    "latest_version",
    "location_of",
    "named_credentials",
    "place_of",
    "source_of",
    "staged",
]
