"""The numbers in a picture are those of scikit-learn and Optuna."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from plots import runs
from sklearn.metrics import (
    auc,
    confusion_matrix,
    roc_auc_score,
    roc_curve,
    root_mean_squared_error,
)
from sklearn.model_selection import StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline

from kedro_rats import plots
from kedro_rats.plots import stills
from kedro_rats.plots.judged import MOST_POINTS


def traces(figure: Any, axis: str = "y") -> dict[str, Any]:
    """Return the traces of one panel by name."""
    return {t.name: t for t in figure.data if (t.yaxis or "y") == axis}


def lines(axis: Any) -> dict[str, Any]:
    """Return what is drawn as lines or points in one panel, by label."""
    return {line.get_label(): line for line in axis.lines}


# --- folds ---


@pytest.fixture(scope="module")
def peer() -> dict[str, Any]:
    model = make_pipeline(runs.StandardScaler(), runs.LogisticRegression())
    made = runs.folds()
    return cross_validate(
        model,
        made["X"],
        made["y"],
        cv=StratifiedKFold(4),
        scoring={"auc": "roc_auc", "accuracy": "accuracy"},
        return_train_score=True,
    )


@pytest.mark.parametrize(("axis", "metric"), [("y", "auc"), ("y2", "accuracy")])
def test_fold_scores_are_those_of_cross_validate(
    axis: str, metric: str, peer: dict[str, Any]
) -> None:
    drawn = traces(runs.plotted("fold_scores"), axis)
    test, train = peer[f"test_{metric}"], peer[f"train_{metric}"]

    assert list(drawn["eval"].x) == [0, 1, 2, 3]
    assert list(drawn["eval"].y) == test.tolist()
    assert list(drawn["train"].y) == train.tolist()
    assert set(drawn["mean"].y) == {test.mean()}
    low, high = test.mean() - test.std(), test.mean() + test.std()
    assert list(drawn["mean ± std"].y) == [low, low, high, high]


def test_the_mean_and_the_spread_are_those_of_the_summary() -> None:
    summary = runs.folds()["cv.summary"]
    drawn = traces(runs.plotted("fold_scores"), "y2")

    assert drawn["mean"].y[0] == summary["accuracy"]["mean"]
    band = max(drawn["mean ± std"].y) - drawn["mean"].y[0]
    assert band == pytest.approx(summary["accuracy"]["std"], abs=1e-15)


def test_stills_of_fold_scores_have_the_same_numbers(peer: dict[str, Any]) -> None:
    figure = runs.plotted("fold_scores", stills)

    for axis, metric in zip(figure.axes, ("auc", "accuracy"), strict=True):
        drawn = lines(axis)
        test = peer[f"test_{metric}"]
        assert list(drawn["eval"].get_ydata()) == test.tolist()
        assert list(drawn["train"].get_ydata()) == peer[f"train_{metric}"].tolist()
        assert set(drawn["mean"].get_ydata()) == {test.mean()}
        band = axis.collections[0].get_paths()[0].vertices[:, 1]
        assert (band.min(), band.max()) == (
            test.mean() - test.std(),
            test.mean() + test.std(),
        )
        assert axis.get_title().startswith(f"{metric}: {test.mean():.4g} ± ")


def test_the_rows_that_a_fold_was_judged_on_are_told() -> None:
    drawn = traces(runs.plotted("fold_scores"))

    assert list(drawn["eval"].customdata) == [143, 142, 142, 142]
    assert list(drawn["train"].customdata) == [426, 427, 427, 427]


@pytest.mark.parametrize("kind", [plots, stills])
def test_a_fold_that_failed_has_no_point_and_no_mean(kind: Any) -> None:
    table = runs.scores_of(
        (0, "eval", "auc", 0.5, 9), (1, "eval", "auc", float("nan"), 9)
    )

    figure = kind.fold_scores(table)

    if kind is plots:
        assert set(traces(figure)) == {"eval"}
        assert figure.layout.annotations[0].text == "auc: no score in fold 1"
    else:
        assert set(lines(figure.axes[0])) == {"eval"}
        assert figure.axes[0].get_title() == "auc: no score in fold 1"


def test_folds_are_in_their_order_and_a_table_from_csv_is_as_good() -> None:
    table = runs.folds()["cv.scores"]
    text = io.StringIO(table.iloc[::-1].to_csv(index=False))

    drawn = traces(plots.fold_scores(pd.read_csv(text)), "y2")
    expected = traces(plots.fold_scores(table))["eval"]

    auc = traces(plots.fold_scores(pd.read_csv(io.StringIO(table.to_csv()))))["eval"]
    assert list(drawn["eval"].x) == [0, 1, 2, 3]
    assert auc.y == pytest.approx(expected.y, rel=1e-15)
    assert drawn["eval"].y == pytest.approx(expected.y, rel=1e-15)


# --- what is judged ---


@pytest.mark.parametrize("output", ["p", "d"])
def test_the_roc_curve_is_that_of_scikit_learn(output: str) -> None:
    made = runs.folds()
    y, scores = made["y"], made[output]
    decisions = scores[:, 1] if scores.ndim == 2 else scores
    wrong, right, _ = roc_curve(y, decisions)
    area = roc_auc_score(y, decisions)

    figure, still = plots.roc(y, scores), stills.roc(y, scores)

    model = traces(figure)["model"]
    assert (list(model.x), list(model.y)) == (wrong.tolist(), right.tolist())
    drawn = lines(still.axes[0])["model"]
    assert np.array_equal(drawn.get_xydata(), np.column_stack([wrong, right]))
    assert figure.layout.title.text == f"ROC curve, AUC {area:.4g} (569 rows)"
    assert still.axes[0].get_title() == figure.layout.title.text
    assert 0.9 < area < 1


@pytest.mark.parametrize(
    "wrap", [list, np.asarray, pd.Series, lambda v: pd.DataFrame({"y": v})]
)
def test_classes_may_be_text_and_columns_of_any_kind(wrap: Any) -> None:
    y = ["no", "yes", "no", "yes"]

    figure = plots.roc(wrap(y), wrap([0.1, 0.4, 0.35, 0.8]))

    assert figure.layout.title.text == "ROC curve, AUC 1 (4 rows)"
    assert figure.layout.yaxis.title.text == "true positive rate of 'yes' (0 to 1)"


def test_residuals_are_observed_less_predicted() -> None:
    made = runs.search()
    y, predicted = made["y"], made["yhat"]
    rmse = root_mean_squared_error(y, predicted)

    figure, still = runs.plotted("residuals"), runs.plotted("residuals", stills)

    drawn = traces(figure)["rows"]
    assert list(drawn.x) == predicted.tolist()
    assert list(drawn.y) == (y - predicted).tolist()
    offsets = still.axes[0].collections[0].get_offsets()
    assert np.array_equal(offsets, np.column_stack([predicted, y - predicted]))
    assert figure.layout.title.text == f"Residuals of 442 rows, RMSE {rmse:.4g}"
    assert still.axes[0].get_title() == figure.layout.title.text


def test_of_many_rows_some_are_drawn_and_the_extremes_always() -> None:
    rng = np.random.default_rng(0)
    y, predicted = rng.normal(size=50_000), np.zeros(50_000)
    y[[7, 49_000]] = 99.0, -99.0

    figure = plots.residuals(y, predicted)

    drawn = np.asarray(traces(figure)["rows"].y)
    assert len(drawn) == MOST_POINTS
    assert (drawn.max(), drawn.min()) == (99.0, -99.0)
    assert np.median(drawn) == pytest.approx(np.median(y), abs=0.01)
    assert "2000 of 50000 rows" in figure.layout.title.text
    assert f"{np.sqrt(np.mean(y**2)):.4g}" in figure.layout.title.text


def test_a_long_curve_keeps_its_ends_and_its_area() -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 50_000)
    scores = rng.normal(size=50_000) + y

    figure = plots.roc(y, scores)

    model = traces(figure)["model"]
    assert len(model.x) == MOST_POINTS
    assert (model.x[0], model.y[0], model.x[-1], model.y[-1]) == (0, 0, 1, 1)
    area = auc(model.x, model.y)
    assert area == pytest.approx(roc_auc_score(y, scores), abs=1e-3)
    assert len(figure.to_json()) < 120_000


def test_the_confusion_matrix_is_that_of_scikit_learn() -> None:
    made = runs.folds()
    expected = confusion_matrix(made["y"], made["label"])
    shares = confusion_matrix(made["y"], made["label"], normalize="true")

    figure, still = runs.plotted("confusion"), runs.plotted("confusion", stills)

    heat = figure.data[0]
    assert [list(row) for row in heat.text] == expected.tolist()
    # Kedro-Viz writes `%{customdata}` of a heatmap out as it is.
    assert heat.texttemplate == "%{text}"
    assert np.allclose(heat.z, shares, rtol=0, atol=1e-15)
    axis = still.axes[0]
    assert [int(t.get_text()) for t in axis.texts] == expected.ravel().tolist()
    assert np.allclose(axis.images[0].get_array(), shares, rtol=0, atol=1e-15)
    # The first class is at the top, in both.
    assert figure.layout.yaxis.autorange == "reversed"
    assert axis.get_ylim() == (1.5, -0.5)


@pytest.mark.parametrize("kind", [plots, stills])
def test_a_class_that_is_only_predicted_or_only_true_has_a_place(kind: Any) -> None:
    figure = kind.confusion(["a", "b", "b"], ["b", "c", "b"])

    if kind is plots:
        assert list(figure.layout.xaxis.ticktext) == ["a", "b", "c"]
        assert list(figure.data[0].text) == [[0, 1, 0], [0, 1, 1], [0, 0, 0]]
        assert list(figure.data[0].z[2]) == [0, 0, 0]
    else:
        ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
        assert ticks == ["a", "b", "c"]


def test_counts_of_many_classes_are_not_written() -> None:
    y = np.repeat(np.arange(40), 3)

    assert plots.confusion(y, y).data[0].texttemplate is None
    assert not stills.confusion(y, y).axes[0].texts


# --- searches ---


def test_values_and_the_best_so_far_are_those_of_optuna() -> None:
    made = runs.search()
    study = pickle.loads(made["tune.study"])
    theirs = {
        t.name: t for t in optuna.visualization.plot_optimization_history(study).data
    }
    best = dict(zip(theirs["Best Value"].x, theirs["Best Value"].y, strict=True))
    trials = made["tune.trials"]
    # What is compared has something to compare.
    assert set(trials["state"]) == {"complete", "fail"}
    assert set(trials["feasible"]) == {True, False}

    figure = runs.plotted("optimization_history")
    still = lines(runs.plotted("optimization_history", stills).axes[0])

    drawn = traces(figure)
    assert drawn["trial"].x == theirs["Objective Value"].x
    assert drawn["trial"].y == theirs["Objective Value"].y
    assert drawn["infeasible"].y == theirs["Infeasible Trial"].y
    assert drawn["best so far"].y == tuple(best[n] for n in drawn["best so far"].x)
    assert drawn["best so far"].y[-1] == study.best_value
    for name, points in drawn.items():
        assert list(still[name].get_xdata()) == list(points.x)
        assert list(still[name].get_ydata()) == list(points.y)
    failed = (trials["state"] == "fail").sum()
    assert figure.layout.title.text == f"Search: 24 trials, {failed} failed"


@pytest.mark.parametrize(
    ("best", "expected"), [(3.0, (1.0, 3.0, 3.0)), (1.0, (1.0, 1.0, 1.0))]
)
def test_the_best_trial_tells_which_way_is_better(
    best: float, expected: tuple[float, ...]
) -> None:
    rows = [(n, "complete", v, True) for n, v in enumerate([1.0, 3.0, 2.0])]
    table = pd.DataFrame(rows, columns=["number", "state", "value", "feasible"])

    figure = plots.optimization_history(table, {"number": 1, "value": best})

    assert traces(figure)["best so far"].y == expected
    assert "best so far" not in traces(plots.optimization_history(table))


@pytest.mark.parametrize("kind", [plots, stills])
def test_several_objectives_have_a_panel_each(kind: Any) -> None:
    rows = [(0, "complete", 1.0, 9.0, True), (1, "complete", 2.0, 8.0, True)]
    columns = ["number", "state", "value.auc", "value.cost", "feasible"]
    table = pd.DataFrame(rows, columns=columns)

    figure = kind.optimization_history(table, {"value": [2.0, 8.0]})

    if kind is plots:
        assert traces(figure)["best so far"].y == (1.0, 2.0)
        assert set(traces(figure, "y2")) == {"trial"}
        assert traces(figure, "y2")["trial"].y == (9.0, 8.0)
        assert figure.layout.yaxis2.title.text == "cost"
    else:
        first, second = figure.axes
        assert list(lines(first)["best so far"].get_ydata()) == [1.0, 2.0]
        assert list(lines(second)) == ["trial"]
        assert second.get_ylabel() == "cost"


def test_a_table_of_trials_from_csv_is_as_good() -> None:
    made = runs.search()
    table = pd.read_csv(io.StringIO(made["tune.trials"].to_csv(index=False)))

    drawn = traces(plots.optimization_history(table, made["tune.best"]))

    expected = traces(runs.plotted("optimization_history"))
    assert drawn.keys() == expected.keys()
    for name, points in expected.items():
        assert drawn[name].x == points.x
        assert drawn[name].y == pytest.approx(points.y, rel=1e-15)


def test_importances_are_those_of_optuna() -> None:
    made = runs.search()
    study = pickle.loads(made["tune.study"])
    expected = optuna.importance.get_param_importances(study)

    figure = runs.plotted("parameter_importance")
    still = runs.plotted("parameter_importance", stills).axes[0]

    bars = figure.data[0]
    assert dict(zip(bars.y, bars.x, strict=True)) == expected
    assert list(bars.x) == sorted(expected.values())
    assert sum(bars.x) == pytest.approx(1)
    ticks = [tick.get_text() for tick in still.get_yticklabels()]
    widths = [patch.get_width() for patch in still.patches]
    assert dict(zip(ticks, widths, strict=True)) == expected
    assert set(ticks) == {runs.ALPHA, runs.K}
    assert plots.parameter_importance(study) == figure


# --- rounds ---


def test_rounds_are_those_of_the_history() -> None:
    history = runs.labels()["own.history"]
    assert len(history) > 1

    figure, still = runs.plotted("rounds"), runs.plotted("rounds", stills)

    selected, labeled, unlabeled = figure.data
    assert list(selected.x) == history["round"].tolist()
    assert list(selected.y) == history["selected"].tolist()
    assert list(labeled.y) == history["selected"].cumsum().tolist()
    size = len(runs.labels()["X_new"])
    assert [a + b for a, b in zip(labeled.y, unlabeled.y, strict=True)] == (
        [size] * len(history)
    )
    axis = still.axes[0]
    assert [patch.get_height() for patch in axis.patches] == list(selected.y)
    assert list(lines(axis)["labeled so far"].get_ydata()) == list(labeled.y)
    assert list(lines(axis)["unlabeled still"].get_ydata()) == list(unlabeled.y)
    heading = f"{len(history)} rounds, stopped by {history['stop'].iloc[-1]}"
    assert heading in figure.layout.title.text
    assert heading in axis.get_title()


def test_importances_of_several_objectives_are_those_of_optuna() -> None:
    study = optuna.create_study(
        directions=["minimize", "maximize"],
        sampler=optuna.samplers.RandomSampler(seed=0),
    )
    study.optimize(
        lambda trial: (trial.suggest_float("a", 0, 1), trial.suggest_float("b", 0, 9)),
        n_trials=30,
    )

    bars = plots.parameter_importance(pickle.dumps(study)).data[0]

    expected = optuna.importance.get_param_importances(study)
    assert dict(zip(bars.y, bars.x, strict=True)) == expected
