"""Pseudo-labelling nests with every combinator, and runs the same on every runner."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from combinators import pseudolabel_toys, toys
from kedro.io import DataCatalog, MemoryDataset, SharedMemoryDataCatalog
from kedro.runner import ParallelRunner, SequentialRunner, ThreadRunner
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

from kedro_rats import (
    Estimator,
    LeakWarning,
    cross_validate,
    estimator,
    holdout,
    select,
    tune,
)
from kedro_rats.combinators.idling import Idle

optuna = pytest.importorskip("optuna")

DATA = pseudolabel_toys.split("wine", 0.4)
C = "params:model.C"
SPACE = {C: optuna.distributions.CategoricalDistribution([0.001, 0.1, 10.0])}


def with_parameters() -> Estimator:
    scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
    model = estimator(
        LogisticRegression(),
        fit_inputs=["Z", "y"],
        inputs="Z",
        outputs={"predict": "label", "predict_proba": "p"},
        params="params:model",
        name="model",
    )
    return scale + model


def tuned(operand: Estimator, name: str = "tune", **options: Any) -> Estimator:
    return tune(
        operand,
        space=SPACE,
        objective="accuracy",
        trials=3,
        sampler="grid",
        name=name,
        **options,
    )


def judged(operand: Estimator, name: str = "cv", **options: Any) -> Estimator:
    """Return an operand without unlabelled rows, cross-validated."""
    return pseudolabel_toys.judged(operand, shared=[], name=name, **options)


class OnAll(ClassifierMixin, BaseEstimator):
    """Self-training of scikit-learn, with the unlabelled rows in each fit."""

    def __init__(self, C: float = 1.0, rounds: int = 5) -> None:  # noqa: N803
        self.C, self.rounds = C, rounds

    def fit(self, X: Any, y: Any) -> OnAll:
        base = make_pipeline(StandardScaler(), LogisticRegression(C=self.C))
        model = SelfTrainingClassifier(base, max_iter=self.rounds)
        rows = np.vstack([X, DATA["X_new"]])
        labels = np.concatenate([y, np.full(len(DATA["X_new"]), -1)])
        self.model_ = model.fit(rows, labels)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X: Any) -> Any:
        return self.model_.predict(X)

    def predict_proba(self, X: Any) -> Any:
        return self.model_.predict_proba(X)

    def score(self, X: Any, y: Any) -> float:
        return float(accuracy_score(y, self.predict(X)))


def test_cross_validation_of_pseudo_labelling_equals_scikit_learn() -> None:
    cv = pseudolabel_toys.judged(pseudolabel_toys.labelling())

    made = toys.run(cv.train, DATA)

    expected = cross_val_score(OnAll(), DATA["X"], DATA["y"], cv=StratifiedKFold(3))
    assert np.array_equal(toys.scores(made["cv.scores"], "accuracy"), expected)
    refit = OnAll().fit(DATA["X"], DATA["y"])
    evaluated = toys.evaluated(cv, made, {"X": DATA["X_new"]})
    assert np.array_equal(evaluated["p"], refit.predict_proba(DATA["X_new"]))


def test_a_search_over_pseudo_labelling_equals_a_loop_over_scikit_learn() -> None:
    own = pseudolabel_toys.labelling(with_parameters())
    best = tuned(pseudolabel_toys.judged(own))

    made = toys.run(best.train, {**DATA, "params:model": {}})

    scores = [
        cross_val_score(OnAll(c), DATA["X"], DATA["y"], cv=StratifiedKFold(3)).mean()
        for c in (0.001, 0.1, 10.0)
    ]
    assert list(made["tune.trials"]["value"]) == scores
    assert len(set(scores)) == 3
    chosen = made["tune.best"]["params"][C]
    assert chosen == (0.001, 0.1, 10.0)[int(np.argmax(scores))]
    refit = OnAll(chosen).fit(DATA["X"], DATA["y"])
    evaluated = toys.evaluated(best, made, {"X": DATA["X_new"]})
    assert np.array_equal(evaluated["p"], refit.predict_proba(DATA["X_new"]))


def test_pseudo_labelling_of_a_search_searches_in_each_round() -> None:
    """And not in masked rounds: what is inside does nothing either."""
    own = pseudolabel_toys.labelling(
        tuned(judged(with_parameters())), select=select.threshold(0.9), rounds=5
    )

    made = toys.run(own.train, {**DATA, "params:model": {}})

    X, y, rows = DATA["X"], DATA["y"], np.empty(0, dtype=int)
    labels, done = y[:0], 0
    while done < 5:
        done += 1
        model = searched(np.vstack([X, DATA["X_new"][rows]]), np.append(y, labels))
        left = np.setdiff1d(np.arange(len(DATA["X_new"])), rows)
        p = model.predict_proba(DATA["X_new"][left])
        new = left[p.max(axis=1) > 0.9]
        found = model.predict(DATA["X_new"][new]) if len(new) else labels[:0]
        order = np.argsort(np.append(rows, new))
        rows, labels = (
            np.append(rows, new)[order],
            np.append(labels, found)[order],
        )
        if not len(new) or len(rows) == len(DATA["X_new"]):
            break
    last = searched(np.vstack([X, DATA["X_new"][rows]]), np.append(y, labels))
    assert 1 < done < 5
    assert len(made["own.history"]) == done
    assert list(made["own.labels"]["row"]) == list(rows)
    assert list(made["own.labels"]["label"]) == list(labels)
    assert np.array_equal(made["p"], last.predict_proba(X))
    for number in range(done + 1, 6):
        inside = [n for n in made if n.startswith(f"own.round_{number}.train.")]
        assert len(inside) > 20
        assert all(made[name] == Idle("own") for name in inside)


def searched(X: Any, y: Any) -> Any:
    """Return the best of the grid by the mean over folds, fitted on all rows."""
    models = [
        make_pipeline(StandardScaler(), LogisticRegression(C=c))
        for c in (0.001, 0.1, 10.0)
    ]
    scores = [cross_val_score(m, X, y, cv=StratifiedKFold(3)).mean() for m in models]
    return models[int(np.argmax(scores))].fit(X, y)


def test_rounds_do_without_what_is_only_told() -> None:
    """The folds inside are judged once, at the end."""
    own = pseudolabel_toys.in_its_own_folds()

    made = toys.run(own.train, DATA)

    plain = toys.run(pseudolabel_toys.labelling(rounds=2).train, DATA)
    assert made["own.labels"].equals(plain["own.labels"])
    assert len(made["own.refit.train.cv.scores"]) == 2
    assert not [n for n in made if ".round_" in n and ".fold_" in n]


def test_folds_in_which_labelling_fails_score_nan() -> None:
    folds = [
        (np.flatnonzero(DATA["y"] == 0), np.flatnonzero(DATA["y"] != 0)),
        (np.arange(0, len(DATA["X"]), 2), np.arange(1, len(DATA["X"]), 2)),
    ]
    cv = pseudolabel_toys.judged(
        pseudolabel_toys.labelling(), splitter=folds, on_error="nan", outputs=[]
    )

    made = toys.run(cv.train, DATA)

    scores = toys.scores(made["cv.scores"], "accuracy")
    assert np.isnan(scores[0])
    assert scores[1] > 0.8


def test_masked_rounds_do_not_fail_a_guarded_fold() -> None:
    plain, guarded = (
        toys.run(
            pseudolabel_toys.judged(
                pseudolabel_toys.labelling(rounds=12), on_error=on_error
            ).train,
            DATA,
        )
        for on_error in ("raise", "nan")
    )

    assert plain["cv.scores"].equals(guarded["cv.scores"])
    assert not plain["cv.scores"]["value"].isna().any()
    assert isinstance(guarded["cv.fold_0.train.own.round_12.train.X"], Idle)


def test_labelling_inside_labelling() -> None:
    """The inner one labels its rows in each round of the outer one that runs.

    Its own masked rounds mask nothing of the outer one.
    """
    inner = pseudolabel_toys.labelling(select=select.k_best(5), rounds=4, name="inner")
    outer = pseudolabel_toys.labelling(
        inner,
        unlabeled={"X": "X_more", "X_new": "X_new"},
        select=select.threshold(0.8),
        rounds=8,
    )
    data = {**DATA, "X_new": DATA["X_new"][:8], "X_more": DATA["X_new"][8:]}

    made = toys.run(outer.train, data)

    done = pseudolabel_toys.rounds_that_ran(made, "model_state")
    assert 1 < len(done) < 8
    assert done == list(made["own.history"]["round"])
    inside = made["own.refit.train.inner.history"]
    assert list(inside["selected"]) == [5, 3]
    assert made["own.round_1.train.inner.round_3.train.X"] == Idle("inner")
    assert made["own.round_8.train.inner.round_3.train.X"] == Idle("own")
    X, y = made["own.refit.train.X"], made["own.refit.train.y"]
    alone = toys.run(inner.train, {"X": X, "y": y, "X_new": data["X_new"]})
    assert np.array_equal(alone["model_state"].coef_, made["model_state"].coef_)


def test_a_holdout_of_labelling_and_labelling_of_a_holdout() -> None:
    held = holdout(
        pseudolabel_toys.labelling(),
        rows=["X", "y"],
        shared=["X_new"],
        metrics={"accuracy": toys.ACCURACY},
        name="held",
    )
    inside = pseudolabel_toys.labelling(
        holdout(toys.classifier(), rows=["X", "y"], name="held")
    )

    one, other = (toys.run(model.train, DATA) for model in (held, inside))

    assert toys.scores(one["held.scores"], "accuracy")[0] > 0.8
    expected = toys.run(pseudolabel_toys.labelling().train, DATA)
    assert other["own.labels"].equals(expected["own.labels"])
    assert "p" not in other


def test_groups_of_an_inner_combinator_must_be_given() -> None:
    inner = cross_validate(
        toys.classifier(),
        splitter=toys.GroupKFold(2),
        rows=["X", "y"],
        groups="g",
        metrics={"accuracy": toys.ACCURACY},
        name="cv",
    )
    unlabeled = {"X": "X_new", "g": "g_new"}
    groups = {"g": toys.groups_of(DATA["X"]), "g_new": toys.groups_of(DATA["X_new"])}

    with pytest.raises(ValueError, match="input 'g'"):
        pseudolabel_toys.labelling(inner)
    with pytest.warns(LeakWarning, match="'cv.scores'"):
        own = pseudolabel_toys.labelling(inner, unlabeled=unlabeled)
    made = toys.run(own.train, {**DATA, **groups})

    rows = made["own.labels"]["row"]
    expected = np.append(groups["g"], groups["g_new"][rows])
    assert np.array_equal(made["own.refit.train.g"], expected)


# --- runners ----------------------------------------------------------------------------


def run_by(runner: Any, model: Estimator) -> dict[str, Any]:
    of_processes = isinstance(runner, ParallelRunner)
    catalog_type = SharedMemoryDataCatalog if of_processes else DataCatalog
    catalog = catalog_type(
        {name: MemoryDataset(DATA[name]) for name in model.train.inputs()}
    )
    with warnings.catch_warnings():
        # Of the runner, not of ours: kedro 1.0 asks for datasets that it knows.
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="kedro")
        made = runner.run(model.train, catalog)
    return {name: made[name].load() for name in sorted(model.train.outputs())}


@pytest.mark.parametrize(
    "runner",
    [SequentialRunner, ThreadRunner, lambda: ParallelRunner(max_workers=2)],
    ids=["sequential", "threads", "processes"],
)
def test_runners_give_the_same_numbers(runner: Any) -> None:
    model = pseudolabel_toys.small()
    expected = toys.run(model.train, DATA)

    made = run_by(runner(), model)

    # The state is read by the last nodes: what they give tells of it.
    assert made.keys() == {"p", "label", "own.labels", "own.history"}
    for name, value in made.items():
        if isinstance(value, np.ndarray):
            assert np.array_equal(value, expected[name])
        else:
            pd.testing.assert_frame_equal(value, expected[name], check_exact=True)


def test_evaluation_of_a_chain_reads_the_state_alone() -> None:
    own = pseudolabel_toys.labelling()
    made = toys.run(own.train, DATA)
    test = own.eval_on("test", metrics={"accuracy": toys.ACCURACY})

    given = {"test.X": DATA["X_new"], "test.y": DATA["truth"]}
    judged_ = toys.run(test, {**given, **{name: made[name] for name in own.state}})

    expected = OnAll().fit(DATA["X"], DATA["y"])
    score = toys.scores(judged_["test.scores"], "accuracy")[0]
    assert score == expected.score(DATA["X_new"], DATA["truth"])


def test_folds_are_those_of_the_labelled_rows() -> None:
    cv = pseudolabel_toys.judged(
        pseudolabel_toys.few_rounds(), splitter=KFold(4), stratify=None
    )

    made = toys.run(cv.train, DATA)

    assert made["cv.folds"]["rows"] == len(DATA["X"])
    assert len(made["p"]) == len(DATA["X"])
