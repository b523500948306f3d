"""Pictures are the same each time, small, named, and readable by everybody."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from plots import runs

from kedro_rats import plots
from kedro_rats.plots import palette, stills

if TYPE_CHECKING:
    from pathlib import Path

BACKGROUNDS = {"paper": "#FFFFFF", "viz light": "#EEEEEE", "viz dark": "#111111"}


def written(figure: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, **options)
    return file.getvalue()


def values_of(found: Any, key: str) -> list[Any]:
    """Return all values of a key, anywhere in some JSON."""
    if isinstance(found, dict):
        here = [found[key]] if key in found else []
        return here + [v for value in found.values() for v in values_of(value, key)]
    if isinstance(found, list):
        return [v for value in found for v in values_of(value, key)]
    return []


# --- the same each time ---


def test_figures_are_the_same_in_another_process(tmp_path: Path) -> None:
    inputs = tmp_path / "inputs.pkl"
    inputs.write_bytes(pickle.dumps({name: runs.given(name) for name in runs.NAMES}))
    program = (
        "import io, json, pickle, sys\n"
        "from pathlib import Path\n"
        "from kedro_rats import plots\n"
        "made = {}\n"
        "for name, given in pickle.loads(Path(sys.argv[1]).read_bytes()).items():\n"
        "    file = io.BytesIO()\n"
        "    getattr(plots.stills, name)(*given).savefig(file, format='svg')\n"
        "    figure = getattr(plots, name)(*given)\n"
        "    made[name] = [figure.to_json(), file.getvalue().decode()]\n"
        "print(json.dumps(made))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(inputs)],
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout) == {
        name: [
            runs.plotted(name).to_json(),
            written(runs.plotted(name, stills), format="svg").decode(),
        ]
        for name in runs.NAMES
    }


def test_no_template_of_the_user_gets_into_a_figure() -> None:
    import plotly.io as pio

    before = runs.plotted("fold_scores").to_json()
    default = pio.templates.default
    try:
        pio.templates.default = "ggplot2"
        after = runs.plotted("fold_scores").to_json()
    finally:
        pio.templates.default = default

    assert after == before


@pytest.mark.parametrize("name", runs.NAMES)
def test_stills_are_the_same_bytes(name: str) -> None:
    for options in ({"format": "png"}, {"format": "svg"}):
        one, other = (
            hashlib.sha256(written(runs.plotted(name, stills), **options)).hexdigest()
            for _ in range(2)
        )
        assert one == other


def test_a_still_in_svg_has_no_date_and_a_user_may_give_one() -> None:
    figure = runs.plotted("roc", stills)

    assert b"dc:date" not in written(figure, format="svg")
    dated = written(figure, format="svg", metadata={"Date": "2026-01-01"})
    assert b"2026-01-01" in dated
    assert b"CreationDate" not in written(figure, format="pdf")


def test_a_still_can_go_to_another_process() -> None:
    figure = runs.plotted("roc", stills)

    other = pickle.loads(pickle.dumps(figure))

    assert written(other, format="svg") == written(figure, format="svg")


def test_stills_open_no_window_and_leave_none_behind() -> None:
    from matplotlib import pyplot

    for name in runs.NAMES:
        runs.plotted(name, stills)

    assert pyplot.get_fignums() == []


# --- small ---


@pytest.mark.parametrize("name", runs.NAMES)
def test_they_are_small(name: str) -> None:
    # Residuals have two numbers for each of 442 rows.
    assert len(runs.plotted(name).to_json()) < 20_000
    assert len(written(runs.plotted(name, stills), format="png")) < 100_000


# --- named ---


@pytest.mark.parametrize("name", runs.NAMES)
def test_each_has_a_title_and_axes_with_what_they_count(name: str) -> None:
    layout = json.loads(runs.plotted(name).to_json())["layout"]
    still = runs.plotted(name, stills)

    assert layout["title"]["text"]
    horizontal = [a for k, a in layout.items() if k.startswith("xaxis")]
    vertical = [a for k, a in layout.items() if k.startswith("yaxis")]
    assert all(axis["title"]["text"] for axis in vertical)
    # Panels below each other share the horizontal axis, which the last one names.
    assert re.search(r"\(.+\)", horizontal[-1]["title"]["text"])
    assert still.axes[0].get_title() or still.get_suptitle()
    assert all(axis.get_ylabel() for axis in still.axes)
    assert any(re.search(r"\(.+\)", axis.get_xlabel()) for axis in still.axes)


def test_names_that_look_like_markup_are_shown_as_they_are() -> None:
    y = ["<b>$50K$</b>", ">$50K$", "<b>$50K$</b>"]

    figure, still = plots.confusion(y, y), stills.confusion(y, y)

    assert "&lt;b&gt;$50K$&lt;/b&gt;" in figure.layout.xaxis.ticktext
    assert b"MathText" not in written(still, format="svg")
    ticks = [tick.get_text() for tick in still.axes[0].get_xticklabels()]
    assert ticks == sorted(set(y))


# --- readable ---


def luminance(color: str) -> float:
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", runs.NAMES)
@pytest.mark.parametrize("background", BACKGROUNDS.values(), ids=BACKGROUNDS)
def test_lines_and_points_stand_out_from_each_background(
    name: str, background: str
) -> None:
    colors = values_of(json.loads(runs.plotted(name).to_json()), "color")

    assert all(contrast(color, background) >= 3 for color in colors), colors


@pytest.mark.parametrize("name", runs.NAMES)
def test_text_and_background_are_left_to_kedro_viz(name: str) -> None:
    found = json.loads(runs.plotted(name).to_json())

    for key in ("paper_bgcolor", "plot_bgcolor"):
        assert not values_of(found, key)
    fonts = values_of(found["layout"], "font")
    assert all("color" not in font for font in fonts)


def dichromat(color: str, kind: str) -> tuple[float, ...]:
    """Return a colour as people without one kind of cone see it (Viénot 1999)."""
    linear = [(int(color[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
    red, green, blue = linear
    mixed = {
        "protan": 0.11238 * red + 0.88762 * green,
        "deutan": 0.29275 * red + 0.70725 * green,
    }[kind]
    shift = 0.00401 if kind == "protan" else -0.02234
    return (mixed, mixed, shift * (red - green) + blue)


@pytest.mark.parametrize("kind", ["protan", "deutan"])
def test_the_two_colours_differ_for_all_colour_vision(kind: str) -> None:
    one, other = (dichromat(c, kind) for c in (palette.MAIN, palette.SECOND))

    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) > 0.2


@pytest.mark.parametrize("name", runs.NAMES)
def test_no_two_traces_differ_in_colour_alone(name: str) -> None:
    forms = [
        (t.type, t.mode, t.marker.symbol, t.line.dash, t.fill)
        if t.type == "scatter"
        else (t.type,)
        for t in runs.plotted(name).data
        if (t.yaxis or "y") == "y"
    ]

    assert len(set(forms)) == len(forms)


@pytest.mark.parametrize("folds", [1, 2, 5, 11, 200])
def test_no_tick_is_between_two_folds(folds: int) -> None:
    rows = [(k, "eval", "auc", 0.5, 9) for k in range(folds)]

    axis = plots.fold_scores(runs.scores_of(*rows)).layout.xaxis

    assert (axis.tickmode, axis.tick0) == ("linear", 0)
    assert axis.dtick == int(axis.dtick) >= 1
    assert (folds - 1) / axis.dtick <= 10


def test_the_legend_of_a_still_hides_nothing() -> None:
    figure = runs.plotted("rounds", stills)
    figure.savefig(io.BytesIO(), format="png")

    (legend,) = figure.legends
    box = legend.get_window_extent()

    assert legend.get_texts()
    assert not any(box.overlaps(axis.get_window_extent()) for axis in figure.axes)
