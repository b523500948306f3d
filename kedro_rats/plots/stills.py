"""Matplotlib figures, for reports: the same pictures, names and arguments.

A ``matplotlib.MatplotlibDataset`` writes them as PNG, or as SVG with
``save_args: {format: svg}``. The same input is written as the same bytes.
"""

from __future__ import annotations

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
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from kedro_rats.plots.judged import PartScores

_MOST_WRITTEN = 15


def fold_scores(scores: object) -> Any:
    """Return a panel for each metric: a point for each fold, the mean and the spread.

    See `kedro_rats.plots.fold_scores`.
    """
    metrics = scores_by_metric(scores)
    figure, axes = _still(len(metrics))
    for axis, metric in zip(axes, metrics, strict=True):
        if metric.parts[0].is_whole:
            _draw_spread(axis, metric.parts[0])
        for number, part in enumerate(metric.parts):
            _draw_folds(axis, part, number)
        axis.set_title(metric.heading(), fontsize="medium", parse_math=False)
        axis.set_ylabel(metric.metric, parse_math=False)
    axes[-1].set_xlabel("fold (number)")
    _legend(figure, axes[0])
    _whole_numbers(axes[-1])
    figure.suptitle("Scores by fold")
    return figure


def roc(y: object, scores: object) -> Any:
    """Return the ROC curve of two classes. See `kedro_rats.plots.roc`."""
    curve = roc_of(y, scores)
    figure, (axis,) = _still()
    axis.plot([0, 1], [0, 1], color=palette.NEUTRAL, linestyle="--", label="chance")
    axis.plot(
        curve.false_positives, curve.true_positives, color=palette.MAIN, label="model"
    )
    axis.set_xlabel("false positive rate (0 to 1)")
    label = f"true positive rate of {curve.positive!r} (0 to 1)"
    axis.set_ylabel(label, parse_math=False)
    axis.set_title(f"ROC curve, AUC {curve.area:.4g} ({curve.rows} rows)")
    _legend(figure, axis)
    return figure


def residuals(y: object, predicted: object) -> Any:
    """Return residuals against what was predicted. See `kedro_rats.plots.residuals`."""
    left = residuals_of(y, predicted)
    figure, (axis,) = _still()
    axis.scatter(left.predicted, left.residuals, s=12, alpha=0.6, color=palette.MAIN)
    axis.axhline(0, color=palette.NEUTRAL, linestyle="--")
    axis.set_xlabel("predicted (units of the target)")
    axis.set_ylabel("observed less predicted (same units)")
    axis.set_title(left.heading())
    return figure


def confusion(y: object, label: object) -> Any:
    """Return the confusion matrix. See `kedro_rats.plots.confusion`."""
    counts = confusion_of(y, label)
    figure, (axis,) = _still()
    axis.grid(visible=False)
    image = axis.imshow(counts.shares, cmap=palette.SHADES.lower(), vmin=0, vmax=1)
    figure.colorbar(image, ax=axis, label="share of true class")
    if len(counts.classes) <= _MOST_WRITTEN:
        places = range(len(counts.classes))
        axis.set_xticks(places, counts.classes, parse_math=False)
        axis.set_yticks(places, counts.classes, parse_math=False)
        _write_counts(axis, counts.counts, counts.shares)
    axis.set_xlabel("predicted class (count of rows)")
    axis.set_ylabel("true class")
    axis.set_title(f"Confusion, accuracy {counts.accuracy:.4g}")
    return figure


def optimization_history(trials: object, best: object = None) -> Any:
    """Return the value of each trial. See `kedro_rats.plots.optimization_history`."""
    history = history_of(trials, best)
    figure, axes = _still(len(history.objectives))
    for axis, objective in zip(axes, history.objectives, strict=True):
        axis.plot(*objective.feasible, "o", color=palette.MAIN, label="trial")
        if objective.infeasible[0]:
            axis.plot(
                *objective.infeasible, "x", color=palette.NEUTRAL, label="infeasible"
            )
        if objective.best[0]:
            axis.step(
                *objective.best, where="post", color=palette.SECOND, label="best so far"
            )
        name = objective.name
        label = "value of the objective" if name == "value" else name
        axis.set_ylabel(label, parse_math=False)
    _legend(figure, axes[0])
    axes[-1].set_xlabel("trial (number)")
    _whole_numbers(axes[-1])
    figure.suptitle(history.heading())
    return figure


def parameter_importance(study: object) -> Any:
    """Return how much parameters matter. See `kedro_rats.plots.parameter_importance`."""
    importance = importance_of(study)
    figure, (axis,) = _still()
    places = range(len(importance.parameters))
    bars = axis.barh(places, importance.shares, color=palette.MAIN)
    axis.bar_label(bars, [f"{share:.2f}" for share in importance.shares], padding=3)
    axis.set_yticks(places, importance.parameters, parse_math=False)
    axis.margins(x=0.12)
    axis.set_ylabel("parameter")
    axis.set_xlabel("importance (share, sum 1)")
    axis.set_title(f"Importance of parameters in {importance.trials} trials")
    return figure


def rounds(history: object) -> Any:
    """Return the rounds of pseudo-labelling. See `kedro_rats.plots.rounds`."""
    counts = rounds_of(history)
    figure, (axis,) = _still()
    axis.bar(
        counts.rounds,
        counts.selected,
        color=palette.MAIN,
        label="selected in the round",
    )
    axis.plot(
        counts.rounds,
        counts.labeled,
        "o-",
        color=palette.SECOND,
        label="labeled so far",
    )
    axis.plot(
        counts.rounds,
        counts.unlabeled,
        "s--",
        color=palette.NEUTRAL,
        label="unlabeled still",
    )
    axis.set_xlabel("round (number)")
    axis.set_ylabel("rows (count)")
    axis.set_title(counts.heading())
    _legend(figure, axis)
    _whole_numbers(axis)
    return figure


def _still(panels: int = 1) -> tuple[Figure, list[Axes]]:
    needed("matplotlib.figure")
    from kedro_rats.plots.canvas import still

    return still(panels)


def _draw_spread(axis: Axes, part: PartScores) -> None:
    left, right = min(part.folds) - 0.5, max(part.folds) + 0.5
    low, high = part.mean - part.std, part.mean + part.std
    axis.fill_between(
        [left, right],
        low,
        high,
        color=palette.MAIN,
        alpha=0.18,
        lw=0,
        label="mean ± std",
    )
    axis.plot(
        [left, right], [part.mean] * 2, color=palette.MAIN, linestyle="--", label="mean"
    )


def _draw_folds(axis: Axes, part: PartScores, number: int) -> None:
    color, form = (palette.SECOND, "D") if number else (palette.MAIN, "o")
    face = "none" if number else color
    axis.plot(
        part.folds,
        part.values,
        form,
        color=color,
        markerfacecolor=face,
        label=part.part,
    )


def _write_counts(
    axis: Axes, counts: list[list[int]], shares: list[list[float]]
) -> None:
    """Write each count, dark on what is light and the reverse."""
    for row, numbers in enumerate(counts):
        for column, number in enumerate(numbers):
            color = "black" if shares[row][column] > 0.5 else "white"
            axis.text(column, row, str(number), color=color, ha="center", va="center")


def _legend(figure: Figure, axis: Axes) -> None:
    """Name what is drawn below the axes, where it hides nothing."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)


def _whole_numbers(axis: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
