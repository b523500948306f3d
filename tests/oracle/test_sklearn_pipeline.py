"""Chains of estimators, and scikit-learn's `Pipeline` of the same steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from kedro.io import MemoryDataset
from pipelines.running import run, train_then_eval
from pipelines.same import assert_identical, assert_same_learned
from pipelines.steps import chain_of
from sklearn import datasets
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import NMF, PCA, KernelPCA, TruncatedSVD
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.multioutput import MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from kedro_rats import estimator
from kedro_rats.errors import DefinitionError

# `random_state` of TargetEncoder; what replaces it from scikit-learn 1.9 on is new there.
pytestmark = pytest.mark.filterwarnings("ignore:.*TargetEncoder.shuffle:FutureWarning")

Split = tuple[dict[str, Any], dict[str, Any]]
PROBABLE = ["predict", "predict_proba", "predict_log_proba"]
LINEAR = [*PROBABLE, "decision_function"]


def every_third_held_out(X: Any, y: Any) -> Split:
    """Split rows by position, whatever holds them."""
    count = X.shape[0] if hasattr(X, "shape") else len(X)
    held_out = np.arange(count) % 3 == 0
    parts = [
        {"X": _rows(X, np.flatnonzero(mask)), "y": _rows(y, np.flatnonzero(mask))}
        for mask in (~held_out, held_out)
    ]
    return parts[0], parts[1]


def _rows(data: Any, at: Any) -> Any:
    if isinstance(data, list):
        return [data[i] for i in at]
    return data.iloc[at] if hasattr(data, "iloc") else data[at]


def cancer() -> Split:
    return every_third_held_out(*datasets.load_breast_cancer(return_X_y=True))


def cancer_with_gaps() -> Split:
    X, y = datasets.load_breast_cancer(return_X_y=True)
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan
    return every_third_held_out(X, y)


def cancer_table() -> Split:
    return every_third_held_out(
        *datasets.load_breast_cancer(return_X_y=True, as_frame=True)
    )


def wine() -> Split:
    return every_third_held_out(*datasets.load_wine(return_X_y=True))


def digits() -> Split:
    X, y = datasets.load_digits(return_X_y=True)
    return every_third_held_out(X[:300], y[:300])


def sparse_digits() -> Split:
    X, y = datasets.load_digits(return_X_y=True)
    return every_third_held_out(scipy.sparse.csr_matrix(X[:300]), y[:300])


def diabetes() -> Split:
    return every_third_held_out(*datasets.load_diabetes(return_X_y=True))


def linnerud() -> Split:
    return every_third_held_out(*datasets.load_linnerud(return_X_y=True))


def linnerud_classes() -> Split:
    X, y = datasets.load_linnerud(return_X_y=True)
    return every_third_held_out(X, (y > np.median(y, axis=0)).astype(int))


def categories() -> Split:
    X, y = datasets.load_wine(return_X_y=True)
    return every_third_held_out((X[:, :3] // 1).astype(int).astype(str), y % 2)


def texts() -> Split:
    words = [line.split() for line in datasets.load_wine().DESCR.splitlines() if line]
    lines = [" ".join(line) for line in words if len(line) > 2]
    return every_third_held_out(lines, np.arange(len(lines)) % 2)


_LOGISTIC = LogisticRegression(max_iter=100)
_TREE = DecisionTreeClassifier(random_state=0, max_depth=3)
_BOTH = [("linear", _LOGISTIC), ("tree", _TREE)]
_COLUMNS = ColumnTransformer(
    [("scaled", StandardScaler(), [0, 1]), ("ranged", MinMaxScaler(), [2, 5])]
)
_UNION = FeatureUnion([("pca", PCA(3)), ("best", SelectKBest(k=4))])

SCALE = ("scale", StandardScaler())
CHAINS: dict[str, tuple[Any, list[tuple[str, Any]], list[str]]] = {
    "impute, scale, classify": (
        cancer_with_gaps,
        [("impute", SimpleImputer()), SCALE, ("clf", _LOGISTIC)],
        LINEAR,
    ),
    "scale, project, classify": (
        cancer,
        [SCALE, ("pca", PCA(5)), ("clf", _LOGISTIC)],
        LINEAR,
    ),
    "three classes": (wine, [SCALE, ("clf", _LOGISTIC)], LINEAR),
    "selection by target": (
        wine,
        [("best", SelectKBest(k=4)), SCALE, ("clf", SVC())],
        ["predict", "decision_function"],
    ),
    "features side by side": (
        wine,
        [SCALE, ("u", _UNION), ("clf", _TREE)],
        PROBABLE[:2],
    ),
    "columns": (wine, [("columns", _COLUMNS), ("clf", _LOGISTIC)], LINEAR),
    "target encoder": (
        categories,
        [("encode", TargetEncoder(random_state=0)), ("clf", _LOGISTIC)],
        LINEAR,
    ),
    "one-hot, sparse": (
        categories,
        [("hot", OneHotEncoder(handle_unknown="ignore")), ("clf", _LOGISTIC)],
        LINEAR,
    ),
    "texts": (
        texts,
        [("tfidf", TfidfVectorizer()), ("clf", MultinomialNB())],
        PROBABLE,
    ),
    "factors": (
        digits,
        [
            ("nmf", NMF(5, max_iter=2000, tol=1e-3, random_state=0)),
            ("clf", KNeighborsClassifier()),
        ],
        ["predict", "predict_proba"],
    ),
    "kernel": (wine, [SCALE, ("kpca", KernelPCA(3)), ("clf", _LOGISTIC)], LINEAR),
    "sparse rows": (
        sparse_digits,
        [("svd", TruncatedSVD(5, random_state=0)), ("clf", _TREE)],
        PROBABLE[:2],
    ),
    "a table": (cancer_table, [SCALE, ("clf", _LOGISTIC)], LINEAR),
    "a table throughout": (
        cancer_table,
        [
            ("scale", StandardScaler().set_output(transform="pandas")),
            ("pca", PCA(5).set_output(transform="pandas")),
            ("clf", _LOGISTIC),
        ],
        LINEAR,
    ),
    "regression": (diabetes, [SCALE, ("ridge", Ridge())], ["predict"]),
    "several targets": (linnerud, [SCALE, ("ridge", Ridge())], ["predict"]),
    "a model for each target": (
        linnerud,
        [SCALE, ("multi", MultiOutputRegressor(Ridge()))],
        ["predict"],
    ),
    "a classifier for each target": (
        linnerud_classes,
        [SCALE, ("multi", MultiOutputClassifier(_TREE))],
        ["predict", "predict_proba"],
    ),
    "transformed target": (
        diabetes,
        [
            SCALE,
            (
                "log",
                TransformedTargetRegressor(
                    Ridge(), func=np.log, inverse_func=np.exp, check_inverse=False
                ),
            ),
        ],
        ["predict"],
    ),
    "clusters": (
        wine,
        [SCALE, ("k", KMeans(3, n_init=2, random_state=0))],
        ["transform", "predict"],
    ),
    "only transformers": (wine, [SCALE, ("pca", PCA(3))], ["transform"]),
    "search": (
        wine,
        [SCALE, ("grid", GridSearchCV(_LOGISTIC, {"C": [0.1, 1.0]}, cv=3))],
        LINEAR,
    ),
    "calibration": (
        cancer,
        [SCALE, ("cal", CalibratedClassifierCV(SVC(), cv=3))],
        ["predict", "predict_proba"],
    ),
    "stacking": (
        wine,
        [SCALE, ("stack", StackingClassifier(_BOTH, _TREE, cv=3))],
        ["predict", "predict_proba", "transform"],
    ),
    "voting": (
        wine,
        [SCALE, ("vote", VotingClassifier(_BOTH, voting="soft"))],
        ["predict", "predict_proba", "transform"],
    ),
    "a pipeline as a step": (
        wine,
        [("inner", Pipeline([SCALE, ("pca", PCA(3))])), ("clf", _LOGISTIC)],
        LINEAR,
    ),
}


@pytest.mark.parametrize("chain", CHAINS)
def test_a_chain_gives_what_a_pipeline_gives(chain: str) -> None:
    load, steps, outputs = CHAINS[chain]
    train, held_out = load()
    peer = Pipeline([(name, clone(step)) for name, step in steps])

    ours = chain_of(steps, outputs)
    trained, evaluated = train_then_eval(
        ours, train, {"X": held_out["X"]}, copies=False
    )
    peer.fit(train["X"], train["y"])

    for name, step in peer.steps:
        assert_same_learned(trained[f"{name}_state"], step)
    for method in outputs:
        assert_identical(evaluated[method], getattr(peer, method)(held_out["X"]))


@pytest.mark.parametrize("chain", CHAINS)
def test_with_copies_it_is_a_pipeline_whose_steps_get_copies(chain: str) -> None:
    load, steps, outputs = CHAINS[chain]
    train, held_out = load()
    # A copy is in C order, and last bits depend on the order of the memory.
    peer = Pipeline(
        [
            pair
            for name, step in steps
            for pair in (
                (f"before_{name}", FunctionTransformer(as_kedro_copies)),
                (name, clone(step)),
            )
        ]
    )

    ours = chain_of(steps, outputs)
    trained, evaluated = train_then_eval(ours, train, {"X": held_out["X"]})
    peer.fit(train["X"], as_kedro_copies(train["y"]))

    for name, _ in steps:
        assert_same_learned(trained[f"{name}_state"], peer.named_steps[name])
    for method in outputs:
        assert_identical(evaluated[method], getattr(peer, method)(held_out["X"]))


def as_kedro_copies(data: Any) -> Any:
    """Copy as a `MemoryDataset` does when it is loaded."""
    dataset = MemoryDataset(data)
    return dataset.load()


@pytest.mark.parametrize("chain", ["impute, scale, classify", "a table", "clusters"])
def test_training_gives_what_a_pipeline_gives_of_its_own_rows(chain: str) -> None:
    load, steps, outputs = CHAINS[chain]
    train, _ = load()
    peer = Pipeline([(name, clone(step)) for name, step in steps])

    trained = run(chain_of(steps, outputs).train, train, copies=False)
    peer.fit(train["X"], train["y"])

    for method in outputs:
        assert_identical(trained[method], getattr(peer, method)(train["X"]))


@pytest.mark.parametrize(
    "loader", [cancer, cancer_table, diabetes, linnerud], ids=lambda load: load.__name__
)
def test_weights_by_keyword_reach_the_step_that_they_are_for(loader: Any) -> None:
    train, held_out = loader()
    weight = np.linspace(0.1, 3.0, len(train["y"]))
    last = _LOGISTIC if "cancer" in loader.__name__ else Ridge()
    peer = Pipeline([("scale", StandardScaler()), ("clf", clone(last))])

    ours = chain_of([SCALE, ("clf", last)], ["predict"], weight="w")
    _, evaluated = train_then_eval(
        ours, {**train, "w": weight}, {"X": held_out["X"]}, copies=False
    )
    peer.fit(train["X"], train["y"], clf__sample_weight=weight)

    assert_identical(evaluated["predict"], peer.predict(held_out["X"]))


def test_without_weights_the_result_is_another_one() -> None:
    train, _ = cancer()
    weight = np.linspace(0.1, 3.0, len(train["y"]))

    weighted = chain_of([SCALE, ("clf", _LOGISTIC)], ["predict_proba"], weight="w")
    plain = chain_of([SCALE, ("clf", _LOGISTIC)], ["predict_proba"])

    with_weights = run(weighted.train, {**train, "w": weight})["predict_proba"]
    without = run(plain.train, train)["predict_proba"]
    assert not np.array_equal(with_weights, without)


def test_tables_keep_their_index_and_columns() -> None:
    train, held_out = cancer_table()
    scale = StandardScaler().set_output(transform="pandas")

    ours = chain_of([("scale", scale)], ["transform"], fit_y=False)
    _, evaluated = train_then_eval(ours, {"X": train["X"]}, {"X": held_out["X"]})

    assert isinstance(evaluated["transform"], pd.DataFrame)
    assert evaluated["transform"].index.equals(held_out["X"].index)
    assert evaluated["transform"].columns.equals(held_out["X"].columns)


def test_a_global_output_container_is_kept() -> None:
    polars = pytest.importorskip("polars")
    train, held_out = cancer()
    scale = StandardScaler().set_output(transform="polars")

    ours = chain_of([("scale", scale)], ["transform"], fit_y=False)
    _, evaluated = train_then_eval(ours, {"X": train["X"]}, {"X": held_out["X"]})

    assert isinstance(evaluated["transform"], polars.DataFrame)
    expected = clone(scale).fit(train["X"]).transform(held_out["X"])
    assert evaluated["transform"].equals(expected)


def test_a_stack_with_its_default_final_estimator_predicts() -> None:
    train, held_out = wine()
    stack = StackingClassifier(_BOTH, cv=3)

    ours = chain_of([SCALE, ("stack", stack)], ["predict"])
    _, evaluated = train_then_eval(ours, train, {"X": held_out["X"]}, copies=False)

    peer = Pipeline([SCALE, ("stack", clone(stack))]).fit(train["X"], train["y"])
    assert_identical(evaluated["predict"], peer.predict(held_out["X"]))


def test_a_stack_has_two_methods_also_while_one_is_hidden() -> None:
    with pytest.raises(DefinitionError, match="with transform and predict"):
        estimator(StackingClassifier(_BOTH), inputs="X", outputs="label", name="stack")
