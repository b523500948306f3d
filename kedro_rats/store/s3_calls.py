"""The calls of S3 that a store makes, each tried again where that may help."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import os
import random
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kedro_rats.store.errors import reported
from kedro_rats.store.s3_errors import FAILURES, is_missing, is_transient, status_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

Result = TypeVar("Result")

TRIES: Final = 7
_FIRST_DELAY: Final = 0.1
_CHUNK: Final = 1 << 20
PART: Final = 16 << 20
"""Larger files are sent in parts of this size, some at once."""
_AT_ONCE: Final = 4
_MARK: Final = "rats-writer"
_MOST_PARTS: Final = 9_000
"""S3 takes 10,000."""


class Bucket:
    """A bucket, as what can be asked of it.

    Args:
        client: aiobotocore's client.
        name: The bucket.
    """

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    async def put(self, key: str, data: bytes, digest: str) -> None:
        """Write an object; the server checks that it got what was sent."""
        await self._call("put_object", Key=key, Body=data, **_checksum(digest))

    async def create(self, key: str, data: bytes) -> bool:
        """Write an object if there is none; say whether it is this one."""
        # HTTP libraries send a request again by themselves when a connection breaks, so
        # the answer may be to a second try: the winner is known by a mark of its own.
        mark = {_MARK: os.urandom(16).hex()}
        checksum = _checksum(hashlib.sha256(data).hexdigest())
        try:
            await self._call(
                "put_object",
                Key=key,
                Body=data,
                IfNoneMatch="*",
                Metadata=mark,
                **checksum,
            )
        except FAILURES as error:
            if status_of(error) != HTTPStatus.PRECONDITION_FAILED:
                raise
            there = await self._call("head_object", Key=key)
            return bool(there["Metadata"].get(_MARK) == mark[_MARK])
        return True

    async def read(self, key: str) -> bytes | None:
        """Return an object, or None if there is none."""
        chunks: list[bytes] = []
        found = await self.download(key, chunks.append)
        return None if found is None else b"".join(chunks)

    async def download(self, key: str, take: Callable[[bytes], Any]) -> int | None:
        """Hand an object over in chunks; return its size, or None if there is none.

        After a broken connection it goes on where it was.
        """
        done = 0

        async def go_on() -> None:
            nonlocal done
            since = {"Range": f"bytes={done}-"} if done else {}
            answer = await self._once("get_object", Key=key, **since)
            expected = done + answer["ContentLength"]
            # What its context returns differs between versions of aiobotocore.
            async with answer["Body"]:
                while chunk := await answer["Body"].read(_CHUNK):
                    done += len(chunk)
                    take(chunk)
            if done < expected:
                msg = f"{done} of {expected} bytes"
                raise ConnectionResetError(msg)

        try:
            await self._retried(go_on)
        except FAILURES as error:
            if is_missing(error):
                return None
            raise
        return done

    async def size(self, key: str) -> int | None:
        """Return an object's size, or None if there is none."""
        try:
            answer = await self._call("head_object", Key=key)
        except FAILURES as error:
            if is_missing(error):
                return None
            raise
        return int(answer["ContentLength"])

    async def keys(self, prefix: str) -> list[str]:
        """Return all keys that begin so."""
        found: list[str] = []
        more: dict[str, str] = {}
        while True:
            answer = await self._call("list_objects_v2", Prefix=prefix, **more)
            found += [entry["Key"] for entry in answer.get("Contents", [])]
            if not answer.get("IsTruncated"):
                return found
            more = {"ContinuationToken": answer["NextContinuationToken"]}

    async def delete(self, key: str) -> None:
        """Remove an object, if there is one."""
        await self._call("delete_object", Key=key)

    async def put_file(self, key: str, path: Path, digest: str, size: int) -> bool:
        """Write a file in parts; say whether it still had this digest.

        If it had not, or something fails, nothing is written.
        """
        answer = await self._call(
            "create_multipart_upload", Key=key, ChecksumAlgorithm="SHA256"
        )
        upload = {"Key": key, "UploadId": answer["UploadId"]}
        finished = False
        try:
            sent, parts = await self._put_parts(path, size, upload)
            if sent == digest:
                await self._complete(upload, parts, size)
                finished = True
        finally:
            if not finished:
                with contextlib.suppress(*FAILURES):
                    await self._call("abort_multipart_upload", **upload)
        return finished

    async def _put_parts(
        self, path: Path, size: int, upload: dict[str, str]
    ) -> tuple[str, list[dict[str, Any]]]:
        state = hashlib.sha256()
        length = max(PART, -(-size // _MOST_PARTS))
        parts: list[dict[str, Any]] = []
        for some in _groups(path, length):
            for data in some:
                state.update(data)
            answers = await asyncio.gather(
                *(
                    self._put_part(upload, number, data)
                    for number, data in enumerate(some, len(parts) + 1)
                ),
                # All have ended before the upload is given up.
                return_exceptions=True,
            )
            for answer in answers:
                if isinstance(answer, BaseException):
                    raise answer
                parts.append(answer)
        return state.hexdigest(), parts

    async def _put_part(
        self, upload: dict[str, str], number: int, data: bytes
    ) -> dict[str, Any]:
        checksum = _checksum(hashlib.sha256(data).hexdigest())
        answer = await self._call(
            "upload_part", Body=data, PartNumber=number, **upload, **checksum
        )
        return {"ETag": answer["ETag"], "PartNumber": number, **checksum}

    async def _complete(
        self, upload: dict[str, str], parts: list[dict[str, Any]], size: int
    ) -> None:
        try:
            await self._call(
                "complete_multipart_upload", MultipartUpload={"Parts": parts}, **upload
            )
        except FAILURES as error:
            # The first answer may be what was lost.
            if not is_missing(error) or await self.size(upload["Key"]) != size:
                raise

    async def _once(self, method: str, **arguments: Any) -> Any:
        return await getattr(self._client, method)(Bucket=self._name, **arguments)

    async def _call(self, method: str, **arguments: Any) -> Any:
        return await self._retried(lambda: self._once(method, **arguments))

    async def _retried(self, call: Callable[[], Awaitable[Result]]) -> Result:
        for delay in _delays():
            try:
                return await call()
            except FAILURES as error:
                await _pause(error, delay)
        raise AssertionError


def _groups(path: Path, length: int) -> Iterator[list[bytes]]:
    """Return the parts of a file, as many at once as are sent at once."""
    with reported(f"file {str(path)!r}"):
        file = path.open("rb")
    with file:
        while True:
            with reported(f"file {str(path)!r}"):
                some = [file.read(length) for _ in range(_AT_ONCE)]
            if not some[0]:
                return
            yield [data for data in some if data]


async def _pause(error: Exception, delay: float | None) -> None:
    """Wait before the next try, or raise if there is no use in one."""
    if delay is None or not is_transient(error):
        raise error
    await asyncio.sleep(delay)


def _delays() -> Iterator[float | None]:
    """Return how long to wait after each try; None after the last."""
    for number in range(TRIES - 1):
        # Not all at the same moment again.
        yield _FIRST_DELAY * 2**number * random.uniform(0.5, 1)  # noqa: S311
    yield None


def _checksum(digest: str) -> dict[str, str]:
    return {"ChecksumSHA256": base64.b64encode(bytes.fromhex(digest)).decode()}
