"""What a catalog entry must and must not hold: it becomes part of plans and records."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach

if TYPE_CHECKING:
    from collections.abc import Iterator

_USERINFO: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\s]*)@")
# What stands before the @ is a container or bucket there, no user.
_CONTAINERS: Final = frozenset({"abfs", "abfss", "wasb", "wasbs", "adl", "oci"})
# What stands before the @ is a user there, also without a password.
_USERS: Final = frozenset({"http", "https"})

_NAMES: Final = (
    "password|passwd|pwd|secret|client_secret|secret_key|aws_secret_access_key"
    "|account_key|sas_token|access_token|api_?key|private_key"
)
_SECRET_KEY: Final = re.compile(_NAMES, re.IGNORECASE)
_IN_TEXT: Final = re.compile(rf"(?:^|[?&;])(?:{_NAMES})=[^&;\s]", re.IGNORECASE)
_SIGNED: Final = re.compile(
    r"[?&](sig|signature|x-amz-signature|x-goog-signature|token|access_token)=\S",
    re.IGNORECASE,
)
# Only as options of a file system are these names of secrets.
_OPTIONS: Final = frozenset({"fs_args", "storage_options", "client_kwargs"})
_SECRET_OPTION: Final = re.compile(
    rf"{_NAMES}|key|token|(aws_)?session_token|aws_access_key_id|connection_string",
    re.IGNORECASE,
)
_NO_SECRETS: Final = frozenset({"anon", "browser", "cache", "cloud", "google_default"})

_MOVE: Final = (
    "Put it in conf/local/credentials.yml and give its name as 'credentials'."
)


def entry_breaches(name: str, entry: object) -> list[Breach]:
    """Return what is wrong with an entry; no breach shows a secret.

    An entry has a ``type``, credentials by name alone, and no user, password or
    signature in an address.

    Example:
        >>> entry = {"type": "pandas.CSVDataset", "filepath": "https://me:pw@x.org/a.csv"}
        >>> print(*entry_breaches("x", entry))
        dataset 'x', filepath: expected a URL without user and password, got one with \
them. Put it in conf/local/credentials.yml and give its name as 'credentials'.
    """
    subject = f"dataset {name!r}"
    if not isinstance(entry, Mapping):
        remedy = "Write 'type' and the arguments of the dataset's class under it."
        return [Breach(subject, "a mapping", f"a {type(entry).__name__}", remedy)]
    breaches = []
    kind = entry.get("type")
    if not isinstance(kind, str) or not kind:
        remedy = "Say which class reads it, e.g. pandas.CSVDataset."
        got = "none" if kind is None else type(kind).__name__
        breaches.append(Breach(subject, "a type as text", got, remedy))
    for path, value in _leaves(entry):
        wrong = _wrong(path, value)
        if wrong is not None:
            breaches.append(Breach(f"{subject}, {'.'.join(path)}", *wrong, _MOVE))
    return breaches


def _leaves(
    value: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield what an entry holds; credentials are one leaf, whatever they are."""
    if path and path[-1] == "credentials":
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            yield from _leaves(item, (*path, str(i)))
    else:
        yield path, value


def _wrong(path: tuple[str, ...], value: object) -> tuple[str, str] | None:
    """Return what was expected in place of a secret, and what was there."""
    if path and path[-1] == "credentials":
        if value is None or isinstance(value, str):
            return None
        return "the name of credentials", f"a {type(value).__name__} (not shown)"
    if not path or not isinstance(value, str) or not value:
        return None
    if any(_is_user(*found.groups()) for found in _USERINFO.finditer(value)):
        return "a URL without user and password", "one with them"
    if "://" in value and _SIGNED.search(value):
        return "a URL without signature or token", "one with it"
    if _is_secret(path, value) or _IN_TEXT.search(value):
        return "no secret", "text that is not shown"
    return None


def _is_secret(path: tuple[str, ...], value: str) -> bool:
    if value in _NO_SECRETS:
        return False
    names = _SECRET_OPTION if _OPTIONS & set(path[:-1]) else _SECRET_KEY
    return names.fullmatch(path[-1]) is not None


def _is_user(protocol: str, userinfo: str) -> bool:
    if ":" in userinfo or protocol.lower() in _USERS:
        return True
    return protocol.lower() not in _CONTAINERS and bool(userinfo)
