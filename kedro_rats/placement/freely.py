"""Free parts of ``rats.yml``: plain data, checked for what may not be in it."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import AfterValidator, WithJsonSchema

from kedro_rats.errors import Breach, listed, nearest, shown
from kedro_rats.placement.fields import PLAIN, PLAIN_SAID, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEEPEST: Final = 32
_LARGEST: Final = 2**63
_PLAIN = re.compile(PLAIN)
_AFFINITIES: Final = ("nodeAffinity", "podAffinity", "podAntiAffinity")


def not_plain(value: object, path: tuple[str, ...], depth: int = 0) -> Iterator[Breach]:
    """Find what is not plain data: what YAML has and a plan cannot carry as it is."""
    if depth > _DEEPEST:
        expected = f"at most {_DEEPEST} levels"
        yield Breach(", ".join(path[:1]), expected, "more", "Write it flatter.")
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _bad_key(key, path)
            if isinstance(key, str):
                yield from not_plain(part, (*path, key), depth + 1)
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from not_plain(part, (*path, str(index)), depth + 1)
    else:
        yield from _bad_scalar(value, path)


def subject(path: tuple[str, ...]) -> str:
    """Return how a place in the file is named in a sentence."""
    file, *keys = path
    shortened = [key if len(key) <= 80 else f"{key[:80]}..." for key in keys]
    return f"{file}, {'.'.join(shortened)}" if keys else file


def _bad_key(key: object, path: tuple[str, ...]) -> Iterator[Breach]:
    where = subject(path)
    if not isinstance(key, str):
        expected, got = "texts as keys", f"a key of type {type(key).__name__}"
        yield Breach(where, expected, got, "Write the key in quotes.")
    elif not _is_text(key):
        got = f"{shown(key)}"
        yield Breach(where, "keys of readable characters", got, "Rename the key.")


def _bad_scalar(value: object, path: tuple[str, ...]) -> Iterator[Breach]:
    where, remedy = subject(path), "Write it in quotes, or leave it out."
    expected = "a text, a number, true, false, a list or a mapping"
    if isinstance(value, str):
        if not _is_text(value):
            got = "a text with a control character"
            yield Breach(where, "readable characters", got, "Leave it out.")
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield Breach(where, "a finite number", shown(value), remedy)
    elif isinstance(value, int):
        if abs(value) >= _LARGEST:
            yield Breach(where, "a number below 2**63", "a larger one", remedy)
    elif value is not None:
        yield Breach(where, expected, f"a {type(value).__name__}", remedy)


def _is_text(value: str) -> bool:
    """Say whether a text is one of Unicode, without control characters but line ends."""
    return not any(
        "\ud800" <= char <= "\udfff" or (char < " " and char not in "\n\t")
        for char in value
    )


def _fit_for_a_manifest(value: dict[str, Any]) -> dict[str, Any]:
    for part in _texts(value):
        if not _PLAIN.fullmatch(part):
            remedy = "Leave other characters out."
            raise refused(f"texts of {PLAIN_SAID}", remedy, got=shown(part))
    unknown = [key for key in value if key not in _AFFINITIES]
    if unknown:
        remedy = f"{nearest(unknown[0], _AFFINITIES)}Write it as in a pod."
        raise refused(f"only {listed(_AFFINITIES)}", remedy, got=listed(unknown))
    given = {key: part for key, part in value.items() if part is not None}
    wrong = [key for key, part in given.items() if not isinstance(part, dict)]
    if wrong:
        got = f"{wrong[0]}: {shown(value[wrong[0]])}"
        raise refused("a mapping under each key", "Write it as in a pod.", got=got)
    return given


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from value
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


Affinity = Annotated[
    dict[str, Any],
    AfterValidator(_fit_for_a_manifest),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {name: {"type": ["object", "null"]} for name in _AFFINITIES},
            "additionalProperties": False,
        }
    ),
]
"""A pod's affinity in Kubernetes' own form, without the characters of templates."""
