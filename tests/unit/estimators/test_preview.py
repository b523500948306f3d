"""The text that Kedro-Viz shows on a node."""

from __future__ import annotations

import functools
import inspect
import warnings
from typing import Any

import numpy as np
import pytest
from kedro.pipeline.node import Node
from pipelines import toys
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.preprocessing import StandardScaler

from kedro_rats import estimator, metric, train_only, transformer

pytestmark = pytest.mark.skipif(
    "preview_fn" not in inspect.signature(Node.__init__).parameters,
    reason="Kedro shows previews from version 1.2 on",
)

CLF = estimator(
    LogisticRegression(C=2.0),
    fit_inputs={"X": "Z", "y": "y"},
    inputs="Z",
    outputs={"predict": "label", "predict_proba": "p"},
    name="clf",
    params="params:clf",
)
SCALE = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
OWN = estimator(toys.learn_mean, toys.subtract, inputs="X", outputs="Z", name="own")
LOG = transformer(np.log1p, inputs="raw", outputs="X", name="log")
DROP = train_only(toys.keep_first_half, inputs=["X", "y"], outputs=["a", "b"])
ACCURACY = metric(accuracy_score, inputs=["y", "label"])


def text(node: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # previews are experimental, says Kedro
        return node.preview().to_dict()["content"]


@pytest.mark.parametrize(
    ("node", "lines"),
    [
        (
            CLF.train.nodes[0],
            [
                "type: fit",
                "object: LogisticRegression(C=2.0)",
                "call: set_params, then fit(X, y)",
            ],
        ),
        (
            CLF.eval.nodes[0],
            [
                "type: apply",
                "object: LogisticRegression(C=2.0)",
                "call: predict, predict_proba(X)",
            ],
        ),
        (
            SCALE.train.nodes[0],
            ["type: fit", "object: StandardScaler()", "call: fit_transform(X)"],
        ),
        (
            OWN.train.nodes[0],
            [
                "type: fit",
                "function: pipelines.toys.learn_mean",
                "call: learn_mean(rows)",
            ],
        ),
        (
            OWN.eval.nodes[0],
            [
                "type: apply",
                "function: pipelines.toys.subtract",
                "call: subtract(state, rows)",
            ],
        ),
        (LOG.eval.nodes[0], ["type: apply", None, None]),
        (
            DROP.train.nodes[0],
            [
                "type: train_only",
                "function: pipelines.toys.keep_first_half",
                "call: keep_first_half(rows, target)",
            ],
        ),
        (
            CLF.eval_on("test", metrics={"accuracy": ACCURACY}).nodes[-1],
            ["type: score", None, "call: accuracy"],
        ),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_it_says_the_type_what_is_called_and_with_what(
    node: Node, lines: list[str | None]
) -> None:
    shown = text(node).splitlines()

    assert len(shown) == len(lines)
    for line, expected in zip(shown, lines, strict=True):
        assert expected is None or line == expected


def test_it_survives_what_kedro_does_with_nodes() -> None:
    node = SCALE.tag("image.big").eval_on("test").nodes[0]

    assert text(node) == text(SCALE.eval.nodes[0])


def test_it_is_the_same_in_every_process() -> None:
    part = transformer(
        functools.partial(toys.add, right=object()), inputs="a", outputs="b", name="p"
    )

    assert " at 0x" not in text(part.eval.nodes[0])


def test_kedro_s_warning_that_previews_are_experimental_is_not_shown() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
