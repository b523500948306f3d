"""A matplotlib figure that is written as the same bytes each time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Still(Figure):
    """A figure without a window, which no `matplotlib.pyplot` knows of."""

    def savefig(self, fname: Any, **options: Any) -> None:
        """Write the figure; SVG and PDF without a date, SVG with the same ids."""
        kind = options.get("format") or str(fname).rpartition(".")[2]
        dated = {"svg": "Date", "pdf": "CreationDate"}.get(str(kind).lower())
        if dated is not None:
            metadata = {dated: None, **(options.get("metadata") or {})}
            options = {**options, "metadata": metadata}
        # What ids in SVG are made from; by default a random number.
        with mpl.rc_context({"svg.hashsalt": "kedro-rats"}):
            super().savefig(fname, **options)


def still(panels: int = 1) -> tuple[Still, list[Axes]]:
    """Return a figure, and panels below each other in it."""
    size = (6.4, 1.2 + 2.8 * panels)
    figure = Still(figsize=size, dpi=150, layout="constrained")
    axes = figure.subplots(panels, 1, squeeze=False, sharex=True)
    for axis in axes[:, 0]:
        axis.grid(visible=True, alpha=0.3)
        axis.set_axisbelow(True)
    return figure, list(axes[:, 0])
