"""Keeps secrets out of what is written for people."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from kedro_rats.names import names_a_secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

HIDDEN = "[hidden]"

_SECRET_NAME = re.compile(
    r"(?i)(^|[.:_-])(password|passwd|secret|token|api_?key|access_?key|private_?key"
    r"|credentials?)([._-]|$)"
)
_USERINFO = re.compile(r"://[^:/@\s]*:([^/@\s]+)@")
_SHORTEST = 6
_DICT = "$dict"


def is_secret_name(name: str) -> bool:
    """Say whether what is called ``name`` is to be hidden.

    Example:
        >>> is_secret_name("db.password"), is_secret_name("clf.max_tokens")
        (True, False)
    """
    return _SECRET_NAME.search(name) is not None


def without_secrets(value: Any, name: str = "") -> Any:
    """Return ``value`` with what is named like a secret hidden.

    Example:
        >>> without_secrets({"db": {"user": "me", "password": "hidden"}})
        {'db': {'user': 'me', 'password': '[hidden]'}}
    """
    if name and is_secret_name(name):
        return HIDDEN
    if isinstance(value, dict):
        found = {key: without_secrets(item, str(key)) for key, item in value.items()}
        if _is_pairs(value):
            found[_DICT] = [[k, without_secrets(v, str(k))] for k, v in value[_DICT]]
        return found
    if isinstance(value, list):
        return [without_secrets(item) for item in value]
    return value


def secret_values(value: Any, name: str = "") -> set[str]:
    """Return the texts in ``value`` that are named like secrets."""
    if name and is_secret_name(name):
        return texts(value)
    if isinstance(value, list):
        return set().union(*(secret_values(item) for item in value))
    if not isinstance(value, dict):
        return set()
    pairs = value[_DICT] if _is_pairs(value) else value.items()
    return set().union(*(secret_values(item, str(key)) for key, item in pairs))


def _is_pairs(value: dict[str, Any]) -> bool:
    """Say whether it is how ``kedro_rats.encoding`` writes unsorted keys: as pairs."""
    pairs = value.get(_DICT)
    return isinstance(pairs, list) and all(
        isinstance(pair, list) and len(pair) == 2 for pair in pairs
    )


def texts(value: Any) -> set[str]:
    """Return all texts and numbers in ``value``, which is made of plain data."""
    if isinstance(value, dict):
        return set().union(*(texts(item) for item in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(texts(item) for item in value))
    return {str(value)} if isinstance(value, str | int) else set()


class Redaction:
    """Replaces secrets in texts.

    Args:
        sources: Each returns secrets; asked for each text, since more become known.

    Very short ones stay: replacing every ``1`` would hide more than a secret.

    Example:
        >>> Redaction(lambda: {"s3cr3t-key"})("key s3cr3t-key refused")
        'key [hidden] refused'
    """

    def __init__(self, *sources: Callable[[], Iterable[str]]) -> None:
        self._sources = list(sources)

    def add(self, source: Callable[[], Iterable[str]]) -> None:
        """Ask one more source from now on."""
        self._sources.append(source)

    def __call__(self, text: str) -> str:
        """Return ``text`` without secrets."""
        secrets = {f for source in self._sources for s in source() for f in _forms(s)}
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, HIDDEN)
        return text


def _forms(secret: str) -> set[str]:
    """Return how a secret may be written in a message, and the password in an address."""
    found = {secret, *_USERINFO.findall(secret)}
    return {
        form
        for text in found
        for form in (text, " ".join(text.split()), repr(text)[1:-1], quote(text, ""))
    }


class RedactingFormatter(logging.Formatter):
    """Formats log lines, tracebacks included, without secrets."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return self._redact(super().format(record))


def secret_environment(environ: Mapping[str, str]) -> set[str]:
    """Return the values of environment variables that are named like secrets."""
    return {value for name, value in environ.items() if names_a_secret(name)}
