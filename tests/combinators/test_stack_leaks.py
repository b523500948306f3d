"""The final estimator never sees what a fit said of a row that it had seen."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import stack_toys, toys
from combinators.stack_toys import Add, Witness, witness, witnessed
from combinators.test_laws import partitions
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from kedro_rats import LeakWarning, cross_validate, estimator, holdout, map_over, stack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from combinators.toys import Array
    from hypothesis.strategies import DrawFn

    from kedro_rats import Estimator

ROWS = 36
X = toys.numbered(ROWS)
quietly = settings(deadline=None, max_examples=20)


# --- witnesses ------------------------------------------------------------------------------


def resampled(operand: Estimator, name: str, folds: int) -> Estimator:
    splitter = KFold(folds, shuffle=True, random_state=folds)
    return cross_validate(operand, splitter=splitter, rows=["X"], name=name)


def in_cv() -> Estimator:
    return resampled(witnessed(), "cv", 3)


def in_cv_in_cv() -> Estimator:
    return resampled(in_cv(), "outer", 2)


def in_holdout_in_cv() -> Estimator:
    return resampled(holdout(witnessed(), rows=["X"], name="held"), "cv", 2)


def of_stacks(folds: int = 2) -> Estimator:
    inner = [
        witnessed(f"inner{k}", splitter=KFold(2 + k), output=f"out{k}") for k in (0, 1)
    ]
    return witnessed("outer", inner, splitter=KFold(folds))


def of_stacks_in_cv() -> Estimator:
    return resampled(of_stacks(), "cv", 2)


def of_resampled() -> Estimator:
    """Return a stack with a cross-validated base, beside one that is not."""
    base = resampled(witness("X", "a", "first"), "cv", 2)
    return witnessed(bases=[base, witness("X", "b", "second")])


def for_each_key() -> Estimator:
    return map_over(witnessed(), keys=["k0", "k1"], over=["X"], name="each")


# With the number of final fits: one for each fold and one for the refit. What only judges
# is not run again at an outer level.
LEVELS: dict[str, tuple[Any, int]] = {
    "stack": (witnessed, 1),
    "stack in cv": (in_cv, 3 + 1),
    "stack in cv in cv": (in_cv_in_cv, 2 + 1),
    "stack in holdout in cv": (in_holdout_in_cv, 2 + 1),
    "stack of stacks": (of_stacks, 1 + 2 * (2 + 1)),
    "stack of stacks in cv": (of_stacks_in_cv, (2 + 1) * (1 + 2 * (2 + 1))),
    "stack of a cross-validated base": (of_resampled, 1),
    "stack for each key": (for_each_key, 2),
}


def witnesses(made: Mapping[str, Any]) -> dict[str, Witness]:
    return {n: v for n, v in made.items() if isinstance(v, Witness)}


def finals(made: Mapping[str, Any]) -> dict[str, Witness]:
    found = witnesses(made)
    return {n: v for n, v in found.items() if n.endswith("_final_state")}


def inputs_of(model: Estimator) -> dict[str, Array]:
    names = model.train.inputs()
    return {name: X if i == 0 else X + 1000 for i, name in enumerate(sorted(names))}


@pytest.mark.parametrize(("definition", "number"), LEVELS.values(), ids=LEVELS.keys())
def test_no_final_fit_at_any_level_saw_an_in_sample_output(
    definition: Any, number: int
) -> None:
    model = definition()

    made = toys.run(model.train, inputs_of(model))

    found = finals(made)
    assert len(found) == number
    for name, final in found.items():
        assert not final.of_seen_, name
        assert final.aligned_, name


@pytest.mark.parametrize("definition", [in_cv, in_cv_in_cv, of_stacks_in_cv])
def test_rows_out_of_fold_were_seen_by_no_fit_of_base_or_final(definition: Any) -> None:
    made = toys.run(definition().train, {"X": X})

    assert np.array_equal(made["out"][:, :1], X)
    assert not made["out"][:, 1].any()


@pytest.mark.parametrize(
    ("definition", "into"),
    [(witnessed, "stack_features"), (of_stacks, "outer_features")],
)
def test_features_in_training_are_out_of_fold_and_in_evaluation_of_the_refit(
    definition: Any, into: str
) -> None:
    model = definition()
    trained = toys.run(model.train, {"X": X})

    made = toys.evaluated(model, trained, {"X": X})

    assert (trained[into][:, ::2] == X).all()
    assert not trained[into][:, 1::2].any()
    assert made[into][:, 1::2].all()
    assert made["out"][:, 1].all()


def test_witnesses_tell_if_a_final_fit_gets_in_sample_outputs() -> None:
    """They do tell: chained without folds, the final fit sees seen rows."""
    chain = witness("X", "a", "base") + witness("a", "out", "final")

    made = toys.run(chain.train, {"X": X})

    assert made["final_state"].of_seen_


def test_refits_see_all_rows_and_folds_do_not() -> None:
    made = toys.run(witnessed().train, {"X": X})

    seen = {name: len(v.rows_) for name, v in witnesses(made).items()}
    folds = {n: rows for n, rows in seen.items() if ".fold_" in n}
    assert len(folds) == 3 * 3
    assert set(folds.values()) == {24}
    assert {rows for n, rows in seen.items() if n not in folds} == {ROWS}


# --- poison ---------------------------------------------------------------------------------


def fitted(value: Any) -> Any:
    if hasattr(value, "steps"):
        return [fitted(step) for _, step in value.steps]
    return {k: v for k, v in vars(value).items() if k.endswith("_")}


def assert_unmoved(
    model: Estimator, below: str, number: int, test: Array, poison: float
) -> None:
    """Check that poison in some rows changes no fit below a name."""
    rows, y = toys.bundled("breast_cancer", step=5)
    states = [
        name
        for name in sorted(model.train.datasets())
        if name.startswith(below)
        and name.endswith("_state")
        and ".classes." not in name
    ]
    fits = model.train.to_outputs(*states)
    poisoned, flipped = rows.copy(), y.copy()
    poisoned[test], flipped[test] = poison, 1 - y[test]

    clean = toys.run(fits, {"X": rows, "y": y})
    made = toys.run(fits, {"X": poisoned, "y": flipped})

    assert len(states) == number
    for name in states:
        np.testing.assert_equal(fitted(made[name]), fitted(clean[name]))


def learned() -> Estimator:
    return stack_toys.stacked(
        {"linear": stack_toys.linear(), "bayes": GaussianNB()},
        stack_toys.linear(),
        method="predict_proba",
        splitter=KFold(3),
        stratify=None,
    )


@pytest.mark.parametrize("fold", [0, 1, 2])
def test_poisoned_rows_of_a_fold_change_no_base_of_that_fold(fold: int) -> None:
    rows, _ = toys.bundled("breast_cancer", step=5)
    test = list(KFold(3).split(rows))[fold][1]

    for base in (0, 1):
        below = f"stack.base_{base}.fold_{fold}.train."
        assert_unmoved(learned(), below, 1, test, 1e12)


@pytest.mark.parametrize("poison", [1e12, np.nan], ids=str)
def test_poisoned_outer_rows_change_neither_bases_nor_final_of_that_fold(
    poison: float,
) -> None:
    rows, _ = toys.bundled("breast_cancer", step=5)
    splitter = KFold(2, shuffle=True, random_state=0)
    cv = cross_validate(learned(), splitter=splitter, rows=["X", "y"], name="cv")

    for fold, (_, test) in enumerate(splitter.split(rows)):
        # Two bases in three folds, their refits, and the final model.
        assert_unmoved(cv, f"cv.fold_{fold}.train.", 2 * 3 + 2 + 1, test, poison)


# --- properties -----------------------------------------------------------------------------


@st.composite
def stacks(draw: DrawFn, rows: int) -> dict[str, Any]:
    """Draw bases of exact numbers, the order of their features, and folds."""
    number = draw(st.integers(1, 3))
    bases = [
        Add(draw(st.integers(1, 9)), draw(st.integers(0, 3))) for _ in range(number)
    ]
    return {
        "bases": bases,
        "order": draw(st.permutations(range(number))),
        "pairs": draw(partitions(rows)),
        "passthrough": draw(st.sampled_from([[], ["X"], ["w", "X"]])),
    }


def columns(value: Array) -> Array:
    return value.reshape(len(value), -1)


@quietly
@given(values=st.data(), rows=st.integers(4, 14))
def test_features_equal_a_loop_by_hand(values: Any, rows: int) -> None:
    drawn = values.draw(stacks(rows))
    passthrough = drawn["passthrough"]
    made_of = [
        estimator(obj, inputs="X", outputs={"transform": f"f{i}"}, name=f"base{i}")
        for i, obj in enumerate(drawn["bases"])
    ]
    final = estimator(
        Add(3), inputs="features", outputs={"transform": "out"}, name="final"
    )
    model = stack(
        made_of,
        final,
        splitter=drawn["pairs"],
        rows=["X", "w"],
        features=[f"f{i}" for i in drawn["order"]],
        passthrough=passthrough,
        name="s",
    )
    data = {"X": toys.numbered(rows), "w": np.arange(rows) * 7.0}
    trained = toys.run(model.train, data)
    other = {"X": data["X"][::2] + 5, "w": data["w"][::2]}
    made = toys.evaluated(model, trained, other)

    def by_hand(*, in_training: bool) -> Array:
        blocks = []
        for i in drawn["order"]:
            base = drawn["bases"][i]
            if not in_training:
                blocks.append(columns(base.fit(data["X"]).transform(other["X"])))
                continue
            width = max(1, base.columns)
            block = np.empty((rows, width))
            for train, test in drawn["pairs"]:
                fresh = base.fit(data["X"][train])
                block[test] = columns(fresh.transform(data["X"][test]))
            blocks.append(block)
        given_ = data if in_training else other
        return np.hstack([*blocks, *(columns(given_[name]) for name in passthrough)])

    features = by_hand(in_training=True)
    assert np.array_equal(trained["features"], features)
    assert trained["final_state"].sum_ == 3 * features.sum()
    features = by_hand(in_training=False)
    assert np.array_equal(made["features"], features)
    assert np.array_equal(
        made["out"], 1000 * features[:, 0] + trained["final_state"].sum_
    )


@quietly
@given(values=st.data(), rows=st.integers(4, 14))
def test_features_commute_with_a_permutation_of_the_rows(
    values: Any, rows: int
) -> None:
    pairs = values.draw(partitions(rows))
    order = np.array(values.draw(st.permutations(range(rows))))
    where = np.argsort(order)
    moved_pairs = [(where[train], where[test]) for train, test in pairs]
    ids = toys.numbered(rows)

    def features(folds: Any, given_: Array) -> Array:
        model = stack(
            [
                estimator(Add(n, n), inputs="X", outputs=f"f{n}", name=f"b{n}")
                for n in (1, 2)
            ],
            estimator(Add(), inputs="features", outputs="out", name="final"),
            splitter=folds,
            rows=["X"],
            features=["f1", "f2"],
            name="s",
        )
        return toys.run(model.train, {"X": given_})["features"]

    assert np.array_equal(
        features(moved_pairs, ids[order]), features(pairs, ids)[order]
    )


# --- the warning ----------------------------------------------------------------------------


def scaled_before(passthrough: list[str]) -> Estimator:
    scale = estimator(StandardScaler(), inputs="raw", outputs="X", name="first")
    return scale + stack_toys.stacked(
        {"bayes": GaussianNB()},
        stack_toys.linear(),
        method="predict_proba",
        passthrough=passthrough,
    )


def test_a_scaler_before_the_bases_is_warned_of() -> None:
    with pytest.warns(LeakWarning, match="'X'") as caught:
        scaled_before([])

    assert len(caught) == 1


def judged(rows: str) -> Estimator:
    later = estimator(GaussianNB(), fit_inputs=[rows, "y"], inputs=rows, outputs="z")
    return cross_validate(
        later, splitter=StratifiedKFold(2), stratify="y", rows=[rows, "y"], name="later"
    )


@pytest.mark.parametrize("rows", ["bayes_out", "features"])
def test_out_of_fold_features_may_be_resampled_without_a_warning(rows: str) -> None:
    first = stack_toys.stacked(
        {"bayes": GaussianNB()}, stack_toys.linear(), method="predict_proba"
    )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        first + judged(rows)


def test_what_final_says_of_its_own_rows_is_warned_of() -> None:
    first = stack_toys.stacked(
        {"bayes": GaussianNB()}, stack_toys.linear(), method="predict_proba"
    )

    with pytest.warns(LeakWarning, match=r"'stack.final.final.fit' saw"):
        first + judged("p")


def test_learned_rows_that_are_passed_through_are_warned_of() -> None:
    with pytest.warns(LeakWarning, match="'X'"):
        first = scaled_before(["X"])

    with pytest.warns(LeakWarning, match=r"rows 'features' .* 'first.fit_transform'"):
        first + judged("features")
