"""The pipelines of a final estimator on the outputs of others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, reduce
from operator import add
from typing import TYPE_CHECKING, Any

from kedro_rats import names
from kedro_rats.combinators.cross_validation import cross_validate
from kedro_rats.combinators.features import SideBySide, method_of
from kedro_rats.combinators.renaming import renamed
from kedro_rats.combinators.resampling import learning
from kedro_rats.errors import shown
from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.nodes import make_node, without_naming_warnings
from kedro_rats.estimators.wiring import made_by, pipeline_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node


@dataclass(frozen=True, kw_only=True, eq=False)
class Stack:
    """All that says how estimators are stacked; `estimator` builds the pipelines.

    Attributes:
        name: Namespace of everything that is new.
        bases: The estimators whose outputs are learned from.
        final: The estimator that learns from them.
        features: The outputs, in the order of their columns.
        into: The dataset that holds them side by side.
        passthrough: The rows that follow them.
        rows: The datasets that are sliced.
        shared: The datasets that are the same in each fold.
        folds: The arguments of `cross_validate` that say what the folds are.
    """

    name: str
    bases: tuple[Estimator, ...]
    final: Estimator
    features: tuple[str, ...]
    into: str
    passthrough: tuple[str, ...]
    rows: tuple[str, ...]
    shared: tuple[str, ...]
    folds: Mapping[str, Any]

    @without_naming_warnings()
    def estimator(self) -> Estimator:
        """Return the stacked estimator."""
        train = [
            *(node for base in self._folds for node in base.nodes),
            *self._refitted(learning(self._together), self._together.state),
            self._features_node,
            *self._finally(self.final.train),
        ]
        kept = (*self._together.state, *self._outputs)
        evaluation = [
            *self._refitted(self._together.eval.nodes, kept),
            self._features_node,
            *self._finally(self.final.eval),
        ]
        scores = self.final.scores
        subject = f"stack {shown(self.name)}"
        return Estimator(
            pipeline_of(subject, train),
            pipeline_of(subject, evaluation),
            scores=None if scores is None else f"{self.name}.final.{scores}",
        )

    @cached_property
    def _together(self) -> Estimator:
        """The bases as one: what several of them begin with is refitted once."""
        return reduce(add, self.bases)

    @cached_property
    def _outputs(self) -> dict[str, int]:
        """The row outputs that keep their names, with the first base that makes each."""
        return outputs_of(self.bases, self.features)

    @property
    def _folds(self) -> list[Pipeline]:
        """The bases on the folds: what each says of each row out of fold."""
        return [
            cross_validate(
                base,
                rows=self.rows,
                shared=self.shared,
                outputs=[name for name, of in self._outputs.items() if of == number],
                refit=False,
                name=f"{self.name}.base_{number}",
                **self.folds,
            ).train
            for number, base in enumerate(self.bases)
        ]

    def _refitted(self, nodes: list[Node], kept: tuple[str, ...]) -> list[Node]:
        names_ = (*self.rows, *self.shared, *kept)
        return renamed(nodes, f"{self.name}.refit", {name: name for name in names_})

    @cached_property
    def _features_node(self) -> Node:
        makers = made_by(self._together.eval.nodes)
        methods = [method_of(makers[feature], feature) for feature in self.features]
        together = SideBySide(
            self.name, self.features, tuple(methods), self.passthrough
        )
        return make_node(
            together.put,
            [*self.features, *self.passthrough],
            self.into,
            name="features",
            namespace=self.name,
            node_type=names.APPLY,
            tags=(),
        )

    def _finally(self, pipeline: Pipeline) -> list[Node]:
        own = (*self.final.state, *self.final.outputs)
        read = (*self.rows, *self.shared, *self._outputs, self.into)
        kept = {names.base_name(name): names.base_name(name) for name in (*own, *read)}
        return renamed(pipeline.nodes, f"{self.name}.final", kept)


def outputs_of(
    bases: tuple[Estimator, ...], features: tuple[str, ...]
) -> dict[str, int]:
    """Return features and other row outputs, with the first of the bases to make each."""
    found: dict[str, int] = {}
    for number, base in enumerate(bases):
        made = made_by(base.eval.nodes)
        for name in (*features, *base.outputs):
            if name in made:
                found.setdefault(name, number)
    return found
