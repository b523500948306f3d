"""Values that have no others in them, one by one: to JSON and back."""

from __future__ import annotations

import base64
import math
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import (
    Path,
    PosixPath,
    PurePath,
    PurePosixPath,
    PureWindowsPath,
    WindowsPath,
)
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro_rats.encoding.canonical import Json

_WHOLE_BITS: Final = 4096
"""Python refuses to read or write decimal numbers of some thousand digits."""


def _int(value: int) -> Json:
    return value if value.bit_length() <= _WHOLE_BITS else {"$int": hex(value)}


def _read_int(content: Json) -> int:
    return content if isinstance(content, int) else int(content["$int"], 16)  # type: ignore[index,call-overload,arg-type]


def _string(value: str) -> Json:
    # A lone surrogate is legal in Python, and not in UTF-8.
    if value.isprintable() or _is_unicode(value):
        return value
    return {"$str": _base64(value.encode("utf-8", "surrogatepass"))}


def _read_string(content: Json) -> str:
    if isinstance(content, str):
        return content
    return READERS["$str"](content["$str"])  # type: ignore[index,call-overload,return-value]


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _float(value: float) -> Json:
    return value if math.isfinite(value) else {"$float": repr(value)}


def _zone(zone: tzinfo | None) -> Json:
    """Return a time zone: a name, or a number of microseconds and perhaps a name.

    Raises:
        ValueError: If it is of another kind; the text says of which.
    """
    if zone is None:
        return None
    if type(zone) is ZoneInfo and zone.key is not None:
        return zone.key
    if type(zone) is timezone:
        offset, *name = zone.__getinitargs__()  # type: ignore[attr-defined]
        return [offset // timedelta(microseconds=1), *map(_string, name)]
    kind = f"{type(zone).__module__}.{type(zone).__qualname__}"
    msg = f"time zone of type {kind}"
    raise ValueError(msg)


def _read_zone(content: Any) -> tzinfo | None:
    if content is None:
        return None
    if isinstance(content, str):
        return ZoneInfo(content)
    microseconds, *name = content
    return timezone(timedelta(microseconds=microseconds), *map(_read_string, name))


def _moment(key: str) -> Callable[[Any], Json]:
    def written(value: datetime | time) -> Json:
        naive = value.replace(tzinfo=None, fold=0).isoformat()
        return {key: [naive, _zone(value.tzinfo), value.fold]}

    return written


def _read_moment(kind: type[datetime] | type[time]) -> Callable[[Any], object]:
    def read(content: Any) -> datetime | time:
        text, zone, fold = content
        return kind.fromisoformat(text).replace(tzinfo=_read_zone(zone), fold=fold)

    return read


def _base64(data: bytes | bytearray) -> str:
    return base64.b64encode(data).decode("ascii")


def _read_base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _path(kind: str) -> Callable[[Any], Json]:
    return lambda value: {"$path": [kind, _string(str(value))]}


def _read_path(content: tuple[str, Json]) -> PurePath:
    kind, text = content
    kinds: dict[str, type[PurePath]] = {
        "path": Path,
        "posix": PurePosixPath,
        "windows": PureWindowsPath,
    }
    return kinds[kind](_read_string(text))


WRITERS: Final[dict[type, Callable[[Any], Json]]] = {
    int: _int,
    str: _string,
    float: _float,
    complex: lambda value: {"$complex": [repr(value.real), repr(value.imag)]},
    bytes: lambda value: {"$bytes": _base64(value)},
    bytearray: lambda value: {"$bytearray": _base64(value)},
    date: lambda value: {"$date": value.isoformat()},
    datetime: _moment("$datetime"),
    time: _moment("$time"),
    timedelta: lambda v: {"$timedelta": [v.days, v.seconds, v.microseconds]},
    Decimal: lambda value: {"$decimal": str(value)},
    PosixPath: _path("path"),
    WindowsPath: _path("path"),
    PurePosixPath: _path("posix"),
    PureWindowsPath: _path("windows"),
    range: lambda v: {"$range": [_int(v.start), _int(v.stop), _int(v.step)]},
}
"""How a value of exactly this type is written; a ValueError says why one cannot be."""

READERS: Final[dict[str, Callable[[Any], object]]] = {
    "$int": lambda text: int(text, 16),
    "$str": lambda text: _read_base64(text).decode("utf-8", "surrogatepass"),
    "$float": float,
    "$complex": lambda parts: complex(float(parts[0]), float(parts[1])),
    "$bytes": _read_base64,
    "$bytearray": lambda text: bytearray(_read_base64(text)),
    "$date": date.fromisoformat,
    "$datetime": _read_moment(datetime),
    "$time": _read_moment(time),
    "$timedelta": lambda parts: timedelta(*parts),
    "$decimal": Decimal,
    "$path": _read_path,
    "$range": lambda parts: range(*map(_read_int, parts)),
}
"""How it is read again, by the key under which it is written."""
