"""Hyper-parameter search over an estimator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kedro_rats import names
from kedro_rats.combinators.guarding import owner_of
from kedro_rats.combinators.joining import JoinLabels
from kedro_rats.combinators.merging import Merge, keys_below, kind_of, reads
from kedro_rats.combinators.operands import check_operand, strings
from kedro_rats.combinators.search import (
    Search,
    batches_of,
    metrics_of,
    overlapping,
    pooled_of,
)
from kedro_rats.combinators.searching import Goal
from kedro_rats.combinators.space import Distributions, Space, paths_of, space_of
from kedro_rats.combinators.study import (
    AskTellSearcher,
    GridInOrder,
    OptunaSearcher,
    Searcher,
)
from kedro_rats.combinators.typed_parameters import fields_of, unknown_key
from kedro_rats.errors import Breach, listed, nearest, raise_if, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

    from kedro_rats.estimators.algebra import Estimator


def tune(  # noqa: PLR0913 - one argument is the principal one, the rest are named
    estimator: Estimator,
    *,
    space: Mapping[str, Any] | Space,
    objective: str | Sequence[str],
    trials: int,
    sampler: Any,
    name: str,
    batch: int = 1,
    max_failed: int = 0,
    constraints: Mapping[str, Callable[[Mapping[str, float]], float]] | None = None,
    stop: Mapping[str, Any] | None = None,
    study: str | None = None,
    refit: bool = True,
) -> Estimator:
    """Return the estimator at the best of the parameters that a search tries.

    A trial is what of ``estimator.train`` makes its scores. What no searched parameter
    touches runs once, under ``NAME.shared``. The refit is ``estimator.train`` at the best
    parameters, and passes on what that emits: ``tune`` does not resample. Honest
    predictions of a tuned model are ``cross_validate(tune(…))``.

    Args:
        estimator: What is searched; it has ``scores``, as `cross_validate` and `holdout`
            with metrics give it.
        space: Optuna distributions by ``params:`` path; or a `Space` where one parameter
            depends on another one.
        objective: A metric of the estimator, by its mean over folds; ``"NAME.pooled"``
            for its pooled value; or a list of these, of which the first decides the
            refit. The direction is the metric's.
        trials: How many in all.
        sampler: An Optuna sampler with a seed; an object with ``ask() -> {path: value}``
            and ``tell(params, value)`` that asks for what is in the space; or ``"grid"``
            for all combinations of categorical distributions in the order of
            scikit-learn's ``ParameterGrid`` (Optuna's ``GridSampler`` shuffles). It is
            copied when the study is made.
        name: Namespace of all that is new.
        batch: How many trials are asked for before any is told; they run in parallel, and
            are told in their order.
        max_failed: How many trials may fail; one more raises.
        constraints: Functions of a trial's scores by metric, at most 0 where the trial is
            feasible; only feasible trials can be best.
        stop: ``{"target": value, "patience": rounds}``, either or both: later rounds do
            nothing once the first objective reaches the target, or for so many rounds in
            a row nothing strictly better was found.
        study: A dataset with a study to continue, with its own sampler: the
            ``NAME.study`` of an earlier search for the same objectives.
        refit: False leaves ``eval`` and the state empty.

    Returns:
        An estimator that also makes ``NAME.trials`` (a pandas table), ``NAME.best``
        (``{"number", "value", "params"}``; ties go to the lowest number) and
        ``NAME.study`` (a pickled ``optuna.Study``, as bytes).

    Raises:
        DefinitionError: If the estimator has no scores, a path is read by no node, is no
            field of typed parameters or is searched inside already, the objective is no
            metric of it, ``batch`` is larger than ``trials``, or the sampler has no seed.

    The search is Optuna's (Akiba et al., 2019, https://optuna.org): with ``batch=1`` the
    trials are those of ``study.optimize``.
    """
    subject = f"tune {shown(name)}"
    _check_optuna(subject)
    check_operand(subject, estimator, name)
    parsed = space_of(subject, space)
    given = _Given(max_failed, constraints, stop)
    goal = _goal(subject, estimator, objective, given)
    raise_if(
        [
            *_check_numbers(subject, trials, batch),
            *_check_paths(subject, estimator, parsed),
            *_check_study(subject, name, study),
        ]
    )
    return Search(
        name=name,
        operand=estimator,
        paths=paths_of(parsed),
        searcher=_searcher(subject, name, parsed, sampler, goal, trials),
        goal=goal,
        batches=batches_of(trials, batch),
        study=study,
        refit=refit,
    ).estimator()


def _check_optuna(subject: str) -> None:
    if find_spec("optuna") is None:
        remedy = "Install kedro-rats[tune]."
        raise_if([Breach(subject, "Optuna", "an environment without it", remedy)])


def _goal(
    subject: str,
    operand: Estimator,
    objective: str | Sequence[str],
    given: _Given,
) -> Goal:
    if operand.scores is None:
        remedy = (
            "Judge it: tune(cross_validate(…, metrics={…}), …) or tune(holdout(…))."
        )
        if any(isinstance(owner_of(node), JoinLabels) for node in operand.train.nodes):
            remedy = (
                "Scores of folds inside pseudolabel count rows that it labels; judge the "
                "whole: tune(cross_validate(pseudolabel(…), metrics={…}), …)."
            )
        raise_if([Breach(subject, "an estimator with scores", "one without", remedy)])
    metrics = metrics_of(operand)
    pooled = [f"{name}.pooled" for name in pooled_of(operand)]
    objectives = strings(f"{subject}, objective", objective)
    known = [*metrics, *pooled]
    breaches = [
        Breach(
            f"{subject}, objective",
            f"a metric of the estimator ({listed(known)})",
            shown(one),
            f"{nearest(one, known)}Name one of them.",
        )
        for one in objectives
        if one not in known
    ]
    if not objectives or len(set(objectives)) != len(objectives):
        expected, remedy = "metrics, each once", "Name a metric."
        got = listed(objectives)
        breaches.append(Breach(f"{subject}, objective", expected, got, remedy))
    raise_if([*breaches, *given.breaches(subject)])
    return Goal(
        tuple(objectives),
        tuple(
            "maximize"
            if metrics[one.removesuffix(".pooled")].greater_is_better
            else "minimize"
            for one in objectives
        ),
        tuple((given.constraints or {}).items()),
        given.max_failed,
        (given.stop or {}).get("target"),
        (given.stop or {}).get("patience"),
    )


@dataclass(frozen=True)
class _Given:
    """What the user said of failures, feasibility and the end of a search."""

    max_failed: Any
    constraints: Any
    stop: Any

    def breaches(self, subject: str) -> list[Breach]:
        """Return what is wrong with it."""
        stop = {} if self.stop is None else self.stop
        is_stop = isinstance(stop, Mapping) and set(stop) <= {"target", "patience"}
        target = stop.get("target") if is_stop else None
        patience = stop.get("patience") if is_stop else None
        is_stop &= target is None or _is_number(target)
        is_stop &= patience is None or _is_count(patience, 1)
        constraints = {} if self.constraints is None else self.constraints
        are_functions = isinstance(constraints, Mapping) and all(
            map(callable, constraints.values())
        )
        rules = {
            "stop": (is_stop, "{'target': number, 'patience': rounds}", self.stop),
            "max_failed": (
                _is_count(self.max_failed, 0),
                "a whole number from 0",
                self.max_failed,
            ),
            "constraints": (
                are_functions,
                "functions of a trial's scores by name",
                self.constraints,
            ),
        }
        return [
            Breach(f"{subject}, {what}", expected, shown(got), "Mend or leave it out.")
            for what, (holds, expected, got) in rules.items()
            if not holds
        ]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_count(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _check_numbers(subject: str, trials: Any, batch: Any) -> list[Breach]:
    breaches = [
        Breach(f"{subject}, {what}", "a whole number from 1", shown(value), "Give one.")
        for what, value in (("trials", trials), ("batch", batch))
        if not _is_count(value, 1)
    ]
    if not breaches and batch > trials:
        remedy = "Give a smaller batch, or more trials."
        expected = f"at most trials={trials}"
        breaches.append(Breach(f"{subject}, batch", expected, str(batch), remedy))
    return breaches


def _check_study(subject: str, name: str, study: object) -> list[Breach]:
    if study is None:
        return []
    if isinstance(study, str) and study.startswith(f"{name}."):
        remedy = "Save it under another name, or give this search another one."
        expected = "a study of another search"
        return [Breach(f"{subject}, study", expected, shown(study), remedy)]
    return names.check_dataset(f"{subject}, study", study)


def _check_paths(
    subject: str, operand: Estimator, space: Space | Distributions
) -> list[Breach]:
    paths = paths_of(space)
    trial = operand.train.to_outputs(operand.scores or "")
    read = sorted(
        {d for node in trial.nodes for d in node.inputs if names.is_parameter(d)}
    )
    breaches = [
        Breach(
            f"{subject}, space {path!r}",
            f"parameters that a trial reads ({listed(read)})",
            "a path that no node reads",
            f"{nearest(path, read)}Give the estimator params='params:…'.",
        )
        for path in paths
        if not any(reads(dataset, path) for dataset in read)
    ]
    breaches += [
        breach for path in paths for breach in _check_field(subject, trial, path)
    ]
    breaches += [
        Breach(
            f"{subject}, space {path!r}",
            "a path that only one search sets",
            f"one that {where!r} sets too",
            "Search it in one of the two.",
        )
        for path, where in overlapping(operand, paths).items()
    ]
    return breaches


def _check_field(subject: str, trial: Pipeline, path: str) -> list[Breach]:
    """Find a path that none of the typed parameters that are read has a field for."""
    read = [
        (node, dataset)
        for node in trial.nodes
        for dataset in node.inputs
        if names.is_parameter(dataset) and reads(dataset, path)
    ]
    # What one node leaves out may be for another one.
    unknown = [
        unknown_key(keys_below(dataset, path), _kind_in_search(node, dataset))
        for node, dataset in read
    ]
    first = next(iter(unknown), None)
    if first is None or None in unknown:
        return []
    kind, key = first
    fields = fields_of(kind)
    expected = f"a field of {kind.__name__} ({listed(fields)})"
    remedy = f"{nearest(key, fields)}Name one of its fields."
    return [Breach(f"{subject}, space {path!r}", expected, shown(key), remedy)]


def _kind_in_search(node: Node, dataset: str) -> Any:
    """Return the class that a node asks for, also where a search inside asks for it."""
    owner = owner_of(node)
    return owner.kind if isinstance(owner, Merge) else kind_of(node, dataset)


def _searcher(
    subject: str,
    name: str,
    space: Space | Distributions,
    sampler: Any,
    goal: Goal,
    trials: int,
) -> Searcher:
    subject = f"{subject}, sampler"
    looked_for = goal.directions, goal.objectives
    if sampler == "grid":
        source: Any = _grid(subject, space, trials)
        return AskTellSearcher(name, space, source, *looked_for)
    from optuna import Study
    from optuna.samplers import BaseSampler

    is_source = hasattr(sampler, "ask") and hasattr(sampler, "tell")
    if is_source and not isinstance(sampler, (Study, type)):
        return AskTellSearcher(name, space, sampler, *looked_for)

    expected = "an Optuna sampler, an object with ask and tell, or 'grid'"
    if not isinstance(sampler, BaseSampler):
        remedy = "Give e.g. TPESampler(seed=0)."
        raise_if([Breach(subject, expected, shown(sampler), remedy)])
    if not _is_seeded(sampler):
        own = type(sampler).__name__
        remedy = f"Give {own}(seed=0): the trials must be the same in each run."
        raise_if([Breach(subject, "a sampler with a seed", f"{own} without", remedy)])
    return OptunaSearcher(name, space, sampler, *looked_for)


def _grid(subject: str, space: Space | Distributions, trials: int) -> GridInOrder:
    from optuna.distributions import CategoricalDistribution

    pairs = space.by_path if isinstance(space, Distributions) else ()
    categorical = [d for _, d in pairs if isinstance(d, CategoricalDistribution)]
    if not pairs or len(categorical) != len(pairs):
        remedy = "Give a dict of CategoricalDistribution."
        expected = "categorical distributions for a grid"
        raise_if([Breach(subject, expected, "others", remedy)])
    grid = GridInOrder({path: distribution.choices for path, distribution in pairs})
    if trials > len(grid.points):
        remedy = f"Give trials={len(grid.points)} for all."
        expected = f"at most {len(grid.points)} trials, as many as combinations"
        raise_if([Breach(subject, expected, str(trials), remedy)])
    return grid


def _is_seeded(sampler: object) -> bool:
    """Say whether no random state of a sampler, or of one inside it, is left to chance."""
    from optuna.samplers import BaseSampler, QMCSampler

    if isinstance(sampler, QMCSampler) and sampler._scramble:
        # Without a seed it draws one of 64 bits, and does not tell that nobody gave it.
        return sampler._seed < 2**32 and _is_seeded(sampler._independent_sampler)
    parts = vars(sampler).values()
    states = [part for part in parts if type(part).__name__ == "LazyRandomState"]
    return all(vars(state).get("_rng") is not None for state in states) and all(
        _is_seeded(part) for part in parts if isinstance(part, BaseSampler)
    )
