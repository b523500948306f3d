"""Bad definitions: each is refused at once, in one line that says all."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pipelines import toys
from pipelines.definitions import (
    assert_refused,
    assert_well_formed,
    classify,
    functions,
    halve,
    log,
    scale,
)
from sklearn.cluster import DBSCAN, KMeans
from sklearn.linear_model import Ridge
from sklearn.preprocessing import LabelBinarizer, StandardScaler
from sklearn.svm import SVC

from kedro_rats import estimator, transformer
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable


class NoMethods:
    def fit(self, X: Any) -> NoMethods:
        return self


# What is done; what the sentence is about; what it must say.
BAD: dict[str, tuple[Callable[[], object], str, list[str]]] = {
    # estimator: what learns
    "no fit": (
        lambda: scale(obj=object()),
        "estimator 'scale'",
        ["an object with fit", "transformer"],
    ),
    "a number": (lambda: scale(obj=3), "estimator 'scale'", ["got 3"]),
    "None": (lambda: scale(obj=None), "estimator 'scale'", ["got None"]),
    "a class": (
        lambda: scale(obj=StandardScaler),
        "estimator 'scale'",
        ["the class StandardScaler", "StandardScaler()"],
    ),
    "function without apply": (
        lambda: functions(apply=None),
        "estimator 'own'",
        ["a function fit", "None as apply", "apply(state, *inputs)"],
    ),
    "apply that is no function": (
        lambda: functions(apply="subtract"),
        "estimator 'own'",
        ["'subtract' as apply"],
    ),
    "object with apply": (
        lambda: scale(apply=toys.subtract),
        "estimator 'scale'",
        ["both", "Leave apply out"],
    ),
    # outputs and methods
    "both methods": (
        lambda: scale(obj=KMeans()),
        "estimator 'scale', outputs",
        ["exactly one of transform and predict", "KMeans with transform and predict"],
    ),
    "neither method": (
        lambda: scale(obj=DBSCAN()),
        "estimator 'scale', outputs",
        ["DBSCAN with neither", "Name the method"],
    ),
    "no method at all": (
        lambda: scale(obj=NoMethods()),
        "estimator 'scale', outputs",
        ["NoMethods with neither"],
    ),
    "misspelt method": (
        lambda: classify(outputs={"predit": "label"}),
        "estimator 'clf', outputs",
        ["'predit'", "Did you mean 'predict'?", "decision_function"],
    ),
    "unlike any method": (
        lambda: classify(outputs={"zzz": "label"}),
        "estimator 'clf', outputs",
        ["'zzz'", "It has predict"],
    ),
    "hidden method": (
        lambda: classify(obj=SVC(), outputs={"predict_proba": "p"}),
        "estimator 'clf', outputs",
        ["'predict_proba'", "decision_function"],
    ),
    "list of outputs for an object": (
        lambda: scale(outputs=["Z"]),
        "estimator 'scale', outputs",
        ["{method: dataset}", "'transform'"],
    ),
    "misspelt method of a transformer": (
        lambda: log(func=LabelBinarizer().fit([0, 1]), outputs={"transfrom": "X"}),
        "transformer 'log', outputs",
        ["Did you mean 'transform'?"],
    ),
    # params
    "params of a function": (
        lambda: functions(params="params:own"),
        "estimator 'own', params",
        ["no params for a function", "fit_inputs"],
    ),
    "params without prefix": (
        lambda: scale(params="scale"),
        "estimator 'scale', params",
        ["'params:NAME'", "got 'scale'"],
    ),
    "params as a dict": (
        lambda: scale(params={"with_mean": False}),
        "estimator 'scale', params",
        ["'params:NAME'"],
    ),
    "params of no name": (
        lambda: scale(params="params:"),
        "estimator 'scale', params",
        ["'params:'"],
    ),
    # fit_inputs and inputs
    "argument that fit does not take": (
        lambda: classify(fit_inputs={"X": "Z", "y": "y", "weights": "w"}),
        "estimator 'clf', fit_inputs",
        ["fit(X, y, sample_weight", "'weights'"],
    ),
    "too many inputs of fit": (
        lambda: scale(obj=Ridge(), fit_inputs=["X", "y", "w", "more"], outputs="p"),
        "estimator 'scale', fit_inputs",
        ["fit(X, y, sample_weight", "too many"],
    ),
    "target is missing": (
        lambda: classify(fit_inputs="Z"),
        "estimator 'clf', fit_inputs",
        ["missing a required argument: 'y'"],
    ),
    "argument that the function does not take": (
        lambda: functions(fit_inputs={"row": "X"}),
        "estimator 'own', fit_inputs",
        ["learn_mean(rows)", "row"],
    ),
    "argument that apply does not take": (
        lambda: functions(inputs=["X", "w"], fit_inputs="X"),
        "estimator 'own', inputs",
        ["subtract(rows)", "too many"],
    ),
    "apply without inputs": (
        lambda: functions(apply=toys.learn_mean),
        "estimator 'own', inputs",
        ["learn_mean"],
    ),
    "argument that the method does not take": (
        lambda: scale(inputs={"Y": "X"}, fit_inputs="X"),
        "estimator 'scale', inputs",
        ["transform(X", "'X'"],
    ),
    "input of a transformer": (
        lambda: log(inputs=["raw", "more"]),
        "transformer 'log', inputs",
        ["double(rows)"],
    ),
    "input of a step of training": (
        lambda: halve(inputs="X"),
        "train_only 'halve', inputs",
        ["keep_first_half(rows, target)", "'target'"],
    ),
    "one dataset with and without transcoding": (
        lambda: scale(fit_inputs="X@pandas"),
        "estimator",
        ["X"],
    ),
    # fused
    "fused without fit_transform": (
        lambda: scale(obj=toys.Centre(), fused=True),
        "estimator 'scale', fused",
        ["no method fit_transform"],
    ),
    "fused with other outputs": (
        lambda: scale(
            obj=KMeans(), outputs={"predict": "k", "transform": "Z"}, fused=True
        ),
        "estimator 'scale', fused",
        ["outputs other than transform"],
    ),
    "fused on other rows": (
        lambda: scale(fit_inputs="other", fused=True),
        "estimator 'scale', fused",
        ["inputs that are not what fit gets first"],
    ),
    "fused with no outputs in training": (
        lambda: scale(train_outputs=False, fused=True),
        "estimator 'scale', fused",
        ["train_outputs=False"],
    ),
    "fused functions": (
        lambda: functions(fused=True),
        "estimator 'own', fused",
        ["functions"],
    ),
    # names of things without one
    "lambda without name": (
        lambda: transformer(lambda rows: rows, inputs="a", outputs="b"),
        "transformer",
        ["a name", "name='…'"],
    ),
    "partial without name": (
        lambda: transformer(functools.partial(np.add, 1), inputs="a", outputs="b"),
        "transformer",
        ["a name", "name='…'"],
    ),
    "lambda that learns without name": (
        lambda: estimator(lambda X: X, toys.subtract, inputs="X", outputs="Z"),
        "estimator",
        ["a name", "name='…'"],
    ),
    # transformer and train_only
    "transformer to be fitted": (
        lambda: log(func=StandardScaler()),
        "transformer 'log'",
        ["not fitted", "estimator(StandardScaler"],
    ),
    "transformer of a class": (
        lambda: log(func=StandardScaler),
        "transformer 'log'",
        ["the class StandardScaler"],
    ),
    "transformer of a number": (lambda: log(func=3), "transformer 'log'", ["got 3"]),
    "step of training of an object": (
        lambda: halve(func=StandardScaler()),
        "train_only 'halve'",
        ["a function", "StandardScaler()"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_it_is_refused_with_subject_expected_got_and_remedy(case: str) -> None:
    assert_refused(*BAD[case])


def test_several_breaches_are_told_at_once() -> None:
    with pytest.raises(DefinitionError) as raised:
        classify(
            name="my clf",
            inputs="a b",
            fit_inputs=["c d", "y"],
            tags=["x y"],
            params="clf",
        )

    assert_well_formed(raised.value)
    subjects = [breach.subject.rpartition(", ")[2] for breach in raised.value.breaches]
    assert subjects == ["name", "inputs", "tags", "fit_inputs", "params"]


def test_the_error_is_a_value_error_with_its_breaches() -> None:
    with pytest.raises(ValueError, match="estimator 'scale'") as raised:
        scale(obj=3)

    assert isinstance(raised.value, DefinitionError)
    assert [breach.got for breach in raised.value.breaches] == ["3"]
