"""One copy of an estimator, or of any pipeline, for each of several keys."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from kedro.pipeline import Pipeline

from kedro_rats import names
from kedro_rats.combinators.operands import check_operand, strings
from kedro_rats.combinators.renaming import renamed
from kedro_rats.errors import Breach, listed, nearest, raise_if, shown
from kedro_rats.estimators.algebra import Estimator
from kedro_rats.estimators.node_function import node_function
from kedro_rats.estimators.nodes import make_node, without_naming_warnings
from kedro_rats.estimators.wiring import free_inputs, made_by, pipeline_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kedro.pipeline.node import Node

Mapped = TypeVar("Mapped", Estimator, Pipeline)


def map_over(
    estimator_or_pipeline: Mapped,
    *,
    keys: Sequence[str],
    over: Sequence[str],
    name: str,
    shared: Sequence[str] = (),
    gather: bool = True,
) -> Mapped:
    """Return a copy of an estimator or a pipeline for each key, as one of its kind.

    For a model per country, per target or per source of data. The copy of a key reads
    ``NAME.KEY.n`` in place of each ``n`` in ``over``, has its state in ``NAME.KEY.*``,
    and is one task.

    Args:
        estimator_or_pipeline: An estimator, or any Kedro pipeline.
        keys: Names of the copies, in their order.
        over: The inputs that each key has of its own. Parameters may be among them:
            ``params:clf`` is read from ``params:NAME.KEY.clf``.
        name: Namespace of all that is new.
        shared: The inputs that all copies read under their own names. All other inputs
            must be in ``over``; parameters are shared where they are not.
        gather: Whether the outputs are also put together, as ``{key: value}`` under their
            own names. Give False where an outer combinator is to slice or gather rows: a
            dict is not rows, ``NAME.KEY.OUTPUT`` is.

    Raises:
        DefinitionError: If there are no keys, a key is malformed or there twice,
            ``over`` names no input, an input is neither in ``over`` nor in ``shared``,
            or the name is used inside.

    Example:
        >>> from sklearn.linear_model import Ridge
        >>> from kedro_rats import estimator
        >>> ridge = estimator(Ridge(), fit_inputs=["X", "y"], inputs="X",
        ...                   outputs="yhat", name="ridge")
        >>> each = map_over(ridge, keys=["north", "south"], over=["X", "y"], name="area")
        >>> each.state, each.outputs
        (('area.north.ridge_state', 'area.south.ridge_state'), ('yhat',))
        >>> sorted(each.eval.inputs() - set(each.state))
        ['area.north.X', 'area.south.X']
    """
    operand = _operand(f"map_over {shown(name)}", estimator_or_pipeline)
    copies = Copies(
        name=name,
        keys=keys,
        over=over,
        shared=shared,
        outputs=_outputs(estimator_or_pipeline) if gather else (),
        are_tasks=not _has_groups(operand),
    ).checked(operand)
    train = copies.of(operand.train)
    if isinstance(estimator_or_pipeline, Pipeline):
        return train
    return Estimator(train, copies.of(operand.eval))


@dataclass(frozen=True)
class ByKey:
    """Puts the outputs of all keys into one dict."""

    keys: tuple[str, ...]

    @property
    def argument_names(self) -> tuple[str, ...]:
        """An argument for each key."""
        return tuple(f"value_{i}" for i, _ in enumerate(self.keys))

    @node_function
    def gather(self, *values: Any) -> dict[str, Any]:
        """Return the values by key, in the order of the keys."""
        return dict(zip(self.keys, values, strict=True))


@dataclass(frozen=True, kw_only=True, eq=False)
class Copies:
    """All that says how a pipeline is copied; `of` builds the copies.

    Attributes:
        name: Namespace of everything that is new.
        keys: The names of the copies.
        over: The inputs that each copy has of its own.
        shared: The inputs that keep their names.
        outputs: The outputs that are put together, where they are made.
        are_tasks: Whether the nodes of a copy become one task.
    """

    name: str
    keys: Sequence[str]
    over: Sequence[str]
    shared: Sequence[str]
    outputs: tuple[str, ...]
    are_tasks: bool

    def checked(self, operand: Estimator) -> Copies:
        """Return the same with lists of names, or raise what is wrong with it."""
        subject = f"map_over {shown(self.name)}"
        check_operand(subject, operand, self.name)
        over = strings(f"{subject}, over", self.over)
        shared = strings(f"{subject}, shared", self.shared)
        breaches = _check_keys(subject, self.keys)
        raise_if([*breaches, *_check_inputs(subject, operand, over, shared)])
        return replace(self, over=over, shared=shared)

    @without_naming_warnings()
    def of(self, pipeline: Pipeline) -> Pipeline:
        """Return the copies of a pipeline."""
        nodes = [node for key in self.keys for node in self._copy(pipeline, key)]
        made = made_by(pipeline.nodes)
        nodes += [self._gather_node(name) for name in self.outputs if name in made]
        return pipeline_of(f"map_over {shown(self.name)}", nodes)

    def _copy(self, pipeline: Pipeline, key: str) -> list[Node]:
        namespace = f"{self.name}.{key}"
        kept = {dataset: dataset for dataset in self.shared}

        def parameters(node: Node, dataset: str) -> str:
            del node
            return self._own_parameters(namespace, dataset)

        copies = renamed(pipeline.nodes, namespace, kept, parameters)
        if not self.are_tasks:
            return copies
        return [node.tag(f"group.{namespace}") for node in copies]

    def _own_parameters(self, namespace: str, dataset: str) -> str:
        if not any(_is_part(dataset, one) for one in self.over):
            return dataset
        return f"params:{namespace}.{dataset.removeprefix('params:')}"

    def _gather_node(self, output: str) -> Node:
        return make_node(
            ByKey(tuple(self.keys)).gather,
            [f"{self.name}.{key}.{output}" for key in self.keys],
            output,
            name=f"gather.{output}",
            namespace=self.name,
            # Not names.GATHER, at which the search for leaks stops: what that type
            # gathers is out of fold, and this may be what a fit gave of its own rows.
            node_type=names.APPLY,
            tags=(),
        )


def _operand(subject: str, given: object) -> Estimator:
    """Return what is copied as an estimator: a plain pipeline is its training."""
    if isinstance(given, Estimator):
        return given
    if isinstance(given, Pipeline):
        return Estimator(given, Pipeline([]))
    expected, remedy = "an Estimator or a Kedro Pipeline", "Give one of them."
    raise_if([Breach(subject, expected, shown(given), remedy)])
    raise AssertionError


def _outputs(given: Estimator | Pipeline) -> tuple[str, ...]:
    found = given.outputs() if isinstance(given, Pipeline) else given.outputs
    return tuple(sorted(map(names.base_name, found)))


def _has_groups(operand: Estimator) -> bool:
    """Say whether an operand has tasks already, in either phase.

    A task inside, such as a fold, may run between two other nodes of a copy, so that the
    copy cannot be one task.
    """
    nodes = [*operand.train.nodes, *operand.eval.nodes]
    return any(tag.startswith("group.") for node in nodes for tag in node.tags)


def _check_keys(subject: str, keys: object) -> list[Breach]:
    subject = f"{subject}, keys"
    if not isinstance(keys, (list, tuple)) or not keys:
        remedy = "Give them in a fixed order, as a list."
        return [Breach(subject, "a list of keys", shown(keys), remedy)]
    breaches = [b for key in keys for b in names.check_name(subject, key)]
    breaches += [
        Breach(subject, "keys without dots", shown(key), "Write '_' in place of a dot.")
        for key in keys
        if isinstance(key, str) and "." in key.strip(".")
    ]
    twice = [key for i, key in enumerate(keys) if key in keys[:i]]
    breaches += [
        Breach(
            subject, "each key once", f"{shown(key)} twice", "Leave one of them out."
        )
        for key in twice
    ]
    return breaches


def _check_inputs(
    subject: str, operand: Estimator, over: Sequence[str], shared: Sequence[str]
) -> list[Breach]:
    given = [*over, *shared]
    free = free_inputs(operand.train) | free_inputs(operand.eval) - set(operand.state)
    nodes = [*operand.train.nodes, *operand.eval.nodes]
    read = {n for node in nodes for n in node.inputs if names.is_parameter(n)}
    breaches = [
        b for n in given for b in names.check_dataset(f"{subject}, over and shared", n)
    ]
    if not over:
        remedy = "Name the inputs that each key has of its own."
        breaches.append(
            Breach(f"{subject}, over", "at least one input", "none", remedy)
        )
    breaches += [
        Breach(
            f"{subject}, over",
            f"inputs ({listed(sorted(free | read))})",
            shown(one),
            f"{nearest(one, free | read)}Name what is read, without '@'.",
        )
        for one in over
        if not _is_read(one, free, read)
    ]
    breaches += [
        Breach(
            f"{subject}, over and shared",
            f"{one!r} in one of them",
            "both",
            "What is in over differs between keys; shared inputs are the same for all.",
        )
        for one in over
        if one in shared
    ]
    breaches += [
        Breach(
            f"{subject}, input {one!r}",
            "each input in over or in shared",
            f"neither (over: {listed(over)}; shared: {listed(shared)})",
            f"{nearest(one, given)}Add it to over if each key has its own.",
        )
        for one in sorted(free - set(given))
    ]
    return breaches


def _is_read(one: str, free: set[str], read: set[str]) -> bool:
    if one == "parameters" or not names.is_parameter(one):
        return one in free
    return any(_is_part(dataset, one) for dataset in read)


def _is_part(dataset: str, parameters: str) -> bool:
    """Say whether a dataset is some parameters, or one below them."""
    is_own = names.is_parameter(parameters)
    return is_own and f"{dataset}.".startswith(f"{parameters}.")
