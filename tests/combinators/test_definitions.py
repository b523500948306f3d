"""Wrong definitions are refused in one line: subject, expected, got and what to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from combinators import toys
from sklearn import model_selection as ms
from sklearn.metrics import accuracy_score

from kedro_rats import cross_validate, holdout, metric, transformer
from kedro_rats.errors import DefinitionError

ACCURACY = {"accuracy": toys.ACCURACY}
WITH_TABLE = toys.classifier() + transformer(
    np.add, inputs=["p", "table"], outputs="adjusted", name="adjust"
)


def cv(operand: Any = None, **options: Any) -> Any:
    given = {
        "splitter": ms.KFold(3),
        "rows": ["X", "y"],
        "name": "cv",
        **options,
    }
    return cross_validate(toys.classifier() if operand is None else operand, **given)


def held(operand: Any = None, **options: Any) -> Any:
    given = {"rows": ["X", "y"], "name": "held", **options}
    return holdout(toys.classifier() if operand is None else operand, **given)


def judged(*datasets: str) -> dict[str, Any]:
    return {"accuracy": metric(accuracy_score, inputs=list(datasets))}


def shuffled(kind: Any, **options: Any) -> Any:
    return kind(3, shuffle=True, **options)


RANDOM = np.random.RandomState(0)
WRONG: dict[str, tuple[Any, list[str]]] = {
    "an input that is neither rows nor shared": (
        lambda: cv(WITH_TABLE),
        ["'cv', input 'table'", "rows: X, y", "Add it to rows"],
    ),
    "an input that is almost named": (
        lambda: cv(WITH_TABLE, shared=["tabel"]),
        ["'cv', input 'table'", "shared: tabel", "Did you mean 'tabel'?"],
    ),
    "a target that is not named": (
        lambda: cv(rows=["X"]),
        ["'cv', input 'y'", "got neither (rows: X; shared: nothing)"],
    ),
    "a target that a holdout is not told of": (
        lambda: held(rows=["X"]),
        ["holdout 'held', input 'y'", "got neither"],
    ),
    "an input that is both": (
        lambda: cv(WITH_TABLE, rows=["X", "y", "table"], shared=["table"]),
        ["'cv', rows and shared", "'table' in one of them", "got both"],
    ),
    "groups that are shared": (
        lambda: cv(splitter=ms.GroupKFold(3), groups="g", shared=["g"]),
        ["'g' in one of them", "got both"],
    ),
    "rows that are made inside": (
        lambda: cv(rows=["X", "y", "label"]),
        ["'cv', rows", "inputs of the estimator (X, y)", "got 'label', which '"],
    ),
    "a part of the rows in words": (
        lambda: held(test_size="30%"),
        ["holdout 'held', test_size", "between 0 and 1", "got '30%'"],
    ),
    "no part of the rows": (lambda: held(test_size=0), ["test_size", "got 0"]),
    "more than all rows": (lambda: held(test_size=1.5), ["test_size", "got 1.5"]),
    "a part that is none": (lambda: held(test_size=True), ["got True"]),
    "no rows": (lambda: cv(rows=[]), ["rows", "a list", "got []"]),
    "no rows in a holdout": (lambda: held(rows=()), ["rows", "a list", "got ()"]),
    "rows that are no list": (lambda: cv(rows=3), ["rows", "got 3"]),
    "a row that is no name": (lambda: cv(rows=["X", "y", 3]), ["rows", "got 3"]),
    "a row that is a list": (lambda: cv(rows=["X", ["y"]]), ["got ['y']"]),
    "groups that are no name": (
        lambda: cv(splitter=ms.GroupKFold(3), groups=["g"]),
        ["got ['g']"],
    ),
    "a malformed row": (lambda: cv(rows=["X", "y", "a b"]), ["'cv', rows", "'a b'"]),
    "a metric over what nobody makes": (
        lambda: cv(metrics=judged("y", "labell")),
        ["'cv', metric 'accuracy'", "got 'labell'", "Did you mean 'label'?"],
    ),
    "a metric of a holdout over what nobody makes": (
        lambda: held(metrics=judged("target", "label")),
        ["'held', metric 'accuracy'", "got 'target'"],
    ),
    "a metric over what only training makes": (
        lambda: cv(
            toys.classifier()
            + transformer(np.copy, inputs="label", outputs="copy", name="copy"),
            metrics=judged("y", "cv.folds"),
        ),
        ["'cv', metric 'accuracy'", "got 'cv.folds'"],
    ),
    "metrics that are no dict": (
        lambda: cv(metrics=toys.ACCURACY),
        ["'cv', metrics", "a dict of named metrics"],
    ),
    "an empty dict of metrics": (lambda: cv(metrics={}), ["'cv', metrics", "got {}"]),
    "a metric that is a function": (
        lambda: cv(metrics={"accuracy": accuracy_score}),
        ["'cv', metrics 'accuracy'", "a metric", "Wrap the function"],
    ),
    "a metric with a malformed name": (
        lambda: cv(metrics={"a b": toys.ACCURACY}),
        ["'cv', metrics, name", "'a b'"],
    ),
    "groups that are missing": (
        lambda: cv(splitter=ms.GroupKFold(3)),
        ["'cv', splitter", "groups, which GroupKFold needs", "groups='…'"],
    ),
    "groups that LeaveOneGroupOut misses": (
        lambda: cv(splitter=ms.LeaveOneGroupOut(), n_splits=3),
        ["groups, which LeaveOneGroupOut needs"],
    ),
    "classes that are missing": (
        lambda: cv(splitter=ms.StratifiedKFold(3)),
        ["'cv', splitter", "stratify, which StratifiedKFold needs", "stratify='…'"],
    ),
    "classes that StratifiedGroupKFold misses": (
        lambda: cv(splitter=ms.StratifiedGroupKFold(3), groups="g"),
        ["stratify, which StratifiedGroupKFold needs"],
    ),
    "classes that RepeatedStratifiedKFold misses": (
        lambda: cv(splitter=ms.RepeatedStratifiedKFold(random_state=0)),
        ["stratify, which RepeatedStratifiedKFold needs"],
    ),
    "shuffled folds without a seed": (
        lambda: cv(splitter=shuffled(ms.KFold)),
        ["'cv', splitter", "an integer random_state", "got None", "KFold(…, random_"],
    ),
    "shuffled classes without a seed": (
        lambda: cv(splitter=shuffled(ms.StratifiedKFold), stratify="y"),
        ["an integer random_state", "got None"],
    ),
    "random splits without a seed": (
        lambda: cv(splitter=ms.ShuffleSplit(3)),
        ["an integer random_state", "got None", "ShuffleSplit(…"],
    ),
    "repeated folds without a seed": (
        lambda: cv(splitter=ms.RepeatedKFold()),
        ["an integer random_state", "got None"],
    ),
    "a generator that folds share": (
        lambda: cv(splitter=shuffled(ms.KFold, random_state=RANDOM)),
        ["an integer random_state", "got RandomState(MT19937)"],
    ),
    "a generator that random splits share": (
        lambda: cv(splitter=ms.ShuffleSplit(3, random_state=RANDOM)),
        ["an integer random_state", "got RandomState(MT19937)"],
    ),
    "a holdout without a seed": (
        lambda: held(random_state=None),
        ["holdout 'held'", "an integer random_state", "got None"],
    ),
    "a holdout with a generator": (
        lambda: held(random_state=RANDOM),
        ["an integer random_state", "got RandomState(MT19937)"],
    ),
    "a holdout of groups and classes": (
        lambda: held(groups="g", stratify="y"),
        ["holdout 'held'", "groups alone", "StratifiedGroupKFold"],
    ),
    "a holdout of groups in order": (
        lambda: held(groups="g", shuffle=False),
        ["holdout 'held'", "groups alone"],
    ),
    "a holdout of classes in order": (
        lambda: held(stratify="y", shuffle=False),
        ["holdout 'held'", "a shuffled split"],
    ),
    "a number as splitter": (
        lambda: cv(splitter=5),
        ["'cv', splitter", "a splitter, index pairs", "got 5", "KFold(5)"],
    ),
    "no splitter": (lambda: cv(splitter=None), ["'cv', splitter", "got None"]),
    "the class of a splitter": (
        lambda: cv(splitter=ms.StratifiedKFold, stratify="y"),
        ["'cv', splitter", "got the class StratifiedKFold", "StratifiedKFold()."],
    ),
    "the class of a splitter and its folds": (
        lambda: cv(splitter=ms.KFold, n_splits=3),
        ["'cv', splitter", "got the class KFold", "Give an instance: KFold()."],
    ),
    "outputs without an order": (
        lambda: cv(outputs={"p"}),
        ["'cv', outputs", "names in an order", "got {'p'}", "Give a list"],
    ),
    "shared inputs without an order": (
        lambda: cv(WITH_TABLE, shared=frozenset(["table"])),
        ["'cv', shared", "names in an order", "Give a list"],
    ),
    "no index pairs": (lambda: cv(splitter=[]), ["'cv', splitter", "got []"]),
    "pairs of which one is a triple": (
        lambda: cv(splitter=[([0], [1]), ([1], [0], [2])]),
        ["'cv', splitter", "pairs"],
    ),
    "pairs of which one is an array": (
        lambda: cv(splitter=[([0], [1]), np.arange(3)]),
        ["'cv', splitter", "pairs"],
    ),
    "another number of index pairs": (
        lambda: cv(splitter=[([0], [1]), ([1], [0])], n_splits=3),
        ["'cv', splitter", "n_splits"],
    ),
    "LeaveOneOut without its number": (
        lambda: cv(splitter=ms.LeaveOneOut()),
        ["'cv', splitter", "n_splits, since LeaveOneOut cannot tell", "got None"],
    ),
    "LeaveOneGroupOut without its number": (
        lambda: cv(splitter=ms.LeaveOneGroupOut(), groups="g"),
        ["n_splits, since LeaveOneGroupOut cannot tell"],
    ),
    "a fold column without its number": (
        lambda: cv(splitter="fold"),
        ["n_splits, since a fold column cannot tell", "n_splits=…"],
    ),
    "a number of folds that is none": (
        lambda: cv(splitter="fold", n_splits=0),
        ["n_splits", "got 0"],
    ),
    "a number of folds that is a string": (
        lambda: cv(splitter="fold", n_splits="3"),
        ["n_splits", "got '3'"],
    ),
    "on_error that is neither": (
        lambda: cv(on_error="ignore"),
        ["'cv', on_error", "'raise' or 'nan'", "got 'ignore'"],
    ),
    "an output that evaluation does not make": (
        lambda: cv(outputs=["labels"]),
        ["'cv', outputs", "label", "got 'labels'"],
    ),
    "an input as output": (lambda: cv(outputs=["y"]), ["'cv', outputs", "got 'y'"]),
    "outputs of random splits": (
        lambda: cv(splitter=ms.ShuffleSplit(3, random_state=0), outputs=["p"]),
        ["'cv', outputs", "none", "got p", "choose a splitter such as KFold"],
    ),
    "outputs of splits in time": (
        lambda: cv(splitter=ms.TimeSeriesSplit(3), outputs=["p"]),
        ["'cv', outputs", "none", "got p"],
    ),
    "outputs of repeated folds": (
        lambda: cv(splitter=ms.RepeatedKFold(random_state=0), outputs=["p"]),
        ["'cv', outputs", "none", "got p"],
    ),
    "outputs where some rows are never judged": (
        lambda: cv(splitter=ms.PredefinedSplit([0, 1, -1]), outputs=["p"]),
        ["'cv', outputs", "none", "got p"],
    ),
    "a name that is used inside": (
        lambda: cv(cv(), name="cv"),
        ["cross_validate 'cv', name", "not used inside", "another name"],
    ),
    "a name that is used two levels inside": (
        lambda: held(cv(cv(), name="outer"), name="cv"),
        ["holdout 'cv', name", "not used inside"],
    ),
    "the name of a part": (
        lambda: cv(name="model"),
        ["'model', name", "not used inside"],
    ),
    "a malformed name": (lambda: cv(name="my cv"), ["name", "got 'my cv'"]),
    "an empty name": (lambda: cv(name=""), ["name", "got ''"]),
    "a name that is no string": (lambda: cv(name=1), ["name", "got 1"]),
    "a pipeline as operand": (
        lambda: cv(toys.classifier().train),
        ["cross_validate 'cv'", "an Estimator", "Give what estimator(…)"],
    ),
    "a model as operand": (
        lambda: held(toys.Ridge()),
        ["holdout 'held'", "an Estimator", "got Ridge()"],
    ),
}


@pytest.mark.parametrize(("define", "parts"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_definition_is_refused_in_one_line(
    define: Any, parts: list[str]
) -> None:
    with pytest.raises(DefinitionError) as error:
        define()

    message = str(error.value)
    assert len(error.value.breaches) == 1
    assert "\n" not in message
    for part in (": expected ", ", got ", *parts):
        assert part in message
    (breach,) = error.value.breaches
    assert breach.remedy.endswith((".", "?"))


def test_all_inputs_that_are_not_given_are_named_at_once() -> None:
    with pytest.raises(DefinitionError) as error:
        cv(WITH_TABLE, rows=["X"])

    subjects = [breach.subject for breach in error.value.breaches]
    assert subjects == [
        "cross_validate 'cv', input 'table'",
        "cross_validate 'cv', input 'y'",
    ]


RIGHT: dict[str, Any] = {
    "a string as rows": lambda: cross_validate(
        toys.summing(), splitter=ms.KFold(2), rows="X", name="cv"
    ),
    "a string as shared": lambda: cv(WITH_TABLE, shared="table"),
    "a string as outputs": lambda: cv(outputs="p"),
    "an output twice": lambda: cv(outputs=["p", "p"]),
    "rows as a tuple": lambda: cv(rows=("X", "y")),
    "groups among the rows": lambda: cv(
        splitter=ms.GroupKFold(2), rows=["X", "y", "g"], groups="g"
    ),
    "a seed of NumPy": lambda: cv(
        splitter=shuffled(ms.KFold, random_state=np.int64(3))
    ),
    "an unshuffled splitter without a seed": lambda: cv(splitter=ms.KFold(2)),
    "a metric of parameters": lambda: cv(
        metrics={"m": metric(max, inputs=["y", "params:least"])}
    ),
    "a splitter of one's own": lambda: cv(splitter=OwnSplitter()),
    "rows that nobody reads": lambda: cv(rows=["X", "y", "id"]),
}


class OwnSplitter:
    """Follows scikit-learn's conventions and derives from nothing."""

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Any:
        rows = np.arange(len(X))
        return iter([(rows[1::2], rows[::2]), (rows[::2], rows[1::2])])

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        return 2


@pytest.mark.parametrize("define", RIGHT.values(), ids=RIGHT.keys())
def test_a_right_definition_is_accepted(define: Any) -> None:
    assert "model_state" in (state := define().state) or state == ("sum_state",)


def test_a_splitter_of_ones_own_has_row_outputs_where_they_are_asked_for() -> None:
    X, y = toys.bundled("breast_cancer", step=9)
    asked, silent = (
        cv(splitter=OwnSplitter(), outputs=["p"]),
        cv(splitter=OwnSplitter()),
    )

    made = toys.run(asked.train, {"X": X, "y": y})

    expected = ms.cross_val_predict(
        toys.classifier_of_sklearn(), X, y, cv=OwnSplitter(), method="predict_proba"
    )
    assert np.array_equal(made["p"], expected)
    assert "p" not in toys.run(silent.train, {"X": X, "y": y})


def test_rows_with_transcoding_are_sliced_or_refused_in_one_line() -> None:
    operand = toys.estimator(
        toys.learn_sum, toys.add_sum, inputs="X@numpy", outputs="out", name="sum"
    )

    try:
        made = cross_validate(operand, splitter=ms.KFold(2), rows=["X"], name="cv")
    except DefinitionError as error:
        assert "\n" not in str(error)
        assert "X@numpy" in str(error)
    else:
        out = toys.run(made.train, {"X@numpy": np.ones((4, 1)), "X": np.ones((4, 1))})
        assert out["out"].shape == (4, 1)
