"""What goes wrong with a store, in one line each."""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING, Final

from kedro_rats.errors import Breach, RatsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class StoreError(RatsError):
    """The store, or a place that is published to, could not be read or written.

    Attributes:
        transient: Whether the same call may succeed a little later.
    """

    def __init__(self, *breaches: Breach, transient: bool = False) -> None:
        super().__init__(*breaches)
        self.breaches = breaches
        self.transient = transient

    def __str__(self) -> str:
        return "\n".join(str(breach) for breach in self.breaches)


class CorruptObject(StoreError):  # noqa: N818 - named in the store's interface
    """Bytes are not those that their digest or size says."""


class MissingObject(StoreError):  # noqa: N818 - named in the store's interface
    """Bytes that something refers to are not in the store."""


class DocumentError(StoreError):
    """A document of the store does not say what its format asks for."""


_CURES: Final = {
    errno.ENOSPC: ("free space", "the disk is full", "Free space there.", True),
    errno.EDQUOT: ("free space", "the quota is used up", "Free space there.", True),
    errno.EROFS: (
        "a place that can be written",
        "a read-only file system",
        "Mount it writable, or give another store.",
        False,
    ),
    errno.EACCES: (
        "access",
        "permission denied",
        "Give your user access to it, or give another store.",
        False,
    ),
    errno.EPERM: (
        "access",
        "operation not permitted",
        "Give your user access to it, or give another store.",
        False,
    ),
    errno.EMFILE: (
        "a free file handle",
        "too many open files in this process",
        "Raise its limit (ulimit -n), or use fewer workers.",
        True,
    ),
    errno.ENFILE: (
        "a free file handle",
        "too many open files on this machine",
        "Close other programs, or raise the machine's limit.",
        True,
    ),
    errno.ELOOP: (
        "files and folders of its own",
        "a symbolic link",
        "Nobody but kedro-rats may write there: remove the link.",
        False,
    ),
    errno.EIO: (
        "a disk that works",
        "an input/output error",
        "Check the disk and its cables or network, then run again.",
        False,
    ),
}

_TRANSIENT: Final = {errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE}
_TRANSIENT_NETWORK: Final = {errno.ETIMEDOUT, errno.ECONNRESET, errno.EHOSTDOWN}


def of_os_error(error: OSError, subject: str) -> StoreError:
    """Return what an operating system's error means, with the cure.

    Example:
        >>> print(of_os_error(OSError(28, "No space left on device"), "store '.rats'"))
        store '.rats': expected free space, got the disk is full. Free space there.
    """
    number = error.errno or 0
    if number in _CURES:
        expected, got, remedy, transient = _CURES[number]
    else:
        expected = "to read and write it"
        got = f"{type(error).__name__} {errno.errorcode.get(number, '')}".strip()
        remedy = f"The system says {error.strerror or str(error)!r}: mend that."
        transient = number in _TRANSIENT | _TRANSIENT_NETWORK
    return StoreError(Breach(subject, expected, got, remedy), transient=transient)


@contextlib.contextmanager
def reported(subject: str) -> Iterator[None]:
    """Turn the operating system's errors into a ``StoreError`` about ``subject``."""
    try:
        yield
    except OSError as error:
        raise of_os_error(error, subject) from error


def missing_object(uri: str, digest: str) -> MissingObject:
    """Return the error for bytes that are not in the store."""
    return MissingObject(
        Breach(
            f"store {uri!r}, object {digest}",
            "that it is there",
            "nothing",
            "Run the task that makes it again.",
        )
    )


def corrupt_object(
    uri: str,
    digest: str,
    got: tuple[str, int],
    *,
    aside: bool,
    transient: bool = False,
) -> CorruptObject:
    """Return the error for bytes that are not those of their name.

    Args:
        uri: The store.
        digest: The object.
        got: Digest and size of its bytes.
        aside: Whether the object was set aside, so that it can be written again.
        transient: Whether it is the way from the store that changed the bytes.
    """
    remedy = "Run the task that makes it again."
    if transient:
        remedy = "They changed on the way: check the network, then run again."
    elif not aside:
        remedy = "Remove the object, and run the task that makes it again."
    return CorruptObject(
        Breach(
            f"store {uri!r}, object {digest}",
            "the bytes it is named by",
            f"{got[1]} bytes with digest {got[0]}",
            remedy,
        ),
        transient=transient,
    )


def wrong_size(
    uri: str, digest: str, *, expected: int | None, got: int
) -> CorruptObject:
    """Return the error for an object that is whole, but not of the size asked for."""
    return CorruptObject(
        Breach(
            f"store {uri!r}, object {digest}",
            f"{expected} bytes",
            f"{got} bytes with the right digest",
            "What refers to it is damaged: run the task that made that again.",
        )
    )


def not_a_file(path: Path) -> StoreError:
    """Return the error for a link or a device where a file should be."""
    return StoreError(
        Breach(
            f"path {str(path)!r}",
            "a regular file in a folder",
            "a symbolic link or a special file",
            "Put a file in its place: links and devices are not stored.",
        )
    )
