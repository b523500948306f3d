"""Puts bindings together: what a node's environment and file system come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kedro_rats.errors import Breach

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_SOURCES: Final = {"secrets": "secret", "config_maps": "config_map"}


def flat(profile: Mapping[str, Any]) -> tuple[dict[str, Any], list[Breach]]:
    """Return a profile of kind ``bind`` by variable and by folder, as engines need it.

    Args:
        profile: As in ``rats.yml``, checked.

    Returns:
        ``env`` by variable, ``env_from`` in order and ``mounts`` by folder, each only
        where there is something; and a breach for each variable or folder given twice.

    Example:
        >>> db = {"env": {"PGUSER": "user"}, "files": {"mount": "/etc/db"}}
        >>> bound, breaches = flat({"secrets": {"db": db}})
        >>> bound
        {'env': {'PGUSER': {'secret': 'db', 'key': 'user'}}, 'mounts': {'/etc/db': {'secret': 'db'}}}
    """
    return merged([("", part) for part in _parts(profile)])


def merged(
    named: Sequence[tuple[str, Mapping[str, Any]]],
) -> tuple[dict[str, Any], list[Breach]]:
    """Return several flat bindings as one, and a breach for each contradiction.

    Args:
        named: Names of the profiles, and the profiles.
    """
    found: dict[str, dict[str, Any]] = {"env": {}, "mounts": {}}
    env_from: list[Any] = []
    givers: dict[tuple[str, str], str] = {}
    breaches = []
    for name, profile in named:
        for part, known in found.items():
            for key, value in profile.get(part, {}).items():
                giver = givers.setdefault((part, key), name)
                if known.setdefault(key, value) != value:
                    breaches.append(_twice(part, key, (giver, name)))
        env_from += [
            each for each in profile.get("env_from", []) if each not in env_from
        ]
    # Folders and variables have no order of their own: equal bindings, equal bytes.
    sorted_parts = {part: dict(sorted(known.items())) for part, known in found.items()}
    whole = {**sorted_parts, "env_from": env_from}
    return {part: whole[part] for part in sorted(whole) if whole[part]}, breaches


def _twice(part: str, key: str, givers: tuple[str, str]) -> Breach:
    what = "variable" if part == "env" else "folder"
    # No names: both are in one profile, which the caller names.
    got = f"two, from {' and '.join(givers)}" if all(givers) else "two"
    remedy = f"Give the {what} in one place, or rename one."
    return Breach(f"{what} {key}", "one meaning", got, remedy)


def _parts(profile: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Take a profile apart into flat bindings that each give one thing."""
    for variable, value in profile.get("env", {}).items():
        yield {"env": {variable: {"value": value}}}
    for kind, word in _SOURCES.items():
        for name, source in profile.get(kind, {}).items():
            yield from _parts_of_source({word: name}, source)
    for mount, volume in profile.get("volumes", {}).items():
        yield {"mounts": {mount: volume}}


def _parts_of_source(
    named: Mapping[str, str], source: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    origin = {**named, **({"optional": True} if source.get("optional") else {})}
    env = source.get("env", {})
    if env == "all":
        prefix = {"prefix": source["prefix"]} if "prefix" in source else {}
        yield {"env_from": [{**origin, **prefix}]}
    else:
        for variable, key in env.items():
            yield {"env": {variable: {**origin, "key": key}}}
    files = dict(source.get("files", {}))
    if files:
        yield {"mounts": {files.pop("mount"): {**origin, **files}}}
