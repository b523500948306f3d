"""Values as files: one format for each type, with the type in mind."""

from kedro_rats.store.formats.protocol import (
    Format,
    FormatError,
    Meta,
    UnsavableError,
    Unsuitable,
)
from kedro_rats.store.formats.registry import (
    format_for,
    format_named,
    load_value,
    save_value,
)

__all__ = [
    "Format",
    "FormatError",
    "Meta",
    "UnsavableError",
    "Unsuitable",
    "format_for",
    "format_named",
    "load_value",
    "save_value",
]
