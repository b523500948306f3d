"""The pipelines of an estimator that learns from its own labels."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline

from kedro_rats import names
from kedro_rats.combinators import previews
from kedro_rats.combinators.gathering import ClassesOf
from kedro_rats.combinators.idling import idling
from kedro_rats.combinators.joining import (
    JoinLabels,
    JoinRows,
    JoinWeights,
    TakeUnlabeled,
)
from kedro_rats.combinators.labelling import Choose, Report, Source, Start
from kedro_rats.combinators.pruning import pruned
from kedro_rats.combinators.renaming import renamed
from kedro_rats.combinators.resampling import learning
from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.nodes import make_node, without_naming_warnings
from kedro_rats.estimators.wiring import made_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kedro.pipeline.node import Node

    from kedro_rats.combinators.select import Rule


@dataclass(frozen=True, kw_only=True, eq=False)
class SelfTraining:
    """All that says how an estimator labels rows; `estimator` builds the pipelines.

    Attributes:
        name: Namespace of everything that is new.
        operand: What is trained.
        unlabeled: For each row input, the dataset of its unlabelled rows.
        shared: The inputs that are no rows.
        target: The row input that is learned.
        source: Where labels are read.
        classes: The state that knows the classes, where the label has a column for each.
        rule: What chooses rows.
        rounds: How many rounds there are at most.
        relabel: Whether all unlabelled rows are labelled anew in each round.
        weights: The row input that weighs rows, or None.
        ramp: The weights of pseudo-labelled rows by round; empty where an output has them.
    """

    name: str
    operand: Estimator
    unlabeled: Mapping[str, str]
    shared: tuple[str, ...]
    target: str
    source: Source
    classes: str | None
    rule: Rule
    rounds: int
    relabel: bool
    weights: str | None
    ramp: tuple[float, ...]

    @without_naming_warnings()
    def estimator(self) -> Estimator:
        """Return the estimator that learns from its own labels."""
        before = f"{self.name}.start.labels"
        nodes = [self._start_node(before)]
        for number in range(1, self.rounds + 1):
            nodes += self._round_nodes(number, before)
            before = f"{self.name}.round_{number}.labels"
        nodes.append(
            make_node(
                Report().report,
                [before],
                [f"{self.name}.labels", f"{self.name}.history"],
                name="report",
                namespace=self.name,
                node_type=names.GATHER,
                tags=(),
                preview=previews.of_rounds(self.rule, self.rounds, self.source.label),
            )
        )
        nodes += self._refit_nodes(before)
        evaluation = Pipeline(self._applied_nodes())
        made = made_by(self.operand.train.nodes)
        outputs = [name for name in self.operand.outputs if name in made]
        if outputs:
            # The very nodes of evaluation: in training they see the labelled rows.
            nodes += evaluation.to_outputs(*outputs).nodes
        # Scores of the operand also count rows that it labelled: they judge nothing.
        return Estimator(Pipeline(nodes), evaluation)

    def _start_node(self, labels: str) -> Node:
        datasets = tuple(dict.fromkeys(self.unlabeled.values()))
        return make_node(
            Start(self.name, datasets).start,
            list(datasets),
            labels,
            name="start",
            namespace=self.name,
            node_type=names.GATHER,
            tags=(),
        )

    # --- rounds -----------------------------------------------------------------------

    @cached_property
    def _labelling(self) -> list[Node]:
        """What of ``eval`` the labels need."""
        return pruned(self.operand.eval, self.source.datasets)

    @cached_property
    def _learned(self) -> list[Node]:
        """What of ``train`` the labels need; what is only told is left to the refit."""
        read = _read(self._labelling) | {self.classes}
        return pruned(self.operand.train, [s for s in self.operand.state if s in read])

    def _round_nodes(self, number: int, before: str) -> list[Node]:
        namespace = f"{self.name}.round_{number}"
        train, evaluation = f"{namespace}.train", f"{namespace}.eval"
        joins = self._join_nodes(before, train, _read(self._learned), last=False)
        takes = self._take_nodes(before, evaluation)
        states = {state: f"{train}.{state}" for state in self.operand.state}
        kept = states | self._kept
        copies = [
            *renamed(self._learned, train, self._kept),
            *renamed(self._labelling, evaluation, kept),
            *self._classes_nodes(evaluation, kept),
        ]
        fed = [output for node in [*joins, *takes] for output in node.outputs]
        watched = f"{train}.{self.target}"
        nodes = [*joins, *takes, *idling(copies, self.name, fed, watched)]
        nodes.append(self._choose_node(number, before, namespace))
        if any(tag.startswith("group.") for node in nodes for tag in node.tags):
            # A task inside, such as a trial, may run between two nodes of this round.
            return nodes
        return [node.tag(f"group.{namespace}") for node in nodes]

    def _choose_node(self, number: int, before: str, namespace: str) -> Node:
        choose = Choose(
            self.name,
            self.rule,
            self.source,
            number,
            self.rounds,
            self.relabel,
            len(self.ramp),
        )
        read = [before, *(f"{namespace}.eval.{o}" for o in self.source.datasets)]
        if self.classes is not None:
            read.append(f"{namespace}.eval.classes.{self.classes}")
        return self._node(
            choose.choose, read, f"{namespace}.labels", "select", namespace
        )

    def _classes_nodes(self, namespace: str, kept: Mapping[str, str]) -> list[Node]:
        if self.classes is None:
            return []
        name = f"classes.{self.classes}"
        read = [kept[self.classes]]
        made = f"{namespace}.{name}"
        return [self._node(ClassesOf().classes, read, made, name, namespace)]

    # --- rows -------------------------------------------------------------------------

    def _join_nodes(
        self, labels: str, namespace: str, read: Iterable[str], *, last: bool
    ) -> list[Node]:
        read = set(read)
        nodes = [
            self._join_node(
                JoinRows(self.name, row, last).join, row, [labels, row, more], namespace
            )
            for row, more in self.unlabeled.items()
            if row in read
        ]
        target = JoinLabels(self.name, self.target, last)
        nodes.append(
            self._join_node(target.join, self.target, [labels, self.target], namespace)
        )
        if self.weights is not None and self.weights in read:
            weights = JoinWeights(self.name, self.weights, last, self.ramp)
            given = [labels, self.weights]
            nodes.append(self._join_node(weights.join, self.weights, given, namespace))
        return nodes

    def _join_node(
        self, func: Callable[..., Any], row: str, read: list[str], namespace: str
    ) -> Node:
        return self._node(func, read, f"{namespace}.{row}", f"join.{row}", namespace)

    def _take_nodes(self, labels: str, namespace: str) -> list[Node]:
        read = _read(self._labelling)
        return [
            self._node(
                TakeUnlabeled(self.name, row, self.relabel).take,
                [labels, more],
                f"{namespace}.{row}",
                f"take.{row}",
                namespace,
            )
            for row, more in self.unlabeled.items()
            if row in read
        ]

    # --- the last fit -----------------------------------------------------------------

    def _refit_nodes(self, labels: str) -> list[Node]:
        namespace = f"{self.name}.refit.train"
        learned = learning(self.operand)
        joins = self._join_nodes(labels, namespace, _read(learned), last=True)
        kept = {**self._kept, **{state: state for state in self.operand.state}}
        return [*joins, *renamed(learned, namespace, kept)]

    def _applied_nodes(self) -> list[Node]:
        kept = {
            *self.unlabeled,
            *self.shared,
            *self.operand.state,
            *self.operand.outputs,
        }
        return renamed(
            self.operand.eval.nodes,
            f"{self.name}.refit.eval",
            {name: name for name in kept},
        )

    # --- names ------------------------------------------------------------------------

    @property
    def _kept(self) -> dict[str, str]:
        return {name: name for name in self.shared}

    def _node(
        self,
        func: Callable[..., Any],
        inputs: list[str],
        output: str,
        name: str,
        namespace: str,
    ) -> Node:
        return make_node(
            func,
            inputs,
            output,
            name=name,
            namespace=namespace,
            # Not `rats.take`: nothing is judged on these rows, so what learned before
            # from what they are made of does not leak.
            node_type=names.GATHER,
            tags=(),
        )


def _read(nodes: Iterable[Node]) -> set[str]:
    return {names.base_name(name) for node in nodes for name in node.inputs}
