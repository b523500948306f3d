"""Whether pipelines fit together: checks that Kedro does not make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline
from kedro.pipeline.pipeline import (
    CircularDependencyError,
    ConfirmNotUniqueError,
)

from kedro_rats import names
from kedro_rats.errors import Breach, DefinitionError, listed, shown
from kedro_rats.estimators.equality import same_function
from kedro_rats.estimators.nodes import without_naming_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kedro.pipeline.node import Node


def made_by(nodes: Iterable[Node]) -> dict[str, Node]:
    """Return the node that makes each dataset, without transcoding suffixes."""
    return {names.base_name(output): node for node in nodes for output in node.outputs}


def free_inputs(pipeline: Pipeline) -> set[str]:
    """Return the datasets that a pipeline reads and does not make, not parameters."""
    made = made_by(pipeline.nodes)
    read = {name for node in pipeline.nodes for name in node.inputs}
    return {
        names.base_name(name)
        for name in read
        if not names.is_parameter(name) and names.base_name(name) not in made
    }


def joined(first: Pipeline, second: Pipeline) -> list[Node]:
    """Return the nodes of both pipelines, each once, in the order of definition."""
    known = {node.name for node in first.nodes}
    return [*first.nodes, *(node for node in second.nodes if node.name not in known)]


def pipeline_of(subject: str, nodes: Iterable[Node]) -> Pipeline:
    """Return a pipeline, or raise Kedro's objection as one line.

    Raises:
        DefinitionError: If the nodes need each other in a cycle, or Kedro finds another
            fault, such as a dataset that is read with and without transcoding.
    """
    try:
        with without_naming_warnings():
            return Pipeline(nodes)
    except CircularDependencyError as error:
        cycle: list[Node] = error.__cause__.args[1] if error.__cause__ else []
        got = f"a cycle of {listed(sorted({node.name for node in cycle}))}"
        remedy = "Rename a dataset so that no estimator needs what it feeds."
        expected = "estimators that feed each other one way"
        raise DefinitionError(Breach(subject, expected, got, remedy)) from error
    except (ValueError, ConfirmNotUniqueError) as error:
        got = " ".join(str(error).split())
        remedy = "Rename what clashes."
        breach = Breach(subject, "nodes that Kedro puts together", got, remedy)
        raise DefinitionError(breach) from error


def check_same_names(
    subject: str, first: Iterable[Node], second: Iterable[Node]
) -> Iterator[Breach]:
    """Find nodes of one name that differ: Kedro would keep either of them."""
    mine = {node.name: node for node in first}
    for node in second:
        twin = mine.get(node.name)
        if twin is None or twin is node:
            continue
        differing = _differences(twin, node)
        if differing:
            yield Breach(
                subject,
                f"one node of the name {node.name!r}",
                f"two that differ in {listed(differing)}",
                "A name can be used once in a chain: give one of the two another name.",
            )


def check_owners(
    subject: str, first: Iterable[Node], second: Iterable[Node]
) -> Iterator[Breach]:
    """Find names under which two estimators or combinators have nodes of their own.

    One may be a part of the other: what is used twice is there once.
    """
    mine, theirs = _by_owner(first), _by_owner(second)
    for name in sorted(mine.keys() & theirs.keys()):
        own, other = mine[name] - theirs[name], theirs[name] - mine[name]
        if own and other:
            yield Breach(
                subject,
                f"one estimator or combinator of the name {name!r}",
                f"two, with the nodes {min(own)!r} and {min(other)!r}",
                "A name can be used once in a chain: give one of the two another name.",
            )


def _by_owner(nodes: Iterable[Node]) -> dict[str, set[str]]:
    """Return the names of nodes by the estimator or combinator that they are of.

    That is their outermost namespace in which something is made; a name with dots, such
    as ``prepare.scale``, does not own what comes before them.
    """
    inside: dict[str, set[str]] = {}
    owners: set[str] = set()
    for node in nodes:
        namespace = node.namespace
        # Nodes of the user's own may share a namespace, as Kedro allows.
        if namespace and not node.tags.isdisjoint(names.NODE_TYPES):
            inside.setdefault(namespace, set()).add(node.name)
            owners |= {namespace, *_boxes(node)}
    found: dict[str, set[str]] = {}
    for namespace, made in inside.items():
        parts = namespace.split(".")
        around = (".".join(parts[: k + 1]) for k in range(len(parts)))
        found.setdefault(next(n for n in around if n in owners), set()).update(made)
    return found


def _boxes(node: Node) -> Iterator[str]:
    """Find the namespaces around those that are a task, such as a copy of `map_over`.

    That has copies alone: no node tells that its name is one.
    """
    for tag in node.tags:
        box = tag.removeprefix("group.").rpartition(".")[0]
        is_task = tag.startswith("group.") and bool(box)
        if is_task and f"{node.namespace}.".startswith(f"{box}."):
            yield box


def _differences(one: Node, other: Node) -> list[str]:
    parts = {
        "inputs": one._inputs == other._inputs,
        "outputs": one._outputs == other._outputs,
        "tags": one.tags == other.tags,
        "confirms": one.confirms == other.confirms,
        "function": same_function(one.func, other.func),
    }
    return [part for part, same in parts.items() if not same]


def check_makers(
    subject: str, first: Iterable[Node], second: Iterable[Node]
) -> Iterator[Breach]:
    """Find datasets that two different nodes make."""
    mine = made_by(first)
    for dataset, node in made_by(second).items():
        if dataset in mine and mine[dataset].name != node.name:
            yield Breach(
                subject,
                f"one node that makes {dataset!r}",
                f"two: {mine[dataset].name!r} and {node.name!r}",
                "Give one of the two outputs another name.",
            )


def check_phases(train: Pipeline, evaluate: Pipeline) -> Iterator[Breach]:
    """Find what would make evaluation learn, or training depend on evaluation."""
    subject = "estimator"
    for node in evaluate.nodes:
        if node.tags & {names.FIT, names.TRAIN_ONLY}:
            yield Breach(
                f"{subject}, eval",
                "no node that learns",
                f"{node.name!r} of type {names.node_type(node.tags)!r}",
                "Put it in train; eval reads the state that it makes.",
            )
    made_in_train, made_in_eval = made_by(train.nodes), made_by(evaluate.nodes)
    for dataset in sorted(free_inputs(train) & made_in_eval.keys()):
        reader = _reader(train, dataset)
        yield Breach(
            f"{subject}, train",
            "inputs that training has",
            f"{dataset!r}, read by {reader!r}, which only eval makes "
            f"(in {made_in_eval[dataset].name!r})",
            "If its estimator has train_outputs=False, remove that; "
            "else make the dataset in train too.",
        )
    for dataset in sorted(free_inputs(evaluate) & made_in_train.keys()):
        maker = made_in_train[dataset]
        if names.TRAIN_ONLY in maker.tags:
            yield Breach(
                f"{subject}, eval",
                "inputs that evaluation has",
                f"{dataset!r}, read by {_reader(evaluate, dataset)!r}, "
                f"which the train-only node {maker.name!r} makes",
                "Let only fit_inputs read it, and inputs what it was made from.",
            )


def check_scores(train: Pipeline, scores: str | None) -> Iterator[Breach]:
    """Find scores that training does not write."""
    if scores is not None and scores not in made_by(train.nodes):
        made = sorted(made_by(train.nodes))
        yield Breach(
            "estimator, scores",
            "a dataset that train makes",
            shown(scores),
            f"It makes {listed(made)}.",
        )


def _reader(pipeline: Pipeline, dataset: str) -> str:
    return next(
        node.name
        for node in pipeline.nodes
        if dataset in map(names.base_name, node.inputs)
    )
