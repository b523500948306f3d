"""The pipelines of an estimator whose parameters are searched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline

from kedro_rats import names
from kedro_rats.combinators import previews
from kedro_rats.combinators.guarding import guarded, owner_of
from kedro_rats.combinators.merging import Merge, kind_of, reads
from kedro_rats.combinators.pruning import pruned
from kedro_rats.combinators.renaming import renamed
from kedro_rats.combinators.searching import Ask, Goal, Report, Tell
from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.nodes import make_node, without_naming_warnings
from kedro_rats.estimators.wiring import free_inputs, made_by

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kedro.pipeline.node import Node

    from kedro_rats.combinators.study import Searcher


@dataclass(frozen=True, kw_only=True, eq=False)
class Search:
    """All that says how an estimator is searched; `estimator` builds the pipelines.

    Attributes:
        name: Namespace of everything that is new.
        operand: What is searched; it has ``scores``.
        paths: The searched parameters.
        searcher: What asks for trials.
        goal: What is looked for.
        batches: Number of trials of each round.
        study: A dataset with an earlier study, or None.
        refit: Whether the operand is fitted at the best parameters.
    """

    name: str
    operand: Estimator
    paths: tuple[str, ...]
    searcher: Searcher
    goal: Goal
    batches: tuple[int, ...]
    study: str | None
    refit: bool

    @without_naming_warnings()
    def estimator(self) -> Estimator:
        """Return the searched estimator."""
        nodes = renamed(self._shared, f"{self.name}.shared", self._kept_in_shared)
        study, first = self.study, 0
        for number, size in enumerate(self.batches):
            nodes += self._round_nodes(number, first, size, study)
            study, first = f"{self.name}.round_{number}.study", first + size
        nodes.append(self._report_node(study or ""))
        if not self.refit:
            return Estimator(Pipeline(nodes), Pipeline([]))
        refitted, evaluation = self._refit_nodes()
        scores = self._refitted_name(self.operand.scores or "")
        return Estimator(
            Pipeline([*nodes, *refitted]), Pipeline(evaluation), scores=scores
        )

    # --- what trials share ------------------------------------------------------------

    @cached_property
    def trial(self) -> list[Node]:
        """The part of training that makes the scores."""
        wanted = [self.operand.scores or ""]
        if self._pooled:
            wanted.append(summary_of(wanted[0]))
        return pruned(self.operand.train, wanted)

    @cached_property
    def _pooled(self) -> bool:
        """Whether a trial also makes the summary, which has the pooled values."""
        if any(name.endswith(".pooled") for name in self.goal.objectives):
            return True
        # A constraint may read any value that there is.
        return bool(self.goal.constraints and pooled_of(self.operand))

    @cached_property
    def _searched(self) -> list[Node]:
        """The nodes of a trial that depend on what is searched, in running order."""
        touched: set[str] = set()
        found = []
        for node in self.trial:
            if self._sees(node) or touched & set(map(names.base_name, node.inputs)):
                touched |= set(map(names.base_name, node.outputs))
                found.append(node)
        return found

    @cached_property
    def _shared(self) -> list[Node]:
        searched = {node.name for node in self._searched}
        shared = {node.name for node in self.trial} - searched
        # Whole nodes: the refit may need outputs of them that no trial does.
        return [node for node in self.operand.train.nodes if node.name in shared]

    def _sees(self, node: Node) -> bool:
        return any(
            reads(dataset, path)
            for dataset in node.inputs
            if names.is_parameter(dataset)
            for path in self.paths
        )

    @cached_property
    def _public(self) -> set[str]:
        """Datasets of training that keep their names: state and row outputs."""
        made = made_by(self.operand.train.nodes).keys()
        return (set(self.operand.state) | set(self.operand.outputs)) & made

    @cached_property
    def _free(self) -> set[str]:
        free = free_inputs(self.operand.train) | free_inputs(self.operand.eval)
        return free - set(self.operand.state)

    @cached_property
    def _kept_in_shared(self) -> dict[str, str]:
        return {name: name for name in self._free | self._public}

    @cached_property
    def _kept_in_trials(self) -> dict[str, str]:
        kept = {name: name for name in self._free}
        for name in made_by(self._shared):
            kept[name] = self._kept_in_shared.get(name, f"{self.name}.shared.{name}")
        return kept

    # --- rounds -----------------------------------------------------------------------

    def _round_nodes(
        self, number: int, first: int, size: int, study: str | None
    ) -> list[Node]:
        namespace = f"{self.name}.round_{number}"
        trials = [f"{namespace}.trial_{first + k}" for k in range(size)]
        ask = Ask(
            self.name,
            self.searcher,
            size,
            continues=study is not None,
            adopts=number == 0 and study is not None,
        )
        tell = Tell(self.name, self.searcher, self.goal, size, self._pooled)
        results = [f"{trial}.{self.operand.scores}" for trial in trials]
        if self._pooled:
            summary = summary_of(self.operand.scores or "")
            results += [f"{trial}.{summary}" for trial in trials]
        nodes = [
            make_node(
                ask.ask,
                [study] if study is not None else None,
                [f"{namespace}.asked", *(f"{trial}.chosen" for trial in trials)],
                name="ask",
                namespace=namespace,
                node_type=names.ASK,
                tags=(),
            )
        ]
        for trial in trials:
            nodes += self._trial_nodes(trial)
        nodes.append(
            make_node(
                tell.tell,
                [f"{namespace}.asked", *results],
                f"{namespace}.study",
                name="tell",
                namespace=namespace,
                node_type=names.TELL,
                tags=(),
            )
        )
        return nodes

    def _trial_nodes(self, namespace: str) -> list[Node]:
        merged = _Merged(namespace, self.paths, f"{namespace}.chosen")
        copies = renamed(
            self._searched, namespace, self._kept_in_trials, merged.parameters
        )
        own = {n.namespace for n in self.trial if names.SPLIT in n.tags}
        nodes = [
            guarded(
                _ungrouped(node, {f"{namespace}.{name}" for name in own}), self.name
            )
            for node in [*merged.nodes(), *copies]
        ]
        if any(tag.startswith("group.") for node in nodes for tag in node.tags):
            # A task inside, such as an inner trial, may run between two of these nodes.
            return nodes
        return [node.tag(f"group.{namespace}") for node in nodes]

    def _report_node(self, study: str) -> Node:
        report = Report(self.name, self.searcher, self.goal)
        return make_node(
            report.report,
            [study],
            [f"{self.name}.study", f"{self.name}.trials", f"{self.name}.best"],
            name="report",
            namespace=self.name,
            node_type=names.GATHER,
            tags=(),
            preview=previews.of_search(
                self.goal, self.searcher, self.paths, self.batches
            ),
        )

    # --- refit ------------------------------------------------------------------------

    def _refit_nodes(self) -> tuple[list[Node], list[Node]]:
        namespace = f"{self.name}.refit"
        merged = _Merged(namespace, self.paths, f"{self.name}.best")
        shared = {node.name for node in self._shared}
        left = [node for node in self.operand.train.nodes if node.name not in shared]
        kept = {**{name: name for name in self._public}, **self._kept_in_trials}
        refitted = renamed(left, namespace, kept, merged.parameters)
        applied = {*self._free, *self.operand.state, *self.operand.eval.outputs()}
        evaluation = renamed(
            self.operand.eval.nodes,
            namespace,
            {name: name for name in applied},
            merged.parameters,
        )
        return [*merged.nodes(), *refitted], evaluation

    def _refitted_name(self, dataset: str) -> str:
        shared = self._kept_in_trials.get(dataset)
        return shared or f"{self.name}.refit.{dataset}"


@dataclass(eq=False)
class _Merged:
    """The parameters of one trial, made as its nodes ask for them.

    Two nodes that annotate the same parameters with different types get one each.
    """

    namespace: str
    paths: tuple[str, ...]
    chosen: str

    def __post_init__(self) -> None:
        self._asked: dict[tuple[str, Any], str] = {}

    def parameters(self, node: Node, dataset: str) -> str:
        """Return what a node reads in place of some parameters."""
        if not any(reads(dataset, path) for path in self.paths):
            return dataset
        kind = kind_of(node, dataset)
        key = dataset.replace(":", ".", 1)
        made = f"{self.namespace}.{key}{'' if kind is None else f'.{kind.__name__}'}"
        taken = set(self._asked.values())
        if (dataset, kind) not in self._asked and made in taken:
            made = f"{made}_{len(taken)}"
        return self._asked.setdefault((dataset, kind), made)

    def _seen_in(self, dataset: str) -> tuple[str, ...]:
        return tuple(path for path in self.paths if reads(dataset, path))

    def nodes(self) -> list[Node]:
        """Return the nodes that make the parameters asked for."""
        return [
            make_node(
                Merge(dataset, self._seen_in(dataset), kind).merge,
                [self.chosen, dataset],
                made,
                name=f"set.{made.removeprefix(f'{self.namespace}.')}",
                namespace=self.namespace,
                node_type=names.GATHER,
                tags=(),
            )
            for (dataset, kind), made in self._asked.items()
        ]


def summary_of(scores: str) -> str:
    """Return the summary beside a dataset of scores.

    Example:
        >>> summary_of("outer.cv.scores")
        'outer.cv.summary'
    """
    return f"{scores.removesuffix('scores')}summary"


def metrics_of(operand: Estimator) -> dict[str, Any]:
    """Return the metrics of the nodes whose tables become an estimator's scores."""
    makers = made_by(operand.train.nodes)
    gather = makers.get(operand.scores or "")
    if gather is None:
        return {}
    found: dict[str, Any] = {}
    for node in (gather, *(makers[name] for name in gather.inputs if name in makers)):
        judge = owner_of(node)
        judge = getattr(judge, "judge", judge)
        if names.SCORE in node.tags:
            found.update(dict(getattr(judge, "metrics", ())))
    return found


def pooled_of(operand: Estimator) -> list[str]:
    """Return the metrics whose pooled value an estimator summarizes."""
    summary = made_by(operand.train.nodes).get(summary_of(operand.scores or ""))
    owner = None if summary is None else owner_of(summary)
    return [name for name, _ in getattr(owner, "metrics", ())]


def batches_of(trials: int, batch: int) -> tuple[int, ...]:
    """Return the number of trials of each round.

    Example:
        >>> batches_of(10, 4)
        (4, 4, 2)
    """
    return tuple(min(batch, trials - done) for done in range(0, trials, batch))


def _ungrouped(node: Node, resampled: set[str]) -> Node:
    """Return a node without the groups that a cross-validation gave to its folds."""
    folds = set()
    for tag in node.tags:
        name, _, fold = tag.removeprefix("group.").rpartition(".fold_")
        if name in resampled and fold.isdigit():
            folds.add(tag)
    return node._copy(tags=node.tags - folds) if folds else node


def overlapping(operand: Estimator, paths: Iterable[str]) -> Mapping[str, str]:
    """Return paths that a search inside the operand sets too, and where."""
    inner = [
        (node.name, path)
        for node in operand.train.nodes
        for path in getattr(owner_of(node), "paths", ())
        if names.GATHER in node.tags
    ]
    return {
        path: name
        for path in paths
        for name, other in inner
        if reads(path, other) or reads(other, path)
    }
