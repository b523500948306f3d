"""Figures come back so that nodes can go on with them, and people can look at them."""

from __future__ import annotations

import datetime as dt
import io
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from pipelines.kept import round_trip
from pipelines.plotting import pyplot

if TYPE_CHECKING:
    from pathlib import Path

np = pytest.importorskip("numpy")


def plotly() -> Any:
    return pytest.importorskip("plotly.graph_objects")


def drawn(figure: Any) -> bytes:
    picture = io.BytesIO()
    figure.savefig(picture, format="rgba")
    return picture.getvalue()


def test_a_figure_of_plotly_comes_back_equal_from_json() -> None:
    go = plotly()
    figure = go.Figure(
        [
            go.Scatter(x=np.arange(3.0), y=[1, None, 2], name="é"),
            go.Heatmap(z=np.eye(2), colorscale="Viridis"),
        ],
        layout={"title": {"text": "A title"}, "template": "plotly_dark"},
    )
    figure.add_annotation(text="here", x=1, y=1)

    kept = round_trip(figure)

    assert kept.name == "plotly.json"
    assert list(kept.files) == ["figure.json"]
    assert type(kept.value) is go.Figure
    assert kept.value == figure


def test_a_figure_that_json_changes_is_left_to_pickle() -> None:
    go = plotly()
    figure = go.Figure(go.Scatter(x=[dt.datetime(2020, 1, 1)], y=[1]))

    kept = round_trip(figure)

    assert kept.name == "cloudpickle"
    assert kept.value == figure
    assert kept.value.data[0].x == figure.data[0].x


def test_a_figure_of_matplotlib_comes_back_with_a_picture_of_it() -> None:
    plt = pyplot()
    figure, axes = plt.subplots(layout="constrained")
    axes.plot([1, 3, 2], label="line")
    axes.set_title("A title")
    axes.legend()
    plt.close(figure)

    kept = round_trip(figure)

    assert kept.name == "matplotlib.figure"
    assert list(kept.files) == ["figure.pickle", "figure.png"]
    assert type(kept.value) is type(figure)
    assert kept.value.axes[0].get_title() == "A title"
    assert kept.value.axes[0].lines[0].get_ydata().tolist() == [1, 3, 2]
    assert drawn(kept.value) == drawn(figure)
    kept.value.axes[0].set_title("Another title")
    assert drawn(kept.value) != drawn(figure)


def test_a_figure_that_is_shown_stays_so_and_opens_no_window_elsewhere() -> None:
    plt = pyplot()
    figure = plt.figure()
    try:
        open_before = plt.get_fignums()

        kept = round_trip(figure)

        assert plt.get_fignums() == open_before
        assert figure.canvas.manager is not None
        assert kept.value.canvas.manager is None
    finally:
        plt.close("all")


def test_saving_a_figure_does_not_change_it(tmp_path: Path) -> None:
    from kedro_rats.store.formats import save_value

    plt = pyplot()
    figure, axes = plt.subplots(layout="constrained")
    axes.set_title("A title that is tall\nand tall")
    plt.close(figure)
    before = axes.get_position().bounds

    save_value(figure, tmp_path)

    assert axes.get_position().bounds == before


def test_reading_a_figure_needs_no_pyplot(tmp_path: Path) -> None:
    from kedro_rats.store.formats import save_value

    plt = pyplot()
    figure = plt.figure()
    try:
        save_value(figure, tmp_path)
    finally:
        plt.close("all")
    code = (
        "import sys, pathlib\n"
        "from kedro_rats.store.formats import load_value\n"
        f"load_value('matplotlib.figure', pathlib.Path({str(tmp_path)!r}), {{}})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_figure_that_cannot_be_pickled_is_named() -> None:
    from kedro_rats.store.formats import UnsavableError

    plt = pyplot()
    figure = plt.figure()
    plt.close(figure)
    figure.kept_open = (part for part in ())

    with pytest.raises(UnsavableError, match=r"type Figure.*generator"):
        round_trip(figure)
