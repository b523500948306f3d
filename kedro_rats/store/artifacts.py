"""A value that is in the store: a format, and the files that it was written to."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.encoding import canonical
from kedro_rats.errors import Breach, listed, shown
from kedro_rats.store.errors import DocumentError, not_a_file, reported
from kedro_rats.store.layout import DIGEST, matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.base import Store

DATASET: Final = "dataset"
"""The format of files that the dataset of a catalog entry wrote."""

IN_PLACE: Final = "in_place"
"""The format of what is not in the store: a dataset without files wrote it."""

_FORMAT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class File:
    """One file of an artifact.

    Args:
        path: Where it is in the artifact's folder: a relative POSIX path.
        sha256: The digest of its bytes.
        size: How many bytes there are.

    Raises:
        DocumentError: If the path leaves the folder, or one of the others is wrong.
    """

    path: str
    sha256: str
    size: int

    def __post_init__(self) -> None:
        breaches = list(_file_breaches(self))
        if breaches:
            raise DocumentError(*breaches)

    def to_json(self) -> dict[str, Json]:
        """Return it as a JSON document."""
        return {"path": self.path, "sha256": self.sha256, "size": self.size}


@dataclass(frozen=True, slots=True)
class Artifact:
    """A value that is in the store.

    Args:
        format: What can read the files: the name of a format, ``"dataset"`` (the
            dataset of the catalog entry) or ``"in_place"`` (nothing is in the store).
        files: The files; kept sorted by path.
        meta: What the format needs besides.

    Raises:
        DocumentError: If two files are in each other's way, or the format is no name.

    Example:
        >>> text = File("x.txt", canonical.digest(b"x"), 1)
        >>> artifact = Artifact("text", (text,))
        >>> Artifact.from_json(artifact.to_json()) == artifact
        True
        >>> len(artifact.digest)
        64
    """

    format: str
    files: tuple[File, ...] = ()
    meta: Mapping[str, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        files = tuple(sorted(self.files, key=lambda file: file.path))
        object.__setattr__(self, "files", files)
        breaches = list(_artifact_breaches(self))
        if breaches:
            raise DocumentError(*breaches)

    @property
    def digest(self) -> str:
        """What it is named by: the digest of its canonical JSON."""
        return canonical.digest(canonical.to_bytes(self.to_json()))

    def to_json(self) -> dict[str, Json]:
        """Return it as a JSON document."""
        files: list[Json] = [file.to_json() for file in self.files]
        return {"format": self.format, "files": files, "meta": self.meta}

    @classmethod
    def from_json(cls, document: object) -> Artifact:
        """Return what a JSON document says.

        Raises:
            DocumentError: If it is not an artifact, down to the paths of its files.
        """
        fields = _fields("artifact", document, {"format", "files", "meta"})
        files, meta = fields["files"], fields["meta"]
        if not isinstance(files, list | tuple):
            raise _malformed("artifact, files", "a list", files)
        if not isinstance(meta, Mapping):
            raise _malformed("artifact, meta", "an object", meta)
        parts = [_fields("file", file, {"path", "sha256", "size"}) for file in files]
        return cls(fields["format"], tuple(File(**part) for part in parts), meta)


def put_folder(
    store: Store,
    folder: Path,
    format: str,
    meta: Mapping[str, Json] | None = None,
    *,
    move: bool = False,
) -> Artifact:
    """Keep all files in a folder.

    Args:
        store: Where to.
        folder: Where they are. Empty folders in it are not kept.
        format: What can read them.
        meta: What the format needs besides.
        move: Whether the files are no longer needed and may be moved.

    Raises:
        DocumentError: If a file has a name that other systems cannot have.
        StoreError: If there is a link or a device in the folder, or the store fails.
    """
    with reported(f"folder {str(folder)!r}"):
        paths = sorted(_files_in(folder))

    def keep(path: Path) -> File:
        name = path.relative_to(folder).as_posix()
        File(name, canonical.digest(b""), 0)
        return File(name, *store.put_file(path, move=move))

    return Artifact(format, tuple(store.each(keep, paths)), dict(meta or {}))


def fetch_folder(store: Store, artifact: Artifact, folder: Path) -> None:
    """Write an artifact's files to a folder, each verified.

    Args:
        store: Where they are kept.
        artifact: Which.
        folder: A folder of the caller's own; made if it is missing.

    Raises:
        MissingObject: If the bytes of a file are not there.
        CorruptObject: If they are not those of the digest and size.
        StoreError: If the store fails, or the folder cannot be written.
    """
    with reported(f"folder {str(folder)!r}"):
        for parent in {(folder / file.path).parent for file in artifact.files} | {
            folder
        }:
            parent.mkdir(parents=True, exist_ok=True)

    def fetch(file: File) -> None:
        store.fetch(file.sha256, folder / file.path, size=file.size)

    store.each(fetch, artifact.files)


def _files_in(folder: Path) -> Iterator[Path]:
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder / entry.name
            if entry.is_dir(follow_symlinks=False):
                yield from _files_in(path)
            elif entry.is_file(follow_symlinks=False):
                yield path
            else:
                raise not_a_file(path)


def _file_breaches(file: File) -> Iterator[Breach]:
    if not _is_relative(file.path):
        yield Breach(
            "artifact, path of a file",
            "a relative path without '..' and without control characters",
            shown(file.path),
            "Give the file another name.",
        )
    subject = f"artifact, file {shown(file.path)}"
    if not matches(DIGEST, file.sha256):
        got = shown(file.sha256)
        yield Breach(subject, "a SHA-256 in lower-case digits", got, _DAMAGED)
    if type(file.size) is not int or file.size < 0:
        yield Breach(subject, "a size of 0 or more", shown(file.size), _DAMAGED)


def _artifact_breaches(artifact: Artifact) -> Iterator[Breach]:
    if not matches(_FORMAT, artifact.format):
        got = shown(artifact.format)
        yield Breach("artifact, format", "the name of a format", got, _DAMAGED)
    paths = [file.path for file in artifact.files]
    folders = {
        parent.as_posix() for path in paths for parent in PurePosixPath(path).parents
    }
    double = [path for path, following in pairwise(paths) if path == following]
    double += [path for path in paths if path in folders]
    if double:
        got = f"{listed(map(shown, double))} twice, or as a file and a folder"
        yield Breach("artifact, files", "one file of a path", got, _DAMAGED)
    if artifact.format == IN_PLACE and artifact.files:
        yield Breach("artifact 'in_place'", "no files", listed(paths), _DAMAGED)


def _is_relative(path: object) -> bool:
    if not isinstance(path, str) or not path or not _is_text(path):
        return False
    if os.name == "nt" and ("\\" in path or PureWindowsPath(path).drive):
        return False
    return all(part not in {"", ".", ".."} for part in path.split("/"))


def _is_text(path: str) -> bool:
    """Say whether any file system and any server can have this in a name."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return not any(ord(character) < 32 or ord(character) == 127 for character in path)


_DAMAGED: Final = "It is damaged, or a newer kedro-rats wrote it: run the task again."


def _malformed(subject: str, expected: str, got: object) -> DocumentError:
    return DocumentError(Breach(subject, expected, shown(got), _DAMAGED))


def _fields(subject: str, document: object, names: set[str]) -> dict[str, Any]:
    if isinstance(document, Mapping) and set(document) == names:
        return dict(document)
    raise _malformed(subject, f"an object with {listed(sorted(names))}", document)
