"""Options that select nodes: what is wrong with one is said of that option."""

from __future__ import annotations

import pytest
from kedro.pipeline import Pipeline, node

from kedro_rats.cli.filtering import filtered
from kedro_rats.errors import DefinitionError

PIPELINE = Pipeline(
    [
        node(len, "X", "clf_state@pickle", name="clf.fit", tags="rats.fit"),
        node(max, "clf_state@bytes", "label", name="clf.apply", tags="rats.apply"),
        node(len, "a", "b", name="fit_one", namespace="cv.fold_0"),
    ]
)


def names(**filters: list[str]) -> list[str]:
    left = filtered(PIPELINE, filters, describe="kedro rats describe")
    return [node.name for node in left.nodes]


@pytest.mark.parametrize(
    ("argument", "asked", "line"),
    [
        (
            "to_outputs",
            "clf_stat",
            (
                "--to-outputs: expected a dataset of the pipeline, got 'clf_stat'. "
                "Did you mean 'clf_state'?"
            ),
        ),
        (
            "from_inputs",
            "labels",
            (
                "--from-inputs: expected a dataset of the pipeline, got 'labels'. "
                "Did you mean 'label'?"
            ),
        ),
        (
            "from_nodes",
            "clf.fti",
            (
                "--from-nodes: expected a node of the pipeline, got 'clf.fti'. "
                "Did you mean 'clf.fit'?"
            ),
        ),
        (
            "to_nodes",
            "fit_one",
            (
                "--to-nodes: expected a node of the pipeline, got 'fit_one'. "
                "Did you mean 'cv.fold_0.fit_one'?"
            ),
        ),
        (
            "node_names",
            "quite other",
            (
                "--nodes: expected a node of the pipeline, got 'quite other'. "
                "`kedro rats describe` lists them."
            ),
        ),
        (
            "tags",
            "rats.fti",
            (
                "--tags: expected tags of the pipeline's nodes, got 'rats.fti'. "
                "Did you mean 'rats.fit'?"
            ),
        ),
        (
            "node_namespaces",
            "cv.fold_1",
            (
                "--namespaces: expected a namespace of the pipeline, got 'cv.fold_1'. "
                "Did you mean 'cv.fold_0'?"
            ),
        ),
    ],
)
def test_the_option_and_the_name_that_was_meant_are_named(
    argument: str, asked: str, line: str
) -> None:
    with pytest.raises(DefinitionError) as refused:
        names(**{argument: [asked]})

    assert str(refused.value) == line


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(DefinitionError) as refused:
        names(node_names=["clf.fit", "one", "two"], to_outputs=["three"])

    subjects = [(b.subject, b.got) for b in refused.value.breaches]
    assert subjects == [
        ("--nodes", "'one'"),
        ("--nodes", "'two'"),
        ("--to-outputs", "'three'"),
    ]


@pytest.mark.parametrize(
    ("filters", "line"),
    [
        (
            {"node_names": ["clf.apply"], "to_outputs": ["clf_state"]},
            (
                "selection: expected at least one node, got none: no node is in all of "
                "--nodes clf.apply, --to-outputs clf_state. Leave one of them out."
            ),
        ),
        (
            {"to_outputs": ["X", "a"]},
            (
                "selection: expected at least one node, got none with --to-outputs X,a. "
                "Give another."
            ),
        ),
    ],
)
def test_options_that_leave_no_node_are_named(
    filters: dict[str, list[str]], line: str
) -> None:
    with pytest.raises(DefinitionError) as refused:
        names(**filters)

    assert str(refused.value) == line


@pytest.mark.parametrize(
    ("argument", "asked", "left"),
    [
        # A node needs one of them.
        ("tags", ["rats.fit", "of another pipeline"], ["clf.fit"]),
        ("to_outputs", ["clf_state"], ["clf.fit"]),
        ("from_inputs", ["clf_state@bytes"], ["clf.apply"]),
        ("node_namespaces", ["cv"], ["cv.fold_0.fit_one"]),
    ],
)
def test_what_kedro_takes_is_taken(
    argument: str, asked: list[str], left: list[str]
) -> None:
    assert names(**{argument: asked}) == left
