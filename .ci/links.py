"""Checks the links of the built documentation, and of the texts at the top level.

Usage: ``links.py SITE``. Links to other sites are not followed: no network is needed.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
MARKDOWN_LINK = re.compile(r"\]\(<?([^)>\s]+)>?[^)]*\)")


class Page(HTMLParser):
    """The links of a page and the places in it that a link can name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag points to, and its name."""
        del tag
        for key, value in attrs:
            if value and key in {"href", "src"}:
                self.links.append(value)
            if value and key in {"id", "name"}:
                self.anchors.add(value)


def broken_in_site(site: Path) -> list[str]:
    """Return the links of the built pages that lead nowhere."""
    pages = {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        if path.name == "404.html":  # its links begin at the root of a server
            continue
        for link in page.links:
            target, anchor = local_target(path, link)
            if target is None:
                continue
            target = target / "index.html" if target.is_dir() else target
            found = pages.get(target)
            if not target.exists() or (
                anchor and found is not None and anchor not in found.anchors
            ):
                broken.append(f"{path.relative_to(site)}: {link}")
    return broken


def broken_in_texts() -> list[str]:
    """Return the links of the texts at the top level that lead nowhere."""
    broken = []
    for path in sorted(ROOT.glob("*.md")):
        for link in MARKDOWN_LINK.findall(path.read_text("utf-8")):
            target, _ = local_target(path, link)
            if target is not None and not target.exists():
                broken.append(f"{path.name}: {link}")
    return broken


def local_target(source: Path, link: str) -> tuple[Path | None, str]:
    """Return the file and the place in it that a link names; no file if it is remote."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return None, ""
    target = source.parent / unquote(parts.path) if parts.path else source
    return target.resolve(), unquote(parts.fragment)


def main() -> None:
    """Print every broken link and fail if there is one."""
    broken = broken_in_site(Path(sys.argv[1]).resolve()) + broken_in_texts()
    for link in broken:
        print(f"broken link: {link}")
    sys.exit(bool(broken))


if __name__ == "__main__":
    main()
