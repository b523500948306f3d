"""Estimators, and how they chain."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from kedro.pipeline import Pipeline

from kedro_rats import names
from kedro_rats.errors import (
    Breach,
    LeakWarning,
    listed,
    raise_if,
    shown,
)
from kedro_rats.estimators import scoring, wiring
from kedro_rats.estimators.leaks import leaks
from kedro_rats.estimators.nodes import without_naming_warnings
from kedro_rats.estimators.tagging import Only, tagged

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kedro_rats.estimators.metrics import Metric


@dataclass(frozen=True, eq=False)
class Estimator:
    """Something that learns a state from data, then applies it: two Kedro pipelines.

    Anyone may build one from two pipelines. They are wired by dataset names: what
    ``train`` makes and ``eval`` reads without making is the state.

    Attributes:
        train: Learns the state; may also make in-sample outputs.
        eval: Applies the state to rows under the same dataset names; never learns.
        scores: The dataset to which ``train`` writes its scores, where it resamples.

    Raises:
        DefinitionError: If ``eval`` has a node that learns, or reads what a train-only
            node makes; if ``train`` reads what only ``eval`` makes or does not make
            ``scores``.

    Example:
        >>> from sklearn.preprocessing import StandardScaler
        >>> from kedro_rats import estimator
        >>> scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
        >>> [node.name for node in scale.train.nodes], scale.state, scale.outputs
        (['scale.fit_transform'], ('scale_state',), ('Z',))
    """

    train: Pipeline
    eval: Pipeline
    scores: str | None = None

    def __post_init__(self) -> None:
        raise_if(
            Breach(
                f"estimator, {phase}",
                "a Kedro Pipeline",
                shown(pipeline),
                "Build it from two pipelines: Estimator(train=Pipeline([…]), eval=…).",
            )
            for phase, pipeline in self._phases()
            if not isinstance(pipeline, Pipeline)
        )
        raise_if(
            [
                *wiring.check_phases(self.train, self.eval),
                *wiring.check_scores(self.train, self.scores),
            ]
        )

    def _phases(self) -> tuple[tuple[str, object], ...]:
        return ("train", self.train), ("eval", self.eval)

    @cached_property
    def state(self) -> tuple[str, ...]:
        """The datasets that ``train`` makes and ``eval`` reads without making, sorted."""
        made = wiring.made_by(self.train.nodes)
        return tuple(sorted(wiring.free_inputs(self.eval) & made.keys()))

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The free outputs of ``eval``, sorted."""
        return tuple(sorted(self.eval.outputs()))

    def __add__(self, other: object) -> Estimator:
        """Chain two estimators, which are wired by the names of their datasets.

        The nodes of ``(a + b).train`` are those of ``a.train`` and ``b.train``, and the
        same holds for ``eval``. ``scores`` are those of the one operand that has them.

        Warns:
            LeakWarning: If one learns from the rows that the other resamples: put it
                inside the resampling combinator instead.

        Raises:
            DefinitionError: Where Kedro would choose silently: two nodes of one name
                that differ, one name of two operands, two makers of one dataset, a
                dataset that one ``train`` reads and only the other's ``eval`` makes. Also
                for a Kedro pipeline.
        """
        raise_if(_mixed(other))
        if not isinstance(other, Estimator):
            return NotImplemented
        raise_if(_conflicts(self, other))
        train = wiring.pipeline_of("chain", wiring.joined(self.train, other.train))
        told = {*leaks(self.train), *leaks(other.train)}
        for leak in leaks(train):
            if leak not in told:
                warnings.warn(leak, LeakWarning, stacklevel=2)
        scores = {self.scores, other.scores} - {None}
        return Estimator(
            train,
            wiring.pipeline_of("chain", wiring.joined(self.eval, other.eval)),
            scores=scores.pop() if len(scores) == 1 else None,
        )

    def __radd__(self, other: object) -> Estimator:
        """Let ``sum`` chain a list of estimators.

        Raises:
            DefinitionError: For a Kedro pipeline.
        """
        raise_if(_mixed(other))
        return self if other == 0 else NotImplemented

    def tag(self, *tags: str, only: Only | None = None) -> Estimator:
        """Return a copy whose nodes have the tags, where they had none of that kind.

        The kind of ``image.sklearn`` is ``image``: a node that has an image keeps it, so
        the inner tag wins. Tags of no placement kind are added to all.

        Args:
            *tags: Tags such as ``"image.sklearn"`` or ``"resources.large"``.
            only: ``"fit"`` or ``"apply"``: only nodes of that type get them.

        Raises:
            DefinitionError: If a tag is malformed, or two are of one kind.

        Example:
            >>> from sklearn.preprocessing import StandardScaler
            >>> from kedro_rats import estimator
            >>> scale = estimator(StandardScaler(), inputs="X", outputs="Z")
            >>> sorted(scale.tag("image.big", only="fit").train.nodes[0].tags)
            ['image.big', 'rats.fit']
        """
        breaches = names.check_tags("tag", tags)
        if only not in (None, "fit", "apply"):
            remedy = "Leave it out to tag all nodes."
            breaches.append(
                Breach("tag, only", "'fit' or 'apply'", shown(only), remedy)
            )
        raise_if(breaches)
        raise_if(names.check_one_of_a_kind("tag", tags))
        return Estimator(
            tagged(self.train, tags, only), tagged(self.eval, tags, only), self.scores
        )

    def eval_on(
        self,
        namespace: str,
        *,
        shared: Iterable[str] = (),
        metrics: Mapping[str, Metric] | None = None,
    ) -> Pipeline:
        """Return ``eval`` for other rows: it reads and writes ``NAMESPACE.NAME``.

        The state, parameters and ``shared`` keep their names.

        Args:
            namespace: Prefix of the nodes and datasets, e.g. ``"test"``.
            shared: Inputs that are not rows, and so the same everywhere.
            metrics: Metrics by name. They add ``NAMESPACE.scores`` (a pandas table with
                the columns fold, part, metric, value, rows) and ``NAMESPACE.summary``
                (``{metric: {"mean": …, "std": …}}``).

        Raises:
            DefinitionError: If a name is malformed, ``shared`` names no input of
                ``eval``, or a metric reads what only training makes.

        Example:
            >>> from sklearn.preprocessing import StandardScaler
            >>> from kedro_rats import estimator
            >>> scale = estimator(StandardScaler(), inputs="X", outputs="Z", name="scale")
            >>> test = scale.eval_on("test")
            >>> sorted(test.inputs()), sorted(test.outputs())
            (['scale_state', 'test.X'], ['test.Z'])
        """
        subject = f"eval_on({shown(namespace)})"
        raise_if(names.check_name(f"{subject}, namespace", namespace))
        free = wiring.free_inputs(self.eval)
        shared = [shared] if isinstance(shared, str) else list(shared)
        raise_if(
            b for n in shared for b in names.check_dataset(f"{subject}, shared", n)
        )
        kept = {*self.state, *shared}
        judged = self._judged(subject, metrics, kept)
        raise_if(
            Breach(
                f"{subject}, shared",
                f"inputs of eval ({listed(sorted(free))})",
                shown(name),
                "Name only what eval or a metric reads.",
            )
            for name in sorted(kept - free - set(judged))
        )
        read = {name for node in self.eval.nodes for name in node.inputs}
        with without_naming_warnings():
            moved = Pipeline(
                self.eval.nodes,
                namespace=namespace,
                inputs={name for name in read if names.base_name(name) in kept & free},
                parameters={name for name in read if name.startswith("params:")},
            )
        if metrics is None:
            return moved
        renamed = {
            name: name
            if name in kept or names.is_parameter(name)
            else f"{namespace}.{name}"
            for name in judged
        }
        return Pipeline([moved, scoring.scoring_node(namespace, metrics, renamed)])

    def _judged(
        self, subject: str, metrics: Mapping[str, Metric] | None, kept: set[str]
    ) -> list[str]:
        """Return the datasets that metrics read; refuse those that only train makes."""
        if metrics is None:
            return []
        scoring.check_metrics(f"{subject}, metrics", metrics)
        only_train = wiring.made_by(self.train.nodes).keys() - kept
        only_train -= wiring.made_by(self.eval.nodes).keys()
        raise_if(
            Breach(
                f"{subject}, metric {name!r}",
                "datasets that evaluation has",
                f"{dataset!r}, which only train makes",
                "Judge an output of eval, or a row input such as the target.",
            )
            for name, metric in metrics.items()
            for dataset in metric.arguments.datasets
            if dataset in only_train
        )
        read = [name for m in metrics.values() for name in m.arguments.datasets]
        return list(dict.fromkeys(read))


def _mixed(other: object) -> Iterable[Breach]:
    """Yield that a pipeline is no estimator: Python would not say what to add instead."""
    if isinstance(other, Pipeline):
        remedy = "Take its .train or .eval_on(…)."
        yield Breach("sum of pipelines", "a Pipeline", "an Estimator", remedy)


def _conflicts(first: Estimator, second: Estimator) -> Iterable[Breach]:
    for phase in ("train", "eval"):
        mine, theirs = (getattr(part, phase).nodes for part in (first, second))
        subject = f"chain, {phase}"
        yield from wiring.check_same_names(subject, mine, theirs)
        yield from wiring.check_makers(subject, mine, theirs)
        yield from wiring.check_owners(subject, mine, theirs)
    # The node of a transformer is the same in both phases; any other pair of one name
    # would make `train + eval` ambiguous.
    crossed = ((first.train, second.eval), (first.eval, second.train))
    for mine, theirs in crossed:
        yield from wiring.check_same_names("chain", mine.nodes, theirs.nodes)
