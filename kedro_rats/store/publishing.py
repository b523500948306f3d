"""Bring what a record names to the places that the catalog gives.

Tasks read from the store. The places are for people and for other programs, and get
whole files only: never a part of one, and never anything that no record names.
"""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach, DefinitionError, listed, nearest
from kedro_rats.store import staging
from kedro_rats.store.artifacts import IN_PLACE
from kedro_rats.store.errors import StoreError, reported
from kedro_rats.store.opening import local_path, without_userinfo
from kedro_rats.store.reading import digest_of
from kedro_rats.store.records import is_published, mark_published, record_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro_rats.store.artifacts import Artifact, File
    from kedro_rats.store.base import Store
    from kedro_rats.store.records import Record

_OCCUPIED: Final = {errno.ENOTEMPTY, errno.EEXIST}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the catalog wants a dataset to be.

    Args:
        uri: A local path, relative to the current folder, or what fsspec can write to.
        folder: Whether ``uri`` is a folder that the artifact's files go into; else it
            is the place of its only file.
        additive: Whether other files in the folder stay; else it is replaced whole.
        options: Storage options of fsspec; never shown.
        strip: What the artifact's paths begin with and paths in the folder do not.
    """

    uri: str
    folder: bool = False
    additive: bool = False
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    strip: str = ""


def publish(store: Store, record: Record, places: Mapping[str, Place]) -> bool:
    """Publish what the record of a task names, unless that is finished.

    It may be called any number of times, by anyone who finds it undone, also while
    another does the same.

    Args:
        store: Where record and bytes are.
        record: The record that ``commit`` returned.
        places: The places by dataset; datasets without a place stay in the store only.

    Returns:
        Whether it was done now; False if it had been finished before.

    Raises:
        DefinitionError: If there is a place for a dataset that the task does not make.
        StoreError: If ``record`` is not the task's record in the store, or the store or
            a place fails.
    """
    _check(record, places)
    if is_published(store, record.run, record.task):
        return False
    if record_of(store, record.run, record.task) != record:
        raise _not_committed(store, record)
    for name in sorted(places):
        artifact, place = record.outputs[name], places[name]
        if artifact.format != IN_PLACE:
            _publish_one(store, artifact, place, f"dataset {name!r}")
    mark_published(store, record)
    return True


def _publish_one(store: Store, artifact: Artifact, place: Place, subject: str) -> None:
    subject = f"{subject}, {without_userinfo(place.uri)!r}"
    files = _by_path(artifact, place, subject)
    path = local_path(place.uri)
    if path is None:
        # Only here: it brings fsspec with it.
        from kedro_rats.store.remote_publishing import publish_remotely

        publish_remotely(store, files, place, subject)
        return
    with reported(subject):
        # The place may be a link of the user's to a larger disk.
        _publish_locally(store, files, place, Path(os.path.realpath(path)))


def _by_path(artifact: Artifact, place: Place, subject: str) -> dict[str, File]:
    """Return the files by their paths in the place; a file is at ``""``."""
    if place.folder:
        files = {file.path.removeprefix(place.strip): file for file in artifact.files}
        expected = "files with paths of their own"
    else:
        files = dict.fromkeys([""], artifact.files[0]) if artifact.files else {}
        expected = "one file"
    if len(files) == len(artifact.files) and (files or place.folder):
        return files
    got = listed(file.path for file in artifact.files)
    raise DefinitionError(
        Breach(subject, expected, got, "Give a place that is a folder.")
    )


def _publish_locally(
    store: Store, files: Mapping[str, File], place: Place, path: Path
) -> None:
    staging.make_folder(path.parent)
    staging.sweep(path.parent)
    if not place.folder:
        _publish_file(store, files[""], path, workshop=path.parent)
    elif place.additive:
        _add_files(store, files, path)
    else:
        _swap_folder(store, files, path)


def _publish_file(store: Store, file: File, target: Path, *, workshop: Path) -> None:
    """Put a file in place in one step, with the permissions that it had."""
    if _is_same(target, file):
        staging.sync_folder(target.parent)
        return
    with staging.new_file(workshop, private=False) as new:
        store.copy_into(file.sha256, new, size=file.size)
        _keep_mode(target, new.path)
        new.rename(target)


def _add_files(store: Store, files: Mapping[str, File], folder: Path) -> None:
    """Add files to a folder in which others stay."""
    staging.make_folder(folder)
    # An unfinished file in the folder itself could be read as a partition.
    outside = folder.parent.stat().st_dev == folder.stat().st_dev
    for name, file in files.items():
        target = folder / name
        staging.make_folder(target.parent)
        workshop = folder.parent if outside else target.parent
        _publish_file(store, file, target, workshop=workshop)


def _swap_folder(store: Store, files: Mapping[str, File], folder: Path) -> None:
    """Build a folder beside the old one, and put it in its place."""
    if _is_same_folder(folder, files):
        staging.sync_folder(folder.parent)
        return
    with (
        staging.new_folder(folder.parent, private=False) as trash,
        staging.new_folder(folder.parent, private=False) as new,
    ):
        for name, file in files.items():
            target = new / name
            staging.make_folder(target.parent)
            _publish_file(store, file, target, workshop=target.parent)
        staging.sync_folder(new)
        _keep_mode(folder, new)
        _exchange(new, folder, trash)
        staging.sync_folder(folder.parent)


def _exchange(new: Path, folder: Path, trash: Path) -> None:
    """Give ``new`` the name of ``folder``, which goes to ``trash``.

    Between the two steps the folder is missing: a reader may find nothing, never a
    mixture, and whoever publishes next puts it there.
    """
    while True:
        aside = trash / os.urandom(8).hex()
        had_one = _moved(folder, aside)
        try:
            new.replace(folder)
        except OSError as error:
            # Somebody else has put theirs there in between: then that goes.
            if error.errno in _OCCUPIED:
                continue
            if had_one:
                _moved(aside, folder)
            raise
        return


def _moved(path: Path, target: Path) -> bool:
    try:
        path.replace(target)
    except FileNotFoundError:
        return False
    return True


def _keep_mode(target: Path, new: Path) -> None:
    try:
        mode = stat.S_IMODE(target.stat().st_mode)
    except FileNotFoundError:
        return
    new.chmod(mode)


def _is_same_folder(folder: Path, files: Mapping[str, File]) -> bool:
    there = {
        (Path(parent) / name).relative_to(folder).as_posix()
        for parent, _, names in os.walk(folder)
        for name in names
    }
    if there != set(files) or not folder.is_dir():
        return False
    return all(_is_same(folder / name, file) for name, file in files.items())


def _is_same(path: Path, file: File) -> bool:
    """Say whether these bytes are there already, so that no program sees a change."""
    try:
        if path.stat().st_size != file.size or not path.is_file():
            return False
        return digest_of(path) == file.sha256
    except FileNotFoundError:
        return False


def _check(record: Record, places: Mapping[str, Place]) -> None:
    unknown = sorted(set(places) - set(record.outputs))
    if unknown:
        hint = nearest(unknown[0], record.outputs)
        raise DefinitionError(
            Breach(
                f"places of task {record.task!r}",
                f"datasets that it makes ({listed(sorted(record.outputs))})",
                listed(unknown),
                f"{hint}Leave the others out.",
            )
        )


def _not_committed(store: Store, record: Record) -> StoreError:
    return StoreError(
        Breach(
            f"publishing of task {record.task!r} in run {record.run!r}",
            f"its record in store {store.uri!r}",
            f"what attempt {record.attempt!r} made, which is not its record",
            "Commit first, and publish the record that commit returns.",
        )
    )
