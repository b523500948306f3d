"""Finds the rules of ``assign`` that match a node."""

from __future__ import annotations

import re
from fnmatch import translate
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kedro_rats.placement.settings import Rule


class Matcher:
    """Matches nodes with rules; each name, namespace and tag is looked at once.

    Patterns are those of ``fnmatch``: ``*``, ``?`` and ``[...]``, upper and lower case
    differ. A namespace matches where it, or one that it is in, matches. What a rule
    asks for must all match; of several patterns of one sort, one.

    Args:
        rules: The rules, the first one first.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._nodes = _Finder([rule.nodes for rule in rules])
        self._namespaces = _Finder([rule.namespaces for rule in rules])
        self._tags = _Finder([rule.tags for rule in rules])

    def matching(
        self, name: str, namespace: str | None, tags: Iterable[str]
    ) -> tuple[int, ...]:
        """Return the numbers of the rules that match a node, in their order."""
        found = self._nodes.matching((name,))
        if found:
            found &= self._namespaces.matching(prefixes(namespace))
        if found:
            found &= self._tags.matching(tags)
        return tuple(sorted(found))


class _Finder:
    """Finds which of several lists of patterns match; an empty list always does."""

    def __init__(self, every: Sequence[Sequence[str]]) -> None:
        self._always: Final = frozenset(i for i, some in enumerate(every) if not some)
        self._compiled: Final = [
            (index, re.compile("|".join(map(translate, patterns))))
            for index, patterns in enumerate(every)
            if patterns
        ]
        self._known: dict[str, frozenset[int]] = {}

    def matching(self, texts: Iterable[str]) -> frozenset[int]:
        return self._always.union(*map(self._of_one, texts))

    def _of_one(self, text: str) -> frozenset[int]:
        if not self._compiled:
            return self._always
        if text not in self._known:
            self._known[text] = frozenset(
                index for index, pattern in self._compiled if pattern.match(text)
            )
        return self._known[text]


def prefixes(namespace: str | None) -> tuple[str, ...]:
    """Return a namespace and those that it is in, the outermost first.

    Example:
        >>> prefixes("cv.fold_0.train")
        ('cv', 'cv.fold_0', 'cv.fold_0.train')
    """
    parts = namespace.split(".") if namespace else []
    return tuple(".".join(parts[:length]) for length in range(1, len(parts) + 1))
