"""Gives each node its placement: its tags, then ``assign``, then ``default``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from kedro_rats import names
from kedro_rats.errors import Breach, shown
from kedro_rats.placement import binding, references
from kedro_rats.placement.matching import Matcher, prefixes
from kedro_rats.placement.placements import Placement

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from kedro_rats.placement.settings import Choice, Kind, Rule, Settings

NAMESPACE_GROUP: Final = "namespace:"
"""Groups by namespace begin so; no group that a tag names can, as tags have no colon."""

_SWITCH: Final = {"on": True, "off": False}


class NamedNode(Protocol):
    """What placing looks at in a node; Kedro's ``Node`` has it."""

    @property
    def name(self) -> str:
        """The name, with the namespace in front."""

    @property
    def namespace(self) -> str | None:
        """The namespace, or None."""

    @property
    def tags(self) -> set[str]:
        """The tags."""


def place(
    nodes: Iterable[NamedNode], settings: Settings
) -> tuple[dict[str, Placement], list[Breach]]:
    """Return the placement of each node, by name, and what is wrong.

    Kind by kind, a node's own tag wins, then the first entry of ``assign`` that matches
    it and says something of this kind, then ``default``. Bindings add up. A tag is not
    looked up where ``rats.yml`` defines no profile of its kind at all, so that tagged
    pipelines run in projects that place nothing.

    Args:
        nodes: The nodes, in any order.
        settings: What ``rats.yml`` says.

    Returns:
        Placements by name of the node, in the order of the nodes, and breaches. Nodes
        with a breach are placed as if what is wrong was not there.

    Example:
        >>> from kedro.pipeline import node
        >>> from kedro_rats.placement.settings import Choice, Settings
        >>> settings = Settings(
        ...     profiles={"image": {"slim": {"ref": "python:3.11"}}},
        ...     default=Choice(image="slim"),
        ... )
        >>> placements, breaches = place([node(len, "X", "n", name="count")], settings)
        >>> placements["count"].to_json(), breaches
        ({'image': {'ref': 'python:3.11'}}, [])
    """
    placer = _Placer(settings)
    placed = {node.name: placer.place(node) for node in nodes}
    return placed, placer.breaches()


def unmatched(nodes: Iterable[NamedNode], settings: Settings) -> list[str]:
    """Return a warning for each entry of ``assign`` that matches no node.

    These are no breaches: a part of a pipeline may be run, and one ``rats.yml`` serves
    all pipelines of a project. Give the nodes of all registered pipelines.
    """
    matcher = Matcher(settings.assign)
    used: set[int] = set()
    for node in nodes:
        used.update(matcher.matching(node.name, node.namespace, node.tags))
    return [
        f"rats.yml, assign.{index}: {_said(rule)} matches no node. Mend the pattern, or"
        " leave the entry out."
        for index, rule in enumerate(settings.assign)
        if index not in used
    ]


def _said(rule: Rule) -> str:
    asked = {"nodes": rule.nodes, "namespaces": rule.namespaces, "tags": rule.tags}
    said = (f"{sort} {' or '.join(some)}" for sort, some in asked.items() if some)
    return " with ".join(said)


@dataclass(frozen=True, slots=True)
class _Asked:
    """All that a placement depends on: nodes that ask for the same share one."""

    tags: frozenset[str]
    rules: tuple[int, ...]
    namespace: str | None


class _Placer:
    """Places nodes; what they ask for is resolved once, however many ask for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._matcher = Matcher(settings.assign)
        self._placements: dict[_Asked, Placement] = {}
        self._wrong: dict[_Asked, list[Breach]] = {}
        self._askers: dict[_Asked, list[str]] = {}

    def place(self, node: NamedNode) -> Placement:
        asked = _Asked(
            frozenset(tag for tag in node.tags if names.tag_kind(tag) is not None),
            self._matcher.matching(node.name, node.namespace, node.tags),
            self._grouping_namespace(node.namespace),
        )
        if asked not in self._placements:
            self._placements[asked], wrong = self._resolve(asked)
            if wrong:
                self._wrong[asked] = wrong
        if asked in self._wrong:
            self._askers.setdefault(asked, []).append(node.name)
        return self._placements[asked]

    def breaches(self) -> list[Breach]:
        """Return what is wrong, one breach for all nodes that it is wrong for."""
        nodes: dict[Breach, list[str]] = {}
        for asked, wrong in self._wrong.items():
            for breach in wrong:
                nodes.setdefault(breach, []).extend(self._askers[asked])
        return [
            Breach(
                f"{_who(askers)}, {breach.subject}",
                breach.expected,
                breach.got,
                breach.remedy,
            )
            for breach, askers in nodes.items()
        ]

    def _grouping_namespace(self, namespace: str | None) -> str | None:
        depth = self._settings.grouping.namespace_depth
        outer = prefixes(namespace) if depth else ()
        return outer[depth - 1] if 0 < depth <= len(outer) else None

    def _resolve(self, asked: _Asked) -> tuple[Placement, list[Breach]]:
        breaches = [
            Breach("tags", breach.expected, breach.got, breach.remedy)
            for breach in names.check_one_of_a_kind("tags", asked.tags)
        ]
        tags = dict(tag.split(".", 1) for tag in sorted(asked.tags))
        rules = [self._settings.assign[index] for index in asked.rules]
        choices = [rule.choice for rule in rules]
        placement = Placement(
            image=self._profile("image", tags, choices, breaches),
            resources=self._profile("resources", tags, choices, breaches),
            policy=self._profile("policy", tags, choices, breaches),
            bind=self._bind(tags, choices, breaches),
            group=self._group(tags, rules, asked.namespace),
            cache=_cache(tags, rules, breaches),
        )
        return placement, breaches

    def _profiles(self, kind: Kind) -> Mapping[str, Mapping[str, Any]]:
        return self._settings.profiles.get(kind, {})

    def _profile(
        self,
        kind: Kind,
        tags: Mapping[str, str],
        choices: Sequence[Choice],
        breaches: list[Breach],
    ) -> Mapping[str, Any]:
        """Return the profile of the tag, else of the first rule, else the default."""
        found = self._tagged(kind, tags, breaches)
        if found is not None:
            return self._profiles(kind)[found]
        chosen = (
            getattr(choice, kind) for choice in (*choices, self._settings.default)
        )
        name = next((name for name in chosen if name is not None), None)
        return self._profiles(kind)[name] if name is not None else {}

    def _bind(
        self,
        tags: Mapping[str, str],
        choices: Sequence[Choice],
        breaches: list[Breach],
    ) -> Mapping[str, Any]:
        """Return all bindings together: the default's, those of rules, the tag's."""
        chosen = [*self._settings.default.bind]
        for choice in choices:
            chosen += choice.bind
        tagged = self._tagged("bind", tags, breaches)
        if tagged is not None:
            chosen.append(tagged)
        known = self._profiles("bind")
        bound, wrong = binding.merged(
            [(f"bind.{n}", known[n]) for n in dict.fromkeys(chosen)]
        )
        breaches += wrong
        return bound

    def _tagged(
        self, kind: Kind, tags: Mapping[str, str], breaches: list[Breach]
    ) -> str | None:
        """Return the profile that a tag names, if there is one."""
        known = self._profiles(kind)
        name = tags.get(kind)
        if name is None or not known:
            return None
        if name not in known:
            breaches.append(references.unknown(f"tag {kind}.{name}", kind, name, known))
            return None
        return name

    def _group(
        self, tags: Mapping[str, str], rules: Sequence[Rule], namespace: str | None
    ) -> str | None:
        if self._settings.grouping.tags and "group" in tags:
            return tags["group"]
        assigned = next((rule.group for rule in rules if rule.group is not None), None)
        if assigned is None and namespace is not None:
            return f"{NAMESPACE_GROUP}{namespace}"
        return assigned


def _cache(
    tags: Mapping[str, str], rules: Sequence[Rule], breaches: list[Breach]
) -> bool:
    said = tags.get("cache")
    if said is not None and said in _SWITCH:
        return _SWITCH[said]
    if said is not None:
        remedy = "cache.off opts out of reuse, cache.on overrides assign."
        breaches.append(
            Breach(f"tag cache.{said}", "cache.on or cache.off", shown(said), remedy)
        )
    return next((rule.cache for rule in rules if rule.cache is not None), True)


def _who(askers: Sequence[str]) -> str:
    first, *others = askers
    more = f" and {len(others)} more" if others else ""
    return f"node {first!r}{more}"
