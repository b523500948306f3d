"""Where published bytes belong, and from where a free input is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, DefinitionError, shown
from kedro_rats.store.catalogued.entries import (
    HTTP,
    LOCAL,
    Location,
    class_name,
    kind_of,
    location_of,
    unwrapped,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro_rats.store.catalogued.entries import Entry


@dataclass(frozen=True)
class PlaceOf:
    """Where the files of an artifact belong.

    Attributes:
        uri: A path (relative to the project) or a URL.
        folder: Whether a folder is meant. A ``filepath`` may still turn out to be one
            (Spark, several figures), or a file with others beside it (shapefile): the
            artifact's paths say so.
        additive: Whether files that are in the folder already stay; else it is replaced
            as a whole.
        credentials: The name of the credentials for a URL.
        fs_args: Arguments of the file system for a URL.
        root: What in the artifact stands for ``uri``: the base name under which the
            dataset was staged.
    """

    uri: str
    folder: bool
    additive: bool
    credentials: str | None
    fs_args: Mapping[str, Any]
    root: str


def place_of(entry: Entry, *, save_version: str | None = None) -> PlaceOf:
    """Return where the bytes belong that a staged dataset of ``entry`` saved.

    Args:
        entry: The catalog's entry.
        save_version: The version that is saved, for a versioned entry.

    Raises:
        DefinitionError: If it has no files, cannot be written, or a version is missing.

    Example:
        >>> entry = {"type": "pandas.CSVDataset", "filepath": "data/x.csv",
        ...          "versioned": True}
        >>> place_of(entry, save_version="v1").uri
        'data/x.csv/v1/x.csv'
    """
    inner = unwrapped(entry)
    kind, location = kind_of(entry), location_of(entry)
    if kind == "in_place" or location is None or location.protocol in HTTP:
        remedy = "Save it through its own dataset."
        if location is not None and location.protocol in HTTP:
            remedy = "Give it a path that can be written."
        expected, got = "files that can be published", shown(entry.get("type"))
        raise DefinitionError(Breach("dataset", expected, got, remedy))
    return PlaceOf(
        _versioned(inner, location, save_version),
        folder=kind == "folder",
        additive=_adds(inner, kind),
        credentials=_credentials(inner),
        fs_args=_fs_args(inner),
        root=location.base,
    )


def source_of(entry: Entry, *, load_version: str | None = None) -> str:
    """Return the path or URL of a free input; what is there is staged by its base name.

    Raises:
        DefinitionError: If the entry has no path, or is versioned and no version is
            given.
    """
    location = location_of(entry)
    if location is None:
        remedy = "Load it through its own dataset."
        breach = Breach("dataset", "a path", shown(entry.get("type")), remedy)
        raise DefinitionError(breach)
    return _versioned(unwrapped(entry), location, load_version)


def latest_version(
    entry: Entry, credentials: Mapping[str, Mapping[str, Any]] | None = None
) -> str | None:
    """Return the newest version that exists, chosen as Kedro does; None without one.

    Args:
        entry: The catalog's entry.
        credentials: The project's credentials by name.

    Raises:
        DefinitionError: If the entry names credentials that are not there.
    """
    inner, location = unwrapped(entry), location_of(entry)
    if location is None or not inner.get("versioned"):
        return None
    base = location.base
    if location.protocol == LOCAL:
        folder = Path(location.path)
        inside = folder.iterdir() if folder.is_dir() else ()
        found = [path.name for path in inside if (path / base).exists()]
    else:
        found = _remote_versions(inner, location, credentials or {})
    # Kedro sorts the paths, where the slash comes after a dot. What begins with a dot
    # is no version but something that is being written.
    versions = [name for name in found if not name.startswith(".")]
    return max(versions, key=lambda name: f"{name}/{base}", default=None)


def named_credentials(
    name: str, credentials: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Return credentials by name.

    Raises:
        DefinitionError: If there are none of this name.
    """
    if name not in credentials:
        expected = "credentials of this project"
        remedy = (
            "Add them to credentials.yml; for a cluster with ${oc.env:VARIABLE}, and bind"
            " the secret that has the variable."
        )
        raise DefinitionError(Breach(f"credentials {name!r}", expected, "none", remedy))
    return credentials[name]


def _remote_versions(
    inner: Entry, location: Location, credentials: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    import fsspec

    name = _credentials(inner)
    secrets = named_credentials(name, credentials) if name else {}
    fs = fsspec.filesystem(location.protocol, **{**secrets, **_fs_args(inner)})
    fs.invalidate_cache()
    found = fs.glob(f"{location.path}/*/{location.base}")
    return [str(path).rstrip("/").split("/")[-2] for path in found]


def _versioned(inner: Entry, location: Location, version: str | None) -> str:
    if not inner.get("versioned"):
        return location.path
    if not version or version in {".", ".."} or set(version) & {"/", "\\"}:
        got = shown(version) if version else "none"
        remedy = "Save a first version, or say which one to take."
        subject = f"dataset at {shown(location.path)}"
        raise DefinitionError(Breach(subject, "a version", got, remedy))
    return f"{location.path}/{version}/{location.base}"


def _adds(inner: Entry, kind: str) -> bool:
    """Say whether saving into a folder leaves what is there, as in Kedro."""
    adding = kind == "folder" or class_name(inner).startswith("Matplotlib")
    return adding and not inner.get("overwrite") and not inner.get("versioned")


def _credentials(inner: Entry) -> str | None:
    each = inner.get("dataset")
    inside = each.get("credentials") if isinstance(each, dict) else None
    name = inner.get("credentials") or inside
    return name if isinstance(name, str) else None


def _fs_args(inner: Entry) -> dict[str, Any]:
    """Return what the file system is made with, without the arguments of ``open``."""
    given = inner.get("fs_args") or {}
    return {k: v for k, v in given.items() if not k.startswith("open_args")}
