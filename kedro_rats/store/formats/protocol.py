"""What a format is, and what it says when it cannot do something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from kedro_rats.errors import Breach, RatsError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kedro_rats.encoding.canonical import Json

Meta: TypeAlias = "dict[str, Json]"
"""What a reader must know besides the files; it is JSON and stands in the record."""


@runtime_checkable
class Format(Protocol):
    """A way to write values of some types into files and to read them again.

    Attributes:
        name: Stands in records, so it never changes its meaning.
        keeps_folder: The value that ``load`` returns uses the files for as long as it
            lives, so the folder must not be removed before.
    """

    name: str
    keeps_folder: bool

    def accepts(self, value: object) -> bool:
        """Say whether a value is of a type that this format writes.

        Is asked for every value, so it looks at the type alone and imports nothing.
        """
        ...

    def save(self, value: Any, folder: Path) -> Meta:
        """Write ``value`` into files in ``folder``, which is empty.

        Raises:
            Unsuitable: If this value would not come back equal. The next format is
                tried, with an empty folder.
        """
        ...

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:
        """Return the value that ``save`` wrote, of the same type.

        May run code that the files hold (pickle): call it only after their digests
        were compared with a record that is trusted.
        """
        ...


class Unsuitable(Exception):  # noqa: N818 - not an error: the next format is tried
    """A format cannot write this value so that it comes back equal."""


class FormatError(RatsError):
    """A value cannot be saved or loaded, or a format of a plugin is broken."""

    def __init__(self, breach: Breach) -> None:
        super().__init__(breach)
        self.breach = breach

    def __str__(self) -> str:
        return str(self.breach)


class UnsavableError(FormatError):
    """No format can save a value: the node that returned it must be changed."""
