"""The pipelines of an estimator that is fitted and judged on folds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline

from kedro_rats import names
from kedro_rats.combinators import previews
from kedro_rats.combinators.folds import Part, Split, Take
from kedro_rats.combinators.gathering import (
    ClassesOf,
    GatherRows,
    GatherScores,
    SummarizeFolds,
)
from kedro_rats.combinators.guarding import guarded
from kedro_rats.combinators.pruning import pruned
from kedro_rats.combinators.renaming import renamed
from kedro_rats.combinators.scoring import ScoreOrNan
from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.calls import ApplyState
from kedro_rats.estimators.nodes import make_node, without_naming_warnings
from kedro_rats.estimators.scoring import Score
from kedro_rats.estimators.wiring import made_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from kedro.pipeline.node import Node

    from kedro_rats.combinators.splitters import Splitting
    from kedro_rats.estimators.metrics import Metric
    from kedro_rats.estimators.preview import Preview

_BY_CLASS = ("predict_proba", "predict_log_proba", "decision_function")


@dataclass(frozen=True, kw_only=True, eq=False)
class Resampling:
    """All that says how an estimator is resampled; `estimator` builds the pipelines.

    Attributes:
        name: Namespace of everything that is new.
        operand: What is fitted and judged.
        splitting: How rows are split.
        roles: The datasets that the splitter reads, by role; ``X`` first.
        rows: The datasets that are sliced.
        shared: The datasets that are the same in each fold.
        metrics: How a fold is judged.
        outputs: The outputs that are gathered out of fold.
        refit: Whether the operand is fitted on all rows too.
        train_scores: Whether folds are judged on the rows they trained on, too.
        guard: Whether a failure scores NaN.
    """

    name: str
    operand: Estimator
    splitting: Splitting
    roles: Mapping[str, str]
    rows: tuple[str, ...]
    shared: tuple[str, ...]
    metrics: Mapping[str, Metric]
    outputs: tuple[str, ...]
    refit: bool
    train_scores: bool
    guard: bool

    @without_naming_warnings()
    def estimator(self) -> Estimator:
        """Return the resampled estimator."""
        nodes = [self._split_node()]
        for fold in range(self.splitting.n_splits):
            nodes += self._fold_nodes(fold)
        for output in self.outputs:
            nodes.append(self._gather_rows_node(output, output))
        if self.metrics:
            nodes += self._score_nodes()
        evaluation = Pipeline([])
        if self.refit:
            nodes += self._refitted(self._learning, self.operand.state)
            kept = {*self.operand.state, *self.operand.eval.outputs()}
            evaluation = Pipeline(self._refitted(self.operand.eval.nodes, kept))
        scores = f"{self.name}.scores" if self.metrics else None
        return Estimator(Pipeline(nodes), evaluation, scores=scores)

    # --- folds ------------------------------------------------------------------------

    def _split_node(self) -> Node:
        split = Split(
            self.name,
            self.splitting.splitter,
            tuple(self.roles),
            self.splitting.n_splits,
            partition=bool(self._gathered()),
        )
        return self._node(
            split.split, list(self.roles.values()), "folds", "split", names.SPLIT
        )

    def _fold_nodes(self, fold: int) -> list[Node]:
        nodes = self._trained(fold) + self._evaluated(fold)
        nodes += self._judged_on_training(fold)
        if any(tag.startswith("group.") for node in nodes for tag in node.tags):
            # What is resampled is made of tasks already, such as trials: they may run
            # between two nodes of this fold, so the fold cannot be one task.
            return nodes
        group = f"group.{self.name}.fold_{fold}"
        return [node.tag(group) for node in nodes]

    def _trained(self, fold: int) -> list[Node]:
        namespace = f"{self.name}.fold_{fold}.train"
        read = _read(self._learning)
        if self._judges_training:
            read |= _read(self._judged_part) | set(self._judged())
        takes = [
            self._take_node(row, "train", fold, namespace)
            for row in self.rows
            if row in read
        ]
        copies = renamed(self._learning, namespace, self._kept())
        return [*takes, *self._guarded(copies)]

    def _evaluated(self, fold: int) -> list[Node]:
        namespace = f"{self.name}.fold_{fold}.eval"
        evaluation = self._evaluation_nodes
        kept = self._learned_in(fold) | self._kept()
        read = _read(evaluation) | set(self._judged())
        takes = [
            self._take_node(row, "eval", fold, namespace)
            for row in self.rows
            if row in read
        ]
        nodes = self._guarded(renamed(evaluation, namespace, kept))
        nodes += self._classes_nodes(namespace, kept)
        if self.metrics:
            nodes.append(self._fold_score_node(fold, "eval", namespace, kept))
        return [*takes, *nodes]

    def _judged_on_training(self, fold: int) -> list[Node]:
        if not self._judges_training:
            return []
        namespace = f"{self.name}.fold_{fold}.train_eval"
        rows = {row: f"{self.name}.fold_{fold}.train.{row}" for row in self.rows}
        kept = self._learned_in(fold) | rows | self._kept()
        nodes = self._guarded(renamed(self._judged_part, namespace, kept))
        return [*nodes, self._fold_score_node(fold, "train", namespace, kept)]

    def _learned_in(self, fold: int) -> dict[str, str]:
        return {s: f"{self.name}.fold_{fold}.train.{s}" for s in self.operand.state}

    @property
    def _judges_training(self) -> bool:
        return self.train_scores and bool(self.metrics)

    @cached_property
    def _learning(self) -> list[Node]:
        """What of ``train`` learns the state, or tells of it."""
        return learning(self.operand)

    @cached_property
    def _makers(self) -> dict[str, Node]:
        """The node of ``eval`` that makes each of its datasets."""
        return made_by(self.operand.eval.nodes)

    @cached_property
    def _judged_part(self) -> list[Node]:
        """What of ``eval`` the metrics need."""
        return pruned(self.operand.eval, self._judged())

    @cached_property
    def _evaluation_nodes(self) -> list[Node]:
        """What of ``eval`` is needed: all outputs, where none can be gathered."""
        wanted = [*self._gathered(), *self._judged()]
        if not self.splitting.partition and not self.outputs:
            wanted += self.operand.outputs
        return pruned(self.operand.eval, wanted)

    def _take_node(self, row: str, part: Part, fold: int, namespace: str) -> Node:
        take = Take(row, part, fold)
        return make_node(
            take.take,
            [f"{self.name}.folds", row],
            f"{namespace}.{row}",
            name=f"take.{row}",
            namespace=namespace,
            node_type=names.TAKE,
            tags=(),
        )

    def _classes_nodes(self, namespace: str, kept: Mapping[str, str]) -> list[Node]:
        states = dict.fromkeys(
            state
            for output in self._gathered()
            for method, state in [_maker(self._makers[output], output)]
            if method in _BY_CLASS
        )
        return [
            make_node(
                ClassesOf().classes,
                kept[state],
                f"{namespace}.classes.{state}",
                name=f"classes.{state}",
                namespace=namespace,
                node_type=names.GATHER,
                tags=(),
            )
            for state in states
        ]

    def _fold_score_node(
        self, fold: int, part: Part, namespace: str, kept: Mapping[str, str]
    ) -> Node:
        read = self._judged()
        rows = (*self.rows, *self._makers)
        judge = Score(tuple(self.metrics.items()), read, rows, fold, part)
        return make_node(
            ScoreOrNan(judge, self.rows).score if self.guard else judge.score,
            [
                name
                if names.is_parameter(name)
                else kept.get(name, f"{namespace}.{name}")
                for name in read
            ],
            f"{namespace}.scores",
            name="score",
            namespace=namespace,
            node_type=names.SCORE,
            tags=(),
            preview=previews.of_fold_score(judge, self.splitting.n_splits),
        )

    # --- what folds give together -----------------------------------------------------

    def _gather_rows_node(
        self, output: str, into: str, *, for_pooling: bool = False
    ) -> Node:
        method, state = _maker(self._makers[output], output)
        by_class = method if method in _BY_CLASS else None
        labelled = self.guard and not for_pooling
        gather = GatherRows(
            output, self.splitting.n_splits, by_class, for_pooling, labelled
        )
        folds = [f"{self.name}.fold_{k}.eval" for k in range(self.splitting.n_splits)]
        read = [f"{self.name}.folds", *(f"{fold}.{output}" for fold in folds)]
        if by_class:
            read += [f"{fold}.classes.{state}" for fold in folds]
        if labelled:
            read.append(self.rows[0])
        return make_node(
            gather.gather,
            read,
            into,
            name=f"gather.{into.removeprefix(f'{self.name}.')}",
            namespace=self.name,
            node_type=names.GATHER,
            tags=(),
        )

    def _score_nodes(self) -> list[Node]:
        locals_ = [f"fold_{k}.eval" for k in range(self.splitting.n_splits)]
        if self.train_scores:
            locals_ += [f"fold_{k}.train_eval" for k in range(self.splitting.n_splits)]
        gather = GatherScores(self.name, len(locals_), self.guard)
        tables = [f"{self.name}.{local}.scores" for local in locals_]
        pooled = self._pooled()
        read = tuple(
            dict.fromkeys(d for m in pooled.values() for d in m.arguments.datasets)
        )
        summary = SummarizeFolds(tuple(pooled.items()), read, len(tables), self.guard)
        extra = [name for name in read if self._is_pooled_apart(name)]
        return [
            self._node(
                gather.gather,
                tables,
                "scores",
                "gather.scores",
                names.GATHER,
                previews.of_scores(self.metrics, self.splitting.n_splits),
            ),
            *(
                self._gather_rows_node(n, self._apart(n), for_pooling=True)
                for n in extra
            ),
            self._node(
                summary.summarize,
                [
                    *tables,
                    *(self._apart(n) if n in extra else n for n in read),
                ],
                "summary",
                "summarize",
                names.GATHER,
                previews.of_summary(self.metrics, pooled, self.splitting.n_splits),
            ),
        ]

    def _pooled(self) -> dict[str, Metric]:
        """Return the metrics that can be computed over all out-of-fold rows at once."""
        if not self.outputs and self.splitting.partition is not True:
            return {}
        known = {*self.rows, *self.shared, *self._makers}
        known |= {name for name in self._judged() if names.is_parameter(name)}
        return {
            name: metric
            for name, metric in self.metrics.items()
            if set(metric.arguments.datasets) <= known
        }

    def _apart(self, name: str) -> str:
        return f"{self.name}.out_of_fold.{name}"

    def _is_pooled_apart(self, name: str) -> bool:
        # Rows of a failed fold are NaN in outputs: that they failed is told apart.
        return name in self._makers and (self.guard or name not in self.outputs)

    # --- names ------------------------------------------------------------------------

    def _kept(self) -> dict[str, str]:
        return {name: name for name in self.shared}

    def _judged(self) -> tuple[str, ...]:
        """Return the datasets that metrics read, each once."""
        read = (d for m in self.metrics.values() for d in m.arguments.datasets)
        return tuple(dict.fromkeys(read))

    def _gathered(self) -> list[str]:
        pooled = (d for m in self._pooled().values() for d in m.arguments.datasets)
        extra = [name for name in pooled if self._is_pooled_apart(name)]
        return list(dict.fromkeys([*self.outputs, *extra]))

    def _guarded(self, nodes: Iterable[Node]) -> list[Node]:
        return [guarded(node, self.name) if self.guard else node for node in nodes]

    def _refitted(self, nodes: Iterable[Node], kept: Iterable[str]) -> list[Node]:
        names_ = {*self.rows, *self.shared, *kept}
        return renamed(nodes, f"{self.name}.refit", {name: name for name in names_})

    def _node(
        self,
        func: Callable[..., Any],
        inputs: list[str],
        output: str,
        name: str,
        kind: str,
        preview: Preview | None = None,
    ) -> Node:
        return make_node(
            func,
            inputs,
            f"{self.name}.{output}",
            name=name,
            namespace=self.name,
            node_type=kind,
            tags=(),
            preview=preview,
        )


def learning(operand: Estimator) -> list[Node]:
    """Return the nodes of ``train`` but those that only make outputs of rows.

    What is left learns the state, or tells of it (the trials of a search).
    """
    rows = made_by(operand.eval.nodes)
    made = made_by(operand.train.nodes)
    read = _read(operand.train.nodes)
    told = [
        name
        for name, node in made.items()
        if name not in read and name not in rows and names.APPLY not in node.tags
    ]
    return pruned(operand.train, [*operand.state, *told])


def _maker(node: Node, output: str) -> tuple[str | None, str]:
    """Return the method and the state by which a node makes an output, if known."""
    applies = getattr(node.func, "__self__", None)
    if not isinstance(applies, ApplyState):
        return None, ""
    method = applies.methods[[names.base_name(o) for o in node.outputs].index(output)]
    return method, names.base_name(node.inputs[0])


def _read(nodes: Iterable[Node]) -> set[str]:
    return {names.base_name(name) for node in nodes for name in node.inputs}
