"""Names of profiles that ``default`` and ``assign`` use, and that must exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, listed, nearest, shown
from kedro_rats.placement.settings import KINDS, Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping


def unknown_profiles(data: Mapping[str, Any], source: str) -> list[Breach]:
    """Return a breach for each name in ``default`` or ``assign`` without a profile.

    Looks at the file as it was written, so these come with all other breaches. What has
    the wrong type is passed over: the model complains of it.
    """
    breaches = []
    for place, part in _parts(data):
        for kind in KINDS:
            known = _known(data, kind)
            breaches += [
                unknown(f"{source}, {place}.{kind}", kind, name, known)
                for name in _names(part.get(kind))
                if name not in known
            ]
    return breaches


def unknown(subject: str, kind: Kind, name: str, known: Collection[str]) -> Breach:
    """Return the breach for a name of which there is no profile."""
    said = f"Known: {listed(known)}." if known else "There is none: add it."
    return Breach(
        subject,
        f"a profile under {kind}: in rats.yml",
        shown(name),
        f"{nearest(name, known)}{said}",
    )


def _known(data: Mapping[str, Any], kind: Kind) -> list[str]:
    profiles = data.get(kind)
    if not isinstance(profiles, dict):
        return []
    return [name for name, profile in profiles.items() if profile is not None]


def _parts(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if isinstance(default := data.get("default"), dict):
        yield "default", default
    if isinstance(rules := data.get("assign"), list):
        for index, rule in enumerate(rules):
            if isinstance(rule, dict):
                yield f"assign.{index}", rule


def _names(said: object) -> list[str]:
    every = said if isinstance(said, list) else [said]
    return [name for name in every if isinstance(name, str)]
