"""Bad pipelines, chains, metrics and tags: each refused in one line that says all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from kedro.pipeline import Pipeline, node
from pipelines import toys
from pipelines.definitions import (
    assert_refused,
    assert_well_formed,
    classify,
    halve,
    log,
    scale,
)
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from kedro_rats import Estimator, metric
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable


def plain(func: Callable[..., Any], reads: Any, makes: Any, *tags: str) -> Pipeline:
    return Pipeline([node(func, reads, makes, name=f"make_{makes}", tags=tags)])


def auc() -> Any:
    return metric(roc_auc_score, inputs=["y", "label"])


# What is done; what the sentence is about; what it must say.
BAD: dict[str, tuple[Callable[[], object], str, list[str]]] = {
    # Estimator
    "not pipelines": (
        lambda: Estimator([], None),  # type: ignore[arg-type]
        "estimator, ",
        ["a Kedro Pipeline", "Estimator(train=Pipeline"],
    ),
    "fit in eval": (
        lambda: Estimator(scale().train, scale().train),
        "estimator, eval",
        ["no node that learns", "'scale.fit_transform'", "'rats.fit'"],
    ),
    "step of training in eval": (
        lambda: Estimator(halve().train, halve().train),
        "estimator, eval",
        ["no node that learns", "'rats.train_only'"],
    ),
    "train reads what only eval makes": (
        lambda: Estimator(plain(toys.double, "Z", "Q"), plain(toys.double, "X", "Z")),
        "estimator, train",
        ["'Z'", "'make_Q'", "'make_Z'"],
    ),
    "scores that train does not make": (
        lambda: Estimator(scale().train, scale().eval, scores="cv.scores"),
        "estimator, scores",
        ["'cv.scores'", "Z, scale_state"],
    ),
    # +
    "in-sample outputs that are refused": (
        lambda: scale(train_outputs=False) + classify(),
        "estimator, train",
        ["'Z'", "'clf.fit'", "train_outputs=False"],
    ),
    "eval needs what training alone has": (
        lambda: halve() + scale(inputs="Xk"),
        "estimator, eval",
        ["'Xk'", "'scale.apply'", "train-only node 'halve.apply'"],
    ),
    "a name used twice": (
        lambda: scale() + scale(inputs="Z", outputs="Q", state="other"),
        "chain, ",
        ["one node of the name", "inputs, outputs"],
    ),
    "a name used twice, another function": (
        lambda: log() + log(func=np.log1p),
        "chain",
        ["one node of the name 'log.apply'", "function"],
    ),
    "two makers": (
        lambda: log() + log(name="again"),
        "chain, ",
        ["one node that makes 'X'", "'log.apply' and 'again.apply'"],
    ),
    "a cycle": (
        lambda: log() + log(inputs="X", outputs="raw", name="back"),
        "chain",
        ["a cycle of back.apply, log.apply"],
    ),
    # metric
    "metric of a number": (
        lambda: metric(0.5, inputs="y"),
        "metric",
        ["a function", "got 0.5"],
    ),
    "metric of a class": (
        lambda: metric(StandardScaler, inputs="y"),
        "metric",
        ["a function"],
    ),
    "metric's argument": (
        lambda: metric(roc_auc_score, inputs={"y": "y", "y_score": "d"}),
        "metric 'roc_auc_score', inputs",
        ["roc_auc_score(y_true, y_score", "missing a required argument: 'y_true'"],
    ),
    "metric without inputs": (
        lambda: metric(roc_auc_score, inputs=[]),
        "metric 'roc_auc_score', inputs",
        ["a dataset name"],
    ),
    # eval_on and tag
    "shared that nobody reads": (
        lambda: scale().eval_on("test", shared=["vocabulary"]),
        "eval_on('test'), shared",
        ["inputs of eval (X, scale_state)", "'vocabulary'"],
    ),
    "metric of what only training makes": (
        lambda: (log() + classify() + halve(inputs=["X", "y"])).eval_on(
            "test", metrics={"auc": metric(roc_auc_score, inputs=["yk", "label"])}
        ),
        "eval_on('test'), metric 'auc'",
        ["'yk', which only train makes"],
    ),
    "no metrics": (
        lambda: classify().eval_on("test", metrics={}),
        "eval_on('test'), metrics",
        ["a dict of named metrics"],
    ),
    "metrics as a list": (
        lambda: classify().eval_on("test", metrics=[auc()]),  # type: ignore[arg-type]
        "eval_on('test'), metrics",
        ["a dict of named metrics"],
    ),
    "a function for a metric": (
        lambda: classify().eval_on("test", metrics={"auc": roc_auc_score}),  # type: ignore[dict-item]
        "eval_on('test'), metrics 'auc'",
        ["metric(func"],
    ),
    "tag of a type": (
        lambda: scale().tag("rats.apply"),
        "tag",
        ["'rats.apply'", "leave this tag out"],
    ),
    "tags of a kind": (
        lambda: scale().tag("image.a", "image.b"),
        "tag",
        ["at most one tag image.NAME", "image.a, image.b"],
    ),
    "tag of an unknown type": (
        lambda: scale().tag("nightly", only="train"),  # type: ignore[arg-type]
        "tag, only",
        ["'fit' or 'apply'", "'train'"],
    ),
    "two tags of a kind in a definition": (
        lambda: scale(tags=["image.a", "image.b"]),
        "estimator 'scale', tags",
        ["at most one tag image.NAME"],
    ),
    "tag of a type in a definition": (
        lambda: scale(tags=["rats.apply"]),
        "estimator 'scale', tags",
        ["'rats.apply'"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_it_is_refused_with_subject_expected_got_and_remedy(case: str) -> None:
    assert_refused(*BAD[case])


def test_all_metrics_that_are_none_are_told_at_once() -> None:
    with pytest.raises(DefinitionError) as raised:
        classify().eval_on("test", metrics={"a b": auc(), "two": 2, "three": 3})

    assert_well_formed(raised.value)
    assert len(raised.value.breaches) == 3
