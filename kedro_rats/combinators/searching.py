"""The nodes of a search: they ask for trials, tell results, and report at the end."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from kedro_rats.combinators.guarding import Failed, Masked
from kedro_rats.combinators.study import Result, Searcher, Trial
from kedro_rats.errors import RatsError, listed, shown
from kedro_rats.estimators.node_function import node_function

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd


@dataclass(frozen=True)
class Goal:
    """What a search looks for.

    Attributes:
        objectives: Metrics, by their mean over folds; ``NAME.pooled`` for the pooled one.
        directions: ``maximize`` or ``minimize`` for each.
        constraints: Functions of a trial's scores by metric, and by ``NAME.pooled``, that
            are at most 0 where it is feasible.
        max_failed: How many trials may fail.
        target: A value of the first objective that ends the search.
        patience: Rounds in a row without a strictly better value that end the search.
    """

    objectives: tuple[str, ...]
    directions: tuple[Literal["maximize", "minimize"], ...]
    constraints: tuple[tuple[str, Callable[[Mapping[str, float]], float]], ...] = ()
    max_failed: int = 0
    target: float | None = None
    patience: int | None = None

    def is_better(self, value: float, than: float | None) -> bool:
        """Say whether a value of the first objective is strictly better."""
        if than is None:
            return True
        return value > than if self.directions[0] == "maximize" else value < than

    def better(self, value: float | None, result: Result) -> float | None:
        """Return the better of a value of the first objective and that of a result.

        It stays where the result is a failure, or not feasible.
        """
        if result.values is None or not result.feasible:
            return value
        return result.values[0] if self.is_better(result.values[0], value) else value

    def best(self, trials: Sequence[Trial]) -> Trial | None:
        """Return the best complete, feasible trial; the first one of several.

        Of several objectives the first decides.
        """
        best: Trial | None = None
        for trial in trials:
            if trial.values is None or not trial.feasible:
                continue
            if (
                best is None
                or best.values is None
                or self.is_better(trial.values[0], best.values[0])
            ):
                best = trial
        return best


@dataclass(frozen=True)
class Ask:
    """Asks for the trials of one round.

    Attributes:
        name: The search, for messages.
        searcher: How to start a study and to ask it.
        trials: How many trials it asks for.
        continues: Whether it gets a study, or starts one.
        adopts: Whether that study is of another search.
    """

    name: str
    searcher: Searcher
    trials: int
    continues: bool
    adopts: bool = False

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The study, if there is one already."""
        return ("study",) if self.continues else ()

    @node_function
    def ask(self, *values: Any) -> list[Any]:
        """Return the study with its open trials, as bytes, and the values of each."""
        study = self._study(values)
        if self.adopts:
            self._adopt(study)
        if self.searcher.notes(study).get("stopped"):
            masked = [Masked(self.name) for _ in range(self.trials)]
            return [pickle.dumps((study, [])), *masked]
        asked = [self.searcher.ask(study) for _ in range(self.trials)]
        handles = [one[0] for one in asked if one is not None]
        # What is left of a grid that is continued need not fill a round.
        chosen = [Masked(self.name) if one is None else one[1] for one in asked]
        return [pickle.dumps((study, handles)), *chosen]

    def _study(self, values: tuple[Any, ...]) -> Any:
        if not values:
            return self.searcher.start()
        try:
            return pickle.loads(values[0])  # noqa: S301 - a store has checked the digest
        except (pickle.UnpicklingError, TypeError, EOFError) as error:
            msg = (
                f"search {self.name!r}, study: expected the bytes of a study, got "
                f"{shown(values[0])}. Name the NAME.study of an earlier search."
            )
            raise RatsError(msg) from error

    def _adopt(self, study: Any) -> None:
        """Refuse a study that this search cannot continue; forget why it stopped."""
        got = self.searcher.mismatch(study)
        if got is not None:
            msg = (
                f"search {self.name!r}, study: expected a study of the same space, "
                f"objective and kind of sampler, got {got}. Start a new one."
            )
            raise RatsError(msg)
        exhausted = self.searcher.notes(study).get("stopped") == "exhausted"
        self.searcher.note(study, {"stopped": "exhausted"} if exhausted else {})


@dataclass(frozen=True)
class Tell:
    """Tells a study the results of one round, in the order of the trials.

    Attributes:
        name: The search, for messages.
        searcher: How to tell it.
        goal: What is looked for.
        trials: How many trials there are.
        pooled: Whether each trial also gives a summary.
    """

    name: str
    searcher: Searcher
    goal: Goal
    trials: int
    pooled: bool

    @property
    def argument_names(self) -> tuple[str, ...]:
        """The study with its open trials, and the scores of each."""
        numbers = range(self.trials)
        summaries = [f"summary_{k}" for k in numbers] if self.pooled else []
        return ("asked", *(f"scores_{k}" for k in numbers), *summaries)

    @node_function
    def tell(self, *values: Any) -> bytes:
        """Return the study, which knows the results, as bytes."""
        study, handles = pickle.loads(values[0])  # noqa: S301 - made by our own node
        notes = self.searcher.notes(study)
        if not handles:
            return pickle.dumps(study)
        scores = values[1 : 1 + self.trials]
        summaries = values[1 + self.trials :] or (None,) * self.trials
        before = best = self._best_so_far(study, notes)
        exhausted = False
        # Trials that were not asked for are the last ones: they have no handle.
        for handle, table, summary in zip(handles, scores, summaries, strict=False):
            result = result_of(self.goal, table, summary)
            exhausted |= self.searcher.tell(study, handle, result)
            best = self.goal.better(best, result)
            if result.values is None:
                notes["failed"] = notes.get("failed", 0) + 1
                notes["error"] = result.error
        self._check_failures(notes)
        notes |= _progress(self.goal, notes, before, best)
        if exhausted:
            notes["stopped"] = "exhausted"
        self.searcher.note(study, notes)
        return pickle.dumps(study)

    def _best_so_far(self, study: Any, notes: Mapping[str, Any]) -> float | None:
        """Return the best value of the first objective.

        It is noted from round to round: to look at all trials in each of them would cost
        more than Optuna itself.
        """
        if "best" in notes:
            noted: float | None = notes["best"]
            return noted
        best = self.goal.best(self.searcher.trials(study))
        return best.values[0] if best is not None and best.values else None

    def _check_failures(self, notes: Mapping[str, Any]) -> None:
        failed = notes.get("failed", 0)
        if failed > self.goal.max_failed:
            msg = (
                f"search {self.name!r}: expected at most {self.goal.max_failed} failed "
                f"trials, got {failed}. The last error: {notes['error']}. Mend it, or "
                "give max_failed."
            )
            raise RatsError(msg)


@dataclass(frozen=True)
class Report:
    """Tells what a search found."""

    name: str
    searcher: Searcher
    goal: Goal
    argument_names: tuple[str, ...] = ("study",)

    @node_function
    def report(self, *values: Any) -> list[Any]:
        """Return the study as bytes, the table of trials, and the best trial."""
        study = pickle.loads(values[0])  # noqa: S301 - made by our own node
        trials = self.searcher.trials(study)
        best = self.goal.best(trials)
        if best is None:
            msg = (
                f"search {self.name!r}: expected a trial that completed and is feasible, "
                f"got none of {len(trials)}. Look at the errors in the log."
            )
            raise RatsError(msg)
        found = {
            "number": best.number,
            "value": _value(best.values or ()),
            "params": dict(best.params),
        }
        return [values[0], _table(trials, self.goal.objectives), found]


def result_of(goal: Goal, scores: Any, summary: Any) -> Result:
    """Return the result of a trial whose scores may be a failure."""
    failed = next((v for v in (scores, summary) if isinstance(v, Failed)), None)
    if failed is not None:
        return Result(None, error=f"{failed.node}: {failed.error}")
    means = _means(scores)
    pooled = {
        f"{metric}.pooled": value["pooled"]
        for metric, value in (summary or {}).items()
        if "pooled" in value
    }
    known = means | pooled
    missing = [name for name in goal.objectives if name not in known]
    if missing:
        msg = (
            f"objective: expected one of {listed(known)}, got {listed(missing)}. "
            "A pooled value needs folds that are a partition."
        )
        raise RatsError(msg)
    values = tuple(float(known[name]) for name in goal.objectives)
    if any(math.isnan(value) for value in values):
        return Result(None, error=f"a score of {listed(goal.objectives)} is NaN")
    constraints = {
        name: float(func(_Known(name, known))) for name, func in goal.constraints
    }
    return Result(values, constraints)


class _Known(dict[str, float]):
    """The scores of a trial, as a constraint reads them."""

    def __init__(self, constraint: str, scores: Mapping[str, float]) -> None:
        super().__init__(scores)
        self.constraint = constraint

    def __missing__(self, name: object) -> float:
        msg = (
            f"constraint {self.constraint!r}: expected one of {listed(self)}, got "
            f"{shown(name)}. Read one of these; a pooled value needs folds that are a "
            "partition."
        )
        raise RatsError(msg)


def _means(scores: pd.DataFrame) -> dict[str, float]:
    import numpy as np

    # As pandas groups them; but of a table this small, grouping is most of what a search
    # adds to a trial.
    by_metric: dict[str, list[float]] = {}
    columns = (scores[name].tolist() for name in ("part", "metric", "value"))
    for part, metric, value in zip(*columns, strict=True):
        if part == "eval":
            by_metric.setdefault(str(metric), []).append(value)
    return {metric: float(np.mean(values)) for metric, values in by_metric.items()}


def _progress(
    goal: Goal, notes: Mapping[str, Any], before: float | None, best: float | None
) -> dict[str, Any]:
    """Return how long nothing was better, and why the search stops, if it does."""
    improved = best is not None and goal.is_better(best, before)
    stale = 0 if improved else notes.get("stale", 0) + 1
    told: dict[str, Any] = {"best": best, "stale": stale}
    if goal.patience is not None and stale >= goal.patience:
        told["stopped"] = "patience"
    if goal.target is not None and best is not None:
        reached = best == goal.target or goal.is_better(best, goal.target)
        told |= {"stopped": "target"} if reached else {}
    return told


def _value(values: Sequence[float]) -> Any:
    return values[0] if len(values) == 1 else list(values)


def _table(trials: Sequence[Trial], objectives: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    paths = list(dict.fromkeys(path for trial in trials for path in trial.params))
    names = ["value"] if len(objectives) == 1 else [f"value.{o}" for o in objectives]
    rows = [
        [
            trial.number,
            trial.state,
            *(trial.values or [float("nan")] * len(names)),
            *(trial.params.get(path) for path in paths),
            trial.feasible,
            trial.error,
        ]
        for trial in trials
    ]
    return pd.DataFrame(
        rows, columns=["number", "state", *names, *paths, "feasible", "error"]
    )
