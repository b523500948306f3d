"""`+` refuses what Kedro would drop or choose silently, and nothing else."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from kedro.pipeline import Pipeline, node
from pipelines import toys
from sklearn.decomposition import SparseCoder
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline as SklearnPipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    OneHotEncoder,
    StandardScaler,
)

from kedro_rats import (
    Estimator,
    cross_validate,
    estimator,
    map_over,
    train_only,
    transformer,
)
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from collections.abc import Callable


def of(func: Any, reads: Any = "X", makes: Any = "Z", **options: Any) -> Pipeline:
    return Pipeline([node(func, reads, makes, **{"name": "n", **options})])


def trained(pipeline: Pipeline) -> Estimator:
    return Estimator(pipeline, Pipeline([]))


def evaluated(pipeline: Pipeline) -> Estimator:
    return Estimator(Pipeline([]), pipeline)


def scale(obj: Any = None, **changed: Any) -> Estimator:
    given = {"inputs": "X", "outputs": "Z", "name": "scale", **changed}
    return estimator(StandardScaler() if obj is None else obj, **given)


def power(rows: Any, exponent: int = 2) -> Any:
    return rows**exponent


# Kedro keeps one of two nodes that are equal by name, inputs and outputs, and says
# nothing; it speaks only of two nodes of a name that differ in these.
CLASHES: dict[str, tuple[Pipeline, Pipeline, str]] = {
    "function": (of(toys.double), of(toys.halve), "function"),
    "function of a bound method": (
        of(StandardScaler(copy=True).transform),
        of(StandardScaler(copy=False).transform),
        "function",
    ),
    "partial": (
        of(functools.partial(power, exponent=2)),
        of(functools.partial(power, exponent=3)),
        "function",
    ),
    "tags": (of(toys.double, tags="a"), of(toys.double, tags="b"), "tags"),
    "inputs": (of(toys.double), of(toys.double, reads="W"), "inputs"),
    "outputs": (of(toys.double), of(toys.double, makes="Q"), "outputs"),
    "arguments": (
        of(toys.add, reads={"left": "a", "right": "b"}),
        of(toys.add, reads={"left": "b", "right": "a"}),
        "inputs",
    ),
    "confirms": (of(toys.double), of(toys.double, confirms="X"), "confirms"),
}


@pytest.mark.parametrize("wrap", [trained, evaluated])
@pytest.mark.parametrize("difference", CLASHES)
def test_two_nodes_of_one_name_that_differ_are_refused(
    wrap: Any, difference: str
) -> None:
    first, second, said = CLASHES[difference]

    with pytest.raises(DefinitionError, match=f"two that differ in {said}"):
        wrap(first) + wrap(second)


@pytest.mark.parametrize("difference", CLASHES)
def test_they_are_refused_across_the_phases(difference: str) -> None:
    first, second, said = CLASHES[difference]

    with pytest.raises(DefinitionError, match=f"two that differ in .*{said}"):
        trained(first) + evaluated(second)


@pytest.mark.parametrize(
    ("first", "second"),
    [("Z", "Z"), ("Z@pandas", "Z@spark"), ("Z", "Z@spark"), ("Z@pandas", "Z@pandas")],
)
@pytest.mark.parametrize("wrap", [trained, evaluated])
def test_two_makers_of_a_dataset_are_refused_however_it_is_read(
    wrap: Any, first: str, second: str
) -> None:
    one = wrap(of(toys.double, makes=first, name="one"))
    other = wrap(of(toys.double, makes=second, name="other"))

    with pytest.raises(DefinitionError, match=r"two: 'one' and 'other'"):
        one + other


def test_a_reader_of_what_only_the_others_evaluation_makes_is_refused() -> None:
    reader, maker = (
        trained(of(toys.double, reads="V", name="reader")),
        evaluated(of(toys.halve, makes="V", name="maker")),
    )

    for first, second in ((reader, maker), (maker, reader)):
        with pytest.raises(DefinitionError, match="which only eval makes"):
            first + second


def test_a_transcoded_reader_of_it_is_refused() -> None:
    reader = trained(of(toys.double, reads="V@pandas", name="reader"))
    maker = evaluated(of(toys.halve, makes="V@spark", name="maker"))

    with pytest.raises(DefinitionError, match="which only eval makes"):
        reader + maker


@pytest.mark.parametrize("wrap", [trained, evaluated])
def test_a_cycle_is_refused_with_its_nodes(wrap: Any) -> None:
    there = wrap(of(toys.double, name="there"))
    back = wrap(of(toys.halve, reads="Z", makes="X", name="back"))

    with pytest.raises(DefinitionError, match="a cycle of back, there"):
        there + back


def test_evaluation_that_reads_what_only_training_has_is_refused() -> None:
    drop = train_only(
        toys.keep_first_half, inputs=["X", "y"], outputs=["Xk", "yk"], name="drop"
    )

    with pytest.raises(DefinitionError, match=r"train-only node 'drop.apply'"):
        drop + transformer(toys.double, inputs="Xk", outputs="Z")


@pytest.mark.parametrize("other", [3, "clf", None])
def test_what_is_no_estimator_is_no_operand(other: Any) -> None:
    with pytest.raises(TypeError):
        scale() + other
    with pytest.raises(TypeError):
        other + scale()


@pytest.mark.parametrize(
    "add",
    [
        lambda: scale() + Pipeline([]),
        lambda: Pipeline([]) + scale(),
        lambda: sum([Pipeline([]), scale()]),
        lambda: sum([scale(), Pipeline([])]),
    ],
)
def test_a_pipeline_and_an_estimator_are_no_sum_and_what_to_take_is_said(
    add: Callable[[], object],
) -> None:
    with pytest.raises(DefinitionError) as refused:
        add()

    assert str(refused.value) == (
        "sum of pipelines: expected a Pipeline, got an Estimator. Take its .train or "
        ".eval_on(…)."
    )


# What two modules of a project may each define by themselves.
SAME: dict[str, Any] = {
    "scaler": lambda: StandardScaler(with_mean=False),
    "nested": lambda: SklearnPipeline(
        [("scale", StandardScaler()), ("clf", Normalizer())]
    ),
    "NaN": lambda: SimpleImputer(missing_values=np.nan, fill_value=float("nan")),
    "array": lambda: SparseCoder(dictionary=np.eye(3)),
    "arrays in a list": lambda: OneHotEncoder(categories=[np.array(["a", "b"])]),
    "array of objects": lambda: SparseCoder(
        dictionary=np.array([1, "a"], dtype=object)
    ),
    "sparse matrix": lambda: SparseCoder(scipy.sparse.csr_matrix(np.eye(3))),
    "table": lambda: SparseCoder(dictionary=pd.DataFrame({"a": [1.0, np.nan]})),
    "function": lambda: FunctionTransformer(np.log1p),
    "random state": lambda: SparseCoder(np.random.RandomState(0)),
    "own class": lambda: toys.Centre(2.0),
}
DIFFERENT: dict[str, tuple[Any, Any]] = {
    "number": (StandardScaler(with_mean=False), StandardScaler()),
    "class": (StandardScaler(), Normalizer()),
    "subclass": (toys.Centre(), toys.Model()),
    "nested": (
        SklearnPipeline([("a", Normalizer("l1"))]),
        SklearnPipeline([("a", Normalizer("l2"))]),
    ),
    "NaN and None": (SparseCoder(np.nan), SparseCoder(None)),
    "value in an array": (SparseCoder(np.eye(3)), SparseCoder(np.eye(3) * 2)),
    "shape of an array": (SparseCoder(np.zeros((2, 3))), SparseCoder(np.zeros((3, 2)))),
    "kind of an array": (
        SparseCoder(np.zeros(2)),
        SparseCoder(np.zeros(2, dtype=np.int64)),
    ),
    "objects in an array": (
        SparseCoder(np.array(["a"], dtype=object)),
        SparseCoder(np.array(["b"], dtype=object)),
    ),
    "value in a table": (
        SparseCoder(pd.DataFrame({"a": [1.0]})),
        SparseCoder(pd.DataFrame({"a": [2.0]})),
    ),
    "value in a sparse matrix": (
        SparseCoder(scipy.sparse.csr_matrix(np.eye(3))),
        SparseCoder(scipy.sparse.csr_matrix(np.eye(3) * 2)),
    ),
    "place in a sparse matrix": (
        SparseCoder(scipy.sparse.csr_matrix(np.eye(3))),
        SparseCoder(scipy.sparse.csr_matrix(np.eye(3)[::-1])),
    ),
    "name in a table": (
        SparseCoder(pd.DataFrame({"a": [1.0]})),
        SparseCoder(pd.DataFrame({"b": [1.0]})),
    ),
    "function": (FunctionTransformer(np.log1p), FunctionTransformer(np.exp)),
    "number of a type": (SparseCoder(1), SparseCoder(True)),
    "random state": (
        SparseCoder(np.random.RandomState(0)),
        SparseCoder(np.random.RandomState(1)),
    ),
}


@pytest.mark.parametrize("kind", SAME)
def test_equal_definitions_made_twice_are_one(kind: str) -> None:
    first, second = (scale(SAME[kind](), outputs={"transform": "Z"}) for _ in range(2))

    chain = first + second

    assert [node.name for node in chain.eval.nodes] == ["scale.apply"]


def test_tables_of_polars_are_compared_by_what_they_hold() -> None:
    polars = pytest.importorskip("polars")
    first, same, other = (
        scale(SparseCoder(polars.DataFrame({"a": [value]})), fused=False)
        for value in (1.0, 1.0, 2.0)
    )

    assert len((first + same).eval.nodes) == 1
    with pytest.raises(DefinitionError, match="two that differ in function"):
        first + other


@pytest.mark.parametrize("kind", DIFFERENT)
def test_definitions_of_one_name_that_differ_are_refused(kind: str) -> None:
    first, second = (
        scale(obj, outputs={"transform": "Z"}, fused=False) for obj in DIFFERENT[kind]
    )

    with pytest.raises(DefinitionError, match="two that differ in"):
        first + second


def test_one_component_can_feed_two_branches() -> None:
    shared = scale()
    left = shared + transformer(toys.double, inputs="Z", outputs="L", name="left")
    right = shared + transformer(toys.double, inputs="Z", outputs="R", name="right")

    diamond = (left + right) + transformer(
        toys.add, inputs=["L", "R"], outputs="sum", name="join"
    )

    assert sorted(node.name for node in diamond.train.nodes) == [
        "join.apply",
        "left.apply",
        "right.apply",
        "scale.fit_transform",
    ]


SPLIT = {"splitter": KFold(2), "rows": ["X", "y"]}
TAKEN = {
    "two cross-validations": lambda: (
        cross_validate(model("one"), **SPLIT, name="twice"),
        cross_validate(model("two"), **SPLIT, name="twice"),
    ),
    "copies for other keys": lambda: (
        map_over(model("one"), keys=["a"], over=["X", "y"], name="twice", gather=False),
        map_over(model("one"), keys=["b"], over=["X", "y"], name="twice", gather=False),
    ),
    "gathered copies for other keys": lambda: (
        map_over(model("one"), keys=["a"], over=["X", "y"], name="twice"),
        map_over(model("two"), keys=["b"], over=["X", "y"], name="twice"),
    ),
    "an estimator and a cross-validation": lambda: (
        model("twice"),
        cross_validate(model("two"), **SPLIT, name="twice"),
    ),
    "an estimator and copies": lambda: (
        model("twice"),
        map_over(model("two"), keys=["a"], over=["X", "y"], name="twice", gather=False),
    ),
    "an estimator and a transformer": lambda: (
        estimator(StandardScaler(), inputs="X", outputs="Z", name="twice"),
        transformer(toys.double, inputs="X", outputs="D", name="twice"),
    ),
}


def model(name: str) -> Estimator:
    return estimator(
        LogisticRegression(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs=f"p_{name}",
        name=name,
    )


@pytest.mark.parametrize("operands", TAKEN.values(), ids=TAKEN)
def test_a_name_of_two_operands_is_refused(operands: Any) -> None:
    first, second = operands()

    for one, other in ((first, second), (second, first)):
        with pytest.raises(DefinitionError) as error:
            one + other
        text = str(error.value.breaches[0])
        assert text.startswith("chain, train: expected one estimator or combinator of ")
        assert "of the name 'twice', got two, with the nodes 'twice." in text
        assert "A name can be used once in a chain" in text


SHARED_NAMES = {
    "the same twice": lambda cv, own: (own + cv, cv),
    "the same in two branches": lambda cv, own: (
        own + cv,
        cv + transformer(toys.double, inputs="p_own", outputs="D", name="double"),
    ),
    "names with a common beginning": lambda cv, own: (
        estimator(StandardScaler(), inputs="X", outputs="Z", name="prepare.scale"),
        cross_validate(model("two"), **SPLIT, name="prepare.cv"),
    ),
    "a name below another one": lambda cv, own: (
        cv,
        estimator(StandardScaler(), inputs="X", outputs="Z", name="cv.scale"),
    ),
    "a namespace of the user's own": lambda cv, own: (
        Estimator(of(toys.double, makes="A", name="a", namespace="n"), Pipeline([])),
        Estimator(of(toys.double, makes="B", name="b", namespace="n"), Pipeline([])),
    ),
    "a part and the whole": lambda cv, own: (
        trained(cv.train.to_outputs("p_one")),
        cv,
    ),
    "the phases of one estimator": lambda cv, own: (
        Estimator(cv.train, Pipeline([])),
        Estimator(Pipeline([]), cv.eval),
    ),
}


@pytest.mark.parametrize("operands", SHARED_NAMES.values(), ids=SHARED_NAMES)
def test_what_is_there_once_can_be_chained_twice(operands: Any) -> None:
    one, other = operands(
        cross_validate(model("one"), **SPLIT, name="cv"), model("own")
    )

    chain = one + other

    names = [node.name for node in chain.train.nodes]
    assert len(names) == len(set(names))
    assert set(names) == {n.name for n in [*one.train.nodes, *other.train.nodes]}


def test_scores_of_one_operand_are_those_of_the_chain() -> None:
    judged = Estimator(of(toys.double, makes="scores"), Pipeline([]), scores="scores")
    other = transformer(toys.double, inputs="A", outputs="B", name="other")

    assert (judged + other).scores == "scores"
    assert (other + judged).scores == "scores"
    assert (other + scale()).scores is None


def test_scores_of_two_operands_are_none() -> None:
    first, second = (
        Estimator(of(toys.double, makes=name, name=name), Pipeline([]), scores=name)
        for name in ("one", "two")
    )

    assert (first + second).scores is None


def test_an_estimator_is_frozen() -> None:
    part = estimator(
        LogisticRegression(), fit_inputs=["X", "y"], inputs="X", outputs="p", name="a"
    )

    with pytest.raises(AttributeError):
        part.train = Pipeline([])  # type: ignore[misc]
