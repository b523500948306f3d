"""Metrics of ``eval_on``, against scikit-learn's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pipelines.running import run
from pipelines.steps import chain_of
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    precision_recall_curve,
    roc_auc_score,
)
from sklearn.preprocessing import StandardScaler

from kedro_rats import Estimator, metric
from kedro_rats.errors import RatsError

OUTPUTS = ["predict", "predict_proba", "decision_function"]


def chain() -> Estimator:
    return chain_of(
        [("scale", StandardScaler()), ("clf", LogisticRegression())], OUTPUTS
    )


def rows() -> dict[str, Any]:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    weight = np.linspace(0.5, 2.0, len(y[1::2]))
    train = {"X": X[::2].copy(), "y": y[::2]}
    return {**train, "test.X": X[1::2].copy(), "test.y": y[1::2], "test.w": weight}


def judged(metrics: dict[str, Any], **options: Any) -> dict[str, Any]:
    part = chain()
    pipeline = part.train + part.eval_on("test", metrics=metrics, **options)
    data = rows()
    return {**data, **run(pipeline, {n: data[n] for n in pipeline.inputs()})}


def test_scores_are_those_of_the_metrics_themselves() -> None:
    made = judged(
        {
            "auc": metric(roc_auc_score, inputs=["y", "decision_function"]),
            "accuracy": metric(accuracy_score, inputs=["y", "predict"]),
            "loss": metric(
                log_loss, inputs=["y", "predict_proba"], greater_is_better=False
            ),
        }
    )

    y = made["test.y"]
    table = made["test.scores"]
    assert list(table.columns) == ["fold", "part", "metric", "value", "rows"]
    assert table["metric"].tolist() == ["auc", "accuracy", "loss"]
    assert table["value"].tolist() == [
        roc_auc_score(y, made["test.decision_function"]),
        accuracy_score(y, made["test.predict"]),
        log_loss(y, made["test.predict_proba"]),
    ]
    assert set(table["fold"]) == {0}
    assert set(table["part"]) == {"eval"}
    assert set(table["rows"]) == {len(y)}


def test_the_summary_is_the_mean_and_no_spread_of_one_fold() -> None:
    made = judged({"auc": metric(roc_auc_score, inputs=["y", "decision_function"])})

    value = roc_auc_score(made["test.y"], made["test.decision_function"])
    assert made["test.summary"] == {"auc": {"mean": value, "std": 0.0}}


def test_weights_reach_a_metric_by_keyword() -> None:
    inputs = {"y_true": "y", "y_score": "decision_function", "sample_weight": "w"}

    made = judged({"auc": metric(roc_auc_score, inputs=inputs)})

    expected = roc_auc_score(
        made["test.y"], made["test.decision_function"], sample_weight=made["test.w"]
    )
    assert made["test.scores"]["value"].tolist() == [expected]


def cost_of(costs: Any, y: Any, label: Any) -> float:
    return float(costs[y, label].mean())


def first_of(state: Any, factor: float, X: Any) -> float:
    return factor * float(X[0, 0])


def test_rows_are_counted_where_a_metric_reads_something_else_first() -> None:
    pipeline = chain().eval_on(
        "test",
        shared=["costs"],
        metrics={
            "cost": metric(cost_of, inputs=["costs", "y", "predict"]),
            "first": metric(first_of, inputs=["clf_state", "params:factor", "X"]),
            "size": metric(len, inputs="list_of_parts"),
        },
    )
    data = rows() | {"costs": np.eye(2), "params:factor": 2.0}
    data["test.list_of_parts"] = [1.0] * 7
    trained = run(chain().train, {name: data[name] for name in ("X", "y")})
    given = {**data, **trained}

    table = run(pipeline, {n: given[n] for n in pipeline.inputs()})["test.scores"]

    assert table["rows"].tolist() == [len(data["test.y"])] * 2 + [7]


def test_two_metrics_may_read_the_same_datasets() -> None:
    made = judged(
        {
            "accuracy": metric(accuracy_score, inputs=["y", "predict"]),
            "f1": metric(f1_score, inputs={"y_pred": "predict", "y_true": "y"}),
        }
    )

    y, label = made["test.y"], made["test.predict"]
    assert made["test.scores"]["value"].tolist() == [
        accuracy_score(y, label),
        f1_score(y, label),
    ]


def test_what_is_shared_keeps_its_name_for_a_metric() -> None:
    accuracy = metric(accuracy_score, inputs=["answers", "predict"])

    test = chain().eval_on("test", shared=["answers"], metrics={"accuracy": accuracy})

    assert "answers" in test.inputs()
    assert "test.answers" not in test.inputs()


def test_a_metric_may_read_parameters() -> None:
    f1 = metric(
        f1_score, inputs={"y_true": "y", "y_pred": "predict", "average": "params:avg"}
    )

    test = chain().eval_on("test", metrics={"f1": f1})

    assert "params:avg" in test.inputs()


@pytest.mark.parametrize(
    "func",
    [
        precision_recall_curve,
        lambda y, scores: "high",
        lambda y, scores: None,
        lambda y, scores: scores,
    ],
)
def test_a_metric_that_gives_no_number_is_an_error_with_its_name(func: Any) -> None:
    with pytest.raises(RatsError, match="metric 'curve': expected one number, got"):
        judged({"curve": metric(func, inputs=["y", "decision_function"])})


def test_the_direction_of_a_metric_is_kept() -> None:
    assert metric(accuracy_score, inputs=["y", "p"]).greater_is_better
    loss = metric(log_loss, inputs=["y", "p"], greater_is_better=False)
    assert not loss.greater_is_better


def test_without_metrics_there_are_no_scores() -> None:
    test = chain().eval_on("test")

    assert not {"test.scores", "test.summary"} & test.all_outputs()


def test_one_node_in_the_namespace_scores() -> None:
    auc = metric(roc_auc_score, inputs=["y", "decision_function"])

    test = chain().eval_on("test", metrics={"auc": auc})

    (score,) = test.only_nodes_with_tags("rats.score").nodes
    assert score.name == "test.score"
    assert score.outputs == ["test.scores", "test.summary"]
