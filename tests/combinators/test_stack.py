"""A stack equals scikit-learn's ``StackingClassifier`` and ``StackingRegressor``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from combinators import stack_toys, toys
from combinators.stack_toys import linear, stacked
from scipy import sparse
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import StackingClassifier, StackingRegressor
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    PredefinedSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from kedro_rats import estimator, stack
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from combinators.toys import Array

    from kedro_rats import Estimator

PROBABLE = {
    "linear": linear(),
    "bayes": GaussianNB(),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
}
DECIDED = {"linear": linear(C=0.1), "lda": LinearDiscriminantAnalysis()}
BY_METHOD = {
    "predict_proba": PROBABLE,
    "decision_function": DECIDED,
    "predict": PROBABLE,
}
FINAL = linear(C=0.5)


def out_of_fold(
    objects: Mapping[str, Any], X: Any, y: Any, splitter: Any, method: str
) -> list[Any]:
    return [
        cross_val_predict(clone(obj), X, y, cv=splitter, method=method)
        for obj in objects.values()
    ]


def assert_same_classifier(
    ours: Estimator, peer: Any, data: dict[str, Any], other: Any, **fit: Any
) -> dict[str, Any]:
    """Compare what both learn, and what they say of other rows; return our datasets."""
    trained = toys.run(ours.train, data)
    peer = peer.fit(data["X"], data["y"], **fit)

    made = toys.evaluated(ours, trained, {"X": other})

    final = trained["final_state"]
    assert np.array_equal(final[-1].coef_, peer.final_estimator_[-1].coef_)
    features = made["features"]
    expected = peer.transform(other)
    if sparse.issparse(expected):
        assert features.format == expected.format
        assert (features != expected).nnz == 0
    else:
        assert type(features) is np.ndarray
        assert np.array_equal(features, expected)
    assert np.array_equal(made["label"], peer.predict(other))
    assert np.array_equal(made["p"], peer.predict_proba(other))
    return trained


# --- classification -----------------------------------------------------------------------


@pytest.mark.parametrize("passthrough", [False, True], ids=["alone", "passthrough"])
@pytest.mark.parametrize("method", BY_METHOD)
@pytest.mark.parametrize(
    ("data", "step"), [("breast_cancer", 4), ("iris", 1), ("wine", 1), ("digits", 9)]
)
def test_every_method_equals_scikit_learn(
    data: str, step: int, method: str, passthrough: bool
) -> None:
    X, y = toys.bundled(data, step)
    objects = BY_METHOD[method]
    # Digits have pixels that never vary, for which these two models warn.
    if data == "digits":
        objects = {"linear": linear(), "near": KNeighborsClassifier(3)}
        objects = objects if method != "decision_function" else {"linear": linear()}
    ours = stacked(
        objects, FINAL, method=method, passthrough=["X"] if passthrough else []
    )
    peer = StackingClassifier(
        list(objects.items()),
        clone(FINAL),
        cv=StratifiedKFold(3),
        stack_method=method,
        passthrough=passthrough,
    )

    made = assert_same_classifier(ours, peer, {"X": X, "y": y}, X[::3] * 1.01)

    blocks = out_of_fold(objects, X, y, StratifiedKFold(3), method)
    if method == "predict_proba" and len(np.unique(y)) == 2:
        blocks = [block[:, 1:] for block in blocks]
    columns = [block.reshape(len(X), -1) for block in blocks]
    expected = np.hstack([*columns, X] if passthrough else columns)
    assert np.array_equal(made["features"], expected)


def test_of_two_classes_the_first_probability_is_left_out_and_of_three_none() -> None:
    shapes = []
    for name in ("breast_cancer", "iris"):
        X, y = toys.bundled(name, 3)
        ours = stacked(PROBABLE, FINAL, method="predict_proba")
        shapes.append(toys.run(ours.train, {"X": X, "y": y})["features"].shape[1])

    assert shapes == [3 * 1, 3 * 3]


def test_two_columns_that_are_no_probabilities_are_both_kept() -> None:
    X, y = toys.bundled("breast_cancer", 4)
    pair = estimator(
        LinearDiscriminantAnalysis(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"transform": "one"},
        name="pair",
    )
    scale = estimator(StandardScaler(), inputs="X2", outputs="two", name="scale")
    final = stack_toys.model(FINAL, "label", "final", reads="features")
    ours = stack(
        [pair, scale],
        final,
        splitter=KFold(3),
        rows=["X", "y", "X2"],
        features=["two", "one"],
        name="stack",
    )

    made = toys.run(ours.train, {"X": X, "y": y, "X2": np.ascontiguousarray(X[:, :2])})

    assert made["features"].shape[1] == 2 + 1
    assert np.array_equal(made["features"][:, :2], made["two"])


FOLDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "in order": (KFold(4), {}),
    "shuffled": (KFold(3, shuffle=True, random_state=1), {}),
    "by class": (
        StratifiedKFold(3, shuffle=True, random_state=2),
        {"stratify": "y"},
    ),
    "written down": (PredefinedSplit(np.arange(143) % 3), {}),
    "by group": (GroupKFold(3), {"groups": "g"}),
}


@pytest.mark.parametrize(("splitter", "roles"), FOLDS.values(), ids=FOLDS.keys())
def test_every_kind_of_folds_equals_scikit_learn(
    splitter: Any, roles: dict[str, str]
) -> None:
    X, y = toys.bundled("breast_cancer", 4)
    groups = toys.groups_of(X, 8)
    options = {"stratify": None, **roles}
    ours = stacked(
        PROBABLE, FINAL, method="predict_proba", splitter=splitter, **options
    )
    pairs = list(splitter.split(X, y, groups if "groups" in roles else None))
    peer = StackingClassifier(list(PROBABLE.items()), clone(FINAL), cv=pairs)

    assert_same_classifier(ours, peer, {"X": X, "y": y, "g": groups}, X[:20] + 1)


@pytest.mark.parametrize("once", [False, True], ids=["list", "generator"])
def test_pairs_of_positions_equal_scikit_learn(once: bool) -> None:
    X, y = toys.bundled("wine")
    pairs = list(KFold(3, shuffle=True, random_state=5).split(X))
    ours = stacked(
        PROBABLE,
        FINAL,
        method="predict_proba",
        splitter=iter(pairs) if once else pairs,
        stratify=None,
    )
    peer = StackingClassifier(list(PROBABLE.items()), clone(FINAL), cv=pairs)

    assert_same_classifier(ours, peer, {"X": X, "y": y}, X[:20] + 1)


def test_classes_that_are_strings_equal_scikit_learn() -> None:
    X, y = toys.bundled("iris")
    y = np.array(["virginica", "setosa", "versicolor"])[y]
    ours = stacked(PROBABLE, FINAL, method="predict_proba")
    peer = StackingClassifier(
        list(PROBABLE.items()), clone(FINAL), cv=StratifiedKFold(3)
    )

    assert_same_classifier(ours, peer, {"X": X, "y": y}, X[::2] + 0.1)


@pytest.mark.filterwarnings("ignore:Number of classes in training fold")
def test_a_class_that_a_fold_did_not_see_equals_scikit_learn() -> None:
    X, y = toys.bundled("iris")
    ours = stacked(
        PROBABLE, FINAL, method="predict_proba", splitter=KFold(3), stratify=None
    )
    peer = StackingClassifier(list(PROBABLE.items()), clone(FINAL), cv=KFold(3))

    made = assert_same_classifier(ours, peer, {"X": X, "y": y}, X[::2] + 0.1)

    assert made["features"].shape == (150, 9)


def test_weights_that_are_wired_reach_the_bases_and_the_final_model() -> None:
    X, y = toys.bundled("breast_cancer", 4)
    X = StandardScaler().fit_transform(X)
    w = np.random.default_rng(0).uniform(0.1, 3, len(X))

    def weighted(obj: Any, reads: str, outputs: Any, name: str) -> Estimator:
        fit = {"X": reads, "y": "y", "sample_weight": "w"}
        return estimator(obj, fit_inputs=fit, inputs=reads, outputs=outputs, name=name)

    ours = stack(
        [
            weighted(LogisticRegression(), "X", {"predict_proba": "p1"}, "linear"),
            weighted(GaussianNB(), "X", {"predict_proba": "p2"}, "bayes"),
        ],
        weighted(LogisticRegression(), "features", {"predict_proba": "p"}, "final"),
        splitter=StratifiedKFold(4),
        rows=["X", "y", "w"],
        stratify="y",
        features=["p1", "p2"],
        name="stack",
    )
    peer = StackingClassifier(
        [("linear", LogisticRegression()), ("bayes", GaussianNB())],
        LogisticRegression(),
        cv=StratifiedKFold(4),
    ).fit(X, y, sample_weight=w)
    trained = toys.run(ours.train, {"X": X, "y": y, "w": w})

    made = toys.evaluated(ours, trained, {"X": X[:40] + 0.2})

    assert np.array_equal(made["p"], peer.predict_proba(X[:40] + 0.2))
    unweighted = clone(peer).fit(X, y).predict_proba(X[:40] + 0.2)
    assert not np.array_equal(made["p"], unweighted)


@pytest.mark.parametrize("kind", ["list of matrices", "matrix"])
def test_several_targets_equal_scikit_learn(kind: str) -> None:
    X, y = toys.bundled("digits", step=9)
    y = np.column_stack([y % 2, y % 3 == 0, y > 4]).astype(int)
    method = "predict_proba" if kind == "list of matrices" else "predict"
    objects = {"three": KNeighborsClassifier(3), "five": KNeighborsClassifier(5)}
    ours = stacked(
        objects,
        KNeighborsClassifier(7),
        method=method,
        outputs="label",
        splitter=KFold(3),
        stratify=None,
    )
    peer = StackingClassifier(
        list(objects.items()),
        KNeighborsClassifier(7),
        cv=KFold(3),
        stack_method=method,
    ).fit(X, y)
    trained = toys.run(ours.train, {"X": X, "y": y})

    made = toys.evaluated(ours, trained, {"X": X[:30] + 0.5})

    assert trained["features"].shape == (len(X), 2 * 3)
    assert np.array_equal(made["features"], peer.transform(X[:30] + 0.5))
    assert np.array_equal(made["label"], peer.predict(X[:30] + 0.5))


# --- regression ---------------------------------------------------------------------------

REGRESSORS = {
    "ridge": make_pipeline(StandardScaler(), Ridge()),
    "near": KNeighborsRegressor(5),
    "tree": DecisionTreeRegressor(max_depth=3, random_state=0),
}


@pytest.mark.parametrize("passthrough", [False, True], ids=["alone", "passthrough"])
@pytest.mark.parametrize("step", [1, 5])
def test_regression_equals_scikit_learn(step: int, passthrough: bool) -> None:
    X, y = toys.bundled("diabetes", step)
    splitter = KFold(5, shuffle=True, random_state=0)
    ours = stacked(
        REGRESSORS,
        Ridge(),
        method="predict",
        outputs="yhat",
        splitter=splitter,
        stratify=None,
        passthrough=["X"] if passthrough else [],
    )
    peer = StackingRegressor(
        list(REGRESSORS.items()), Ridge(), cv=splitter, passthrough=passthrough
    ).fit(X, y)
    trained = toys.run(ours.train, {"X": X, "y": y})

    made = toys.evaluated(ours, trained, {"X": X[:50] * 0.9})

    assert np.array_equal(trained["final_state"].coef_, peer.final_estimator_.coef_)
    assert np.array_equal(made["yhat"], peer.predict(X[:50] * 0.9))


def test_regression_of_several_targets_goes_on_where_scikit_learn_stops() -> None:
    X, y = toys.bundled("linnerud")
    objects = {"ridge": Ridge(), "linear": LinearRegression()}
    splitter = KFold(4, shuffle=True, random_state=1)
    ours = stacked(
        objects,
        Ridge(),
        method="predict",
        outputs="yhat",
        splitter=splitter,
        stratify=None,
    )
    trained = toys.run(ours.train, {"X": X, "y": y})

    made = toys.evaluated(ours, trained, {"X": X + 1})

    learned = np.hstack(out_of_fold(objects, X, y, splitter, "predict"))
    judged = np.hstack([clone(o).fit(X, y).predict(X + 1) for o in objects.values()])
    assert learned.shape == (20, 6)
    assert np.array_equal(trained["features"], learned)
    assert np.array_equal(made["yhat"], Ridge().fit(learned, y).predict(judged))
    with pytest.raises(ValueError, match="1d array"):
        StackingRegressor(list(objects.items()), Ridge(), cv=splitter).fit(X, y)


# --- containers -----------------------------------------------------------------------------


@pytest.mark.parametrize("passthrough", [False, True], ids=["alone", "passthrough"])
@pytest.mark.parametrize("kind", ["csr_matrix", "csc_array"])
def test_sparse_rows_equal_scikit_learn(kind: str, passthrough: bool) -> None:
    X, y = toys.bundled("digits", step=9)
    X = getattr(sparse, kind)(X / 16)
    objects = {
        "soft": make_pipeline(LogisticRegression()),
        "near": KNeighborsClassifier(3),
    }
    final = make_pipeline(LogisticRegression(max_iter=200))
    ours = stacked(
        objects,
        final,
        method="predict_proba",
        passthrough=["X"] if passthrough else [],
    )
    peer = StackingClassifier(
        list(objects.items()),
        final,
        cv=StratifiedKFold(3),
        passthrough=passthrough,
    )

    made = assert_same_classifier(ours, peer, {"X": X, "y": y}, X[:30] * 0.5)

    assert sparse.issparse(made["features"]) == passthrough


@pytest.mark.parametrize("passthrough", [False, True], ids=["alone", "passthrough"])
@pytest.mark.parametrize("kind", ["pandas", "polars"])
def test_data_frames_equal_scikit_learn(kind: str, passthrough: bool) -> None:
    X, y = toys.bundled("wine")
    columns = [f"c{i}" for i in range(X.shape[1])]
    if kind == "pandas":
        frame = pd.DataFrame(X, columns=columns, index=np.arange(len(X))[::-1])
        other = frame.iloc[:40] + 0.1
    else:
        frame = pl.DataFrame(X, schema=columns)
        other = frame[:40] + 0.1
    objects = {"bayes": GaussianNB(), "tree": PROBABLE["tree"]}
    ours = stacked(
        objects,
        FINAL,
        method="predict_proba",
        passthrough=["X"] if passthrough else [],
    )
    peer = StackingClassifier(
        list(objects.items()),
        clone(FINAL),
        cv=StratifiedKFold(3),
        passthrough=passthrough,
    )

    assert_same_classifier(ours, peer, {"X": frame, "y": y}, other)


def test_a_vector_of_rows_is_passed_through_as_a_column() -> None:
    X, y = toys.bundled("breast_cancer", 8)
    age = np.arange(len(X)) / 7
    ours = stacked(
        PROBABLE,
        FINAL,
        method="predict_proba",
        rows=["X", "y", "age"],
        passthrough=["age", "X"],
    )

    made = toys.run(ours.train, {"X": X, "y": y, "age": age})["features"]

    assert np.array_equal(made[:, 3], age)
    assert np.array_equal(made[:, 4:], X)


# --- what is not scikit-learn's -------------------------------------------------------------


def test_what_bases_begin_with_is_shared_and_refitted_once() -> None:
    X, y = toys.bundled("breast_cancer", 4)
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    objects = {"linear": LogisticRegression(), "lda": LinearDiscriminantAnalysis()}
    ours = stack(
        [
            scale + stack_toys.model(o, {"predict_proba": f"{n}_out"}, n, reads="Z")
            for n, o in objects.items()
        ],
        stack_toys.model(FINAL, stack_toys.FINAL_OUTPUTS, "final", reads="features"),
        splitter=StratifiedKFold(3),
        rows=["X", "y"],
        stratify="y",
        features=["linear_out", "lda_out"],
        name="stack",
    )
    peer = StackingClassifier(
        [(n, make_pipeline(StandardScaler(), o)) for n, o in objects.items()],
        clone(FINAL),
        cv=StratifiedKFold(3),
    )

    assert_same_classifier(ours, peer, {"X": X, "y": y}, X[:30] + 1)

    refits = [n.name for n in ours.train.nodes if "refit.scale" in n.name]
    assert refits == ["stack.refit.scale.fit_transform"]


def test_columns_are_in_the_order_of_the_features_not_of_the_bases() -> None:
    X, y = toys.bundled("iris")
    ours = stacked(
        PROBABLE,
        FINAL,
        method="predict_proba",
        features=["tree_out", "linear_out", "bayes_out"],
    )

    made = toys.run(ours.train, {"X": X, "y": y})

    parts = [made[name] for name in ("tree_out", "linear_out", "bayes_out")]
    assert np.array_equal(made["features"], np.hstack(parts))


def several_outputs() -> Estimator:
    return stack(
        [
            stack_toys.model(
                linear(), {"predict_proba": "p1", "predict": "l1"}, "linear"
            ),
            stack_toys.model(GaussianNB(), {"predict_proba": "p2"}, "bayes"),
        ],
        estimator(
            clone(FINAL),
            fit_inputs=["features", "y"],
            inputs="features",
            outputs="label",
            name="final",
        ),
        splitter=KFold(3, shuffle=True, random_state=3),
        rows=["X", "y"],
        features=["p1", "p2"],
        name="stack",
    )


def test_all_row_outputs_of_bases_are_out_of_fold_in_training() -> None:
    X, y = toys.bundled("breast_cancer", 4)
    ours = several_outputs()

    trained = toys.run(ours.train, {"X": X, "y": y})
    made = toys.evaluated(ours, trained, {"X": X})

    splitter = KFold(3, shuffle=True, random_state=3)
    for name, method in (("l1", "predict"), ("p1", "predict_proba")):
        expected = cross_val_predict(linear(), X, y, cv=splitter, method=method)
        assert np.array_equal(trained[name], expected)
        assert np.array_equal(made[name], getattr(linear().fit(X, y), method)(X))
    assert ours.outputs == ("l1", "label")


def test_final_outputs_in_training_are_those_of_final_on_what_it_learned_from() -> None:
    X, y = toys.bundled("breast_cancer", 4)

    made = toys.run(several_outputs().train, {"X": X, "y": y})

    assert np.array_equal(made["label"], made["final_state"].predict(made["features"]))


def test_final_may_read_rows_and_outputs_of_bases_beside_the_features() -> None:
    def fit(features: Array, label: Array, y: Array, X: Array) -> float:
        return float((features.sum() + label.sum() + X.sum()) * (1 + y.mean()))

    def apply(state: float, features: Array, label: Array) -> Array:
        return state + features.sum(axis=1) + label

    X, y = toys.bundled("breast_cancer", 8)
    final = estimator(
        fit,
        apply,
        fit_inputs=["features", "l1", "y", "X"],
        inputs=["features", "l1"],
        outputs="q",
        name="final",
    )
    ours = stack(
        [
            stack_toys.model(
                linear(), {"predict_proba": "p1", "predict": "l1"}, "linear"
            )
        ],
        final,
        splitter=KFold(3),
        rows=["X", "y"],
        features=["p1"],
        name="stack",
    )
    trained = toys.run(ours.train, {"X": X, "y": y})

    made = toys.evaluated(ours, trained, {"X": X[:9]})

    label = cross_val_predict(linear(), X, y, cv=KFold(3))
    assert trained["final_state"] == fit(trained["p1"][:, 1:], label, y, X)
    label = linear().fit(X, y).predict(X[:9])
    expected = apply(trained["final_state"], made["p1"][:, 1:], label)
    assert np.array_equal(made["q"], expected)


def test_labels_that_are_no_numbers_are_refused_in_one_line() -> None:
    X, y = toys.bundled("iris")
    ours = stacked(PROBABLE, FINAL, method="predict")

    with pytest.raises(RatsError) as error:
        toys.run(ours.train, {"X": X, "y": np.array(["a", "b", "c"])[y]})

    message = str(error.value)
    assert "feature 'linear_out' of 'stack': expected numbers, got <U1" in message
    assert "predict_proba" in message
    assert "\n" not in message


def test_features_with_other_numbers_of_rows_are_refused_in_one_line() -> None:
    X, y = toys.bundled("iris")
    ours = stacked(
        PROBABLE,
        FINAL,
        method="predict_proba",
        rows=["X", "y", "more"],
        passthrough=["more"],
    )
    trained = toys.run(ours.train, {"X": X, "y": y, "more": X})

    with pytest.raises(RatsError, match=r"same number of rows in all, got .*'more': 9"):
        toys.evaluated(ours, trained, {"X": X[:10], "more": X[:9]})


def test_names_are_those_of_the_parts_and_all_else_is_below_the_name() -> None:
    ours = several_outputs()

    kept = {"X", "y", "p1", "p2", "l1", "label", "features", *ours.state}
    for phase in (ours.train, ours.eval):
        for node in phase.nodes:
            assert node.name.startswith("stack.")
        for dataset in phase.datasets():
            assert dataset in kept or dataset.startswith("stack.")
    assert ours.state == ("bayes_state", "final_state", "linear_state")
    assert ours.scores is None
    assert ours.train.inputs() == {"X", "y"}
    assert ours.eval.inputs() == {"X", *ours.state}


def test_each_base_is_a_task_of_its_own_in_each_fold() -> None:
    groups = {
        tag
        for node in several_outputs().train.nodes
        for tag in node.tags
        if tag.startswith("group.")
    }

    assert groups == {
        f"group.stack.base_{base}.fold_{fold}" for base in (0, 1) for fold in (0, 1, 2)
    }
