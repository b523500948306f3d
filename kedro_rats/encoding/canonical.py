"""JSON that is the same bytes in every process, and its digest.

Keys are sorted and nothing is left to a version of Python or to a hash seed, so that
equal documents have one digest. The digest is SHA-256: it is in the standard library,
processors have instructions for it, and S3 and container registries name things by it.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Json: TypeAlias = "bool | int | float | str | list[Json] | tuple[Json, ...] | Mapping[str, Json] | None"
"""What a JSON document is made of."""

_encoder = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
)


def to_text(value: Json) -> str:
    """Return ``value`` as one line of canonical JSON.

    Raises:
        ValueError: If there is a NaN or an infinity in it: JSON has none.

    Example:
        >>> to_text({"b": 1.0, "a": [True, None]})
        '{"a":[true,null],"b":1.0}'
    """
    return _encoder.encode(value)


def to_bytes(value: Json) -> bytes:
    r"""Return ``value`` as canonical JSON in bytes, ended by a new line.

    Raises:
        ValueError: If there is a NaN or an infinity in it.

    Example:
        >>> to_bytes({"a": 1})
        b'{"a":1}\n'
    """
    return to_text(value).encode("ascii") + b"\n"


def from_bytes(data: bytes) -> Json:
    """Return what canonical (or any other) JSON says.

    Raises:
        ValueError: If it is not JSON.

    Example:
        >>> from_bytes(b'{"a":1}')
        {'a': 1}
    """
    try:
        return json.loads(data, parse_constant=_refused)  # type: ignore[no-any-return]
    except RecursionError:
        msg = "it is nested too deep to be read"
        raise ValueError(msg) from None


def _refused(constant: str) -> None:
    msg = f"JSON has no {constant}"
    raise ValueError(msg)


def digest(data: bytes) -> str:
    """Return the SHA-256 of ``data``: 64 lower-case hexadecimal digits.

    Example:
        >>> digest(b"")[:8]
        'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()
