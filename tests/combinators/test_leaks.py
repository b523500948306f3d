"""Law 5: inside a combinator no fit sees a row that this combinator judges it on."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)
from sklearn.preprocessing import StandardScaler

from kedro_rats import (
    LeakWarning,
    cross_validate,
    estimator,
    holdout,
    metric,
    transformer,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from combinators.toys import Array

    from kedro_rats import Estimator

ROWS = 30
X = toys.numbered(ROWS)
FOLD = re.compile(r"(?P<fold>(?:.*\.)?fold_\d+)\.eval\.X")


# --- spies ------------------------------------------------------------------------------


def judged_rows(made: dict[str, Any]) -> Iterator[tuple[str, set[float]]]:
    """Return each fold of each combinator, however deep, with the rows it is judged on."""
    for name, rows in made.items():
        found = FOLD.fullmatch(name)
        if found:
            yield found["fold"], set(rows[:, 0])


def fits_in(made: dict[str, Any], fold: str) -> list[toys.Spy]:
    return [
        value
        for name, value in made.items()
        if isinstance(value, toys.Spy) and name.startswith(f"{fold}.train.")
    ]


def seen(out: Array) -> float:
    return float(out[:, 1:].sum())


SEEN = {"seen": metric(seen, inputs="out")}


def resampled(
    operand: Estimator, name: str, splitter: Any, groups: str | None = None
) -> Estimator:
    return cross_validate(
        operand,
        splitter=splitter,
        rows=["X"],
        groups=groups,
        metrics=SEEN,
        train_scores=True,
        name=name,
    )


def in_cv() -> Estimator:
    return resampled(toys.spies(), "cv", KFold(3, shuffle=True, random_state=0))


def in_cv_in_cv() -> Estimator:
    inner = resampled(toys.spies(), "inner", KFold(2))
    return resampled(inner, "outer", KFold(3, shuffle=True, random_state=1))


def in_three_levels() -> Estimator:
    return resampled(in_cv_in_cv(), "outermost", KFold(2))


def in_holdout_in_cv() -> Estimator:
    held = holdout(toys.spies(), rows=["X"], name="held", test_size=0.3, metrics=SEEN)
    return resampled(held, "cv", KFold(3))


def in_cv_in_holdout() -> Estimator:
    inner = resampled(toys.spies(), "inner", KFold(3))
    return holdout(inner, rows=["X"], name="held", shuffle=False)


def in_stack_in_cv() -> Estimator:
    """Return a spy that learns from out-of-fold rows, resampled with what made them."""
    inner = cross_validate(
        toys.spies(last="mid"), splitter=KFold(4), rows=["X"], name="inner"
    )
    return resampled(inner + toys.spy("mid", "out", "final"), "outer", KFold(3))


def in_repeated_folds() -> Estimator:
    splitter = RepeatedKFold(n_splits=3, n_repeats=2, random_state=0)
    return resampled(toys.spies(), "cv", splitter)


def in_time_order() -> Estimator:
    return resampled(toys.spies(), "cv", TimeSeriesSplit(4))


NESTINGS = {
    "cv": (in_cv, 3),
    "cv in cv": (in_cv_in_cv, 3 + (3 + 1) * 2),
    "cv in cv in cv": (in_three_levels, 2 + (2 + 1) * (3 + (3 + 1) * 2)),
    "holdout in cv": (in_holdout_in_cv, 3 + 3 + 1),
    "cv in holdout": (in_cv_in_holdout, 1 + 3 + 3),
    "stack in cv": (in_stack_in_cv, 3 + (3 + 1) * 4),
    "repeated folds": (in_repeated_folds, 6),
    "time order": (in_time_order, 4),
}
nestings = pytest.mark.parametrize(
    ("definition", "folds"), NESTINGS.values(), ids=NESTINGS.keys()
)


@nestings
def test_no_fit_at_any_level_sees_a_row_that_it_is_judged_on(
    definition: Any, folds: int
) -> None:
    made = toys.run(definition().train, {"X": X})

    judged = list(judged_rows(made))
    assert len(judged) == folds
    for fold, rows in judged:
        fits = fits_in(made, fold)
        assert len(fits) >= 3
        for spy in fits:
            assert rows
            assert not rows & set(spy.seen_)


@nestings
def test_outputs_of_folds_tell_that_none_of_their_fits_saw_these_rows(
    definition: Any, folds: int
) -> None:
    made = toys.run(definition().train, {"X": X})

    outputs = [v for name, v in made.items() if re.fullmatch(r".*\.eval\.out", name)]
    assert len(outputs) == sum(name.endswith(".eval.out") for name in made)
    assert outputs
    for out in outputs:
        assert out.shape[1] >= 4
        assert not out[:, 1:].any()


@pytest.mark.parametrize(
    "definition", [in_cv, in_cv_in_cv, in_three_levels, in_stack_in_cv]
)
def test_out_of_fold_rows_are_the_input_rows_and_no_fit_saw_them(
    definition: Any,
) -> None:
    made = toys.run(definition().train, {"X": X})

    assert np.array_equal(made["out"][:, :1], X)
    assert not made["out"][:, 1:].any()


def test_a_fit_on_out_of_fold_rows_learns_from_rows_that_nobody_saw() -> None:
    made = toys.run(in_stack_in_cv().train, {"X": X})

    finals = {name: v for name, v in made.items() if name.endswith("final_state")}
    assert len(finals) == 4
    for final in finals.values():
        assert not final.learned_from_seen_


@nestings
def test_the_refit_sees_all_rows_and_says_so(definition: Any, folds: int) -> None:
    model = definition()
    trained = toys.run(model.train, {"X": X})

    made = toys.evaluated(model, trained, {"X": X})

    assert np.array_equal(made["out"][:, :1], X)
    assert made["out"][:, 1:].all()


def test_rows_in_the_training_part_are_judged_as_seen() -> None:
    """The spies do tell: were a fit to see the rows it is judged on, we would know."""
    made = toys.run(in_cv().train, {"X": X})

    table = made["cv.scores"]
    assert (toys.scores(table, "seen", "train") == 20 * 3).all()
    assert (toys.scores(table, "seen", "eval") == 0).all()


def test_groups_are_not_split_at_any_level() -> None:
    ids = np.arange(ROWS, dtype=float)[:, None]
    groups = np.random.default_rng(0).integers(8, size=ROWS)
    inner = resampled(toys.spies(), "inner", GroupKFold(2), groups="g")
    outer = resampled(inner, "outer", GroupKFold(3), groups="g")

    made = toys.run(outer.train, {"X": ids, "g": groups})

    judged = list(judged_rows(made))
    assert len(judged) == 3 + (3 + 1) * 2
    for fold, rows in judged:
        judged_groups = {groups[int(row)] for row in rows}
        for spy in fits_in(made, fold):
            assert not judged_groups & {groups[int(row)] for row in spy.seen_}


# --- poison -----------------------------------------------------------------------------


def imputing() -> Estimator:
    impute = estimator(SimpleImputer(), inputs="raw", outputs="X", name="impute")
    return impute + toys.selecting()


def fitted(value: Any) -> dict[str, Any]:
    return {k: v for k, v in vars(value).items() if k.endswith("_")}


@pytest.mark.parametrize("fold", [0, 1, 2])
@pytest.mark.parametrize("poison", [1e30, -1e300, np.nan], ids=str)
def test_poisoned_validation_rows_change_no_fit_of_their_fold(
    poison: float, fold: int
) -> None:
    raw, y = toys.bundled("breast_cancer", step=5)
    splitter = KFold(3, shuffle=True, random_state=0)
    inner = cross_validate(
        imputing(), splitter=KFold(2), rows=["raw", "y"], name="inner"
    )
    cv = cross_validate(inner, splitter=splitter, rows=["raw", "y"], name="cv")
    states = [
        name
        for name in sorted(cv.train.datasets())
        if name.startswith(f"cv.fold_{fold}.train.") and name.endswith("_state")
    ]
    fits = cv.train.to_outputs(*states)
    test = list(splitter.split(raw))[fold][1]
    poisoned, flipped = raw.copy(), y.copy()
    poisoned[test], flipped[test] = poison, 1 - y[test]

    clean = toys.run(fits, {"raw": raw, "y": y})
    made = toys.run(fits, {"raw": poisoned, "y": flipped})

    assert len(states) == 4
    for name in states:
        np.testing.assert_equal(fitted(made[name]), fitted(clean[name]))


@pytest.mark.parametrize("level", ["train.inner.fold_0", "train.inner.fold_1"])
def test_poisoned_inner_validation_rows_change_no_fit_of_their_inner_fold(
    level: str,
) -> None:
    raw, y = toys.bundled("breast_cancer", step=5)
    inner = cross_validate(
        imputing(), splitter=KFold(2), rows=["raw", "y"], name="inner"
    )
    column = transformer(toys.as_column, inputs="d", outputs="D", name="column")
    # It learns from what the inner folds give, so that these are part of training.
    final = estimator(
        LogisticRegression(),
        fit_inputs=["D", "y"],
        inputs="D",
        outputs={"predict": "q"},
        name="final",
    )
    cv = cross_validate(
        inner + column + final, splitter=KFold(3), rows=["raw", "y"], name="cv"
    )
    outer_train = next(KFold(3).split(raw))[0]
    test = outer_train[list(KFold(2).split(outer_train))[int(level[-1])][1]]
    states = [
        name
        for name in sorted(cv.train.datasets())
        if name.startswith(f"cv.fold_0.{level}.train.") and name.endswith("_state")
    ]
    fits = cv.train.to_outputs(*states)
    poisoned, flipped = raw.copy(), y.copy()
    poisoned[test], flipped[test] = 1e30, 1 - y[test]

    clean = toys.run(fits, {"raw": raw, "y": y})
    made = toys.run(fits, {"raw": poisoned, "y": flipped})

    assert len(states) == 4
    for name in states:
        np.testing.assert_equal(fitted(made[name]), fitted(clean[name]))


# --- the noise canary, and the warning ----------------------------------------------------


def noise() -> dict[str, Array]:
    random = np.random.default_rng(0)
    return {
        "X": random.normal(size=(80, 1000)),
        "y": np.arange(80) % 2,
    }


def select() -> Estimator:
    return estimator(
        SelectKBest(k=20), fit_inputs=["X", "y"], inputs="X", outputs="S", name="select"
    )


def judge() -> dict[str, Any]:
    return {
        "splitter": StratifiedKFold(5),
        "stratify": "y",
        "metrics": {"auc": metric(roc_auc_score, inputs=["y", "d"])},
        "name": "cv",
    }


def model() -> Estimator:
    return estimator(
        LogisticRegression(),
        fit_inputs=["S", "y"],
        inputs="S",
        outputs={"decision_function": "d"},
        name="model",
    )


def test_on_noise_a_selection_inside_the_fold_is_honest_and_one_outside_is_not() -> (
    None
):
    inside = cross_validate(select() + model(), rows=["X", "y"], **judge())
    resampled = cross_validate(model(), rows=["S", "y"], **judge())
    with pytest.warns(LeakWarning, match="'S'") as caught:
        outside = select() + resampled

    honest, leaking = (
        toys.run(cv.train, noise())["cv.summary"]["auc"] for cv in (inside, outside)
    )

    assert len(caught) == 1
    assert 0.35 < honest["mean"] < 0.65
    assert leaking["mean"] > 0.85
    assert 0.35 < honest["pooled"] < 0.65


def scale(inputs: str = "X", outputs: str = "Z", name: str = "scale") -> Estimator:
    return estimator(StandardScaler(), inputs=inputs, outputs=outputs, name=name)


def clip(inputs: str = "Z", outputs: str = "L", name: str = "clip") -> Estimator:
    return transformer(np.abs, inputs=inputs, outputs=outputs, name=name)


def cv_of(rows: str, name: str = "cv", outputs: str = "d", **options: Any) -> Estimator:
    operand = estimator(
        LogisticRegression(),
        fit_inputs=[rows, "y"],
        inputs=rows,
        outputs={"predict": outputs},
        name=f"model_of_{name}",
    )
    splitter = options.pop("splitter", KFold(3))
    return cross_validate(
        operand, splitter=splitter, rows=[rows, "y"], name=name, **options
    )


def held_of(rows: str) -> Estimator:
    operand = estimator(
        LogisticRegression(),
        fit_inputs=[rows, "y"],
        inputs=rows,
        outputs={"predict": "d"},
        name="model",
    )
    return holdout(operand, rows=[rows, "y"], name="held")


def learn(rows: Array) -> Array:
    return rows.mean(axis=0)


def subtract(mean: Array, rows: Array) -> Array:
    return rows - mean


LEAKS = {
    "a scaler before folds": lambda: scale() + cv_of("Z"),
    "folds written first": lambda: cv_of("Z") + scale(),
    "a scaler before a holdout": lambda: scale() + held_of("Z"),
    "a learned and then clipped row": lambda: (scale() + clip()) + cv_of("L"),
    "the same, grouped to the right": lambda: scale() + (clip() + cv_of("L")),
    "the same, with folds in the middle": lambda: (scale() + cv_of("L")) + clip(),
    "the same, with folds first": lambda: (cv_of("L") + clip()) + scale(),
    "functions that learn": lambda: (
        estimator(learn, subtract, inputs="X", outputs="Z", name="own") + cv_of("Z")
    ),
    "fit and transform in two nodes": lambda: (
        estimator(StandardScaler(), inputs="X", outputs="Z", fused=False, name="two")
        + cv_of("Z")
    ),
    "a nested combinator": lambda: (
        scale()
        + cross_validate(cv_of("Z"), splitter=KFold(2), rows=["Z", "y"], name="o")
    ),
    "a nested combinator that is judged": lambda: (
        scale()
        + cross_validate(
            cv_of("Z", metrics={"accuracy": metric(accuracy_score, inputs=["y", "d"])}),
            splitter=KFold(2),
            rows=["Z", "y"],
            name="o",
        )
    ),
    "learned groups": lambda: (
        estimator(learn, subtract, inputs="X", outputs="g", name="cluster")
        + cv_of("X", splitter=GroupKFold(2), groups="g")
    ),
    "learned classes": lambda: (
        estimator(learn, subtract, inputs="X", outputs="c", name="cluster")
        + cv_of("X", splitter=StratifiedKFold(2), stratify="c")
    ),
    "a learned fold column": lambda: (
        estimator(learn, subtract, inputs="X", outputs="c", name="cluster")
        + cv_of("X", splitter="c", n_splits=2)
    ),
    "a scaler of out-of-fold rows": lambda: (
        cv_of("X", name="first", outputs="q")
        + scale("q", "Q", "again")
        + cv_of("Q", name="second")
    ),
}


@pytest.mark.parametrize("chain", LEAKS.values(), ids=LEAKS.keys())
def test_a_fit_before_the_folds_is_warned_of_once(chain: Any) -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        chain()

    assert [type(w.message) for w in caught] == [LeakWarning]
    assert caught[0].filename == __file__
    message = str(caught[0].message)
    assert ": expected " in message
    assert ", got " in message
    assert "\n" not in message


HARMLESS = {
    "a transformer before folds": lambda: clip("X", "Z") + cv_of("Z"),
    "a scaler inside": lambda: cross_validate(
        scale() + clip(), splitter=KFold(3), rows=["X"], name="cv"
    ),
    "out-of-fold rows": lambda: (
        cv_of("X", name="first", outputs="q") + cv_of("q", name="second")
    ),
    "transformed out-of-fold rows": lambda: (
        cv_of("X", name="first", outputs="q")
        + clip("q", "Q")
        + cv_of("Q", name="second")
    ),
    "transformed out-of-fold rows, grouped to the right": lambda: (
        cv_of("X", name="first", outputs="q")
        + (clip("q", "Q") + cv_of("Q", name="second"))
    ),
    "a scaler beside the folds": lambda: scale() + cv_of("X"),
    "a scaler after the folds": lambda: cv_of("X", outputs="q") + scale("q", "Q"),
    "a learned shared input": lambda: (
        scale(outputs="table")
        + cross_validate(
            transformer(np.add, inputs=["X", "table"], outputs="o", name="add"),
            splitter=KFold(2),
            rows=["X"],
            shared=["table"],
            name="cv",
        )
    ),
    "rows that nobody makes": lambda: cv_of("X") + clip("other", "o"),
}


@pytest.mark.parametrize("chain", HARMLESS.values(), ids=HARMLESS.keys())
def test_what_learned_from_no_row_that_is_split_is_not_warned_of(chain: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")

        chain()
