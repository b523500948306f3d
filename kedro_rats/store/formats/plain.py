"""Plain data as JSON, and bytes as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kedro_rats.encoding import canonical, values
from kedro_rats.store.formats.protocol import Unsuitable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.formats.protocol import Meta

_FILE: Final = "data.json"
_BYTES: Final = "data.bin"
_MODULES: Final = frozenset({"builtins", "datetime", "decimal", "pathlib"})


class PlainData:
    """``json``: numbers, text, dates, and lists, tuples, sets and dicts of them.

    Their types are kept: ``1``, ``1.0`` and ``True`` stay three values. What holds
    anything else, as a dict of tables does, is left to a later format.
    """

    name = "json"
    keeps_folder = False

    def accepts(self, value: object) -> bool:
        """Say whether a value is of a type of Python's own."""
        # Since Python 3.13 paths are defined in a module below `pathlib`.
        return type(value).__module__.partition(".")[0] in _MODULES

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the value as canonical JSON."""
        try:
            data = canonical.to_bytes(values.encode(value))
        # An integer of thousands of digits is a ValueError.
        except (values.Unencodable, RecursionError, ValueError) as reason:
            raise Unsuitable(str(reason)) from reason
        (folder / _FILE).write_bytes(data)
        return {}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:  # noqa: ARG002
        """Return the plain data of the file."""
        return values.decode(canonical.from_bytes((folder / _FILE).read_bytes()))


class Bytes:
    """``bytes``: one file that holds them."""

    name = "bytes"
    keeps_folder = False

    def accepts(self, value: object) -> bool:
        """Say whether a value is ``bytes``."""
        return type(value) is bytes

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the bytes."""
        (folder / _BYTES).write_bytes(value)
        return {}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> bytes:  # noqa: ARG002
        """Return the bytes of the file."""
        return (folder / _BYTES).read_bytes()
