"""A store in a bucket of S3, or of a server that speaks like it.

An upload is seen whole or not at all, so objects are put under their names at once. A
document is put with ``If-None-Match: *``, by which the server lets the first one win.
Connections, sessions and credentials are those of s3fs, which Kedro's datasets use;
the calls are S3's own, since what is tried again must be decided here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from fsspec.asyn import sync
from s3fs import S3FileSystem

from kedro_rats.encoding import canonical
from kedro_rats.store import layout
from kedro_rats.store.base import Sink, Store, unconditional
from kedro_rats.store.errors import (
    StoreError,
    corrupt_object,
    missing_object,
    wrong_size,
)
from kedro_rats.store.marking import MARKER_BYTES, check_marker
from kedro_rats.store.reading import changed, everything, hashed, opened_file
from kedro_rats.store.s3_calls import PART, Bucket
from kedro_rats.store.s3_errors import reported_by_s3

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

Result = TypeVar("Result")

_SMALL: Final = 1 << 20
"""What is no larger is sent without asking whether it is there already."""

_SETTINGS: Final = {
    "connect_timeout": 10,
    "read_timeout": 30,
    "max_pool_connections": 32,
    # We decide what is tried again.
    "retries": {"mode": "standard", "total_max_attempts": 1},
    # Every upload carries its SHA-256, every download is verified: older servers
    # refuse the checksums that botocore would add.
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
}


class S3Store(Store):
    """A store below a prefix of a bucket.

    Args:
        bucket: The bucket; it must exist.
        prefix: What all keys begin with.
        credentials: What s3fs takes (``key``, ``secret``, ``endpoint_url``, …). Without
            them the environment is asked, as boto does.

    Attributes:
        bucket: The bucket.
        prefix: What all keys begin with, without a slash at its end.
    """

    parallel: ClassVar[int] = 8

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        credentials: Mapping[str, Any] | None = None,
    ) -> None:
        self.bucket = bucket
        self.prefix = prefix
        self.uri = f"s3://{bucket}/{prefix}".rstrip("/")
        self._credentials = dict(credentials or {})
        self._filesystem: S3FileSystem | None = None
        self._process = 0
        self._known = False

    def __repr__(self) -> str:
        return f"S3Store({self.uri!r})"

    def __getstate__(self) -> dict[str, Any]:
        """Leave the connection behind: another process makes its own."""
        return {**self.__dict__, "_filesystem": None, "_process": 0}

    def put(self, data: bytes) -> str:
        """Keep ``data``; return its digest."""
        digest = canonical.digest(data)
        self._prepare()
        if len(data) <= _SMALL or not self.has(digest, size=len(data)):
            self._do(lambda bucket: bucket.put(self._object(digest), data, digest))
        return digest

    def put_file(self, path: Path, *, move: bool = False) -> tuple[str, int]:
        """Keep a file; return its digest and size."""
        del move
        with opened_file(path) as source:
            if os.fstat(source).st_size <= PART:
                data = everything(source)
                return self.put(data), len(data)
            digest, size = hashed(source)
        self._prepare()
        if not self.has(digest, size=size):
            key = self._object(digest)
            if not self._do(lambda bucket: bucket.put_file(key, path, digest, size)):
                raise changed(path)
        return digest, size

    def has(self, digest: str, *, size: int | None = None) -> bool:
        """Say whether an object is there."""
        key = self._object(digest)
        self._check()
        found = self._do(lambda bucket: bucket.size(key))
        return found is not None and size in (None, found)

    def create(self, key: str, data: bytes) -> bool:
        """Write a document if there is none; True for the one who did."""
        name = self._name(layout.check_document(key))
        self._prepare()
        return self._do(lambda bucket: bucket.create(name, data))

    def read(self, key: str) -> bytes | None:
        """Return a document, or None."""
        name = self._name(layout.check_document(key))
        self._check()
        return self._do(lambda bucket: bucket.read(name))

    def keys(self, folder: str) -> list[str]:
        """Return the keys in a folder, sorted."""
        name = self._name(layout.check_key(folder))
        self._check()
        found = self._do(lambda bucket: bucket.keys(f"{name}/"))
        return sorted(key.removeprefix(self._name("")) for key in found)

    def replace(self, key: str, data: bytes) -> None:
        """Write ``run.json`` of a run anew."""
        name = self._name(layout.check_replaceable(key))
        self._prepare()
        self._do(lambda bucket: bucket.put(name, data, canonical.digest(data)))

    def probe(self) -> None:
        """Check that the store can be written and that ``create`` has one winner."""
        key = f"probe/{os.urandom(8).hex()}"
        try:
            first, second = self.create(key, b"1"), self.create(key, b"2")
            if not first or second or self.read(key) != b"1":
                raise unconditional(self.uri)
        finally:
            self._remove(self._name(key))

    @contextlib.contextmanager
    def staged(self) -> Iterator[Path]:
        """Make a private folder, removed at the end."""
        with tempfile.TemporaryDirectory(
            prefix="rats-", ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder)

    def copy_to(self, digest: str, size: int, filesystem: object, path: str) -> bool:
        """Copy an object to a place on the same server, if that is allowed."""
        if not isinstance(filesystem, S3FileSystem):
            return False
        ours, theirs = self._connected(), filesystem
        ours.connect()
        theirs.connect()
        if ours.s3.meta.endpoint_url != theirs.s3.meta.endpoint_url:
            return False
        if not self.has(digest, size=size):
            raise missing_object(self.uri, digest)
        try:
            theirs.cp_file(f"{self.bucket}/{self._object(digest)}", path)
        except PermissionError:
            # Whoever may write there may not read here.
            return False
        return True

    def _deliver(self, digest: str, target: Sink, *, size: int | None) -> None:
        found, length = self._download(digest, target)
        if found != digest:
            # On the way or over there? Only the second is a reason to remove it.
            again = self._download(digest, _Nowhere())
            aside = again[0] != digest and self._remove(self._object(digest))
            raise corrupt_object(
                self.uri,
                digest,
                (found, length),
                aside=aside,
                transient=again[0] == digest,
            )
        if size not in (None, length):
            raise wrong_size(self.uri, digest, expected=size, got=length)

    def _name(self, key: str) -> str:
        return f"{self.prefix}/{key}" if self.prefix else key

    def _object(self, digest: str) -> str:
        return self._name(layout.object_key(digest))

    def _check(self) -> None:
        """Refuse a store of another format, once."""
        if not self._known:
            found = self._do(lambda bucket: bucket.read(self._name(layout.MARKER)))
            self._known = check_marker(self.uri, found)

    def _prepare(self) -> None:
        """Make the prefix a store, if it is none."""
        self._check()
        if not self._known:
            marker = self._name(layout.MARKER)
            self._do(lambda bucket: bucket.create(marker, MARKER_BYTES))
            self._check()

    def _download(self, digest: str, target: Sink) -> tuple[str, int]:
        key = self._object(digest)
        self._check()
        state = hashlib.sha256()

        def take(chunk: bytes) -> None:
            state.update(chunk)
            target.write(chunk)

        length = self._do(lambda bucket: bucket.download(key, take))
        if length is None:
            raise missing_object(self.uri, digest)
        return state.hexdigest(), length

    def _remove(self, name: str) -> bool:
        """Remove an object or a document, if the credentials allow it."""
        with contextlib.suppress(StoreError):
            self._do(lambda bucket: bucket.delete(name))
            return True
        return False

    def _connected(self) -> S3FileSystem:
        # A connection does not survive a fork.
        if self._filesystem is None or self._process != os.getpid():
            settings = {**_SETTINGS, **self._credentials.get("config_kwargs", {})}
            options = {**self._credentials, "config_kwargs": settings}
            self._filesystem = S3FileSystem(
                **options, skip_instance_cache=True, use_listings_cache=False
            )
            self._process = os.getpid()
        return self._filesystem

    def _do(self, call: Callable[[Bucket], Awaitable[Result]]) -> Result:
        filesystem = self._connected()

        async def run() -> Result:
            with reported_by_s3(self.uri):
                client = await filesystem.set_session()
                return await call(Bucket(client, self.bucket))

        result: Result = sync(filesystem.loop, run)
        return result


class _Nowhere:
    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        return len(data)
