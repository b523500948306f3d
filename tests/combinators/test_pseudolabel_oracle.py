"""The labels, rounds, reasons and predictions are those of SelfTrainingClassifier."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from combinators import pseudolabel_toys, toys
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier

from kedro_rats import estimator, select

DATA = {
    "digits": {"share": 0.1, "step": 4},
    "breast_cancer": {"share": 0.05, "step": 1},
    "iris": {"share": 0.2, "step": 1},
    "wine": {"share": 0.2, "step": 1},
}
MODELS: dict[str, Any] = {
    "a pipeline of its own": toys.classifier_of_sklearn(),
    "bayes": GaussianNB(),
    "neighbours, with ties": KNeighborsClassifier(3),
    "tree, with ties": DecisionTreeClassifier(max_depth=4, random_state=0),
    "forest": RandomForestClassifier(10, random_state=0),
}
RULES: dict[str, tuple[Any, dict[str, Any]]] = {
    "threshold": (select.threshold(0.75), {"threshold": 0.75}),
    "high threshold": (select.threshold(0.97), {"threshold": 0.97}),
    "few": (select.k_best(7), {"criterion": "k_best", "k_best": 7}),
    "many": (select.k_best(60), {"criterion": "k_best", "k_best": 60}),
    "more than there are": (
        select.k_best(10_000),
        {"criterion": "k_best", "k_best": 10_000},
    ),
}


def peer_of(model: Any, data: Any, rounds: int, **options: Any) -> Any:
    X = np.vstack([data["X"], data["X_new"]])
    y = np.concatenate([data["y"], np.full(len(data["X_new"]), -1)])
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="k_best is larger")
        return SelfTrainingClassifier(model, max_iter=rounds, **options).fit(X, y)


def assert_equal_to(peer: Any, model: Any, data: Any) -> None:
    made = toys.run(model.train, data)
    labelled, size = len(data["X"]), len(data["X_new"])

    transduced = pseudolabel_toys.transduced(made, size, "label", -1)
    iterations = pseudolabel_toys.transduced(made, size, "round", -1)
    history = made["own.history"]
    assert np.array_equal(transduced, peer.transduction_[labelled:])
    assert np.array_equal(iterations, peer.labeled_iter_[labelled:])
    assert history["stop"].iloc[-1] == peer.termination_condition_
    assert history["stop"].iloc[:-1].isna().all()
    assert len(history) == peer.n_iter_
    assert history["labeled"].iloc[-1] == (iterations >= 0).sum()

    again = {**data, "X": data["X_new"]}
    evaluated = toys.evaluated(model, made, again)
    assert np.array_equal(made["p"], peer.predict_proba(data["X"]))
    assert np.array_equal(evaluated["p"], peer.predict_proba(data["X_new"]))
    assert np.array_equal(made["label"], peer.predict(data["X"]))
    assert np.array_equal(evaluated["label"], peer.predict(data["X_new"]))


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", DATA)
def test_a_scaled_classifier_equals_scikit_learn(name: str, rule: str) -> None:
    data = pseudolabel_toys.split(name, **DATA[name])
    own, options = RULES[rule]

    peer = peer_of(toys.classifier_of_sklearn(), data, 4, **options)

    assert_equal_to(peer, pseudolabel_toys.labelling(select=own, rounds=4), data)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", MODELS)
def test_every_classifier_equals_scikit_learn(name: str, rule: str) -> None:
    data = pseudolabel_toys.split("wine", 0.2)
    outputs = {"predict": "label", "predict_proba": "p"}
    operand = estimator(
        MODELS[name], fit_inputs=["X", "y"], inputs="X", outputs=outputs, name="model"
    )
    own, options = RULES[rule]

    peer = peer_of(MODELS[name], data, 6, **options)

    # The classes of the largest probabilities, as scikit-learn labels, tied ones too.
    model = pseudolabel_toys.labelling(
        operand, label="p", confidence=None, select=own, rounds=6
    )
    assert_equal_to(peer, model, data)


@pytest.mark.parametrize("rounds", [1, 2, 3, 12])
@pytest.mark.parametrize("name", ["iris", "breast_cancer"])
def test_any_number_of_rounds_equals_scikit_learn(name: str, rounds: int) -> None:
    data = pseudolabel_toys.split(name, **DATA[name])

    peer = peer_of(toys.classifier_of_sklearn(), data, rounds, threshold=0.9)

    own = select.threshold(0.9)
    model = pseudolabel_toys.labelling(select=own, rounds=rounds)
    assert_equal_to(peer, model, data)


def test_all_reasons_to_stop_are_met() -> None:
    reasons = {
        (rule, rounds): peer_of(
            toys.classifier_of_sklearn(),
            pseudolabel_toys.split("wine", 0.2),
            rounds,
            **RULES[rule][1],
        ).termination_condition_
        for rule, rounds in [
            ("threshold", 1),
            ("high threshold", 12),
            ("more than there are", 4),
        ]
    }

    assert list(reasons.values()) == ["max_iter", "no_change", "all_labeled"]


def test_a_chain_with_a_step_that_learns_equals_scikit_learn() -> None:
    data = pseudolabel_toys.split("digits", **DATA["digits"])
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    reduce = estimator(
        PCA(12, svd_solver="full"), inputs="Z", outputs="P", name="reduce", fused=False
    )
    model = estimator(
        LogisticRegression(),
        fit_inputs=["P", "y"],
        inputs="P",
        outputs={"predict": "label", "predict_proba": "p"},
        name="model",
    )

    peer = peer_of(
        make_pipeline(StandardScaler(), TwoSteps(), LogisticRegression()),
        data,
        5,
        threshold=0.9,
    )

    own = select.threshold(0.9)
    chain = pseudolabel_toys.labelling(scale + reduce + model, select=own)
    assert_equal_to(peer, chain, data)


class TwoSteps(PCA):
    """Fits, then transforms, as two nodes do."""

    def __init__(self) -> None:
        super().__init__(12, svd_solver="full")

    def fit_transform(self, X: Any, y: Any = None) -> Any:
        return self.fit(X).transform(X)


@pytest.mark.parametrize("values", ["ham,spam", "3,7"])
def test_labels_of_any_type_equal_scikit_learn(values: str) -> None:
    data = pseudolabel_toys.split("breast_cancer", 0.05)
    classes = np.array(values.split(","), dtype="O")
    if values[0].isdigit():
        classes = classes.astype(int)
    named = {**data, "y": classes[data["y"]]}

    peer = peer_of(toys.classifier_of_sklearn(), data, 5, threshold=0.75)
    made = toys.run(pseudolabel_toys.labelling().train, named)

    rows = made["own.labels"]["row"].to_numpy()
    expected = peer.transduction_[len(data["X"]) :]
    assert list(rows) == list(np.flatnonzero(expected != -1))
    assert list(made["own.labels"]["label"]) == list(classes[expected[rows]])


def test_the_threshold_is_strict() -> None:
    """A confidence that equals the threshold does not select."""
    data = {
        "X": np.array([[0, 0]]),
        "y": np.array([1]),
        "X_new": np.array([[1, 1], [0, 2]]),
    }

    made = toys.run(pseudolabel_toys.near(select=select.threshold(0.5)).train, data)

    # The first is one away, so that it is as sure as 1 / (1 + 1).
    assert list(made["own.labels"]["row"]) == [1]
    assert list(made["own.labels"]["confidence"]) == [1.0]


@pytest.mark.parametrize("method", ["predict_log_proba", "decision_function"])
@pytest.mark.parametrize("name", ["wine", "breast_cancer"])
def test_other_outputs_by_class_label_like_probabilities(
    method: str, name: str
) -> None:
    """All order the rows of two classes alike; of several, labels are the same."""
    data = pseudolabel_toys.split(name, **DATA[name])
    operand = toys.scaled(LogisticRegression(), {"predict_proba": "p", method: "other"})
    rule = select.k_best(25)

    by_p, by_other = (
        toys.run(
            pseudolabel_toys.labelling(
                operand, label=output, confidence=sure, select=rule, rounds=2
            ).train,
            data,
        )
        for output, sure in (("p", "p"), ("other", None))
    )

    one, other = by_p["own.labels"], by_other["own.labels"]
    if method == "predict_log_proba" or name == "breast_cancer":
        assert list(one["row"]) == list(other["row"])
        assert list(one["label"]) == list(other["label"])
    else:
        both = one.merge(other, on="row")
        assert len(both) > 10
        assert (both["label_x"] == both["label_y"]).all()
    assert (other["confidence"] > 0).all() or method == "predict_log_proba"


def test_the_probabilities_of_the_labelling_object_are_the_default() -> None:
    data = pseudolabel_toys.split("wine", 0.2)

    named, default = (
        toys.run(pseudolabel_toys.labelling(confidence=sure).train, data)
        for sure in ("p", None)
    )

    assert named["own.labels"].equals(default["own.labels"])
    assert len(named["own.labels"]) > 50
