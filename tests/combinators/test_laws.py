"""Properties of every resampled estimator: rows, names, types, and what it replaces."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import toys
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from sklearn.model_selection import KFold, StratifiedKFold

from kedro_rats import cross_validate, holdout
from kedro_rats.errors import DefinitionError
from kedro_rats.estimators.equality import same_function
from kedro_rats.names import NODE_TYPES
from kedro_rats.testing import check_estimator

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn

    from kedro_rats import Estimator

TESTS = Path(__file__).parents[1]
quietly = settings(deadline=None, max_examples=20)


@st.composite
def partitions(draw: DrawFn, rows: int, least: int = 1) -> list[tuple[Any, Any]]:
    """Draw index pairs whose evaluation parts are a partition, in any order of rows.

    Each training part has at least so many of the other rows.
    """
    order = draw(st.permutations(range(rows)))
    cuts = sorted(
        draw(st.sets(st.integers(least, rows - least), min_size=1, max_size=3))
    )
    parts = np.split(np.array(order), cuts)
    pairs = []
    for part in parts:
        rest = draw(st.permutations(sorted(set(range(rows)) - set(part))))
        kept = draw(st.integers(least, len(rest)))
        pairs.append((np.array(rest[:kept]), part))
    return pairs


@st.composite
def resamplings(draw: DrawFn, rows: int) -> dict[str, Any]:
    """Draw a splitter of any kind, as arguments of ``cross_validate``."""
    kind = draw(st.sampled_from(["folds", "shuffled", "classes", "pairs", "column"]))
    number = draw(st.integers(2, 3))
    seed = draw(st.integers(0, 5))
    if kind == "folds":
        return {"splitter": KFold(number)}
    if kind == "shuffled":
        return {"splitter": KFold(number, shuffle=True, random_state=seed)}
    if kind == "classes":
        return {"splitter": StratifiedKFold(number), "stratify": "c"}
    if kind == "pairs":
        return {"splitter": draw(partitions(rows))}
    return {"splitter": "column", "n_splits": 4}


def data(rows: int, seed: int = 0) -> dict[str, Any]:
    random = np.random.default_rng(seed)
    return {
        "X": random.permutation(rows)[:, None].astype(float) + 100,
        "c": np.arange(rows) % 2,
        "column": random.permutation(np.arange(rows) % 4),
    }


# --- rows -------------------------------------------------------------------------------


@quietly
@given(values=st.data(), rows=st.integers(4, 14))
def test_every_row_is_out_of_fold_exactly_once_and_in_its_place(
    values: Any, rows: int
) -> None:
    given_ = data(rows)
    splitter = values.draw(resamplings(rows) if rows >= 8 else partitions(rows))
    options = splitter if isinstance(splitter, dict) else {"splitter": splitter}
    cv = cross_validate(toys.spies(), rows=["X"], name="cv", **options)

    made = toys.run(cv.train, given_)

    assert np.array_equal(made["out"][:, :1], given_["X"])
    assert not made["out"][:, 1:].any()
    judged = [v for name, v in made.items() if name.endswith(".eval.out")]
    assert sorted(np.concatenate(judged)[:, 0]) == sorted(given_["X"][:, 0])


@quietly
@given(values=st.data(), rows=st.integers(4, 14))
def test_no_training_part_has_a_row_of_its_evaluation_part(
    values: Any, rows: int
) -> None:
    pairs = values.draw(partitions(rows))
    cv = cross_validate(toys.spies(), splitter=pairs, rows=["X"], name="cv")

    made = toys.run(cv.train, data(rows))

    for fold, (train, test) in enumerate(pairs):
        learned = made[f"cv.fold_{fold}.train.X"]
        judged = made[f"cv.fold_{fold}.eval.X"]
        assert np.array_equal(learned, data(rows)["X"][train])
        assert np.array_equal(judged, data(rows)["X"][test])
        assert not np.isin(learned, judged).any()


@quietly
@given(values=st.data(), rows=st.integers(4, 14))
def test_out_of_fold_rows_commute_with_a_permutation_of_the_rows(
    values: Any, rows: int
) -> None:
    pairs = values.draw(partitions(rows))
    order = np.array(values.draw(st.permutations(range(rows))))
    where = np.argsort(order)
    moved_pairs = [(where[train], where[test]) for train, test in pairs]
    X = data(rows)["X"]
    cv, moved = (
        cross_validate(toys.summing(), splitter=p, rows=["X"], name="cv")
        for p in (pairs, moved_pairs)
    )

    out = toys.run(cv.train, {"X": X})["out"]
    moved_out = toys.run(moved.train, {"X": X[order]})["out"]

    assert np.array_equal(moved_out, out[order])


@settings(quietly, max_examples=8)
@given(values=st.data(), rows=st.integers(8, 16))
def test_nested_folds_see_disjoint_rows_at_every_level(values: Any, rows: int) -> None:
    outer_pairs = values.draw(partitions(rows, least=4))
    inner_folds = values.draw(st.integers(2, 4))
    inner = cross_validate(
        toys.spies(last="mid"), splitter=KFold(inner_folds), rows=["X"], name="inner"
    )
    outer = cross_validate(
        inner + toys.spy("mid", "out", "final"),
        splitter=outer_pairs,
        rows=["X"],
        name="outer",
    )

    made = toys.run(outer.train, data(rows))

    assert np.array_equal(made["out"][:, :1], data(rows)["X"])
    assert not made["out"][:, 1:].any()
    finals = [v for name, v in made.items() if name.endswith("final_state")]
    assert not any(final.learned_from_seen_ for final in finals)
    assert len(finals) == len(outer_pairs) + 1


# --- names and nodes --------------------------------------------------------------------


def nestings() -> st.SearchStrategy[list[str]]:
    """Draw the names of combinators, the innermost first."""
    segment = st.from_regex(r"[a-z][a-z0-9_-]{0,3}", fullmatch=True)
    name = st.lists(segment, min_size=1, max_size=2).map(".".join)
    inside = [
        "scale",
        "select",
        "classify",
        "fold_0",
        "fold_1",
        "train",
        "eval",
        "refit",
    ]
    return st.lists(name, min_size=1, max_size=3).filter(
        lambda names: are_unique([*".".join(names).split("."), *inside])
    )


def are_unique(segments: list[str]) -> bool:
    return len(set(segments)) == len(segments)


def is_holdout(name: str) -> bool:
    return len(name) % 2 == 1


def nested(names: list[str], metrics: Any = None) -> Estimator:
    def wrapped(operand: Estimator, name: str) -> Estimator:
        if is_holdout(name):
            return holdout(operand, rows=["X"], name=name, metrics=metrics)
        return cross_validate(
            operand, splitter=KFold(2), rows=["X"], name=name, metrics=metrics
        )

    return reduce(wrapped, names, toys.spies())


def all_nodes(model: Estimator) -> list[Node]:
    return [*model.train.nodes, *model.eval.nodes]


@quietly
@given(names=nestings())
def test_nested_names_are_unique_and_below_the_outer_name(names: list[str]) -> None:
    model = nested(names)

    for phase in (model.train, model.eval):
        nodes = [node.name for node in phase.nodes]
        assert len(set(nodes)) == len(nodes)
        assert all(name.startswith(f"{names[-1]}.") for name in nodes)
    kept = {"X", "out", *model.state}
    for dataset in model.train.datasets() | model.eval.datasets():
        assert dataset in kept or dataset.startswith(f"{names[-1]}.")


def made_in(pipeline: Pipeline) -> set[str]:
    return {name for node in pipeline.nodes for name in node.outputs}


@quietly
@given(names=nestings())
def test_a_combinator_can_replace_its_operand(names: list[str]) -> None:
    model, operand = nested(names), toys.spies()

    assert model.train.inputs() == operand.train.inputs()
    assert model.eval.inputs() == operand.eval.inputs()
    assert model.eval.outputs() == operand.eval.outputs()
    assert (model.state, model.outputs) == (operand.state, operand.outputs)
    rows = set() if is_holdout(names[-1]) else {"out"}
    kept = {name for name in made_in(model.train) if "." not in name}
    assert kept == {*operand.state, *rows}


@quietly
@given(names=nestings(), again=st.integers(0, 2))
def test_a_name_cannot_be_used_inside_itself(names: list[str], again: int) -> None:
    model = nested(names)

    with pytest.raises(DefinitionError, match="not used inside"):
        cross_validate(
            model, splitter=KFold(2), rows=["X"], name=names[again % len(names)]
        )


@pytest.mark.parametrize("name", ["scale", "select", "classify"])
def test_the_name_of_a_part_of_the_operand_cannot_be_that_of_the_combinator(
    name: str,
) -> None:
    with pytest.raises(DefinitionError, match="not used inside"):
        cross_validate(toys.spies(), splitter=KFold(2), rows=["X"], name=name)


def test_one_definition_made_twice_chains_with_itself() -> None:
    first, second = (
        cross_validate(
            toys.spies(), splitter=KFold(2), rows=["X"], on_error="nan", name="cv"
        )
        for _ in range(2)
    )

    chained = first + second

    assert described(chained) == described(first)


def test_two_combinators_of_one_name_cannot_be_chained() -> None:
    first = cross_validate(toys.summing(), splitter=KFold(2), rows=["X"], name="cv")
    second = cross_validate(
        toys.spy("Y", "Z", "other"), splitter=KFold(3), rows=["Y"], name="cv"
    )

    with pytest.raises(DefinitionError, match="cv"):
        first + second


@quietly
@given(names=nestings())
def test_nodes_are_plain_and_have_exactly_one_type(names: list[str]) -> None:
    seen = toys.metric(len, inputs="out")
    model = nested(names, metrics={"rows": seen})

    for node in all_nodes(model):
        assert type(node) is Node
        assert len(node.tags & set(NODE_TYPES)) == 1
        (kind,) = node.tags & set(NODE_TYPES)
        last = node.name.removeprefix(f"{node.namespace}.")
        expected = {
            "split": "rats.split",
            "take": "rats.take",
            "fit": "rats.fit",
            "apply": "rats.apply",
            "score": "rats.score",
            "gather": "rats.gather",
            "summarize": "rats.gather",
        }
        assert kind == expected[last.split(".")[0]]
    assert type(model.train) is type(model.eval) is Pipeline


@quietly
@given(names=nestings())
def test_evaluation_never_learns_splits_or_takes(names: list[str]) -> None:
    model = nested(names)

    kinds = {kind for node in model.eval.nodes for kind in node.tags & set(NODE_TYPES)}

    assert kinds == {"rats.apply"}


@pytest.mark.parametrize("definition", [toys.cross_validated, toys.nested])
def test_nodes_pickle_and_do_the_same_afterwards(definition: Any) -> None:
    for node in all_nodes(definition()):
        copy = pickle.loads(pickle.dumps(node))

        assert copy.name == node.name
        assert (copy.inputs, copy.outputs, copy.tags) == (
            node.inputs,
            node.outputs,
            node.tags,
        )
        assert same_function(copy.func, node.func)


@pytest.mark.parametrize("definition", [toys.cross_validated, toys.nested])
def test_pickled_nodes_make_the_same_numbers(definition: Any) -> None:
    X, y = toys.bundled("breast_cancer", step=8)
    given_ = {"X": X, "y": y, "g": toys.groups_of(X, 9)}
    nodes = definition().train.nodes

    copies = pickle.loads(pickle.dumps(nodes))

    made, again = toys.run(nodes, given_), toys.run(copies, given_)
    assert np.array_equal(made["p"], again["p"])


@pytest.mark.parametrize("definition", [toys.cross_validated, toys.nested])
def test_resampled_estimators_pass_the_check_that_users_have(definition: Any) -> None:
    X, y = toys.bundled("breast_cancer", step=8)

    # Not a function that other processes can import: that is tested below.
    check_estimator(
        lambda: definition(), data={"X": X, "y": y, "g": toys.groups_of(X, 9)}
    )


def described(model: Estimator) -> list[Any]:
    return [
        [node.name, node.inputs, node.outputs, sorted(node.tags), node.namespace]
        for node in all_nodes(model)
    ]


def test_nodes_are_the_same_in_every_process_and_hash_seed() -> None:
    program = (
        "import json; from combinators import test_laws as t, toys\n"
        "print(json.dumps([t.described(toys.cross_validated()), "
        "t.described(toys.nested())]))"
    )
    path = os.pathsep.join([str(TESTS), *(entry for entry in sys.path if entry)])

    elsewhere = [
        json.loads(
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path},
                capture_output=True,
                text=True,
                check=True,
            ).stdout.splitlines()[-1]
        )
        for seed in ("1", "2")
    ]

    here = [described(toys.cross_validated()), described(toys.nested())]
    assert elsewhere == [json.loads(json.dumps(here))] * 2


def test_folds_are_groups_of_their_own() -> None:
    nodes = toys.cross_validated().train.nodes

    by_fold = {tag for node in nodes for tag in node.tags if tag.startswith("group.")}

    assert by_fold == {f"group.cv.fold_{k}" for k in range(3)}
    for node in nodes:
        groups = {tag for tag in node.tags if tag.startswith("group.")}
        in_fold = [k for k in range(3) if f"cv.fold_{k}." in node.name]
        assert groups == {f"group.cv.fold_{k}" for k in in_fold}


def test_a_combinator_leaves_its_operand_as_it_was() -> None:
    operand = toys.spies()
    before = described(operand)

    cross_validate(operand, splitter=KFold(2), rows=["X"], name="cv")

    assert described(operand) == before


def test_tags_of_the_operand_are_kept_in_every_copy() -> None:
    operand = toys.spies().tag("image.sklearn", "nightly")

    cv = cross_validate(operand, splitter=KFold(2), rows=["X"], name="cv")

    for node in all_nodes(cv):
        is_copy = node.tags & {"rats.fit", "rats.apply"}
        assert ({"image.sklearn", "nightly"} <= node.tags) == bool(is_copy)
