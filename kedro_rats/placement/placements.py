"""What placement comes to for one node: plain data that a plan carries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from kedro_rats.errors import Breach, DefinitionError, listed, nearest, shown

_MAPPINGS: Final = ("image", "resources", "policy", "bind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where and how one node runs.

    The mappings are plain JSON in canonical form (see ``docs/reference/rats-yml.md``):
    what is not asked for is left out, so equal placements have equal JSON.

    Args:
        image: ``ref`` and what is needed to pull it; empty for the engine's own.
        resources: Cpu, memory, disk, gpu and where they are to be found.
        policy: Retries, backoff, deadlines in seconds, memory after running out of it.
        bind: ``env``, ``env_from`` and ``mounts``.
        group: Nodes of one group run in one task; None for no group.
        cache: Whether results of the node may be reused.

    Example:
        >>> small = Placement(resources={"memory": "2Gi"}, cache=False)
        >>> small.to_json()
        {'resources': {'memory': '2Gi'}, 'cache': False}
        >>> Placement.from_json(small.to_json()) == small
        True
    """

    image: Mapping[str, Any] = field(default_factory=dict)
    resources: Mapping[str, Any] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    bind: Mapping[str, Any] = field(default_factory=dict)
    group: str | None = None
    cache: bool = True

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_json(), sort_keys=True))

    def to_json(self) -> dict[str, Any]:
        """Return the placement as JSON, without what is not asked for."""
        found: dict[str, Any] = {
            name: value for name in _MAPPINGS if (value := getattr(self, name))
        }
        if self.group is not None:
            found["group"] = self.group
        if not self.cache:
            found["cache"] = False
        return found

    @classmethod
    def from_json(cls, value: object) -> Placement:
        """Return the placement that ``to_json`` wrote.

        Raises:
            DefinitionError: If it is malformed, or was written by a newer version.
        """
        breaches = _check(value)
        if breaches or not isinstance(value, Mapping):
            raise DefinitionError(*breaches)
        return cls(**value)


_EXPECTED: Final[dict[str, tuple[type, ...]]] = {
    **dict.fromkeys(_MAPPINGS, (Mapping,)),
    "group": (str, type(None)),
    "cache": (bool,),
}


def _check(value: object) -> list[Breach]:
    remedy = "Make the plan again with this version of kedro-rats."
    if not isinstance(value, Mapping):
        return [Breach("placement", "a mapping", shown(value), remedy)]
    breaches = []
    for key, part in value.items():
        if key not in _EXPECTED:
            known = listed(_EXPECTED)
            hint = f"{nearest(str(key), _EXPECTED)}{remedy}"
            breaches.append(Breach("placement", f"keys {known}", shown(key), hint))
        elif not isinstance(part, _EXPECTED[key]):
            types = " or ".join(kind.__name__.lower() for kind in _EXPECTED[key])
            breaches.append(Breach(f"placement, {key}", types, shown(part), remedy))
    return breaches
