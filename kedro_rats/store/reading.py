"""Reading files, with their digests."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
from typing import TYPE_CHECKING, Final

from kedro_rats.errors import Breach
from kedro_rats.store.errors import StoreError, not_a_file, reported

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kedro_rats.store.base import Sink

_CHUNK: Final = 1 << 20
_READ: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)


def digest_of(path: Path) -> str:
    """Return the digest of a file."""
    with path.open("rb", buffering=0) as source:
        return hashed(source.fileno())[0]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a file to read, but no link and nothing that one could wait for."""
    descriptor = os.open(path, _READ)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def opened_file(path: Path) -> Iterator[int]:
    """Open a file that is to be stored; links and devices are not."""
    with reported(f"file {str(path)!r}"):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise not_a_file(path)
        stack = contextlib.ExitStack()
        source = stack.enter_context(opened(path))
    with stack:
        yield source


def everything(source: int) -> bytes:
    """Return all that can be read."""
    with io.FileIO(source, closefd=False) as file:
        return file.readall()


def hashed(source: int, target: Sink | None = None) -> tuple[str, int]:
    """Return digest and size of what is read, and write it to ``target``."""
    state, size = hashlib.sha256(), 0
    buffer = memoryview(bytearray(_CHUNK))
    with io.FileIO(source, closefd=False) as file:
        while length := file.readinto(buffer):
            state.update(buffer[:length])
            size += length
            if target is not None:
                target.write(buffer[:length])
    return state.hexdigest(), size


def is_file(path: Path, size: int | None) -> bool:
    """Say whether there is a regular file, of this size."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return stat.S_ISREG(status.st_mode) and size in (None, status.st_size)


def version(status: os.stat_result) -> tuple[int, int]:
    """Return what changes when a file is written to."""
    return status.st_size, status.st_mtime_ns


def changed(path: Path) -> StoreError:
    """Return the error for a file that somebody writes to."""
    return StoreError(
        Breach(
            f"file {str(path)!r}",
            "a file that nobody writes to",
            "one that changed while it was read",
            "Run it again when the other program has finished.",
        )
    )
