"""Judged rows get no pseudo-label and are not fitted; unlabelled rows are never judged."""

from __future__ import annotations

import re
import warnings
from typing import Any

import numpy as np
import pytest
from combinators import pseudolabel_toys, toys
from combinators.pseudolabel_toys import Seen
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from kedro_rats import (
    Estimator,
    LeakWarning,
    cross_validate,
    estimator,
    holdout,
    metric,
    select,
    transformer,
    tune,
)
from kedro_rats.errors import DefinitionError

# The second column is the number of a row; labelled ones are below 100.
RANDOM = np.random.default_rng(0)
ROWS, NEW = 24, 15
X = np.column_stack([RANDOM.integers(50, size=ROWS), np.arange(ROWS)])
X_NEW = np.column_stack([RANDOM.integers(50, size=NEW), 100 + np.arange(NEW)])
Y = np.arange(ROWS) % 3
GROUPS = RANDOM.integers(7, size=ROWS)
DATA = {"X": X, "y": Y, "X_new": X_NEW, "g": GROUPS}


def agreed(y: Any, label: Any) -> float:
    return float(np.mean(y == label))


def judged(operand: Estimator, name: str, **options: Any) -> Estimator:
    given = {
        "splitter": KFold(3),
        "rows": ["X", "y"],
        "shared": ["X_new"],
        "metrics": {"agreed": metric(agreed, inputs=["y", "label"])},
        "name": name,
    }
    return cross_validate(operand, **{**given, **options})


def near() -> Estimator:
    return pseudolabel_toys.near(select=select.k_best(3), rounds=3)


def relabelling() -> Estimator:
    rule = select.top_fraction(0.3, 0.7)
    return pseudolabel_toys.near(select=rule, rounds=3, relabel=True)


OUTER = {
    "folds": lambda: judged(near(), "cv"),
    "folds, relabelling": lambda: judged(relabelling(), "cv"),
    "folds in folds": lambda: judged(judged(near(), "inner"), "cv"),
    "groups": lambda: judged(near(), "cv", splitter=GroupKFold(3), groups="g"),
    "failures allowed": lambda: judged(near(), "cv", on_error="nan"),
    "a holdout": lambda: holdout(near(), rows=["X", "y"], shared=["X_new"], name="cv"),
}


@pytest.mark.parametrize("definition", OUTER.values(), ids=OUTER.keys())
def test_validation_rows_are_neither_pseudo_labelled_nor_fitted(
    definition: Any,
) -> None:
    made = toys.run(definition().train, DATA)

    folds = made["cv.folds"]
    for fold, (train, test) in enumerate(
        zip(folds["train"], folds["eval"], strict=True)
    ):
        inside = f"cv.fold_{fold}.train."
        fits = [
            value
            for name, value in made.items()
            if name.startswith(inside) and isinstance(value, Seen)
        ]
        assert len(fits) >= 4
        for seen in fits:
            ids = seen.X[:, 1]
            assert not set(ids) & set(test)
            true = ids < 100
            # True labels are as they were; every other row is an unlabelled one.
            assert np.array_equal(seen.y[true], Y[ids[true]])
            assert set(ids[~true]) <= set(X_NEW[:, 1])
            assert set(ids[true]) <= set(train)
        tables = [
            value
            for name, value in made.items()
            if name.startswith(inside) and name.endswith("own.labels")
        ]
        assert tables
        for table in tables:
            assert len(table) > 5
            assert table["row"].is_unique
            assert set(table["row"]) <= set(range(NEW))


@pytest.mark.parametrize("definition", OUTER.values(), ids=OUTER.keys())
def test_only_labelled_rows_are_judged(definition: Any) -> None:
    made = toys.run(definition().train, DATA)

    for name, value in made.items():
        if re.fullmatch(r"cv\.fold_\d\.eval\.X", name):
            assert (value[:, 1] < 100).all()


@pytest.mark.parametrize("poison", [1e6, -1e9])
def test_poisoned_validation_rows_change_nothing_of_their_fold(poison: float) -> None:
    data = pseudolabel_toys.split("wine", 0.4)
    cv = pseudolabel_toys.in_cross_validation()
    test = toys.run(cv.train, data)["cv.folds"]["eval"][1]
    poisoned = {**data, "X": data["X"].copy()}
    poisoned["X"][test] = poison

    clean, made = (toys.run(cv.train, rows) for rows in (data, poisoned))

    inside = [
        name
        for name in clean
        if name.startswith("cv.fold_1.train.")
        and name.endswith(("own.labels", "own.history"))
    ]
    assert len(inside) == 2
    for name in inside:
        assert clean[name].equals(made[name])
    one, other = (made_["cv.fold_1.train.model_state"] for made_ in (clean, made))
    assert np.array_equal(one.coef_, other.coef_)


def test_the_last_fit_of_a_fold_is_that_of_its_training_rows_alone() -> None:
    """Cross-validation of the whole is what is honest: each fold labels anew."""
    data = pseudolabel_toys.split("wine", 0.4)
    made = toys.run(pseudolabel_toys.in_cross_validation().train, data)

    for fold, (train, test) in enumerate(
        zip(made["cv.folds"]["train"], made["cv.folds"]["eval"], strict=True)
    ):
        alone = {**data, "X": data["X"][train], "y": data["y"][train]}
        model = pseudolabel_toys.few_rounds()
        trained = toys.run(model.train, alone)
        expected = toys.evaluated(model, trained, {"X": data["X"][test]})
        assert np.array_equal(made["p"][test], expected["p"])
        labels = made[f"cv.fold_{fold}.train.own.labels"]
        assert labels.equals(trained["own.labels"])


def scale() -> Estimator:
    return estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")


def model() -> Estimator:
    return estimator(
        LogisticRegression(),
        fit_inputs=["Z", "y"],
        inputs="Z",
        outputs={"predict": "label", "predict_proba": "p"},
        name="model",
    )


def test_what_learned_before_is_not_warned_of_since_nothing_is_judged() -> None:
    own = pseudolabel_toys.labelling(model(), unlabeled={"Z": "Z_new"})
    new = scale().eval_on("new")

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        chained = scale() + own

    assert "scale_state" in chained.state
    assert new.outputs() == {"new.Z"}


def test_what_learned_before_a_judged_one_is_warned_of() -> None:
    own = pseudolabel_toys.labelling(model(), unlabeled={"Z": "Z_new"})
    cv = judged(own, "cv", rows=["Z", "y"], shared=["Z_new"])

    with pytest.warns(LeakWarning, match="'Z'"):
        scale() + cv


@pytest.fixture
def folds_inside() -> Estimator:
    """Labelling of an estimator with folds, which are warned of."""
    with pytest.warns(LeakWarning, match="folds inside"):
        return labelling_of(judged(model(), "cv", rows=["Z", "y"], shared=[]))


def labelling_of(operand: Estimator, **options: Any) -> Estimator:
    return pseudolabel_toys.labelling(
        operand, **{"unlabeled": {"Z": "Z_new"}, "rounds": 2, **options}
    )


def searching() -> Estimator:
    """Return a search over a model that is judged on folds."""
    optuna = pytest.importorskip("optuna")
    searched = estimator(
        LogisticRegression(),
        fit_inputs=["Z", "y"],
        inputs="Z",
        outputs={"predict": "label", "predict_proba": "p"},
        name="model",
        params="params:model",
    )
    return tune(
        judged(searched, "cv", rows=["Z", "y"], shared=[]),
        space={"params:model.C": optuna.distributions.CategoricalDistribution([1.0])},
        objective="agreed",
        trials=1,
        sampler="grid",
        name="tune",
    )


AROUND = {
    "labelling of folds": lambda own: own,
    "labelling of a search": lambda own: labelling_of(searching()),
    "labelling of folds in folds": lambda own: judged(
        own, "outer", rows=["Z", "y"], shared=["Z_new"]
    ),
    "labelling of labelling of folds": lambda own: labelling_of(
        own, unlabeled={"Z": "Z_more", "Z_new": "Z_new"}, name="twice"
    ),
}


@pytest.mark.parametrize("around", AROUND.values(), ids=AROUND)
def test_what_learned_before_folds_inside_is_warned_of_once(
    folds_inside: Estimator, around: Any
) -> None:
    resampled = around(folds_inside)

    with pytest.warns(LeakWarning) as caught:
        scale() + resampled

    (message,) = [str(warning.message) for warning in caught]
    assert message.startswith("rows 'Z' of ")
    assert "'scale.fit_transform' saw" in message


def test_learned_rows_that_are_transformed_inside_are_warned_of_once() -> None:
    copied = transformer(np.asarray, inputs="Q", outputs="Z", name="copy")
    own = labelling_of(copied + searching(), unlabeled={"Q": "Q_new"})
    before = estimator(StandardScaler(), inputs="X", outputs="Q", name="scale")

    with pytest.warns(LeakWarning, match="rows 'Q'") as caught:
        before + own

    assert len(caught) == 1


@pytest.mark.parametrize("outputs", ["Z_new", "table"])
def test_what_learned_beside_folds_inside_is_not_warned_of(
    folds_inside: Estimator, outputs: str
) -> None:
    """The labels that the rounds make are no rows that were learned before."""
    other = estimator(StandardScaler(), inputs="X", outputs=outputs, name="other")

    with warnings.catch_warnings():
        warnings.simplefilter("error")

        other + folds_inside


def test_scores_of_folds_inside_are_warned_of_and_rightly_so() -> None:
    """On noise they are excellent, since they also count rows that were labelled."""
    random = np.random.default_rng(0)
    noise = {"X": random.normal(size=(60, 5)), "y": np.arange(60) % 2}
    noise["X_new"] = random.normal(size=(400, 5))
    options = {"select": select.threshold(0.5), "rounds": 2}
    folds = {"splitter": StratifiedKFold(3), "stratify": "y"}
    with pytest.warns(LeakWarning) as caught:
        inside = pseudolabel_toys.labelling(
            judged(toys.classifier(), "cv", shared=[], **folds), **options
        )
    outside = judged(pseudolabel_toys.labelling(**options), "cv", **folds)

    dishonest = toys.run(inside.train, noise)["own.refit.train.cv.summary"]
    honest = toys.run(outside.train, noise)["cv.summary"]

    assert dishonest["agreed"]["mean"] > 0.9
    assert 0.3 < honest["agreed"]["mean"] < 0.7
    assert inside.scores is None
    (warning,) = caught
    assert warning.filename == pseudolabel_toys.__file__
    assert str(warning.message) == (
        "pseudolabel 'own', scores 'cv.scores': expected an estimator that is judged "
        "outside, got folds inside, which also judge rows that it labels itself. Leave "
        "out their metrics, and judge the whole: cross_validate(pseudolabel(…), "
        "metrics={…})."
    )


@pytest.mark.parametrize("operand", ["a search", "folds without metrics"])
def test_scores_that_are_needed_or_absent_are_not_warned_of(operand: str) -> None:
    unjudged = judged(model(), "cv", rows=["Z", "y"], shared=[], metrics=None)

    with warnings.catch_warnings():
        warnings.simplefilter("error")

        labelling_of(searching() if operand == "a search" else unjudged)


def test_a_search_by_scores_of_folds_inside_is_refused(
    folds_inside: Estimator,
) -> None:
    optuna = pytest.importorskip("optuna")
    space = {"params:model.C": optuna.distributions.CategoricalDistribution([1.0])}
    given = {"space": space, "objective": "agreed", "trials": 1, "sampler": "grid"}

    with pytest.raises(DefinitionError) as error:
        tune(folds_inside, **given, name="tune")

    text = str(error.value)
    assert text.startswith("tune 'tune': expected an estimator with scores, got one ")
    assert "tune(cross_validate(pseudolabel(…), metrics={…}), …)" in text
    assert "\n" not in text


def test_outputs_that_labelling_made_leak_into_folds_and_are_warned_of() -> None:
    own = pseudolabel_toys.labelling()
    final = estimator(
        LogisticRegression(),
        fit_inputs=["p", "y"],
        inputs="p",
        outputs={"predict": "final"},
        name="final",
    )
    cv = cross_validate(final, splitter=KFold(2), rows=["p", "y"], name="cv")

    with pytest.warns(LeakWarning, match="'p'"):
        own + cv
