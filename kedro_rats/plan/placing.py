"""Where the nodes of a task run, as ``rats.yml`` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, listed
from kedro_rats.placement.placing import place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kedro.pipeline.node import Node

    from kedro_rats.placement.placements import Placement
    from kedro_rats.placement.settings import Settings

_KINDS = ("image", "resources", "policy", "bind")


@dataclass(frozen=True, slots=True)
class _Nobody:
    """A node about which nothing is said: it gets the defaults."""

    name: str = ""
    namespace: str | None = None
    tags: frozenset[str] = frozenset()


class SettingsPlacing:
    """Places the nodes of one pipeline by ``rats.yml``.

    Args:
        settings: What ``rats.yml`` says.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._placed: dict[str, Placement] = {}
        nobody = _Nobody()
        self._default = place([nobody], settings)[0][nobody.name]  # type: ignore[list-item]

    def groups(self, nodes: Sequence[Node]) -> tuple[dict[str, str], list[Breach]]:
        """Place the nodes; return the group of each that has one, by its name."""
        self._placed, breaches = place(nodes, self._settings)
        groups = {n: p.group for n, p in self._placed.items() if p.group is not None}
        return groups, breaches

    def together(
        self, nodes: Sequence[Node], subject: str
    ) -> tuple[Mapping[str, Any], list[Breach]]:
        """Return where nodes run that are one task.

        What is asked for one of them holds for all: only nodes that ask for different
        things cannot be together.
        """
        placed = {node.name: self._placed[node.name] for node in nodes}
        found: dict[str, Any] = {}
        breaches = []
        for kind in _KINDS:
            default = getattr(self._default, kind)
            asked = {n: getattr(p, kind) for n, p in placed.items()}
            asked = {n: value for n, value in asked.items() if value != default}
            value = next(iter(asked.values()), default)
            if value:
                found[kind] = value
            others = [name for name, other in asked.items() if other != value]
            if others:
                first = next(iter(asked))
                breaches.append(_disagreement(subject, kind, [first, *others]))
        if not all(placement.cache for placement in placed.values()):
            found["cache"] = False
        return found, breaches


def _disagreement(subject: str, kind: str, names: Sequence[str]) -> Breach:
    shown = listed(names[:4]) + (" and more" if len(names) > 4 else "")
    return Breach(
        f"task {subject!r}, {kind}",
        "the same for all its nodes, since they run together",
        f"different ones for {shown}",
        f"Give them one {kind}, or take them apart.",
    )
