"""Tells what looks like a secret, so that it is not written into ``rats.yml``.

Nothing here ever shows a value.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach
from kedro_rats.names import names_a_secret
from kedro_rats.placement.fields import PLAIN, PLAIN_SAID, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLAIN = re.compile(PLAIN)
_TOKENS: Final = re.compile(
    r"://[^/@]*:[^/@]*@"  # a URL with a password
    r"|\b(AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}"
    r"|\bglpat-[\w-]{20,}|\bxox[abprs]-[\w-]{10,}|\bhf_\w{20,}"
    r"|\beyJ[\w-]{10,}\.[\w-]+\.[\w-]+"
)
_EXPECTED: Final = "no secret in plain text"
_REMEDY: Final = (
    "Put it into a secret of the cluster, and name that under bind.secrets."
)
OF_A_BUILD: Final = (
    "Give it to the tool itself: kedro rats build -- --secret id=NAME,src=FILE."
)


def named_in_plain_text(data: Mapping[str, Any], source: str) -> list[Breach]:
    """Return a breach for each variable that is called like a secret and has a value.

    Looks at the file as it was written, so these come with all other breaches. The
    value of ``…CREDENTIALS`` may be a path, as Google's libraries expect. Arguments of a
    build count as well: whoever has the image can read them.
    """
    plain = [
        (f"bind.{profile}.env.{name}", name, value, _REMEDY)
        for profile, bind in _items(data.get("bind"))
        for name, value in _items(_part(bind, "env"))
    ] + [
        (f"image.{profile}.build.args.{name}", name, value, OF_A_BUILD)
        for profile, image in _items(data.get("image"))
        for name, value in _items(_part(_part(image, "build"), "args"))
    ]
    return [
        Breach(f"{source}, {where}", _EXPECTED, "a value", remedy)
        for where, name, value, remedy in plain
        if value and names_a_secret(name) and not _is_path(name, value)
    ]


def _part(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _items(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def refuse_value(value: str) -> None:
    """Refuse a value of an environment variable that may not be in a manifest."""
    if looks_like_a_secret(value):
        got = "a value that looks like one"
        raise refused(_EXPECTED, _REMEDY, got=got)
    if not _PLAIN.fullmatch(value):
        remedy = "Put it into a config map, and name that under bind.config_maps."
        raise refused(f"a value of {PLAIN_SAID}", remedy, got="other characters")


def looks_like_a_secret(value: str) -> bool:
    """Say whether a value has the form of a known kind of secret.

    Example:
        >>> looks_like_a_secret("https://me:pw@example.com"), looks_like_a_secret("3.11")
        (True, False)
    """
    return _TOKENS.search(value) is not None


def _is_path(name: str, value: object) -> bool:
    return name.lower().endswith("credentials") and str(value).startswith("/")
