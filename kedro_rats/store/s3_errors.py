"""What S3 and its client libraries say, in words."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import aiohttp
from botocore import exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
)

from kedro_rats.errors import Breach
from kedro_rats.store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

FAILURES: Final = (
    BotoCoreError,
    ClientError,
    aiohttp.ClientError,
    OSError,
    asyncio.TimeoutError,
)
"""All that a call of S3 can raise."""

_CONNECTION: Final = (exceptions.ConnectionError, HTTPClientError, IncompleteReadError)
_TRANSIENT_STATUS: Final = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.CONFLICT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
# What arrived was not what was sent: that can be tried again.
_TRANSIENT_CODES: Final = {
    *("BadDigest", "IncompleteBody", "RequestTimeout", "XAmzContentSHA256Mismatch"),
    *("SlowDown", "InternalError", "Throttling", "OperationAborted"),
}
# Not every 404: that may also be a bucket, or an account. HEAD has no words for it.
_MISSING: Final = {"NoSuchKey", "NoSuchUpload", "NotFound", "404"}
_NO_ACCESS: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_RIGHTS: Final = "s3:GetObject, s3:PutObject, s3:DeleteObject, s3:ListBucket"


@contextlib.contextmanager
def reported_by_s3(uri: str) -> Iterator[None]:
    """Turn what S3 and its libraries raise into a ``StoreError``."""
    try:
        yield
    except FAILURES as error:
        raise of_s3_error(error, uri) from error


def status_of(error: Exception) -> int | None:
    """Return the HTTP status of an answer, or None if there was no answer."""
    if not isinstance(error, ClientError):
        return None
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status if isinstance(status, int) else None


def code_of(error: Exception) -> str:
    """Return the code of an S3 error, or the name of another."""
    if not isinstance(error, ClientError):
        return type(error).__name__
    return str(error.response.get("Error", {}).get("Code", "no code"))


def is_missing(error: Exception) -> bool:
    """Say whether it is the object that is missing, and nothing above it."""
    return code_of(error) in _MISSING


def is_transient(error: Exception) -> bool:
    """Say whether the same call may succeed a little later."""
    if isinstance(error, ClientError):
        return (
            status_of(error) in _TRANSIENT_STATUS or code_of(error) in _TRANSIENT_CODES
        )
    # Connections that are refused, reset or time out; not what botocore finds wrong
    # before it sends anything.
    return not isinstance(error, BotoCoreError) or isinstance(error, _CONNECTION)


def of_s3_error(error: Exception, uri: str) -> StoreError:
    """Return what an error means, with the cure.

    What the server says in its own words is left out: it may repeat what was sent.
    """
    code, status = code_of(error), status_of(error)
    got = code if status is None else f"{code} (HTTP {status})"
    if isinstance(error, NoCredentialsError | PartialCredentialsError | NoRegionError):
        expected = "credentials and a region"
        remedy = "Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, or name credentials."
    elif code == "NoSuchBucket":
        expected = "a bucket that exists"
        remedy = "Create it, or correct the address."
    elif status in _NO_ACCESS or code.endswith("UserNotFound"):
        expected = "access with the credentials given"
        remedy = f"Check them, and that they have the rights {_RIGHTS}."
    elif is_transient(error):
        expected = "an answer"
        remedy = "Check the network and the server (AWS_ENDPOINT_URL), then run again."
    else:
        expected = "a server that does as S3 does"
        remedy = "Check the address, the region and the server's version."
    breach = Breach(f"store {uri!r}", expected, got, remedy)
    return StoreError(breach, transient=is_transient(error))
