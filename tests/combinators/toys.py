"""What the tests of combinators share: ways to run pipelines, data, and small operands.

All is at the top of a module, so that other processes can import it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn import datasets
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, mean_squared_error, r2_score
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kedro_rats import Estimator, cross_validate, estimator, metric

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

Array = npt.NDArray[Any]


# --- running --------------------------------------------------------------------------


def run(nodes: Pipeline | Iterable[Node], data: Mapping[str, Any]) -> dict[str, Any]:
    """Return every dataset after Kedro ran the nodes, one by one."""
    made = dict(data)
    for node in getattr(nodes, "nodes", nodes):
        made.update(node.run({name: made[name] for name in node.inputs}))
    return made


def evaluated(
    model: Estimator, trained: Mapping[str, Any], data: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what evaluation makes of other rows, with the state that was trained."""
    return run(model.eval, {**data, **{name: trained[name] for name in model.state}})


def scores(table: Any, name: str, part: str = "eval") -> Array:
    """Return one metric's values in the order of the folds, which must be complete."""
    chosen = table[(table["metric"] == name) & (table["part"] == part)]
    assert list(chosen["fold"]) == list(range(len(chosen)))
    return chosen["value"].to_numpy()


# --- data -----------------------------------------------------------------------------


@lru_cache
def bundled(name: str, step: int = 1) -> tuple[Array, Array]:
    """Return some rows of one of scikit-learn's data sets, C-ordered."""
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return np.ascontiguousarray(X[::step]), np.ascontiguousarray(y[::step])


def groups_of(rows: Array, number: int = 6) -> Array:
    """Return groups of unequal size, not in order."""
    return np.random.default_rng(0).integers(number, size=len(rows)) ** 2


# --- operands, and what scikit-learn makes of the same parts ----------------------------


def scaled(
    model: Any, outputs: Any, *, name: str = "model", **fit_inputs: str
) -> Estimator:
    """Return a scaler before a model, which reads X and y."""
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    learned = estimator(
        model,
        fit_inputs={"X": "Z", "y": "y", **fit_inputs},
        inputs="Z",
        outputs=outputs,
        name=name,
    )
    return scale + learned


def classifier() -> Estimator:
    return scaled(LogisticRegression(), {"predict": "label", "predict_proba": "p"})


def classifier_of_sklearn() -> SklearnPipeline:
    return make_pipeline(StandardScaler(), LogisticRegression())


def regressor() -> Estimator:
    return scaled(Ridge(), "yhat")


def regressor_of_sklearn() -> SklearnPipeline:
    return make_pipeline(StandardScaler(), Ridge())


def selecting() -> Estimator:
    """Return a scaler, a selection that looks at the target, and a classifier."""
    select = estimator(
        SelectKBest(k=5), fit_inputs=["Z", "y"], inputs="Z", outputs="S", name="select"
    )
    model = estimator(
        LogisticRegression(),
        fit_inputs=["S", "y"],
        inputs="S",
        outputs={"predict": "label", "decision_function": "d"},
        name="model",
    )
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    return scale + select + model


def selecting_of_sklearn() -> SklearnPipeline:
    return make_pipeline(StandardScaler(), SelectKBest(k=5), LogisticRegression())


def squared_error(y: Array, p: Array) -> float:
    """Judge the probability of the second of two classes; needs no two classes."""
    return float(mean_squared_error(y, p[:, 1]))


def as_column(d: Array) -> Array:
    return d.reshape(-1, 1)


ACCURACY = metric(accuracy_score, inputs=["y", "label"])
SQUARED_ERROR = metric(squared_error, inputs=["y", "p"], greater_is_better=False)
R2 = metric(r2_score, inputs=["y", "yhat"])


# --- definitions that other processes import --------------------------------------------


def cross_validated() -> Estimator:
    return cross_validate(
        classifier(),
        splitter=StratifiedKFold(3, shuffle=True, random_state=0),
        rows=["X", "y"],
        stratify="y",
        metrics={"accuracy": ACCURACY},
        train_scores=True,
        name="cv",
    )


def small() -> Estimator:
    """Return a cross-validation of few nodes, for runs in several processes."""
    return cross_validate(
        classifier(),
        splitter=KFold(2, shuffle=True, random_state=0),
        rows=["X", "y"],
        metrics={"accuracy": ACCURACY},
        name="cv",
    )


def nested() -> Estimator:
    inner = cross_validate(
        classifier(),
        splitter=GroupKFold(2),
        rows=["X", "y"],
        groups="g",
        metrics={"accuracy": ACCURACY},
        name="inner",
    )
    return cross_validate(
        inner,
        splitter=GroupKFold(3),
        rows=["X", "y"],
        groups="g",
        metrics={"accuracy": ACCURACY},
        on_error="nan",
        name="outer",
    )


# --- spies ------------------------------------------------------------------------------


class Spy:
    """Learns which rows it saw: the first column is the number of a row.

    ``transform`` gives each row as it was, and one more column: whether this row was
    seen by the fit. So every output tells of all the fits that it went through.
    """

    def fit(self, X: Array, y: Array | None = None) -> Spy:
        self.seen_ = np.unique(X[:, 0])
        # A row that an earlier stage saw, and that reaches this fit as if it had not.
        self.learned_from_seen_ = bool(X[:, 1:].any())
        return self

    def transform(self, X: Array) -> Array:
        return np.column_stack([X, np.isin(X[:, 0], self.seen_)])


def numbered(rows: int) -> Array:
    """Return rows for spies: the numbers of the rows, from 100 in no order."""
    ids = np.random.default_rng(1).permutation(rows) + 100
    return ids[:, None].astype(float)


def spy(inputs: str, outputs: str, name: str) -> Estimator:
    return estimator(Spy(), inputs=inputs, outputs=outputs, name=name)


def spies(first: str = "X", last: str = "out") -> Estimator:
    """Return three spies in a row: a scaler, a selection and a classifier."""
    return (
        spy(first, "Z", "scale") + spy("Z", "S", "select") + spy("S", last, "classify")
    )


# --- exact arithmetic -------------------------------------------------------------------


def learn_sum(X: Array) -> Array:
    return X.sum(axis=0)


def add_sum(state: Array, X: Array) -> Array:
    return 1000 * X + state


def summing() -> Estimator:
    """Return an operand whose numbers, of integers, do not depend on the rows' order."""
    return estimator(learn_sum, add_sum, inputs="X", outputs="out", name="sum")
