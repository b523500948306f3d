"""From what the settings say to a store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach, DefinitionError, nearest, shown
from kedro_rats.store.local import LocalStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro_rats.store.base import Store

PROTOCOLS: Final = ("file", "s3")
"""Where a store can be. What is not listed is refused: an address is not code."""

_URI: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(::|://)(.*)", re.DOTALL)
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
_PREFIX: Final = re.compile(r"[A-Za-z0-9!_.*'()=+-]{1,200}")
_USERINFO: Final = re.compile(r"//[^/]*@")


def open_store(
    uri: str,
    *,
    base: Path | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> Store:
    """Return the store at an address; nothing is read or written yet.

    Args:
        uri: A folder, ``file:///folder`` or ``s3://bucket/prefix``.
        base: What a relative folder is relative to; default the current folder.
        credentials: For S3, what Kedro gives to s3fs (``key``, ``secret``,
            ``endpoint_url``, …). Without them the environment is asked, as boto does.

    Raises:
        DefinitionError: If a store cannot be there.

    Example:
        >>> open_store(".rats", base=getfixture("tmp_path")).root.name
        '.rats'
    """
    protocol, address = split(uri)
    if _USERINFO.search(uri) and protocol:
        raise _refused("one without a user or a password in it", "such a one", _NAMED)
    folder = local_path(uri)
    if folder is not None:
        return LocalStore((base or Path.cwd()) / folder.expanduser())
    if protocol != "s3":
        remedy = nearest(protocol, PROTOCOLS) + "Use one of these."
        raise _refused("a folder, file:// or s3://", shown(f"{protocol}://"), remedy)
    bucket, _, prefix = address.rstrip("/").partition("/")
    parts = prefix.split("/") if prefix else []
    dots = {".", ".."} & set(parts)
    if not _BUCKET.fullmatch(bucket) or dots or not all(map(_PREFIX.fullmatch, parts)):
        remedy = "Give a bucket, and a prefix of plain names."
        raise _refused("s3://bucket/prefix", shown(uri), remedy)
    # Only here: it brings asyncio and botocore with it.
    try:
        from kedro_rats.store.s3 import S3Store
    except ImportError as error:
        remedy = 'Install them with "kedro-rats[s3]".'
        got = f"no module {error.name!r}"
        breach = Breach("store on S3", "the libraries for S3", got, remedy)
        raise DefinitionError(breach) from error

    return S3Store(bucket, prefix, credentials=credentials)


def split(uri: str) -> tuple[str, str]:
    """Return protocol and address; no protocol for a path.

    Raises:
        DefinitionError: If it is empty, or leads through several file systems.

    Example:
        >>> split("s3://bucket/prefix"), split("data/x.csv")
        (('s3', 'bucket/prefix'), ('', 'data/x.csv'))
    """
    if not uri.strip() or "\0" in uri:
        raise _refused("a folder or an address", shown(uri), "Give one.")
    match = _URI.fullmatch(uri)
    if match is None:
        return "", uri
    protocol, separator, address = match.groups()
    if separator == "::":
        raise _refused("one address", shown(f"{protocol}::"), "Chains are not read.")
    return protocol.lower(), address


def local_path(uri: str) -> Path | None:
    """Return the path of a local address, or None for one of a server.

    Raises:
        DefinitionError: If it is no address, or a file on another machine.

    Example:
        >>> local_path("file:///data/x.csv").as_posix(), local_path("s3://bucket/x")
        ('/data/x.csv', None)
    """
    protocol, address = split(uri)
    if not protocol:
        return Path(address)
    if protocol != "file":
        return None
    address = address.removeprefix("localhost")
    if not address.startswith("/"):
        raise _refused("file:///folder", shown(uri), "Give a folder of this machine.")
    return Path(address)


def without_userinfo(uri: str) -> str:
    """Return an address that can be shown: no user, no password.

    Example:
        >>> without_userinfo("sftp://me:secret@host/x")
        'sftp://host/x'
    """
    return _USERINFO.sub("//", uri)


_NAMED: Final = "Name them in credentials.yml."


def _refused(expected: str, got: str, remedy: str) -> DefinitionError:
    return DefinitionError(Breach("address of the store", expected, got, remedy))
