"""Scores equal those of scikit-learn's ``cross_validate``, for every kind of splitter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys
from sklearn import config_context
from sklearn import model_selection as ms
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    get_scorer,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kedro_rats import cross_validate, estimator, metric

if TYPE_CHECKING:
    from combinators.toys import Array

X, Y = toys.bundled("breast_cancer", step=5)
GROUPS = toys.groups_of(X)
FOLDS = np.random.default_rng(2).integers(4, size=len(X))
PAIRS = [(np.flatnonzero(k != FOLDS), np.flatnonzero(k == FOLDS)) for k in range(4)]
FEW = np.random.default_rng(3).permutation(len(X))[:14]


@dataclass(frozen=True)
class Case:
    """One way to split; ``peer`` is what scikit-learn gets for it."""

    splitter: Any
    groups: str | None = None
    stratify: str | None = None
    n_splits: int | None = None
    peer: Any = None
    few: bool = False

    def data(self) -> dict[str, Array]:
        rows = FEW if self.few else np.arange(len(X))
        return {"X": X[rows], "y": Y[rows], "g": GROUPS[rows], "column": FOLDS[rows]}

    def cross_validated(self, operand: Any, **options: Any) -> Any:
        return cross_validate(
            operand,
            splitter=self.splitter,
            rows=["X", "y"],
            groups=self.groups,
            stratify=self.stratify,
            n_splits=self.n_splits,
            name="cv",
            **options,
        )

    def given(self, data: dict[str, Array], role: str | None) -> Array | None:
        return None if role is None else data[role]

    def of_sklearn(self) -> Any:
        return self.splitter if self.peer is None else self.peer


PARTITIONS = {
    "KFold": Case(ms.KFold(4)),
    "shuffled KFold": Case(ms.KFold(4, shuffle=True, random_state=7)),
    "StratifiedKFold": Case(ms.StratifiedKFold(4), stratify="y"),
    "shuffled StratifiedKFold": Case(
        ms.StratifiedKFold(3, shuffle=True, random_state=np.int64(7)), stratify="y"
    ),
    "GroupKFold": Case(ms.GroupKFold(3), groups="g"),
    "StratifiedGroupKFold": Case(ms.StratifiedGroupKFold(3), groups="g", stratify="y"),
    "shuffled StratifiedGroupKFold": Case(
        ms.StratifiedGroupKFold(3, shuffle=True, random_state=1),
        groups="g",
        stratify="y",
    ),
    "LeaveOneOut": Case(ms.LeaveOneOut(), n_splits=len(FEW), few=True),
    "LeaveOneGroupOut": Case(
        ms.LeaveOneGroupOut(), groups="g", n_splits=len(np.unique(GROUPS))
    ),
    "PredefinedSplit": Case(ms.PredefinedSplit(FOLDS)),
    "index pairs": Case(PAIRS),
    "index pairs as lists": Case(
        [[a.tolist(), b.tolist()] for a, b in PAIRS], peer=PAIRS
    ),
    "boolean masks": Case([(k != FOLDS, k == FOLDS) for k in range(4)], peer=PAIRS),
    "fold column": Case("column", n_splits=4, peer=ms.PredefinedSplit(FOLDS)),
}
OTHERS = {
    "ShuffleSplit": Case(ms.ShuffleSplit(3, random_state=0)),
    "StratifiedShuffleSplit": Case(
        ms.StratifiedShuffleSplit(3, random_state=0), stratify="y"
    ),
    "GroupShuffleSplit": Case(ms.GroupShuffleSplit(3, random_state=0), groups="g"),
    "TimeSeriesSplit": Case(ms.TimeSeriesSplit(3, gap=2)),
    "RepeatedKFold": Case(ms.RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)),
    "RepeatedStratifiedKFold": Case(
        ms.RepeatedStratifiedKFold(n_splits=2, n_repeats=2, random_state=0),
        stratify="y",
    ),
    "LeavePGroupsOut": Case(
        ms.LeavePGroupsOut(4),
        groups="g",
        n_splits=ms.LeavePGroupsOut(4).get_n_splits(groups=GROUPS),
    ),
    "PredefinedSplit with rows that are never judged": Case(
        ms.PredefinedSplit(np.where(FOLDS == 3, -1, FOLDS))
    ),
}


def by_name(cases: dict[str, Case]) -> Any:
    return pytest.mark.parametrize("case", cases.values(), ids=cases.keys())


def judged_by_sklearn(fitted: Any, X: Array, y: Array) -> dict[str, float]:
    return {
        "accuracy": accuracy_score(y, fitted.predict(X)),
        "error": toys.squared_error(y, fitted.predict_proba(X)),
    }


@by_name(PARTITIONS | OTHERS)
def test_scores_of_every_splitter_equal_those_of_scikit_learn(case: Case) -> None:
    data = case.data()
    metrics = {"accuracy": toys.ACCURACY, "error": toys.SQUARED_ERROR}
    cv = case.cross_validated(toys.classifier(), metrics=metrics, train_scores=True)

    table = toys.run(cv.train, data)[cv.scores]

    expected = ms.cross_validate(
        toys.classifier_of_sklearn(),
        data["X"],
        data["y"],
        groups=case.given(data, case.groups),
        cv=case.of_sklearn(),
        scoring=judged_by_sklearn,
        return_train_score=True,
    )
    for name in metrics:
        assert np.array_equal(toys.scores(table, name), expected[f"test_{name}"])
        assert np.array_equal(
            toys.scores(table, name, "train"), expected[f"train_{name}"]
        )


@by_name(PARTITIONS)
def test_out_of_fold_rows_of_every_partition_equal_those_of_scikit_learn(
    case: Case,
) -> None:
    data = case.data()
    cv = case.cross_validated(toys.classifier())

    made = toys.run(cv.train, data)

    for output, method in {"label": "predict", "p": "predict_proba"}.items():
        expected = ms.cross_val_predict(
            toys.classifier_of_sklearn(),
            data["X"],
            data["y"],
            groups=case.given(data, case.groups),
            cv=case.of_sklearn(),
            method=method,
        )
        assert np.array_equal(made[output], expected)


@by_name(OTHERS)
def test_other_splitters_leave_the_outputs_of_each_fold_and_no_row_outputs(
    case: Case,
) -> None:
    data = case.data()
    cv = case.cross_validated(toys.classifier())

    made = toys.run(cv.train, data)

    assert not {"label", "p"} & made.keys()
    folds = list(
        case.splitter.split(data["X"], data["y"], case.given(data, case.groups))
    )
    for k, (train, test) in enumerate(folds):
        fitted = toys.classifier_of_sklearn().fit(data["X"][train], data["y"][train])
        expected = fitted.predict_proba(data["X"][test])
        assert np.array_equal(made[f"cv.fold_{k}.eval.p"], expected)
    assert f"cv.fold_{len(folds)}.eval.p" not in made


@by_name(OTHERS)
def test_other_splitters_have_no_pooled_score(case: Case) -> None:
    metrics = {"accuracy": toys.ACCURACY}
    cv = case.cross_validated(toys.classifier(), metrics=metrics)

    made = toys.run(cv.train, case.data())

    assert made["cv.summary"]["accuracy"].keys() == {"mean", "std"}


def test_scores_are_a_table_with_a_row_for_each_fold_part_and_metric() -> None:
    cv = PARTITIONS["index pairs"].cross_validated(
        toys.classifier(), metrics={"accuracy": toys.ACCURACY}, train_scores=True
    )

    table = toys.run(cv.train, {"X": X, "y": Y})["cv.scores"]

    assert list(table.columns) == ["fold", "part", "metric", "value", "rows"]
    assert list(table["part"]) == ["eval"] * 4 + ["train"] * 4
    assert list(table["metric"]) == ["accuracy"] * 8
    sizes = [len(test) for _, test in PAIRS] + [len(train) for train, _ in PAIRS]
    assert list(table["rows"]) == sizes


def mean_cost(costs: Array, label: Array, y: Array) -> float:
    return float(costs[y, label].mean())


def score_of(fitted: Any, Z: Array, y: Array) -> float:
    return float(fitted.score(Z, y))


@pytest.mark.parametrize("on_error", ["raise", "nan"])
def test_rows_are_counted_where_a_metric_reads_something_else_first(
    on_error: Any,
) -> None:
    forest = toys.scaled(
        RandomForestClassifier(7, random_state=0),
        {"predict": "label", "predict_proba": "p"},
    )
    metrics = {
        "cost": metric(mean_cost, inputs=["costs", "label", "y"]),
        "own": metric(score_of, inputs=["model_state", "Z", "y"]),
        "output": metric(lambda p: float(p.mean()), inputs="p"),
        "step": metric(lambda fitted, Z: float(Z.mean()), inputs=["model_state", "Z"]),
        "size": metric(lambda fitted: float(len(fitted)), inputs="model_state"),
    }
    cv = PARTITIONS["index pairs"].cross_validated(
        forest, metrics=metrics, shared=["costs"], train_scores=True, on_error=on_error
    )
    costs = np.array([[0.0, 1.0], [5.0, 0.0]])

    table = toys.run(cv.train, {"X": X, "y": Y, "costs": costs})["cv.scores"]

    sizes = [len(test) for _, test in PAIRS] + [len(train) for train, _ in PAIRS]
    for name in metrics:
        counted = table[table["metric"] == name]["rows"]
        assert list(counted) == ([0] * 8 if name == "size" else sizes)


def test_without_train_scores_there_is_no_row_of_the_part_train() -> None:
    cv = PARTITIONS["KFold"].cross_validated(
        toys.classifier(), metrics={"accuracy": toys.ACCURACY}
    )

    table = toys.run(cv.train, {"X": X, "y": Y})["cv.scores"]

    assert set(table["part"]) == {"eval"}


def test_the_summary_tells_the_mean_of_folds_apart_from_the_pooled_value() -> None:
    X, y = toys.bundled("diabetes", step=4)
    folds = ms.KFold(5, shuffle=True, random_state=3)
    metrics = {"r2": toys.R2, "mae": metric(mean_absolute_error, inputs=["y", "yhat"])}
    cv = cross_validate(
        toys.regressor(), splitter=folds, rows=["X", "y"], metrics=metrics, name="cv"
    )

    summary = toys.run(cv.train, {"X": X, "y": y})["cv.summary"]

    peer = toys.regressor_of_sklearn()
    yhat = ms.cross_val_predict(peer, X, y, cv=folds)
    values = ms.cross_val_score(peer, X, y, cv=folds, scoring="r2")
    pooled = r2_score(y, yhat)
    expected = {"mean": np.mean(values), "std": np.std(values), "pooled": pooled}
    assert list(summary) == ["r2", "mae"]
    assert summary["r2"] == expected
    assert summary["mae"]["pooled"] == mean_absolute_error(y, yhat)
    assert expected["mean"] != expected["pooled"]


def test_a_metric_of_an_output_that_is_not_gathered_is_pooled_too() -> None:
    cv = PARTITIONS["KFold"].cross_validated(
        toys.classifier(), metrics={"error": toys.SQUARED_ERROR}, outputs=["label"]
    )

    made = toys.run(cv.train, {"X": X, "y": Y})

    p = ms.cross_val_predict(
        toys.classifier_of_sklearn(), X, Y, cv=ms.KFold(4), method="predict_proba"
    )
    assert "p" not in made
    assert made["cv.summary"]["error"]["pooled"] == toys.squared_error(Y, p)


def test_a_metric_may_read_an_intermediate_result_of_evaluation() -> None:
    spread = metric(lambda Z: float(np.abs(Z).max()), inputs="Z")
    cv = PARTITIONS["KFold"].cross_validated(
        toys.classifier(), metrics={"spread": spread}
    )

    made = toys.run(cv.train, {"X": X, "y": Y})

    expected = [
        np.abs(StandardScaler().fit(X[train]).transform(X[test])).max()
        for train, test in ms.KFold(4).split(X)
    ]
    assert np.array_equal(toys.scores(made["cv.scores"], "spread"), expected)
    assert made["cv.summary"]["spread"]["pooled"] == max(expected)


def test_a_metric_may_read_the_state_of_its_fold() -> None:
    size = metric(
        lambda fitted: float(np.abs(fitted.coef_).sum()), inputs="model_state"
    )
    cv = PARTITIONS["KFold"].cross_validated(toys.classifier(), metrics={"size": size})

    made = toys.run(cv.train, {"X": X, "y": Y})

    expected = [
        np.abs(toys.classifier_of_sklearn().fit(X[train], Y[train])[-1].coef_).sum()
        for train, _ in ms.KFold(4).split(X)
    ]
    assert np.array_equal(toys.scores(made["cv.scores"], "size"), expected)


def test_a_metric_may_read_parameters_and_shared_inputs() -> None:
    def above(y: Array, p: Array, threshold: float, costs: Array) -> float:
        return float(costs[y, (p[:, 1] > threshold).astype(int)].mean())

    costs = np.array([[0.0, 1.0], [5.0, 0.0]])
    cost = metric(above, inputs=["y", "p", "params:threshold", "costs"])
    cv = PARTITIONS["KFold"].cross_validated(
        toys.classifier(), metrics={"cost": cost}, shared=["costs"]
    )

    made = toys.run(cv.train, {"X": X, "y": Y, "params:threshold": 0.3, "costs": costs})

    p = ms.cross_val_predict(
        toys.classifier_of_sklearn(), X, Y, cv=ms.KFold(4), method="predict_proba"
    )
    expected = [above(Y[t], p[t], 0.3, costs) for _, t in ms.KFold(4).split(X)]
    assert np.array_equal(toys.scores(made["cv.scores"], "cost"), expected)
    assert made["cv.summary"]["cost"]["pooled"] == above(Y, p, 0.3, costs)


def test_weights_in_fit_and_metric_and_groups_equal_scikit_learns_routing() -> None:
    weights = np.random.default_rng(4).random(len(X)) + 0.1
    operand = toys.scaled(
        LogisticRegression(),
        {"predict": "label", "decision_function": "d"},
        sample_weight="w",
    )
    metrics = {
        "accuracy": metric(
            accuracy_score,
            inputs={"y_true": "y", "y_pred": "label", "sample_weight": "w"},
        ),
        "auc": metric(
            roc_auc_score, inputs={"y_true": "y", "y_score": "d", "sample_weight": "w"}
        ),
        "unweighted": metric(roc_auc_score, inputs=["y", "d"]),
    }
    cv = cross_validate(
        operand,
        splitter=ms.StratifiedGroupKFold(3),
        rows=["X", "y", "w"],
        groups="g",
        stratify="y",
        metrics=metrics,
        train_scores=True,
        name="cv",
    )

    table = toys.run(cv.train, {"X": X, "y": Y, "w": weights, "g": GROUPS})["cv.scores"]

    with config_context(enable_metadata_routing=True):
        peer = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            LogisticRegression().set_fit_request(sample_weight=True),
        )
        scoring = {
            "accuracy": get_scorer("accuracy").set_score_request(sample_weight=True),
            "auc": get_scorer("roc_auc").set_score_request(sample_weight=True),
            "unweighted": get_scorer("roc_auc").set_score_request(sample_weight=False),
        }
        expected = ms.cross_validate(
            peer,
            X,
            Y,
            cv=ms.StratifiedGroupKFold(3),
            scoring=scoring,
            params={"sample_weight": weights, "groups": GROUPS},
            return_train_score=True,
        )
    for name in metrics:
        assert np.array_equal(toys.scores(table, name), expected[f"test_{name}"])
        assert np.array_equal(
            toys.scores(table, name, "train"), expected[f"train_{name}"]
        )
    assert not np.array_equal(expected["test_auc"], expected["test_unweighted"])


@pytest.mark.parametrize("data", ["diabetes", "linnerud"])
def test_scores_of_regressions_equal_those_of_scikit_learn(data: str) -> None:
    X, y = toys.bundled(data)
    folds = ms.KFold(5, shuffle=True, random_state=0)
    metrics = {"r2": toys.R2, "mae": metric(mean_absolute_error, inputs=["y", "yhat"])}
    cv = cross_validate(
        toys.scaled(LinearRegression(), "yhat"),
        splitter=folds,
        rows=["X", "y"],
        metrics=metrics,
        train_scores=True,
        name="cv",
    )

    table = toys.run(cv.train, {"X": X, "y": y})["cv.scores"]

    expected = ms.cross_validate(
        make_pipeline(StandardScaler(), LinearRegression()),
        X,
        y,
        cv=folds,
        scoring={"r2": "r2", "mae": "neg_mean_absolute_error"},
        return_train_score=True,
    )
    for part, prefix in (("eval", "test"), ("train", "train")):
        assert np.array_equal(toys.scores(table, "r2", part), expected[f"{prefix}_r2"])
        assert np.array_equal(
            toys.scores(table, "mae", part), -expected[f"{prefix}_mae"]
        )


def test_what_is_chosen_by_the_target_is_chosen_in_each_fold() -> None:
    folds = ms.StratifiedKFold(4)
    auc = metric(roc_auc_score, inputs=["y", "d"])
    cv = cross_validate(
        toys.selecting(),
        splitter=folds,
        rows=["X", "y"],
        stratify="y",
        metrics={"auc": auc},
        train_scores=True,
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": Y})

    expected = ms.cross_validate(
        toys.selecting_of_sklearn(),
        X,
        Y,
        cv=folds,
        scoring="roc_auc",
        return_train_score=True,
    )
    table = made["cv.scores"]
    assert np.array_equal(toys.scores(table, "auc"), expected["test_score"])
    assert np.array_equal(toys.scores(table, "auc", "train"), expected["train_score"])
    chosen = {
        tuple(made[f"cv.fold_{k}.train.select_state"].get_support(indices=True))
        for k in range(4)
    }
    assert len(chosen) > 1


def test_folds_of_one_definition_do_not_depend_on_earlier_runs() -> None:
    cv = PARTITIONS["shuffled KFold"].cross_validated(toys.classifier())

    first, second = (toys.run(cv.train, {"X": X, "y": Y}) for _ in range(2))

    assert np.array_equal(first["p"], second["p"])


def test_parameters_reach_each_fold_and_the_refit() -> None:
    model = estimator(
        LogisticRegression(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"predict_proba": "p"},
        params="params:model",
        name="model",
    )
    X, y = toys.bundled("iris", step=3)
    cv = cross_validate(
        model,
        splitter=ms.StratifiedKFold(3),
        rows=["X", "y"],
        stratify="y",
        name="cv",
    )

    made = toys.run(cv.train, {"X": X, "y": y, "params:model": {"C": 0.01}})

    peer = LogisticRegression(C=0.01)
    expected = ms.cross_val_predict(
        peer, X, y, cv=ms.StratifiedKFold(3), method="predict_proba"
    )
    assert np.array_equal(made["p"], expected)
    assert np.array_equal(made["model_state"].coef_, clone(peer).fit(X, y).coef_)
