"""Studies: what asks for trials and is told of them, apart from any pipeline."""

from __future__ import annotations

import copy
import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from kedro_rats.combinators.space import Distributions, Space, check_asked
from kedro_rats.errors import listed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ATTRIBUTE = "kedro_rats"
"""User attribute of an Optuna study, and of its trials, that holds what we add."""

_OBJECTIVES = "kedro_rats.objectives"
"""User attribute of an Optuna study that says what its values are, in their order."""


@dataclass(frozen=True)
class Trial:
    """What is known of a trial: a row of the table of trials."""

    number: int
    state: str
    values: tuple[float, ...] | None
    params: Mapping[str, Any]
    feasible: bool
    error: str | None


class Searcher(Protocol):
    """How a search is started and carried on; a study is whatever it likes to pickle."""

    def start(self) -> Any:
        """Return a new study."""

    def mismatch(self, study: Any) -> str | None:
        """Return why a study of another search cannot be continued; None if it can."""

    def ask(self, study: Any) -> tuple[Any, dict[str, Any]] | None:
        """Return a handle of a new trial, and its values by path; None if none is left."""

    def tell(self, study: Any, handle: Any, result: Result) -> bool:
        """Record the result of a trial; return whether the search is exhausted."""

    def trials(self, study: Any) -> list[Trial]:
        """Return all finished trials, by number."""

    def notes(self, study: Any) -> dict[str, Any]:
        """Return what was noted on the study; an empty dict at first."""

    def note(self, study: Any, notes: dict[str, Any]) -> None:
        """Note something on the study."""


@dataclass(frozen=True)
class Result:
    """What came out of a trial.

    Attributes:
        values: A value for each objective; None if the trial failed.
        constraints: What each constraint gave; feasible where none is above 0.
        error: Why it failed.
    """

    values: tuple[float, ...] | None
    constraints: Mapping[str, float] = field(default_factory=dict)
    error: str | None = None

    @property
    def feasible(self) -> bool:
        """Whether no constraint is above 0."""
        return all(value <= 0 for value in self.constraints.values())


@dataclass(frozen=True)
class OptunaSearcher:
    """Searches with an Optuna sampler.

    Attributes:
        name: The study's name: some pruners and samplers derive random numbers from it.
        space: What is searched.
        sampler: An Optuna sampler with a seed, copied when a study is started.
        directions: ``maximize`` or ``minimize`` for each objective.
        objectives: What is judged by.
    """

    name: str
    space: Space | Distributions
    sampler: Any
    directions: tuple[Literal["maximize", "minimize"], ...]
    objectives: tuple[str, ...]

    def start(self) -> Any:
        """Return a new study in memory, with a copy of the sampler."""
        import optuna

        study = optuna.create_study(
            study_name=self.name,
            sampler=copy.deepcopy(self.sampler),
            directions=list(self.directions),
        )
        study.set_user_attr(_OBJECTIVES, list(self.objectives))
        return study

    def mismatch(self, study: Any) -> str | None:
        """Return what differs in the study: its kind, what it looks for, or its space."""
        import optuna

        if not isinstance(study, optuna.Study):
            return f"a {type(study).__name__}"
        directions = tuple(direction.name.lower() for direction in study.directions)
        if directions != self.directions:
            return f"directions {directions}"
        # A study that a user made says nothing of them.
        objectives = study.user_attrs.get(_OBJECTIVES, self.objectives)
        if tuple(objectives) != self.objectives:
            return f"the objective {listed(objectives)}"
        points = _grid_of(study.sampler)
        if points is not None and points != (_grid_of(self.sampler) or points):
            return f"the grid {points}"
        return self._other_distribution(study)

    def _other_distribution(self, study: Any) -> str | None:
        """Return a distribution of the study's trials that the space has not."""
        known = (
            dict(self.space.by_path) if isinstance(self.space, Distributions) else {}
        )
        for trial in study.get_trials(deepcopy=False):
            for path, distribution in trial.distributions.items():
                if known and (
                    path not in known
                    or type(known[path]) is not type(distribution)
                    or getattr(known[path], "log", 0) != getattr(distribution, "log", 0)
                    or getattr(known[path], "choices", 0)
                    != getattr(distribution, "choices", 0)
                ):
                    return f"{path} as {distribution}"
        return None

    def ask(self, study: Any) -> tuple[Any, dict[str, Any]]:
        """Return Optuna's trial, and its values by path."""
        if isinstance(self.space, Distributions):
            trial = study.ask(dict(self.space.by_path))
            return trial, dict(trial.params)
        trial = study.ask()
        chosen = self.space.suggested(trial)
        # What a function gives need not be what Optuna suggested to it.
        trial.set_user_attr(_ATTRIBUTE, chosen)
        return trial, chosen

    def tell(self, study: Any, handle: Any, result: Result) -> bool:
        """Tell Optuna; a sampler without further points says that it is exhausted."""
        from optuna.trial import TrialState

        for name, value in result.constraints.items():
            handle.set_constraint(name, value)
        if result.error is not None:
            handle.set_user_attr("error", result.error)
        failed = TrialState.FAIL if result.values is None else None
        values = None if result.values is None else list(result.values)
        try:
            study.tell(handle, values, state=failed)
        except RuntimeError as error:
            # Grid and brute-force samplers end a study by Study.stop, which only
            # Study.optimize allows; the trial is recorded nevertheless.
            if "Study.stop" not in str(error):
                raise
            return True
        return False

    def trials(self, study: Any) -> list[Trial]:
        """Return all finished trials, by number."""
        return [
            Trial(
                trial.number,
                trial.state.name.lower(),
                None if trial.values is None else tuple(trial.values),
                trial.user_attrs.get(_ATTRIBUTE, trial.params),
                all(value <= 0 for value in trial.constraints.values()),
                trial.user_attrs.get("error"),
            )
            for trial in study.get_trials(deepcopy=False)
            if trial.state.is_finished()
        ]

    def notes(self, study: Any) -> dict[str, Any]:
        """Return our user attribute of the study."""
        return dict(study.user_attrs.get(_ATTRIBUTE, {}))

    def note(self, study: Any, notes: dict[str, Any]) -> None:
        """Set our user attribute of the study."""
        study.set_user_attr(_ATTRIBUTE, notes)


def _grid_of(sampler: Any) -> Any:
    """Return the values by path of Optuna's grid sampler; None of any other."""
    from optuna.samplers import GridSampler

    return sampler._search_space if isinstance(sampler, GridSampler) else None


@dataclass
class AskTellStudy:
    """The study of a searcher that is not Optuna's.

    Attributes:
        source: The object that asks and is told.
        finished: The trials that were told.
        asked: How many were asked for.
        noted: What was noted on it.
        goal: The direction of each objective, and the objective, as people say it.
    """

    source: Any
    finished: list[Trial] = field(default_factory=list)
    asked: int = 0
    noted: dict[str, Any] = field(default_factory=dict)
    goal: tuple[str, ...] = ()


@dataclass(frozen=True)
class AskTellSearcher:
    """Searches with any object that has ``ask()`` and ``tell(params, value)``.

    Attributes:
        name: The search, for messages.
        space: What is searched: the object may ask for nothing else.
        source: The object, copied when a study is started.
        directions: ``maximize`` or ``minimize`` for each objective.
        objectives: What is judged by.
    """

    name: str
    space: Space | Distributions
    source: Any
    directions: tuple[Literal["maximize", "minimize"], ...]
    objectives: tuple[str, ...]

    @property
    def _goal(self) -> tuple[str, ...]:
        pairs = zip(self.directions, self.objectives, strict=True)
        return tuple(f"{direction} {objective}" for direction, objective in pairs)

    def start(self) -> AskTellStudy:
        """Return a study with a copy of the object."""
        return AskTellStudy(copy.deepcopy(self.source), goal=self._goal)

    def mismatch(self, study: Any) -> str | None:
        """Return what differs in the study: its kind, what it looks for, or its grid."""
        if not isinstance(study, AskTellStudy):
            return f"a {type(study).__name__}"
        if type(study.source) is not type(self.source):
            return f"one of a {type(study.source).__name__}"
        if study.goal not in ((), self._goal):
            return f"one to {listed(study.goal)}"
        if isinstance(self.source, GridInOrder):
            points = study.source.points
            # As text too, since NaN equals nothing.
            if points != self.source.points and str(points) != str(self.source.points):
                return f"a grid of {len(points)} other points"
        return None

    def ask(self, study: AskTellStudy) -> tuple[Any, dict[str, Any]] | None:
        """Return the number of the trial, and what the object asks for.

        Raises:
            RatsError: If that is not in the search space.
        """
        if isinstance(study.source, GridInOrder) and not study.source.left:
            return None
        chosen = check_asked(self.name, self.space, study.source.ask())
        study.asked += 1
        return (study.asked - 1, chosen), chosen

    def tell(self, study: AskTellStudy, handle: Any, result: Result) -> bool:
        """Tell the object: a value, a tuple of several, or NaN for a failure."""
        number, chosen = handle
        values = result.values
        told: Any = math.nan if values is None else values
        exhausted = study.source.tell(
            chosen, told[0] if values and len(values) == 1 else told
        )
        study.finished.append(
            Trial(
                number,
                "fail" if values is None else "complete",
                values,
                chosen,
                result.feasible,
                result.error,
            )
        )
        return exhausted is True

    def trials(self, study: AskTellStudy) -> list[Trial]:
        """Return all trials that were told, by number."""
        return list(study.finished)

    def notes(self, study: AskTellStudy) -> dict[str, Any]:
        """Return what was noted."""
        return dict(study.noted)

    def note(self, study: AskTellStudy, notes: dict[str, Any]) -> None:
        """Note something."""
        study.noted = notes


class GridInOrder:
    """Asks for all combinations, in the order of scikit-learn's ``ParameterGrid``.

    Paths are sorted, and the last one varies fastest.
    """

    def __init__(self, choices: Mapping[str, Sequence[Any]]) -> None:
        paths = sorted(choices)
        combined = itertools.product(*(choices[path] for path in paths))
        self.points = [dict(zip(paths, point, strict=True)) for point in combined]
        self.asked = 0
        self.told = 0

    @property
    def left(self) -> int:
        """How many combinations nobody asked for yet."""
        return len(self.points) - self.asked

    def ask(self) -> dict[str, Any]:
        """Return the next combination."""
        self.asked += 1
        return self.points[self.asked - 1]

    def tell(self, params: Mapping[str, Any], value: float) -> bool:
        """Count a result; say whether it was the last one."""
        del params, value
        self.told += 1
        return self.told == len(self.points)
