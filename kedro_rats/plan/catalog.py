"""The catalog's configuration, dataset by dataset, without building one.

Kedro resolves factory patterns when it is asked for one dataset, and compiles each
pattern anew; a plan asks for thousands. So the rules are followed here: an entry of that
name, else the first pattern that matches, the most specific first, else the catch-all.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from parse import compile as compiled

from kedro_rats.errors import Breach, DefinitionError, listed, raise_if

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_PLACEHOLDER: Final = re.compile(r"\{.*?\}")


class CatalogEntries:
    """What the catalog says of each dataset, with credentials by name only.

    Args:
        config: The catalog as it is written: entries and factory patterns by name.
        fallback: Asked for what ``config`` does not know, e.g. a live catalog.

    Raises:
        DefinitionError: If a pattern is none, or more than one matches every name.

    Example:
        >>> entries = CatalogEntries({"{name}_csv": {
        ...     "type": "pandas.CSVDataset", "filepath": "data/{name}.csv"}})
        >>> entries.get("X_csv")
        {'type': 'pandas.CSVDataset', 'filepath': 'data/X.csv'}
        >>> entries.get("y") is None
        True
    """

    def __init__(
        self,
        config: Mapping[str, Mapping[str, Any]],
        *,
        fallback: Callable[[str], Mapping[str, Any] | None] | None = None,
    ) -> None:
        # Names that begin so are anchors for YAML, not datasets.
        kept = {name: e for name, e in config.items() if not name.startswith("_")}
        self._entries = {n: e for n, e in kept.items() if "{" not in n}
        raise_if(_pattern_breaches(_by_priority(kept)))
        self._patterns = [
            (compiled(pattern), kept[pattern]) for pattern in _by_priority(kept)
        ]
        self._fallback = fallback

    def get(self, name: str) -> Mapping[str, Any] | None:
        """Return what the catalog says of a dataset; None if it says nothing.

        Raises:
            DefinitionError: If a pattern's entry has a placeholder that its name has not.
        """
        if name in self._entries:
            return self._entries[name]
        for pattern, entry in self._patterns:
            match = pattern.parse(name)
            if match:
                return _resolved(name, entry, match.named)
        return self._fallback(name) if self._fallback else None

    def names(self) -> list[str]:
        """Return the datasets that have an entry of their own."""
        return list(self._entries)


def _by_priority(config: Iterable[str]) -> list[str]:
    patterns = [name for name in config if "{" in name]
    return sorted(patterns, key=lambda p: (-_specificity(p), -p.count("{"), p))


def _specificity(pattern: str) -> int:
    return len(_PLACEHOLDER.sub("", pattern))


def _pattern_breaches(patterns: Iterable[str]) -> Iterator[Breach]:
    """Yield what Kedro would refuse in patterns, too."""
    for pattern in patterns:
        try:
            compiled(pattern).parse("")  # it is compiled when it is first used
        except (KeyError, NotImplementedError, ValueError) as error:
            got = " ".join(str(error).split())
            remedy = "Write each placeholder as {name}."
            yield Breach(f"catalog pattern {pattern!r}", "a pattern", got, remedy)
    catch_all = [p for p in patterns if not _specificity(p)]
    if len(catch_all) > 1:
        expected = "at most one that matches every name"
        yield Breach("catalog patterns", expected, listed(catch_all), "Keep one.")


def _resolved(
    name: str, entry: Mapping[str, Any], named: Mapping[str, object]
) -> Mapping[str, Any]:
    try:
        return _filled(entry, named)  # type: ignore[no-any-return]
    except (AttributeError, LookupError, ValueError) as error:
        breach = Breach(
            f"catalog pattern of dataset {name!r}",
            f"placeholders that the pattern's name has ({listed(named)})",
            f"another one: {type(error).__name__} {error}",
            "Name it in the pattern, or take it out of the entry.",
        )
        raise DefinitionError(breach) from error


def _filled(value: Any, named: Mapping[str, object]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item, named) for key, item in value.items()}
    if type(value) in (list, tuple):
        return [_filled(item, named) for item in value]
    if isinstance(value, str) and "}" in value:
        return value.format_map(dict(named))
    return value


def is_memory(entry: Mapping[str, Any]) -> bool:
    """Say whether an entry's data live in memory only."""
    kind = entry.get("type")
    name = kind if isinstance(kind, str) else getattr(kind, "__name__", "")
    return name.rpartition(".")[2] in ("MemoryDataset", "SharedMemoryDataset")
