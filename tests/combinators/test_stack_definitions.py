"""Wrong stacks are refused, in a line for each breach, all at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from combinators import stack_toys, toys
from sklearn import model_selection as ms
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from kedro_rats import (
    Estimator,
    cross_validate,
    estimator,
    stack,
    train_only,
    transformer,
)
from kedro_rats.errors import DefinitionError


def base(
    number: int, *, reads: str = "X", obj: Any = None, **outputs: str
) -> Estimator:
    made = outputs or {"predict_proba": f"p{number}"}
    obj = LogisticRegression() if obj is None else obj
    return stack_toys.model(obj, made, f"base{number}", reads=reads)


def last(reads: str = "features", **outputs: str) -> Estimator:
    made = outputs or {"predict": "label"}
    return stack_toys.model(LogisticRegression(), made, "final", reads=reads)


def made(bases: Any = None, final: Any = None, **options: Any) -> Any:
    given = {
        "splitter": ms.KFold(3),
        "rows": ["X", "y"],
        "features": ["p1", "p2"],
        "name": "s",
        **options,
    }
    bases = [base(1), base(2)] if bases is None else bases
    return stack(bases, last() if final is None else final, **given)


def scaled(name: str) -> Estimator:
    return estimator(StandardScaler(), inputs="X", outputs="Z", name=name)


def fit_both(features: Any, hidden: Any) -> Any:
    return features.sum() + hidden.sum()


def apply_one(state: Any, features: Any) -> Any:
    return features + state


WRONG: dict[str, tuple[Any, list[str]]] = {
    "no bases": (
        lambda: made([]),
        ["stack 's', estimators", "a list of estimators", "got []"],
    ),
    "one base that is not in a list": (
        lambda: made(base(1)),
        ["stack 's', estimators", "got Estimator("],
    ),
    "a model as base": (
        lambda: made([base(1), GaussianNB()]),
        ["stack 's'", "an Estimator", "got GaussianNB()"],
    ),
    "a pipeline as final": (
        lambda: made(final=last().train),
        ["stack 's'", "an Estimator", "Give what estimator(…)"],
    ),
    "a malformed name": (lambda: made(name="my s"), ["name", "got 'my s'"]),
    "a name that is used in a base": (
        lambda: made(name="base2"),
        ["stack 'base2', name", "not used inside", "another name"],
    ),
    "a name that is used in final": (
        lambda: made(name="final"),
        ["stack 'final', name", "not used inside"],
    ),
    "a feature that nobody makes": (
        lambda: made([base(1)], features=["p1", "P2"]),
        ["'s', features", "row outputs of the bases (p1)", "got 'P2'"],
    ),
    "a feature with a typo": (
        lambda: made(
            [base(1, predict_proba="probable"), base(2)], features=["probabel", "p2", "probable"]
        ),
        ["got 'probabel'", "Did you mean 'probable'?"],
    ),
    "a feature of final": (
        lambda: made(features=["p1", "p2", "label"]),
        ["'s', features", "got 'label'"],
    ),
    "no features": (lambda: made(features=[]), ["'s', features", "got none"]),
    "a feature twice": (
        lambda: made(features=["p1", "p2", "p1"]),
        ["'s', features", "each name once", "'p1' 2 times"],
    ),
    "a base without a feature": (
        lambda: made(features=["p1"]),
        ["'s', features", "an output of each base", "none of base 1", "leave that base"],
    ),
    "features that are no names": (
        lambda: made(features=3),
        ["'s', features", "a list of names", "got 3"],
    ),
    "features in no order": (
        lambda: made(features={"p1"}),
        ["'s', features", "names in an order", "got {'p1'}"],
    ),
    "a passthrough in no order": (
        lambda: made(passthrough={"X"}),
        ["'s', passthrough", "names in an order", "got {'X'}"],
    ),
    "a passthrough that is no row": (
        lambda: made(passthrough=["W"]),
        ["'s', passthrough", "among the rows (X, y)", "got 'W'"],
    ),
    "a passthrough that is shared": (
        lambda: made(passthrough=["table"], shared=["table"]),
        ["'s', passthrough", "got 'table'"],
    ),
    "a passthrough twice": (
        lambda: made(passthrough=["X", "X"]),
        ["'s', passthrough", "each name once"],
    ),
    "a final that does not read the features": (
        lambda: made(final=last(reads="X")),
        ["'s', into", "final reads in both phases (X)", "got 'features'"],
    ),
    "a malformed into": (
        lambda: made(final=last("a"), into="a b", rows=["X", "y", "a"]),
        ["'s', into", "got 'a b'"],
    ),
    "an input that is neither rows nor shared": (
        lambda: made([base(1), base(2, reads="V")]),
        ["'s', input 'V'", "rows: X, y", "Add it to rows"],
    ),
    "an input of final that is neither": (
        lambda: made(
            final=estimator(
                fit_both,
                apply_one,
                fit_inputs=["features", "w"],
                inputs="features",
                outputs="q",
                name="final",
            )
        ),
        ["'s', input 'w'", "neither"],
    ),
    "a target that is not named": (lambda: made(rows=["X"]), ["'s', input 'y'"]),
    "an input that is both": (
        lambda: made(shared=["X"]),
        ["'s', rows and shared", "'X' in one of them", "got both"],
    ),
    "a row with transcoding": (
        lambda: made([base(1, reads="X@pandas"), base(2, reads="X@pandas")]),
        ["'s', input 'X@pandas'", "transcoded"],
    ),
    "a base that reads another one": (
        lambda: made([base(1), base(2, reads="p1")]),
        ["'s', estimators", "read nothing of each other", "'p1', which base 0", "with +"],
    ),
    "a base that resamples rows that another one learned": (
        lambda: made(
            [scaled("scale"), cross_validate(base(2, reads="Z"), splitter=ms.KFold(2), rows=["Z", "y"], name="cv")],
            features=["Z", "p2"],
        ),
        ["'s', estimators", "'Z', which base 0 makes and base 1 reads"],
    ),
    "a base that reads the features": (
        lambda: made([base(1), base(2, reads="features")]),
        ["'s', estimators", "'features', which base 1 reads"],
    ),
    "an into that is no name": (lambda: made(into=["features"]), ["'s', into"]),
    "an into with transcoding": (
        lambda: made(final=last("features@np"), into="features@np"),
        ["'s', into", "got 'features@np'"],
    ),
    "a final that reads the features with transcoding": (
        lambda: made(final=last("features@np")),
        ["stack 's'", "nodes that Kedro puts together", "features"],
    ),
    "final makes what a base makes": (
        lambda: made(final=last(predict="p1")),
        ["'s', final", "names that nothing else has", "'p1'"],
    ),
    "final makes the features": (
        lambda: made(final=last() + transformer(np.copy, inputs="label", outputs="X", name="c")),
        ["'s', final", "'X'"],
    ),
    "a base makes a row": (
        lambda: made([base(1), base(2) + transformer(np.copy, inputs="p2", outputs="y2", name="c")], rows=["X", "y", "y2"], features=["p1", "p2"]),
        ["'s', estimators", "'y2', which 'c.apply' makes too"],
    ),
    "final reads what a base keeps to itself": (
        lambda: made(
            [base(1), scaled("scale") + base(2, reads="Z")],
            estimator(
                fit_both,
                apply_one,
                fit_inputs=["features", "Z"],
                inputs="features",
                outputs="q",
                name="final",
            ),
        ),
        ["'s', final", "row outputs of the bases (p1, p2)", "got 'Z'"],
    ),
    "random splits": (
        lambda: made(splitter=ms.ShuffleSplit(3, random_state=0)),
        ["'s', splitter", "each row is in one", "got ShuffleSplit", "KFold"],
    ),
    "splits in time": (
        lambda: made(splitter=ms.TimeSeriesSplit(3)),
        ["'s', splitter", "got TimeSeriesSplit"],
    ),
    "folds without a seed": (
        lambda: made(splitter=ms.KFold(3, shuffle=True)),
        ["'s', splitter", "an integer random_state", "got None"],
    ),
    "folds without their groups": (
        lambda: made(splitter=ms.GroupKFold(3)),
        ["'s', splitter", "groups, which GroupKFold needs"],
    ),
    "folds without their classes": (
        lambda: made(splitter=ms.StratifiedKFold(3)),
        ["'s', splitter", "stratify, which StratifiedKFold needs"],
    ),
    "folds whose number nobody knows": (
        lambda: made(splitter=ms.LeaveOneOut()),
        ["'s', splitter", "tells its number of folds", "got LeaveOneOut", "pairs"],
    ),
    "a fold column": (
        lambda: made(splitter="fold"),
        ["'s', splitter", "tells its number of folds", "got 'fold'"],
    ),
    "a number as splitter": (lambda: made(splitter=5), ["'s', splitter", "got 5"]),
    "no rows": (lambda: made(rows=[]), ["'s', rows", "got []"]),
}  # fmt: skip


@pytest.mark.parametrize(("define", "parts"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_stack_is_refused_in_one_line(define: Any, parts: list[str]) -> None:
    with pytest.raises(DefinitionError) as error:
        define()

    message = str(error.value)
    assert len(error.value.breaches) == 1, message
    assert "\n" not in message
    for part in (": expected ", ", got ", *parts):
        assert part in message
    (breach,) = error.value.breaches
    assert breach.remedy.endswith((".", "?"))


def lines_of(define: Any) -> list[str]:
    with pytest.raises(DefinitionError) as error:
        define()
    return str(error.value).splitlines()


def test_a_feature_of_two_bases_is_refused() -> None:
    lines = lines_of(
        lambda: made([base(1), base(2, predict_proba="p1")], features=["p1"])
    )

    assert lines[0].startswith("stack 's', features: expected each made by one base")
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "stack 's', estimators, train",
        "stack 's', estimators, eval",
    ]
    assert "makes 'p1', got two: 'base1.apply' and 'base2.apply'" in lines[1]


def test_two_bases_that_make_one_dataset_in_two_ways_are_refused() -> None:
    bases = [scaled("one") + base(1, reads="Z"), scaled("two") + base(2, reads="Z")]

    lines = lines_of(lambda: made(bases))

    assert [line.partition(":")[0] for line in lines] == [
        "stack 's', estimators, train",
        "stack 's', estimators, eval",
    ]
    assert "one node that makes 'Z', got two: 'one.fit_transform'" in lines[0]


def test_features_under_another_name_than_final_reads_are_refused() -> None:
    lines = lines_of(lambda: made(into="meta"))

    assert lines[0].startswith(
        "stack 's', into: expected a dataset that final reads in both phases "
        "(features), got 'meta'. "
    )
    assert lines[0].endswith("or change into.")
    assert lines[1].startswith("stack 's', input 'features': ")


def test_one_base_twice_is_refused() -> None:
    with pytest.raises(DefinitionError, match="each made by one base, got 'p1'"):
        made([base(1), base(1)], features=["p1"])


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(DefinitionError) as error:
        made(
            [base(1), base(2, reads="V")],
            last(reads="elsewhere"),
            splitter=ms.GroupKFold(3),
            features=["p1", "p3"],
            passthrough=["W"],
        )

    subjects = [breach.subject for breach in error.value.breaches]
    assert subjects == [
        "stack 's', splitter",
        "stack 's', features",
        "stack 's', features",
        "stack 's', passthrough",
        "stack 's', into",
        "stack 's', input 'V'",
        "stack 's', input 'elsewhere'",
    ]


def test_two_stacks_with_features_of_one_name_cannot_be_bases() -> None:
    def inner(number: int) -> Estimator:
        final = stack_toys.model(
            LogisticRegression(), f"q{number}", f"last{number}", reads="features"
        )
        return made([base(number)], final, features=[f"p{number}"], name=f"s{number}")

    with pytest.raises(DefinitionError, match="one node that makes 'features'"):
        made([inner(1), inner(2)], last("meta"), features=["q1", "q2"], into="meta")


def drop(X: Any, y: Any) -> Any:
    return X[2:], y[2:]


RIGHT: dict[str, Any] = {
    "one base": lambda: made([base(1)], features="p1"),
    "bases as a tuple": lambda: made((base(1), base(2))),
    "a string as passthrough": lambda: made(passthrough="X"),
    "a feature that something in the base reads too": lambda: made(
        [base(1) + transformer(np.copy, inputs="p1", outputs="copy", name="c"), base(2)]
    ),
    "a feature that is only transformed": lambda: made(
        [base(1), scaled("scale")], features=["p1", "Z"]
    ),
    "a base that trains without some rows": lambda: made(
        [
            base(1),
            train_only(drop, inputs=["X", "y"], outputs=["Xk", "yk"], name="drop")
            + estimator(
                GaussianNB(),
                fit_inputs=["Xk", "yk"],
                inputs="X",
                outputs={"predict_proba": "p2"},
                name="bayes",
            ),
        ]
    ),
    "a final without outputs in training": lambda: made(
        final=estimator(
            LogisticRegression(),
            fit_inputs=["features", "y"],
            inputs="features",
            outputs="label",
            train_outputs=False,
            name="final",
        )
    ),
    "a base without outputs in training": lambda: made(
        [
            base(1),
            estimator(
                LogisticRegression(),
                fit_inputs=["X", "y"],
                inputs="X",
                outputs={"predict_proba": "p2"},
                train_outputs=False,
                name="silent",
            ),
        ]
    ),
    "a base that is cross-validated already": lambda: made(
        [
            base(1),
            cross_validate(base(2), splitter=ms.KFold(2), rows=["X", "y"], name="cv"),
        ]
    ),
}


@pytest.mark.parametrize("define", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_stack_is_accepted_and_runs(define: Any) -> None:
    X, y = toys.bundled("iris", 2)
    X, order = StandardScaler().fit_transform(X), np.argsort(np.arange(len(y)) % 7)

    model = define()
    trained = toys.run(model.train, {"X": X[order], "y": y[order]})
    made_ = toys.evaluated(model, trained, {"X": X[:5]})

    assert len(made_["label"]) == 5
    assert len(trained["features"]) == len(X)
