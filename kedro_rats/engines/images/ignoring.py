"""What a ``.dockerignore`` keeps out of an image, as docker reads it."""

from __future__ import annotations

import posixpath
import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kedro_rats.errors import Breach, DefinitionError, shown

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SPECIAL: Final = frozenset(".+()|{}$^")
_PARTS: Final = re.compile(r"\*\*/?|\*|\?|\\.|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ignored:
    """Patterns in their order; of those that match, the last one decides.

    Attributes:
        file: Where they stand; None for none.
        patterns: Each with whether it keeps out what matches; else it lets it in.
    """

    file: Path | None
    patterns: tuple[tuple[re.Pattern[str], bool], ...] = ()

    def __call__(self, path: str) -> bool:
        r"""Say whether a path, relative to the context, is kept out.

        A pattern that matches a folder matches all that is in it.

        Example:
            >>> ignored = parsed("data\n!data/keep.csv")
            >>> ignored("data/x.csv"), ignored("data/keep.csv"), ignored("src/x.py")
            (True, False, False)
        """
        above = [path, *map(str, _parents(path))]
        out = False
        for pattern, keeps_out in self.patterns:
            if out != keeps_out and any(map(pattern.fullmatch, above)):
                out = keeps_out
        return out

    def prunes(self, folder: str) -> bool:
        """Say whether nothing in a folder can be let in, so nobody need look there."""
        lets_in = any(not keeps_out for _, keeps_out in self.patterns)
        return not lets_in and self(folder)


def ignored_in(context: Path, dockerfile: Path) -> Ignored:
    """Return what is kept out of a build: by a file of the Dockerfile's own, or of all.

    Raises:
        DefinitionError: If a pattern is none.
    """
    own = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    for file in (own, context / ".dockerignore"):
        if file.is_file():
            return parsed(file.read_text("utf-8-sig"), file=file)
    return Ignored(None)


def parsed(text: str, *, file: Path | None = None) -> Ignored:
    """Return what the text of a ``.dockerignore`` keeps out.

    Raises:
        DefinitionError: If a pattern is none.
    """
    found = []
    for line in text.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        pattern = line.strip()
        lets_in = pattern.startswith("!")
        pattern = pattern.removeprefix("!").strip()
        cleaned = posixpath.normpath(pattern).lstrip("/") if pattern else ""
        found.append((_compiled(cleaned, line, file), not lets_in))
    return Ignored(file, tuple(found))


def _compiled(pattern: str, line: str, file: Path | None) -> re.Pattern[str]:
    try:
        with warnings.catch_warnings():
            # Of a class that other versions of Python may read in another way.
            warnings.simplefilter("error")
            return re.compile("".join(_translated(pattern)), re.DOTALL)
    except (re.error, Warning) as error:
        name = file.name if file else ".dockerignore"
        remedy = "Mend it: *, ** and ? are patterns, a backslash makes them ordinary."
        breach = Breach(name, "patterns", shown(line), remedy)
        raise DefinitionError(breach) from error


def _translated(pattern: str) -> Iterator[str]:
    for part in _PARTS.findall(pattern):
        if part == "**/":
            yield "(?:.*/)?"
        elif part == "**":
            yield ".*"
        elif part == "*":
            yield "[^/]*"
        elif part == "?":
            yield "[^/]"
        elif len(part) == 2:
            yield re.escape(part[1])
        else:
            yield f"\\{part}" if part in _SPECIAL else part


def _parents(path: str) -> Iterator[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
