"""What every store can do, wherever it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from io import BytesIO
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeVar

from kedro_rats.errors import Breach
from kedro_rats.store import staging
from kedro_rats.store.errors import StoreError, reported

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager
    from pathlib import Path

Item = TypeVar("Item")
Result = TypeVar("Result")


class Sink(Protocol):
    """What bytes can be written to."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take all of ``data``."""


class Store(ABC):
    """Objects, named by the SHA-256 of their bytes, and documents, named by keys.

    An object can be written any number of times: it is the same each time. A document
    is created once, and the first who creates it wins; only the record of a run is ever
    replaced. All methods may be called by several threads and processes at once.

    Every method raises ``StoreError`` if the store cannot be reached, read or written,
    and ``DefinitionError`` for a digest or a key that is none.

    Attributes:
        uri: Where it is, as the user wrote it; without credentials.
    """

    parallel: ClassVar[int] = 1
    """How many objects are best moved at once."""

    uri: str

    @abstractmethod
    def put(self, data: bytes) -> str:
        """Keep ``data``; return its digest."""

    @abstractmethod
    def put_file(self, path: Path, *, move: bool = False) -> tuple[str, int]:
        """Keep the bytes of a file; return their digest and how many there are.

        Args:
            path: A regular file.
            move: Whether the file is no longer needed, and nobody else writes to it. A
                store on the same disk then takes the file itself.
        """

    def copy_into(self, digest: str, target: Sink, *, size: int | None = None) -> None:
        """Write an object to ``target``.

        The bytes are good when this returns. When it raises, what was written is not to
        be used. An object that is found to be corrupt is set aside, so that it is
        missing from then on, and the next ``put`` writes it again.

        Args:
            digest: Which object.
            target: Gets the bytes.
            size: How many there must be, if that is known.

        Raises:
            MissingObject: If it is not there.
            CorruptObject: If its bytes are not those of its digest and ``size``.
            OSError: If ``target`` cannot be written.
        """
        try:
            self._deliver(digest, _Target(target), size=size)
        except _TargetError as error:
            # Not the store has failed: the caller knows what to say.
            raise error.__cause__ or error from None

    @abstractmethod
    def has(self, digest: str, *, size: int | None = None) -> bool:
        """Say whether an object is there (of this ``size``); its bytes are not read."""

    @abstractmethod
    def create(self, key: str, data: bytes) -> bool:
        """Write a document if there is none; True for the one who did.

        Nobody ever sees a part of it.
        """

    @abstractmethod
    def read(self, key: str) -> bytes | None:
        """Return a document, or None if there is none."""

    @abstractmethod
    def keys(self, folder: str) -> list[str]:
        """Return the keys of all documents in ``folder`` and below, sorted.

        What was just written may be missing, so nothing that must be right depends
        on it.
        """

    @abstractmethod
    def replace(self, key: str, data: bytes) -> None:
        """Write ``run.json`` of a run, in place of what was there, in one step."""

    @abstractmethod
    def probe(self) -> None:
        """Check that the store can be written, and that ``create`` has one winner.

        Raises:
            StoreError: If not, with what to do about it.
        """

    @abstractmethod
    def staged(self) -> AbstractContextManager[Path]:
        """Return a new private folder, removed at the end, to write outputs to.

        It is local, and where that is possible on the disk of the store, so that
        ``put_file`` can move files instead of copying them.
        """

    @abstractmethod
    def _deliver(self, digest: str, target: Sink, *, size: int | None) -> None:
        """Do what ``copy_into`` says."""

    def get(self, digest: str, *, size: int | None = None) -> bytes:
        """Return an object's bytes, verified.

        Raises:
            MissingObject: If it is not there.
            CorruptObject: If its bytes are not those of its digest and ``size``.
        """
        buffer = BytesIO()
        self.copy_into(digest, buffer, size=size)
        return buffer.getvalue()

    def fetch(self, digest: str, to: Path, *, size: int | None = None) -> None:
        """Write an object to a private file, which exists only once it is verified.

        Raises:
            MissingObject: If it is not there.
            CorruptObject: If its bytes are not those of its digest and ``size``.
        """
        with (
            reported(f"file {str(to)!r}"),
            staging.new_file(to.parent) as file,
        ):
            self.copy_into(digest, file, size=size)
            file.rename(to, durable=False)

    def copy_to(self, digest: str, size: int, filesystem: object, path: str) -> bool:
        """Copy an object to a place on the same server, without moving it through here.

        Args:
            digest: Which object.
            size: How many bytes there must be.
            filesystem: The place's fsspec file system.
            path: Where in it.

        Returns:
            Whether it was copied. Most stores cannot.
        """
        del digest, size, filesystem, path
        return False

    def each(
        self, function: Callable[[Item], Result], items: Iterable[Item]
    ) -> list[Result]:
        """Return ``function`` of each item, some at once if that suits the store."""
        items = list(items)
        if self.parallel == 1 or len(items) < 2:
            return [function(item) for item in items]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(min(self.parallel, len(items))) as pool:
            return list(pool.map(function, items))


class _TargetError(Exception):
    """What bytes were written to has failed."""


class _Target:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        try:
            return self._sink.write(data)
        except OSError as error:
            raise _TargetError from error


def unconditional(uri: str) -> StoreError:
    """Return the error for a store where two can create one document."""
    return StoreError(
        Breach(
            f"store {uri!r}",
            "that only the first to create a document wins (If-None-Match)",
            "a second one that overwrote it",
            "Update the server, or use another store: results could be mixed up here.",
        )
    )
