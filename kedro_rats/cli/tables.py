"""How results are shown: columns of text for people, or JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def output_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the option that says who reads its result."""
    return click.option(
        "--output",
        "-o",
        type=click.Choice(["text", "json"]),
        default="text",
        show_default=True,
        help="A table for people, or JSON for programs.",
    )(command)


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterable[str]:
    """Yield the lines of a table, each column as wide as its widest cell.

    Example:
        >>> list(table(("node", "cpu"), [("clf.fit", "2")]))
        ['node     cpu', 'clf.fit  2']
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
