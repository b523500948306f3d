"""Wrong definitions of `pseudolabel` are refused in one line for each breach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from combinators import pseudolabel_toys, toys
from sklearn.linear_model import LogisticRegression

from kedro_rats import estimator, pseudolabel, select, transformer
from kedro_rats.errors import DefinitionError

WEIGHED = toys.scaled(
    LogisticRegression(), {"predict": "label", "predict_proba": "p"}, sample_weight="w"
)
WITH_TABLE = toys.classifier() + transformer(
    np.add, inputs=["p", "table"], outputs="adjusted", name="adjust"
)
SILENT = toys.scaled(LogisticRegression(), {"predict": "label"})
define = pseudolabel_toys.labelling


def transcoded() -> Any:
    return estimator(
        LogisticRegression(),
        fit_inputs=["X@numpy", "y"],
        inputs="X@numpy",
        outputs={"predict": "label", "predict_proba": "p"},
        name="model",
    )


WRONG: dict[str, tuple[Any, list[str]]] = {
    "an input without unlabelled rows": (
        lambda: define(WITH_TABLE),
        ["'own', input 'table'", "that eval reads", "none (unlabeled: X)", "'table'}"],
    ),
    "an input that is almost named": (
        lambda: define(WITH_TABLE, unlabeled={"X": "X_new", "tabel": "table_new"}),
        ["input 'table'", "Did you mean 'tabel'?"],
    ),
    "rows that only training reads": (
        lambda: define(WEIGHED),
        ["'own', input 'w'", "that train reads", "got none"],
    ),
    "a name that nothing reads": (
        lambda: define(unlabeled={"X": "X_new", "Q": "Q_new"}),
        ["'own', unlabeled", "inputs of the estimator (X, y)", "got 'Q'"],
    ),
    "unlabelled rows with a target": (
        lambda: define(unlabeled={"X": "X_new", "y": "y_new"}),
        ["'own', unlabeled", "got 'y', the target", "Leave it out"],
    ),
    "unlabelled rows with weights that are made": (
        lambda: define(WEIGHED, unlabeled={"X": "X_new", "w": "w_new"}, weight=0.5),
        ["'own', unlabeled", "got 'w', the weights"],
    ),
    "labelled rows as unlabelled ones": (
        lambda: define(unlabeled={"X": "y"}),
        ["unlabeled 'X'", "got 'y', which the estimator reads or makes"],
    ),
    "an output as unlabelled rows": (
        lambda: define(unlabeled={"X": "Z"}),
        ["unlabeled 'X'", "got 'Z', which the estimator reads or makes"],
    ),
    "no rows at all": (
        lambda: define(unlabeled={"X": "X"}),
        ["unlabelled rows for at least one input", "stands for itself"],
    ),
    "unlabelled rows as a name": (
        lambda: define(unlabeled="X_new"),
        ["'own', unlabeled", "a dict", "got 'X_new'"],
    ),
    "an empty dict": (lambda: define(unlabeled={}), ["a dict", "got {}"]),
    "unlabelled rows that are no name": (
        lambda: define(unlabeled={"X": 3}),
        ["'own', unlabeled", "got 3"],
    ),
    "transcoded unlabelled rows": (
        lambda: define(unlabeled={"X": "X_new@pandas"}),
        ["without '@'", "got 'X_new@pandas'"],
    ),
    "parameters as rows": (
        lambda: define(unlabeled={"X": "params:X"}),
        ["no parameters", "got 'params:X'"],
    ),
    "rows that are read transcoded": (
        lambda: define(transcoded()),
        ["input 'X@numpy'", "under their own name"],
    ),
    "a target that nobody reads": (
        lambda: define(unlabeled={"X": "X_new", "y": "y_new"}, target="yy"),
        ["'own', target", "an input of training (y)", "Did you mean 'y'?"],
    ),
    "a target that eval reads": (
        lambda: define(target="X", unlabeled={"y": "y_new"}),
        ["'own', target", "got 'X', which eval reads", "only fit_inputs"],
    ),
    "a target that is no name": (lambda: define(target=3), ["target", "got 3"]),
    "the weights as target": (
        lambda: define(WEIGHED, unlabeled={"X": "N", "y": "M"}, target="w", weight=1),
        ["another input than the weights", "got w"],
    ),
    "a label that nobody makes": (
        lambda: define(label="labels"),
        ["'own', label", "an output of eval (Z, label, p)", "Did you mean 'label'?"],
    ),
    "no label": (lambda: define(label=None), ["'own', label", "got None"]),
    "an input as label": (lambda: define(label="y"), ["'own', label", "got 'y'"]),
    "a label that does not depend on what is learned": (
        lambda: define(
            transformer(np.abs, inputs="X", outputs="size", name="size")
            + toys.classifier(),
            label="size",
        ),
        ["'own', label", "depends on what is learned", "'size', which does not"],
    ),
    "a confidence that nobody makes": (
        lambda: define(confidence="q"),
        ["'own', confidence", "an output of eval", "got 'q'"],
    ),
    "labels of which nothing is sure": (
        lambda: define(SILENT, confidence=None),
        ["'own', confidence", "how sure a label is", "got none", "confidence='p'"],
    ),
    "a number as rule": (
        lambda: define(select=0.9),
        ["'own', select", "a rule", "got 0.9", "threshold(0.9)"],
    ),
    "a maker of rules as rule": (
        lambda: define(select=select.threshold),
        ["'own', select", "a rule", "<function threshold"],
    ),
    "no rounds": (lambda: define(rounds=0), ["'own', rounds", "from 1", "got 0"]),
    "half a round": (lambda: define(rounds=1.5), ["rounds", "got 1.5"]),
    "true rounds": (lambda: define(rounds=True), ["rounds", "got True"]),
    "a word for relabel": (lambda: define(relabel="no"), ["relabel", "got 'no'"]),
    "weights that no fit reads": (
        lambda: define(weight=0.5),
        ["'own', weight", "reaches sample_weight", "got nothing", "fit_inputs="],
    ),
    "weights in an input that eval reads": (
        lambda: define(WEIGHED, unlabeled={"X": "N", "w": "M"}, weight={"X": 0.5}),
        ["'own', weight", "an input of training alone (w, y)", "got 'X'"],
    ),
    "a weight below 0": (
        lambda: define(WEIGHED, unlabeled={"X": "N", "w": "M"}, weight=-1),
        ["'own', weight", "a number from 0", "got -1"],
    ),
    "an endless weight": (
        lambda: define(WEIGHED, unlabeled={"X": "N", "w": "M"}, weight=float("inf")),
        ["weight", "got inf"],
    ),
    "no weights by round": (
        lambda: define(WEIGHED, unlabeled={"X": "N", "w": "M"}, weight=[]),
        ["weight", "got []"],
    ),
    "a true weight": (
        lambda: define(WEIGHED, unlabeled={"X": "N", "w": "M"}, weight=True),
        ["weight", "got True"],
    ),
    "weights of an output that nobody makes": (
        lambda: define(WEIGHED, weight="sure"),
        ["'own', weight", "an output of eval", "got 'sure'"],
    ),
    "an estimator that learns nothing": (
        lambda: define(
            transformer(np.abs, inputs="X", outputs="label", name="size"),
            target="y",
            confidence="label",
        ),
        ["pseudolabel 'own'", "an estimator that learns", "got one without state"],
    ),
    "a name that is used inside": (
        lambda: define(define(), unlabeled={"X": "N", "X_new": "X_new"}),
        ["pseudolabel 'own', name", "not used inside"],
    ),
    "the name of a part": (lambda: define(name="model"), ["not used inside"]),
    "a malformed name": (lambda: define(name="my own"), ["name", "got 'my own'"]),
    "a model as operand": (
        lambda: define(LogisticRegression()),
        ["pseudolabel 'own'", "an Estimator", "got LogisticRegression()"],
    ),
}


@pytest.mark.parametrize(("wrong", "parts"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_definition_is_refused_in_one_line(
    wrong: Any, parts: list[str]
) -> None:
    with pytest.raises(DefinitionError) as error:
        wrong()

    messages = [str(breach) for breach in error.value.breaches]
    found = [m for m in messages if all(part in m for part in parts)]
    assert found, messages
    for breach in error.value.breaches:
        assert "\n" not in str(breach)
        assert breach.remedy.endswith((".", "?", "}"))


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(DefinitionError) as error:
        pseudolabel(
            WITH_TABLE,
            unlabeled={"X": "X_new", "Q": "Q_new"},
            target="t",
            label="labels",
            confidence="q",
            select=0.9,
            rounds=0,
            relabel=None,
            weight=-1,
            name="own",
        )

    subjects = [
        b.subject.removeprefix("pseudolabel 'own', ") for b in error.value.breaches
    ]
    assert subjects == [
        "weight",
        "input 'table'",
        "input 'y'",
        "unlabeled",
        "target",
        "label",
        "confidence",
        "select",
        "rounds",
        "relabel",
    ]


WRONG_RULES: dict[str, tuple[Any, list[str]]] = {
    "a word as threshold": (
        lambda: select.threshold("0.9"),
        ["threshold", "got '0.9'"],
    ),
    "a threshold of NaN": (lambda: select.threshold(float("nan")), ["got nan"]),
    "a true threshold": (lambda: select.threshold(True), ["got True"]),
    "the best of none": (lambda: select.k_best(0), ["k_best", "from 1", "got 0"]),
    "the best half": (lambda: select.k_best(0.5), ["k_best", "got 0.5"]),
    "no fraction": (lambda: select.top_fraction(), ["top_fraction", "got nothing"]),
    "a fraction of 0": (lambda: select.top_fraction(0.2, 0), ["got 0.2, 0"]),
    "a fraction above 1": (lambda: select.top_fraction(1.1), ["at most 1", "got 1.1"]),
    "percent": (lambda: select.top_fraction(20), ["got 20"]),
    "a number per class": (lambda: select.per_class(3), ["per_class", "got 3"]),
    "numbers by class": (lambda: select.per_class({0: 0.9}), ["got {0: 0.9}"]),
    "nothing by class": (lambda: select.per_class({}), ["at least one", "got {}"]),
    "a number otherwise": (
        lambda: select.per_class({0: select.k_best(1)}, otherwise=0.5),
        ["per_class", "0.5"],
    ),
    "a rule for all and another one": (
        lambda: select.per_class(select.k_best(1), otherwise=select.k_best(2)),
        ["otherwise", "one holds for every label"],
    ),
}


@pytest.mark.parametrize(
    ("wrong", "parts"), WRONG_RULES.values(), ids=WRONG_RULES.keys()
)
def test_a_wrong_rule_is_refused_in_one_line(wrong: Any, parts: list[str]) -> None:
    with pytest.raises(DefinitionError) as error:
        wrong()

    (breach,) = error.value.breaches
    assert str(breach).startswith("select.")
    assert "\n" not in str(breach)
    for part in (": expected ", ", got ", *parts):
        assert part in str(breach)


RIGHT: dict[str, Any] = {
    "NumPy's numbers": lambda: define(
        select=select.k_best(np.int64(3)),
        weight=None,
        rounds=1,
    ),
    "NumPy's fractions": lambda: define(
        select=select.top_fraction(np.float64(0.2), np.float32(0.5))
    ),
    "a table that is no rows": lambda: define(
        WITH_TABLE, unlabeled={"X": "X_new", "table": "table"}
    ),
    "weights of unlabelled rows": lambda: define(
        WEIGHED, unlabeled={"X": "X_new", "w": "w_new"}
    ),
    "one weight": lambda: define(WEIGHED, weight=0.5),
    "a weight of a named input": lambda: define(WEIGHED, weight={"w": [0.1, 1]}),
    "all rows without confidence": lambda: define(
        SILENT, confidence=None, select=select.top_fraction(1), relabel=True
    ),
    "all rows of some classes without confidence": lambda: define(
        SILENT, confidence=None, select=select.per_class(select.top_fraction(1.0))
    ),
    "rules by class": lambda: define(
        select=select.per_class(
            {0: select.threshold(0.9)}, otherwise=select.top_fraction(0.5)
        )
    ),
    "an inner output as label": lambda: define(
        toys.classifier()
        + transformer(np.copy, inputs="label", outputs="again", name="copy")
    ),
}


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_definition_is_accepted(right: Any) -> None:
    assert right().state == ("model_state", "scale_state")
