"""How the process of a task ends. Retry rules of every engine depend on the numbers."""

from __future__ import annotations

import errno
from enum import IntEnum
from typing import TYPE_CHECKING

from kedro_rats.errors import RatsError
from kedro_rats.store.errors import (
    CorruptObject,
    DocumentError,
    MissingObject,
    StoreError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator


class ExitCode(IntEnum):
    """How the process of a task ends."""

    DONE = 0
    """The task is committed and published."""
    USER_ERROR = 1
    """A node, a hook or a dataset raised: the same again would do the same."""
    BAD_INPUT = 2
    """The task cannot be run at all, here or anywhere: never worth a retry."""
    INFRASTRUCTURE = 75
    """The store or a place could not be reached or written: worth a retry."""
    OUT_OF_MEMORY = 137
    """The memory did not suffice; also what the kernel's killer leaves behind."""


class BadInput(RatsError):  # noqa: N818 - says what happened
    """A task cannot be run: its plan, its data or its modules are not there."""


class NodeFailed(RatsError):  # noqa: N818 - says what happened
    """A node, a hook or a dataset raised.

    Attributes:
        node: The node.
    """

    def __init__(self, node: str, error: BaseException) -> None:
        super().__init__(node, error)
        self.node = node
        self.error = error

    def __str__(self) -> str:
        # Kedro's datasets say something else around what our own store says.
        ours = [c for c in _causes(self.error) if isinstance(c, StoreError)]
        if ours:
            return f"Node {self.node!r}: {' '.join(str(ours[0]).split())}"
        text = " ".join(str(self.error).split())
        return f"Node {self.node!r} failed: {type(self.error).__name__}: {text}"


def exit_code(error: BaseException) -> ExitCode:
    """Return how a process ends that ``error`` stops.

    Example:
        >>> exit_code(NodeFailed("clf.fit", ValueError("negative"))).name
        'USER_ERROR'
    """
    causes = list(_causes(error))
    if any(isinstance(cause, MemoryError) for cause in causes):
        return ExitCode.OUT_OF_MEMORY
    if any(isinstance(cause, _DAMAGED) for cause in causes):
        return ExitCode.BAD_INPUT
    if any(isinstance(c, StoreError) or _is_of_the_disk(c) for c in causes):
        return ExitCode.INFRASTRUCTURE
    if isinstance(error, RatsError) and not isinstance(error, NodeFailed):
        return ExitCode.BAD_INPUT
    return ExitCode.USER_ERROR


_DAMAGED = (CorruptObject, MissingObject, DocumentError)
_OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.ESTALE)


def _is_of_the_disk(error: BaseException) -> bool:
    """Say whether the disk failed, whoever was writing to it."""
    return isinstance(error, OSError) and error.errno in _OF_THE_DISK


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
