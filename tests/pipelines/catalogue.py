"""Every estimator of scikit-learn, with real data that it can be fitted to."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn import datasets
from sklearn.base import is_regressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler
from sklearn.utils import all_estimators

if TYPE_CHECKING:
    from collections.abc import Callable

METHODS = (
    "transform",
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score_samples",
)

SKIPPED = {
    "MultiOutputClassifier": "tested with data of several targets in chains",
    "ClassifierChain": "tested with data of several targets in chains",
    "FeatureUnion": "needs a list of transformers: tested in chains",
    "Pipeline": "is what chains replace: tested in chains",
    "ColumnTransformer": "needs columns: tested in chains",
    "FrozenEstimator": "is fitted before: a clone keeps that, tested apart",
}

_CLASSIFIER = LogisticRegression(max_iter=50)
_NAMED = [("a", LogisticRegression(max_iter=50)), ("b", LogisticRegression(C=0.1))]
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "AdaBoostClassifier": {"n_estimators": 5},
    "AdaBoostRegressor": {"n_estimators": 5},
    "BaggingClassifier": {"n_estimators": 3},
    "BaggingRegressor": {"n_estimators": 3},
    "CalibratedClassifierCV": {"cv": 2},
    "CCA": {"n_components": 1},
    "ExtraTreesClassifier": {"n_estimators": 5},
    "ExtraTreesRegressor": {"n_estimators": 5},
    "FixedThresholdClassifier": {"estimator": _CLASSIFIER},
    "GaussianRandomProjection": {"n_components": 2},
    "GradientBoostingClassifier": {"n_estimators": 5},
    "GradientBoostingRegressor": {"n_estimators": 5},
    "GridSearchCV": {"estimator": Ridge(), "param_grid": {"alpha": [0.1, 1]}, "cv": 2},
    "HalvingGridSearchCV": {
        "estimator": Ridge(),
        "param_grid": {"alpha": [0.1, 1]},
        "cv": 2,
    },
    "HalvingRandomSearchCV": {
        "estimator": Ridge(),
        "param_distributions": {"alpha": [0.1, 1]},
        "cv": 2,
    },
    "HistGradientBoostingClassifier": {"max_iter": 5},
    "HistGradientBoostingRegressor": {"max_iter": 5},
    "KBinsDiscretizer": {"strategy": "kmeans"},
    "LogisticRegressionCV": {"Cs": 2, "cv": 2},
    "MiniBatchDictionaryLearning": {"max_iter": 5},
    "DictionaryLearning": {"max_iter": 5},
    "MLPClassifier": {"max_iter": 10},
    "MLPRegressor": {"max_iter": 10},
    "MultiOutputRegressor": {"estimator": Ridge()},
    "OneVsOneClassifier": {"estimator": _CLASSIFIER},
    "OneVsRestClassifier": {"estimator": _CLASSIFIER},
    "OutputCodeClassifier": {"estimator": _CLASSIFIER},
    "PatchExtractor": {"patch_size": (2, 2)},
    "PLSCanonical": {"n_components": 1},
    "PLSSVD": {"n_components": 1},
    "RandomForestClassifier": {"n_estimators": 5},
    "RandomForestRegressor": {"n_estimators": 5},
    "IsolationForest": {"n_estimators": 5},
    "RandomTreesEmbedding": {"n_estimators": 5},
    "RandomizedSearchCV": {
        "estimator": Ridge(),
        "param_distributions": {"alpha": [0.1, 1]},
        "cv": 2,
        "n_iter": 2,
    },
    "RegressorChain": {"estimator": Ridge()},
    "RFE": {"estimator": _CLASSIFIER},
    "RFECV": {"estimator": _CLASSIFIER, "cv": 2},
    "SelectFromModel": {"estimator": _CLASSIFIER},
    "SelectKBest": {"k": 2},
    "SelfTrainingClassifier": {"estimator": _CLASSIFIER},
    "SequentialFeatureSelector": {"estimator": _CLASSIFIER, "cv": 2},
    "SparseCoder": {"dictionary": np.eye(4)},
    "SparseRandomProjection": {"n_components": 2},
    "StackingClassifier": {"estimators": _NAMED, "cv": 2},
    "StackingRegressor": {"estimators": [("a", Ridge()), ("b", Ridge(2.0))], "cv": 2},
    "TunedThresholdClassifierCV": {"estimator": _CLASSIFIER, "cv": 2},
    "VotingClassifier": {"estimators": _NAMED},
    "VotingRegressor": {"estimators": [("a", Ridge()), ("b", Ridge(2.0))]},
}
_TWO_CLASSES = {"FixedThresholdClassifier", "TunedThresholdClassifierCV"}
_SEVERAL_TARGETS = {
    "CCA",
    "PLSCanonical",
    "PLSSVD",
    "MultiTaskElasticNet",
    "MultiTaskElasticNetCV",
    "MultiTaskLasso",
    "MultiTaskLassoCV",
    "MultiOutputRegressor",
    "RegressorChain",
}
_TEXTS = ["red fish", "blue fish", "a red bird", "one blue bird sings", "no fish"] * 4
_LABELS = np.array(["b", "a", "c", "a"] * 5)


def made(name: str, cls: type) -> Any:
    """Return an estimator with its defaults, made reproducible and fast enough."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # that a class is deprecated
        built = cls(**_ARGUMENTS.get(name, {}))
    if "random_state" in built.get_params(deep=False):
        built.set_params(random_state=0)
    return built


def everything() -> list[tuple[str, Any]]:
    """Return all estimators of scikit-learn by name, but those in `SKIPPED`."""
    return [(n, made(n, cls)) for n, cls in all_estimators() if n not in SKIPPED]


def data_for(name: str, obj: Any) -> dict[str, Any]:
    """Return rows that ``obj`` can be fitted to, and a target where it takes one."""
    for names, load in _SPECIAL.items():
        if name in names:
            return load()
    if is_regressor(obj):
        X, y = datasets.load_diabetes(return_X_y=True)
        return {"X": np.ascontiguousarray(X[:60]), "y": y[:60]}
    X, y = datasets.load_iris(return_X_y=True)
    return {"X": np.ascontiguousarray(X[::2]), "y": y[::2]}


def _two_classes() -> dict[str, Any]:
    X, y = datasets.load_iris(return_X_y=True)
    return {"X": X[:100:2].copy(), "y": y[:100:2]}


def _several_targets() -> dict[str, Any]:
    X, y = datasets.load_linnerud(return_X_y=True)
    return {"X": X, "y": y[:, :2].copy()}


def _one_column() -> dict[str, Any]:
    X, y = datasets.load_diabetes(return_X_y=True)
    return {"X": X[:60, 2].copy(), "y": y[:60]}


def _texts() -> dict[str, Any]:
    return {"X": _TEXTS}


def _mappings() -> dict[str, Any]:
    return {"X": [{"length": len(t), "fish": "fish" in t} for t in _TEXTS]}


def _labels() -> dict[str, Any]:
    return {"X": _LABELS}


def _sets() -> dict[str, Any]:
    return {"X": [set(text.split()) for text in _TEXTS]}


def _images() -> dict[str, Any]:
    return {"X": datasets.load_digits().images[:5]}


def _kernel() -> dict[str, Any]:
    X = StandardScaler().fit_transform(datasets.load_iris().data[:20])
    return {"X": X @ X.T}


_SPECIAL: dict[frozenset[str], Callable[[], dict[str, Any]]] = {
    frozenset(_TWO_CLASSES): _two_classes,
    frozenset(_SEVERAL_TARGETS): _several_targets,
    frozenset({"IsotonicRegression"}): _one_column,
    frozenset({"CountVectorizer", "TfidfVectorizer", "HashingVectorizer"}): _texts,
    frozenset({"DictVectorizer", "FeatureHasher"}): _mappings,
    frozenset({"LabelEncoder", "LabelBinarizer"}): _labels,
    frozenset({"MultiLabelBinarizer"}): _sets,
    frozenset({"PatchExtractor"}): _images,
    frozenset({"KernelCenterer"}): _kernel,
}
