"""Paths of files and folders: what they point to is what is stored."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach
from kedro_rats.store.formats.protocol import UnsavableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.formats.protocol import Meta

_INSIDE: Final = "content"
_RETURN_ANOTHER: Final = (
    "Return a file, or a folder that holds the result alone; or the path as str."
)


class FileOrFolder:
    """``path``: a ``Path`` of something that exists; its content is copied in.

    The reader gets a ``Path`` to the copy in the folder that it was loaded from, so
    that folder must be the reader's own and stay as long as the path is used. Symbolic
    links are followed, empty folders and the right to execute are kept, times are not.
    A path where nothing is counts as plain data.
    """

    name = "path"
    keeps_folder = True

    def accepts(self, value: object) -> bool:
        """Say whether a value is the path of something that exists."""
        return type(value) is type(Path()) and _exists(value)

    def save(self, value: Any, folder: Path) -> Meta:
        """Copy what is at the path.

        Raises:
            UnsavableError: If it is neither a file nor a folder, or too much: a folder in
                which the program works.
        """
        source = value.resolve()
        _check(value, source, folder.resolve())
        # A link is stored under its own name: that is what the value says.
        target = folder / _INSIDE / (value.name or source.name)
        target.parent.mkdir()
        if source.is_file():
            shutil.copyfile(source, target)
            names = [PurePosixPath()]
        else:
            names = list(_copy_tree(source, target, ()))
        empty = [n for n in names if (target / n).is_dir()]
        runs = [n for n in names if n not in empty and os.access(source / n, os.X_OK)]
        return {
            "name": target.name,
            "empty": sorted(map(str, empty)),
            "executable": sorted(map(str, runs)),
        }

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Path:
        """Return the path of the copy."""
        found: Any = meta
        target = folder / _INSIDE / _safe(found["name"])
        for name in found["empty"]:
            (target / _safe(name)).mkdir(parents=True, exist_ok=True)
        for name in found["executable"]:
            path = target / _safe(name)
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return target


def _exists(path: Any) -> bool:
    try:
        return bool(path.exists())
    except OSError:
        return False


def _check(value: Path, source: Path, folder: Path) -> None:
    kind = "a file or a folder"
    if not source.is_file() and not source.is_dir():
        _refuse(value, kind, "something else, such as a device or a pipe")
    works_in = (Path.cwd().resolve(), folder, Path.home().resolve())
    if any(place.is_relative_to(source) for place in works_in):
        _refuse(value, kind, "a folder in which this program works")


def _copy_tree(
    source: Path, target: Path, above: tuple[Path, ...]
) -> Iterator[PurePosixPath]:
    """Copy a folder and yield the relative paths of its files and empty folders."""
    real = source.resolve()
    if real in above:
        _refuse(source, "a folder that ends", "a link to a folder above it")
    target.mkdir()
    inside = sorted(source.iterdir())
    if not inside:
        yield PurePosixPath()
    for path in inside:
        here = PurePosixPath(path.name)
        if path.is_dir():
            for below in _copy_tree(path, target / path.name, (*above, real)):
                yield here / below
        elif path.is_file():
            shutil.copyfile(path, target / path.name)
            yield here
        else:
            _refuse(path, "files and folders", "a broken link, a device or a pipe")


def _refuse(path: Path, expected: str, got: str) -> None:
    subject = f"path {str(path)!r}"
    raise UnsavableError(Breach(subject, expected, got, _RETURN_ANOTHER))


def _safe(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        msg = f"{name!r} leads out of the folder"
        raise ValueError(msg)
    return path
