"""Files and folders that are being written, under names that nobody reads.

Whoever makes one holds a lock on it until it has its final name. The system lets go of
the lock when a process ends, however it ends: so what nobody holds is rubbish, and can
be swept up without asking a clock or a process number.
"""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Windows has no such locks. There nothing is swept.
if sys.platform != "win32":
    import fcntl

PREFIX: Final = ".rats-"
"""Unfinished files and folders have names that begin so."""

_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)
_CREATE: Final = os.O_CREAT | os.O_EXCL | os.O_RDWR | _NO_FOLLOW | _BINARY


class NewFile:
    """A file without a final name; it is gone when its context ends without one."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.named = False

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Write all of ``data``; return how much that was."""
        view = memoryview(data)
        done = 0
        while done < len(view):
            done += os.write(self.descriptor, view[done:])
        return done

    def rename(self, target: Path, *, durable: bool = True) -> None:
        """Give the file its name, in place of what has that name."""
        if durable:
            os.fsync(self.descriptor)
        self.path.replace(target)
        self.named = True
        if durable:
            sync_folder(target.parent)

    def link(self, target: Path) -> bool:
        """Give the file its name if nothing has it; say whether it is now ours."""
        os.fsync(self.descriptor)
        try:
            target.hardlink_to(self.path)
        except FileExistsError:
            # Over NFS an answer may be lost, and the second try meets our own link.
            if os.fstat(self.descriptor).st_nlink < 2:
                sync_folder(target.parent)
                return False
        sync_folder(target.parent)
        return True


@contextlib.contextmanager
def new_file(folder: Path, *, private: bool = True) -> Iterator[NewFile]:
    """Make a file in ``folder`` that has no final name yet.

    Args:
        folder: Where; a file can be given any name in the same file system.
        private: Whether only this user may read it, whatever the umask. Else it gets
            the permissions of any file that this user makes.
    """
    path, descriptor = _open_new(folder, 0o600 if private else 0o666)
    file = NewFile(path, descriptor)
    try:
        if private:
            make_private(descriptor)
        yield file
    finally:
        if not file.named:
            with contextlib.suppress(OSError):
                path.unlink()
        # What matters is synced before it gets a name: here nothing can be lost.
        with contextlib.suppress(OSError):
            os.close(descriptor)


@contextlib.contextmanager
def new_folder(folder: Path, *, private: bool = True) -> Iterator[Path]:
    """Make a folder in ``folder`` that is gone, with all in it, when the context ends.

    Args:
        folder: Where.
        private: Whether only this user may read it, whatever the umask.
    """
    path, descriptor = _make_new(folder, 0o700 if private else 0o777)
    try:
        if private:
            path.chmod(0o700)
        yield path
    finally:
        remove_tree(path)
        if descriptor is not None:
            os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what was left in ``folder`` by processes that ended in the middle."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        left = [folder / entry.name for entry in entries if _is_unfinished(entry.name)]
        for path in left:
            _remove_if_left(path)


def make_folder(
    folder: Path, *, private: bool = False, top: Path | None = None
) -> None:
    """Make a folder and those above it, so that they last.

    Args:
        folder: Which.
        private: Whether only this user may enter what is made, whatever the umask.
        top: Nothing above it is made.
    """
    if folder.is_dir():
        return
    if folder != top:
        make_folder(folder.parent, private=private, top=top)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700 if private else 0o777)
        if private:
            folder.chmod(0o700)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` last, whatever happens to the machine."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_private(descriptor: int) -> None:
    """Let only this user read a file."""
    if sys.platform != "win32":
        os.fchmod(descriptor, 0o600)


def remove_tree(path: Path) -> None:
    """Remove a folder and all in it, as far as that is possible."""
    if not os.path.lexists(path):
        return
    # Only here: it brings the compression libraries with it.
    import shutil

    shutil.rmtree(path, ignore_errors=True)


def new_name() -> str:
    """Return a name for something unfinished that nobody else has."""
    return PREFIX + os.urandom(8).hex()


def _is_unfinished(name: str) -> bool:
    return name.startswith(PREFIX)


def _open_new(folder: Path, mode: int) -> tuple[Path, int]:
    while True:
        path = folder / new_name()
        descriptor = os.open(path, _CREATE, mode)
        if _hold(descriptor) and _is_there(path, descriptor):
            return path, descriptor
        # Swept between its making and its locking.
        os.close(descriptor)


def _make_new(folder: Path, mode: int) -> tuple[Path, int | None]:
    while True:
        path = folder / new_name()
        path.mkdir(mode=mode)
        if sys.platform == "win32":
            return path, None
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | _NO_FOLLOW)
        except FileNotFoundError:
            # Swept between its making and its locking.
            continue
        except OSError:
            path.rmdir()
            raise
        if _hold(descriptor) and _is_there(path, descriptor):
            return path, descriptor
        os.close(descriptor)


def _is_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _hold(descriptor: int) -> bool:
    """Lock an open file; False only if somebody else has locked it."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # No locks in this file system: then nothing is swept in it either.
        return True
    return True


def _remove_if_left(path: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            remove_tree(path)
        else:
            path.unlink()
    except OSError:
        # Somebody is writing it, or has just finished.
        return
    finally:
        os.close(descriptor)
