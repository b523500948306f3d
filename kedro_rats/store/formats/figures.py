"""Figures of Plotly and of Matplotlib."""

from __future__ import annotations

import pickle
import sys
from typing import TYPE_CHECKING, Any

from kedro_rats.store.formats.pickles import PROTOCOL, needs_main
from kedro_rats.store.formats.protocol import Unsuitable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kedro_rats.encoding.canonical import Json
    from kedro_rats.store.formats.protocol import Meta


class PlotlyFigure:
    """``plotly.json``: a figure as Plotly's JSON, which browsers draw.

    A figure that does not come back equal from JSON (dates are text there) is left to
    a later format.
    """

    name = "plotly.json"
    keeps_folder = False
    _FILE = "figure.json"

    def accepts(self, value: object) -> bool:
        """Say whether a value is a figure of Plotly, not of a subclass."""
        plotly = sys.modules.get("plotly.graph_objs._figure")
        return plotly is not None and type(value) is plotly.Figure

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the figure; the same figure is the same bytes."""
        from plotly import io

        try:
            # One of two engines, so that bytes do not depend on what is installed.
            text = io.to_json(value, engine="json")
            equal = io.from_json(text) == value
        except (TypeError, ValueError) as reason:
            raise Unsuitable(str(reason)) from reason
        if not equal:
            raise Unsuitable("the figure comes back from JSON as another one")
        (folder / self._FILE).write_text(text, "utf-8")
        return {}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:  # noqa: ARG002
        """Return the figure."""
        from plotly import io

        return io.from_json((folder / self._FILE).read_text("utf-8"), engine="json")


class MatplotlibFigure:
    """``matplotlib.figure``: the figure for nodes, and a picture of it for people.

    A pickled figure can be read by the same version of Matplotlib alone, the PNG beside
    it by everything. The figure comes back without a window. Loading runs code that the
    file holds, so only after its digest was verified.
    """

    name = "matplotlib.figure"
    keeps_folder = False
    _FILE = "figure.pickle"
    _PICTURE = "figure.png"

    def accepts(self, value: object) -> bool:
        """Say whether a value is a figure of Matplotlib, not of a subclass."""
        matplotlib = sys.modules.get("matplotlib.figure")
        return matplotlib is not None and type(value) is matplotlib.Figure

    def save(self, value: Any, folder: Path) -> Meta:
        """Write the figure, and the picture."""
        # A figure that pyplot knows would open a window where it is read.
        manager, value.canvas.manager = value.canvas.manager, None
        try:
            if needs_main(value):
                raise Unsuitable("it refers to the module __main__")
            data = pickle.dumps(value, protocol=PROTOCOL)
        except (pickle.PicklingError, TypeError, AttributeError) as reason:
            raise Unsuitable(str(reason)) from reason
        finally:
            value.canvas.manager = manager
        (folder / self._FILE).write_bytes(data)
        # Of a copy: drawing moves what is in a figure.
        picture = pickle.loads(data)  # noqa: S301 - written just now
        picture.savefig(folder / self._PICTURE, metadata={"Software": None})
        return {}

    def load(self, folder: Path, meta: Mapping[str, Json]) -> Any:  # noqa: ARG002
        """Return the figure. Runs code: verify the digest before."""
        with (folder / self._FILE).open("rb") as file:
            return pickle.load(file)  # noqa: S301 - the caller verified the digest
