"""The document that says that a folder or a prefix is a store."""

from __future__ import annotations

from typing import Final

from kedro_rats.encoding import canonical
from kedro_rats.errors import Breach, shown
from kedro_rats.names import FORMAT
from kedro_rats.store import layout
from kedro_rats.store.errors import DocumentError

MARKER_BYTES: Final = canonical.to_bytes({"format": FORMAT})


def check_marker(uri: str, found: bytes | None) -> bool:
    """Say whether there is a store, from what its marker says.

    Raises:
        DocumentError: If it is a store of another format.

    Example:
        >>> check_marker(".rats", None), check_marker(".rats", MARKER_BYTES)
        (False, True)
    """
    if found is None:
        return False
    try:
        document = canonical.from_bytes(found)
    except ValueError:
        document = None
    if isinstance(document, dict) and document.get("format") == FORMAT:
        return True
    raise DocumentError(
        Breach(
            f"store {uri!r}",
            f"format {FORMAT!r} in {layout.MARKER}",
            shown(found),
            "A newer kedro-rats may have made it: upgrade, or give another store.",
        )
    )
