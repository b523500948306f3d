"""Publishing to a place that fsspec reaches: S3, other clouds, other machines."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach, RatsError
from kedro_rats.store import staging
from kedro_rats.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro_rats.store.artifacts import File
    from kedro_rats.store.base import Store
    from kedro_rats.store.publishing import Place

_WHOLE: Final = {
    *("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "memory")
}
"""Protocols whose servers show a file only when all of it has arrived."""


def publish_remotely(
    store: Store, files: Mapping[str, File], place: Place, subject: str
) -> None:
    """Put files to a place, whole one by one.

    A folder on a server cannot be replaced in one step: its files are, one after the
    other, and then those that do not belong to it are removed.

    Args:
        store: Where the bytes are.
        files: The files by their path in the place.
        place: Where to.
        subject: What to call it in an error.

    Raises:
        StoreError: If the place cannot be reached or written.
    """
    try:
        filesystem, path = _opened(place)

        def put(name: str) -> None:
            target = f"{path}/{name}" if name else path
            _put(store, files[name], filesystem, target)

        store.each(put, files)
        if place.folder and not place.additive:
            _remove_others(filesystem, path, files)
    except RatsError:
        raise
    except Exception as error:  # any of fsspec's libraries, with errors of its own
        raise _failed(subject, error) from error


def _opened(place: Place) -> tuple[Any, str]:
    import fsspec

    # Not one that a dataset uses too, with a memory of what it has seen.
    options = {**place.options, "skip_instance_cache": True}
    filesystem, path = fsspec.core.url_to_fs(place.uri, **options)
    return filesystem, path.rstrip("/")


def _put(store: Store, file: File, filesystem: Any, path: str) -> None:
    if store.copy_to(file.sha256, file.size, filesystem, path):
        return
    protocol = filesystem.protocol
    names = {protocol} if isinstance(protocol, str) else set(protocol)
    with store.staged() as folder:
        local = folder / "bytes"
        store.fetch(file.sha256, local, size=file.size)
        if names & _WHOLE:
            filesystem.put_file(str(local), path)
        else:
            _put_unfinished(filesystem, str(local), path)


def _put_unfinished(filesystem: Any, local: str, path: str) -> None:
    """Put a file under another name first, where a part of it could be seen."""
    parent = posixpath.dirname(path)
    filesystem.makedirs(parent, exist_ok=True)
    unfinished = posixpath.join(parent, staging.new_name())
    try:
        filesystem.put_file(local, unfinished)
        filesystem.mv(unfinished, path)
    finally:
        if filesystem.exists(unfinished):
            filesystem.rm_file(unfinished)


def _remove_others(filesystem: Any, path: str, files: Mapping[str, File]) -> None:
    filesystem.invalidate_cache()
    wanted = {f"{path}/{name}" for name in files}
    others = sorted(set(filesystem.find(path)) - wanted)
    if others:
        filesystem.rm(others)


def _failed(subject: str, error: Exception) -> StoreError:
    """Return the error; what the library says may hold what nobody should read."""
    permanent = isinstance(error, PermissionError | FileNotFoundError | ImportError)
    return StoreError(
        Breach(
            subject,
            "that it can be written",
            f"{type(error).__name__} from its file system",
            "Check the address, the credentials and the network, then run again.",
        ),
        transient=not permanent,
    )
