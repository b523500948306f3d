"""What an image is made of, and the tag that this comes to.

Times and owners of files are no part of it: the same files give the same tag everywhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.images.ignoring import ignored_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from kedro_rats.engines.images.ignoring import Ignored
    from kedro_rats.placement.settings import ImageBuild

_FORMAT: Final = "rats-image/0"
_TAG_LENGTH: Final = 12
_BLOCK: Final = 1 << 20


def content_tag(
    project: Path,
    build: ImageBuild,
    *,
    args: Mapping[str, str],
    written: Collection[Path] = (),
) -> str:
    """Return the tag of an image: a digest of all that goes into its build.

    Args:
        project: The project's folder.
        build: Which Dockerfile, context and stage.
        args: All arguments of the build.
        written: Files that a build writes to, and that are therefore left out.

    Raises:
        DefinitionError: If the ``.dockerignore`` cannot be understood.
        OSError: If a file cannot be read.
    """
    context, dockerfile = project / build.context, project / build.dockerfile
    ignored = ignored_in(context, dockerfile)
    left_out = {path.resolve() for path in written}
    said = {
        "format": _FORMAT,
        "dockerfile": _digest(dockerfile),
        "target": build.target,
        "platform": build.platform,
        "args": dict(args),
    }
    whole = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for path, entry in _entries(context, ignored):
        if (context / path).resolve() in left_out:
            continue
        line = json.dumps([path, *entry], ensure_ascii=True)
        whole.update(f"\n{line}".encode())
    return whole.hexdigest()[:_TAG_LENGTH]


def _entries(context: Path, ignored: Ignored) -> Iterator[tuple[str, list[Any]]]:
    """Yield what a build finds in the context, in an order that is always the same."""
    for folder, folders, files in os.walk(context):
        inside = Path(folder).relative_to(context)
        folders.sort()
        for name in [*folders]:
            path = (inside / name).as_posix()
            if ignored.prunes(path):
                folders.remove(name)
            elif not ignored(path):
                yield path, _entry(context / path)
        for name in sorted(files):
            path = (inside / name).as_posix()
            if not ignored(path):
                yield path, _entry(context / path)


def _entry(path: Path) -> list[Any]:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return ["link", str(path.readlink())]
    if stat.S_ISREG(mode):
        return ["file", bool(mode & stat.S_IXUSR), _digest(path)]
    return ["folder"] if stat.S_ISDIR(mode) else ["other"]


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            found.update(block)
    return found.hexdigest()
