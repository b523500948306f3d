"""Whatever the rule and the rows: labels, fits and rounds are those of a plain loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from combinators import pseudolabel_toys, toys
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from kedro_rats import select
from kedro_rats.combinators.idling import Idle
from kedro_rats.names import NODE_TYPES
from kedro_rats.testing import check_estimator

plain_rules = st.one_of(
    st.tuples(st.just("above"), st.sampled_from([0.05, 0.2, 0.25, 0.5, 0.9])),
    st.tuples(st.just("best"), st.integers(1, 8)),
    st.lists(st.sampled_from([0.07, 0.2, 0.34, 0.5, 0.8, 1.0]), min_size=1, max_size=3)
    .map(sorted)
    .map(lambda fractions: ("fractions", *fractions)),
)
rules = st.one_of(
    plain_rules,
    plain_rules.map(lambda rule: ("each", rule)),
    st.dictionaries(st.integers(0, 2), plain_rules, min_size=1).map(
        lambda by_label: ("by label", by_label)
    ),
)
places = st.integers(0, 15)


@st.composite
def tasks(draw: Any) -> dict[str, Any]:
    """Draw rows as a place and a number of their own, labels, a rule and rounds."""
    known = draw(st.lists(st.tuples(places, st.integers(0, 2)), min_size=1, max_size=5))
    new = draw(st.lists(places, max_size=12))
    return {
        "X": [(place, number) for number, (place, _) in enumerate(known)],
        "y": [label for _, label in known],
        "new": [(place, 100 + number) for number, place in enumerate(new)],
        "rule": draw(rules),
        "rounds": draw(st.integers(1, 5)),
        "relabel": draw(st.booleans()),
    }


def run(task: dict[str, Any]) -> dict[str, Any]:
    model = pseudolabel_toys.near(
        select=pseudolabel_toys.as_rule(task["rule"]),
        rounds=task["rounds"],
        relabel=task["relabel"],
    )
    X, new = (np.array(task[key]).reshape(-1, 2) for key in ("X", "new"))
    return toys.run(model.train, {"X": X, "y": np.array(task["y"]), "X_new": new})


def assert_fit(seen: Any, expected: tuple[list[Any], list[Any]]) -> None:
    assert list(map(tuple, seen.X.tolist())) == expected[0]
    assert seen.y.tolist() == expected[1]


@given(task=tasks())
@settings(max_examples=120)
def test_labels_fits_and_rounds_are_those_of_a_loop(task: dict[str, Any]) -> None:
    made, expected = run(task), pseudolabel_toys.loop(**task)

    labels, history = made["own.labels"], made["own.history"]
    assert list(labels.columns) == ["row", "round", "label", "confidence"]
    assert list(labels.itertuples(index=False, name=None)) == expected.labels
    told = history[["round", "selected", "labeled"]]
    done = expected.history or [(0, 0, 0)]
    assert list(told.itertuples(index=False, name=None)) == done
    assert history["stop"].iloc[-1] == expected.stop
    unlabelled = len(task["new"]) - history["labeled"]
    assert list(history["unlabeled"]) == list(unlabelled)
    *fits, last = expected.fits
    for number, fit in enumerate(fits, 1):
        assert_fit(made[f"own.round_{number}.train.near_state"], fit)
    assert_fit(made["near_state"], last)


@given(task=tasks())
@settings(max_examples=60)
def test_only_rounds_that_select_run(task: dict[str, Any]) -> None:
    """The fit after the last round that counts is masked, and no fit before it is."""
    made, expected = run(task), pseudolabel_toys.loop(**task)

    done = len(expected.history)
    ran = pseudolabel_toys.rounds_that_ran(made, "near_state")
    assert ran == list(range(1, done + 1))
    for number in range(done + 1, task["rounds"] + 1):
        for name, value in made.items():
            if name.startswith(f"own.round_{number}.") and "labels" not in name:
                assert value == Idle("own")


@given(task=tasks())
@settings(max_examples=60)
def test_true_labels_and_rows_are_never_changed(task: dict[str, Any]) -> None:
    made = run(task)

    size = len(task["X"])
    for name, seen in made.items():
        if name.endswith("near_state") and not isinstance(seen, Idle):
            assert seen.y[:size].tolist() == task["y"]
            assert list(map(tuple, seen.X[:size].tolist())) == task["X"]
            ids = seen.X[size:, 1].tolist()
            assert ids == sorted(set(ids))
            assert all(number >= 100 for number in ids)
    assert made["y"].tolist() == task["y"]


def test_a_curriculum_that_relabels_is_a_loop_over_scikit_learn() -> None:
    data = pseudolabel_toys.split("digits", 0.1, step=4)
    X, y, new = data["X"], data["y"], data["X_new"]
    rows, labels = np.empty(0, dtype=int), y[:0]
    for fraction in (0.2, 0.5, 1.0, 1.0):
        model = toys.classifier_of_sklearn()
        model.fit(np.vstack([X, new[rows]]), np.concatenate([y, labels]))
        p = model.predict_proba(new)
        size = int(np.ceil(fraction * len(new)))
        rows = np.sort(np.argsort(-p.max(axis=1), kind="stable")[:size])
        labels = model.predict(new)[rows]
    last = toys.classifier_of_sklearn()
    last.fit(np.vstack([X, new]), np.concatenate([y, labels]))

    made = toys.run(pseudolabel_toys.relabelling().train, data)

    assert np.array_equal(made["own.labels"]["label"], labels)
    assert np.array_equal(made["own.labels"]["confidence"], p.max(axis=1))
    assert np.array_equal(made["p"], last.predict_proba(X))
    assert list(made["own.history"]["selected"]) == [
        int(np.ceil(f * len(new))) for f in (0.2, 0.5, 1.0, 1.0)
    ]


def test_without_unlabelled_rows_it_is_the_estimator() -> None:
    data = pseudolabel_toys.split("wine", 0.5)

    made = toys.run(
        pseudolabel_toys.labelling().train, {**data, "X_new": data["X_new"][:0]}
    )

    expected = toys.classifier_of_sklearn().fit(data["X"], data["y"])
    assert np.array_equal(made["p"], expected.predict_proba(data["X"]))
    assert len(made["own.labels"]) == 0
    assert list(made["own.labels"].columns) == ["row", "round", "label", "confidence"]
    assert made["own.history"].to_dict("list") == {
        "round": [0],
        "selected": [0],
        "labeled": [0],
        "unlabeled": [0],
        "stop": ["all_labeled"],
    }


# --- names, types and what it replaces --------------------------------------------------

DEFINITIONS = {
    "rounds": pseudolabel_toys.few_rounds,
    "relabelling": pseudolabel_toys.relabelling,
    "in folds": pseudolabel_toys.in_cross_validation,
    "of folds": pseudolabel_toys.in_its_own_folds,
}
definitions = pytest.mark.parametrize(
    "definition", DEFINITIONS.values(), ids=DEFINITIONS.keys()
)


def test_it_can_replace_its_operand() -> None:
    operand, model = toys.classifier(), pseudolabel_toys.few_rounds()

    assert model.state == operand.state
    assert model.outputs == operand.outputs
    assert model.scores is None
    assert model.train.inputs() == operand.train.inputs() | {"X_new"}
    assert model.eval.inputs() == operand.eval.inputs()
    assert model.eval.outputs() == operand.eval.outputs()
    made = {name for node in model.train.nodes for name in node.outputs}
    kept = {name for name in made if not name.startswith("own.")}
    assert kept == {*operand.state, *operand.outputs}
    assert {"own.labels", "own.history"} <= model.train.outputs()


def test_an_estimator_without_outputs_in_training_gets_none() -> None:
    operand = toys.estimator(
        toys.LogisticRegression(),
        fit_inputs=["X", "y"],
        inputs="X",
        outputs={"predict": "label", "predict_proba": "p"},
        name="model",
        train_outputs=False,
    )

    model = pseudolabel_toys.labelling(operand)

    assert not {"label", "p"} & model.train.datasets()
    assert model.outputs == ("label", "p")


@definitions
def test_nodes_are_plain_of_one_type_and_below_the_name(definition: Any) -> None:
    model = definition()

    for phase in (model.train, model.eval):
        assert type(phase) is Pipeline
        for node in phase.nodes:
            assert type(node) is Node
            assert len(node.tags & set(NODE_TYPES)) == 1
            assert node.name.startswith(("own.", "cv."))
    kinds = {kind for node in model.eval.nodes for kind in node.tags & set(NODE_TYPES)}
    assert kinds == {"rats.apply"}


@pytest.mark.parametrize("name", ["rounds", "relabelling"])
def test_nodes_of_one_name_in_both_phases_are_the_same(name: str) -> None:
    """So that a project may sum all pipelines of one estimator."""
    model = DEFINITIONS[name]()

    assert (model + model).state == model.state
    whole = model.train + model.eval
    names = {node.name for node in [*model.train.nodes, *model.eval.nodes]}
    assert {node.name for node in whole.nodes} == names


@definitions
def test_it_passes_the_check_that_users_have(definition: Any) -> None:
    data = pseudolabel_toys.split("wine", 0.4)

    check_estimator(definition, data=data)


def test_rounds_are_tasks_of_their_own() -> None:
    for node in pseudolabel_toys.few_rounds().train.nodes:
        groups = {tag for tag in node.tags if tag.startswith("group.")}
        inside = [k for k in (1, 2, 3) if f"own.round_{k}." in node.name]
        assert groups == {f"group.own.round_{k}" for k in inside}


def test_what_does_not_depend_on_rows_is_masked_too() -> None:
    """A node that reads parameters alone runs in no masked round."""
    config = toys.estimator(
        read_settings,
        scale_by,
        fit_inputs=["params:settings"],
        inputs="X",
        outputs="scaled",
        name="config",
    )
    near = toys.estimator(
        pseudolabel_toys.remember,
        pseudolabel_toys.label_by_nearest,
        fit_inputs=["scaled", "y"],
        inputs="scaled",
        outputs=["label", "p"],
        name="near",
    )
    data = {
        "X": np.array([[0]]),
        "y": np.array([1]),
        "X_new": np.array([[1], [3]]),
        "params:settings": {"by": 1},
    }
    model = pseudolabel_toys.labelling(
        config + near, select=select.threshold(0.4), rounds=3
    )

    made = toys.run(model.train, data)

    assert made["own.history"]["stop"].iloc[-1] == "no_change"
    assert pseudolabel_toys.rounds_that_ran(made, "config_state") == [1, 2]
    assert pseudolabel_toys.rounds_that_ran(made, "near_state") == [1, 2]


def read_settings(settings: Any) -> int:
    return int(settings["by"])


def scale_by(by: int, X: Any) -> Any:
    return X * by
