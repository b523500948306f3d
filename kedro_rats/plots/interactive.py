"""Plotly figures, for people who look at a run in Kedro-Viz.

Kedro-Viz lays its own colours of text, axes and background over a figure, so none are set
here; what it does not know of, such as the axes of a second panel, gets colours that are
readable on light and on dark. Its small preview has no legend: the numbers that matter
are in the headings. All numbers are plain lists, which every version of Plotly reads.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from kedro_rats.plots import palette
from kedro_rats.plots.given import needed
from kedro_rats.plots.judged import (
    confusion_of,
    residuals_of,
    roc_of,
    scores_by_metric,
)
from kedro_rats.plots.searched import history_of, importance_of, rounds_of

# Kedro reads the annotations of functions, where names of a library that is imported
# later mean nothing: public functions say Any.
if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from kedro_rats.plots.judged import PartScores

_MOST_WRITTEN = 15
"""Classes of a confusion matrix up to which the counts are written into it."""


def fold_scores(scores: object) -> Any:
    """Return a panel for each metric: a point for each fold, the mean and the spread.

    The line is the mean and the band one standard deviation (ddof 0) to both sides, of
    what was held out: the numbers of ``NAME.summary``. Training scores, where there are
    any, are points of another form. A fold that failed has no point, and no mean.

    Args:
        scores: The table ``NAME.scores`` of `cross_validate`, `holdout` or ``eval_on``.

    Raises:
        RatsError: If it is no such table.

    Example:
        >>> import pandas as pd
        >>> columns = ["fold", "part", "metric", "value", "rows"]
        >>> folds = [(0, "eval", "auc", 0.8, 50), (1, "eval", "auc", 0.9, 50)]
        >>> figure = fold_scores(pd.DataFrame(folds, columns=columns))
        >>> figure.layout.annotations[0].text
        'auc: 0.85 ± 0.05'
    """
    metrics = scores_by_metric(scores)
    figure = _panels([metric.heading() for metric in metrics])
    for row, metric in enumerate(metrics, 1):
        held_out = metric.parts[0]
        if held_out.is_whole:
            for trace in _spread(held_out, is_first=row == 1):
                figure.add_trace(trace, row=row, col=1)
        for number, part in enumerate(metric.parts):
            points = _fold_points(part, number, is_first=row == 1)
            figure.add_trace(points, row=row, col=1)
        figure.update_yaxes(title_text=escape(metric.metric), row=row, col=1)
    folds = [fold for metric in metrics for p in metric.parts for fold in p.folds]
    figure.update_xaxes(**_whole_numbers(folds))
    figure.update_xaxes(title_text="fold (number)", row=len(metrics), col=1)
    return _titled(figure, "Scores by fold", height=120 + 240 * len(metrics))


def roc(y: object, scores: object) -> Any:
    """Return the ROC curve of two classes, with the area below it.

    The curve is that of scikit-learn's ``roc_curve``, for the second class in sorted
    order.

    Args:
        y: The true classes.
        scores: Probabilities of both classes, or one decision value a row.

    Raises:
        RatsError: If there are not two classes, the rows differ in number, or a score is
            NaN.

    Example:
        >>> roc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).layout.title.text
        'ROC curve, AUC 0.75 (4 rows)'
    """
    curve = roc_of(y, scores)
    figure = _figure()
    # The chance line first, so that the curve is above it.
    chance = _line([0, 1], [0, 1], "chance", palette.NEUTRAL, dash="dash")
    traced = _line(
        curve.false_positives, curve.true_positives, "model", palette.MAIN, dash="solid"
    )
    figure.add_traces([chance, traced])
    figure.update_xaxes(title_text="false positive rate (0 to 1)", range=[-0.02, 1.02])
    figure.update_yaxes(
        title_text=f"true positive rate of {escape(curve.positive)!r} (0 to 1)",
        range=[-0.02, 1.02],
    )
    return _titled(figure, f"ROC curve, AUC {curve.area:.4g} ({curve.rows} rows)")


def residuals(y: object, predicted: object) -> Any:
    """Return residuals, observed less predicted, against what was predicted.

    Of more than 2000 rows that many are drawn, evenly by the size of their residual; the
    largest of both signs are always among them. The error in the heading is of all rows.

    Args:
        y: The true values.
        predicted: The predicted ones.

    Raises:
        RatsError: If a value is no finite number, or the rows differ in number.

    Example:
        >>> residuals([1.0, 2.0], [1.0, 4.0]).layout.title.text
        'Residuals of 2 rows, RMSE 1.414'
    """
    left = residuals_of(y, predicted)
    figure = _figure()
    marker = {"color": palette.MAIN, "size": 6, "opacity": 0.6}
    figure.add_scatter(
        x=left.predicted, y=left.residuals, mode="markers", name="rows", marker=marker
    )
    figure.add_hline(y=0, line={"color": palette.NEUTRAL, "dash": "dash"})
    figure.update_xaxes(title_text="predicted (units of the target)")
    figure.update_yaxes(title_text="observed less predicted (same units)")
    return _titled(figure, left.heading())


def confusion(y: object, label: object) -> Any:
    """Return the confusion matrix: counts, coloured by their share of the true class.

    The counts are those of scikit-learn's ``confusion_matrix``.

    Args:
        y: The true classes.
        label: The predicted ones.

    Raises:
        RatsError: If these are no classes of one kind, or the rows differ in number.

    Example:
        >>> figure = confusion(["cat", "dog", "dog"], ["cat", "cat", "dog"])
        >>> figure.data[0].text
        ([1, 0], [1, 1])
    """
    counts = confusion_of(y, label)
    # Positions with names, not names: 1 and "1" would be numbers on an axis.
    names = [escape(name) for name in counts.classes]
    places = list(range(len(names)))
    is_small = len(names) <= _MOST_WRITTEN
    ticks = {"tickvals": places, "ticktext": names} if is_small else {}
    figure = _figure()
    figure.add_heatmap(
        x=places,
        y=places,
        z=counts.shares,
        text=counts.counts,
        texttemplate="%{text}" if is_small else None,
        hovertemplate="%{text} rows, share %{z:.3f}<extra></extra>",
        colorscale=palette.SHADES,
        zmin=0,
        zmax=1,
        colorbar={"title": {"text": "share of<br>true class"}},
    )
    figure.update_xaxes(title_text="predicted class (count of rows)", **ticks)
    figure.update_yaxes(title_text="true class", autorange="reversed", **ticks)
    return _titled(figure, f"Confusion, accuracy {counts.accuracy:.4g}")


def optimization_history(trials: object, best: object = None) -> Any:
    """Return the value of each trial of a search, and the best value so far.

    Several objectives have a panel each; the best value is that of the first, which
    decides. Trials that break a constraint are crosses, and never the best.

    Args:
        trials: The table ``NAME.trials`` of `tune`.
        best: ``NAME.best``, which tells which way is better; without it there is no line.

    Raises:
        RatsError: If it is no such table, or ``best`` is of another search.

    Example:
        >>> import pandas as pd
        >>> rows = [(0, "complete", 0.7, True), (1, "complete", 0.9, True),
        ...         (2, "complete", 0.8, True)]
        >>> columns = ["number", "state", "value", "feasible"]
        >>> trials = pd.DataFrame(rows, columns=columns)
        >>> figure = optimization_history(trials, {"number": 1, "value": 0.9})
        >>> figure.data[-1].y
        (0.7, 0.9, 0.9)
    """
    history = history_of(trials, best)
    names = [objective.name for objective in history.objectives]
    figure = _panels(names if len(names) > 1 else [""])
    for row, objective in enumerate(history.objectives, 1):
        shapes = [
            ("trial", objective.feasible, palette.MAIN, "circle"),
            ("infeasible", objective.infeasible, palette.NEUTRAL, "x"),
        ]
        for name, (numbers, values), color, symbol in shapes:
            marker = {"color": color, "symbol": symbol, "size": 8}
            points = {"x": numbers, "y": values, "mode": "markers", "name": name}
            if numbers:
                figure.add_scatter(
                    **points, marker=marker, showlegend=row == 1, row=row, col=1
                )
        numbers, values = objective.best
        if numbers:
            line = _line(numbers, values, "best so far", palette.SECOND, dash="solid")
            figure.add_trace(line.update(line_shape="hv"), row=row, col=1)
        figure.update_yaxes(title_text=_objective(objective.name), row=row, col=1)
    figure.update_xaxes(**_whole_numbers([0, history.trials]))
    figure.update_xaxes(title_text="trial (number)", row=len(names), col=1)
    return _titled(figure, history.heading(), height=120 + 240 * len(names))


def parameter_importance(study: object) -> Any:
    """Return how much each searched parameter matters, as Optuna computes it.

    These are the numbers of ``optuna.importance.get_param_importances``.

    Args:
        study: The dataset ``NAME.study`` of `tune`, or a study. Reading its bytes
            unpickles them: give none that you would not run.

    Raises:
        RatsError: If it is no study of Optuna, or has too few trials.
    """
    importance = importance_of(study)
    figure = _figure()
    figure.add_bar(
        x=importance.shares,
        y=[escape(path) for path in importance.parameters],
        orientation="h",
        name="importance",
        marker={"color": palette.MAIN},
        text=[f"{share:.2f}" for share in importance.shares],
    )
    figure.update_xaxes(title_text="importance (share, sum 1)", rangemode="tozero")
    figure.update_yaxes(title_text="parameter", type="category")
    title = f"Importance of parameters in {importance.trials} trials"
    return _titled(figure, title, height=200 + 30 * len(importance.parameters))


def rounds(history: object) -> Any:
    """Return how many rows got a pseudo-label in each round, and have one after it.

    Args:
        history: The table ``NAME.history`` of `pseudolabel`.

    Raises:
        RatsError: If it is no such table.

    Example:
        >>> import pandas as pd
        >>> rows = [(1, 30, 30, 70, None), (2, 0, 30, 70, "no_change")]
        >>> columns = ["round", "selected", "labeled", "unlabeled", "stop"]
        >>> rounds(pd.DataFrame(rows, columns=columns)).layout.title.text
        'Pseudo-labels: 2 rounds, stopped by no_change'
    """
    counts = rounds_of(history)
    figure = _figure()
    figure.add_bar(
        x=counts.rounds,
        y=counts.selected,
        name="selected in the round",
        marker={"color": palette.MAIN},
    )
    for name, values, color, dash in (
        ("labeled so far", counts.labeled, palette.SECOND, "solid"),
        ("unlabeled still", counts.unlabeled, palette.NEUTRAL, "dash"),
    ):
        line = _line(counts.rounds, values, name, color, dash=dash)
        figure.add_trace(line.update(mode="lines+markers"))
    figure.update_xaxes(title_text="round (number)", **_whole_numbers(counts.rounds))
    figure.update_yaxes(title_text="rows (count)", rangemode="tozero")
    return _titled(figure, counts.heading())


def _figure() -> go.Figure:
    # The empty template makes a figure small, and the same whatever default is set.
    return needed("plotly.graph_objects").Figure(layout={"template": {}})


def _panels(headings: Sequence[str]) -> go.Figure:
    """Return panels below each other, with common places on the horizontal axis."""
    figure = needed("plotly.subplots").make_subplots(
        rows=len(headings),
        cols=1,
        shared_xaxes=True,
        vertical_spacing=0.4 / len(headings),
        subplot_titles=[escape(heading) for heading in headings],
        figure=_figure(),
    )
    return figure.update_annotations(font_size=12)


def _titled(figure: go.Figure, title: str, *, height: int = 420) -> go.Figure:
    figure.update_xaxes(gridcolor=palette.GRID, zerolinecolor=palette.GRID)
    figure.update_yaxes(
        gridcolor=palette.GRID,
        zerolinecolor=palette.GRID,
        automargin=True,
        title_standoff=12,
    )
    return figure.update_layout(
        title={"text": title}, height=height, hovermode="closest"
    )


def _whole_numbers(values: Sequence[int]) -> dict[str, Any]:
    """Return an axis with at most about ten ticks, none between whole numbers."""
    step = -(-max(1, max(values) - min(values)) // 10)
    return {"tickmode": "linear", "tick0": min(values), "dtick": step}


def _line(
    x: Sequence[float], y: Sequence[float], name: str, color: str, *, dash: str
) -> Any:
    line = {"color": color, "dash": dash, "width": 2}
    scatter = needed("plotly.graph_objects").Scatter
    return scatter(x=list(x), y=list(y), mode="lines", name=name, line=line)


def _spread(part: PartScores, *, is_first: bool) -> list[Any]:
    """Return the band of the spread, and the line of the mean."""
    left, right = min(part.folds) - 0.5, max(part.folds) + 0.5
    low, high = part.mean - part.std, part.mean + part.std
    band = needed("plotly.graph_objects").Scatter(
        x=[left, right, right, left],
        y=[low, low, high, high],
        mode="lines",
        name="mean ± std",
        fill="toself",
        fillcolor=palette.BAND,
        line={"width": 0},
        hoverinfo="skip",
        showlegend=is_first,
    )
    mean = _line(
        [left, right], [part.mean, part.mean], "mean", palette.MAIN, dash="dash"
    )
    return [band, mean.update(showlegend=is_first)]


def _fold_points(part: PartScores, number: int, *, is_first: bool) -> Any:
    color, symbol = (
        (palette.SECOND, "diamond-open") if number else (palette.MAIN, "circle")
    )
    return needed("plotly.graph_objects").Scatter(
        x=part.folds,
        y=part.values,
        customdata=part.rows,
        mode="markers",
        name=part.part,
        marker={
            "color": color,
            "symbol": symbol,
            "size": 9,
            "line": {"color": color, "width": 2},
        },
        hovertemplate="fold %{x}: %{y} (%{customdata} rows)",
        showlegend=is_first,
    )


def _objective(name: str) -> str:
    return "value of the objective" if name == "value" else escape(name)
