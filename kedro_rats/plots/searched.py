"""The numbers in pictures of searches and of rounds of pseudo-labelling."""

from __future__ import annotations

import math
import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kedro_rats.errors import Breach, RatsError, listed, shown
from kedro_rats.plots.given import needed, numeric, refuse_if, table

if TYPE_CHECKING:
    import pandas as pd

_TRIALS = "plots.optimization_history, trials"
_STUDY = "plots.parameter_importance, study"


@dataclass(frozen=True)
class Objective:
    """The values of one objective.

    Attributes:
        name: The objective.
        feasible: Numbers and values of the trials that may win.
        infeasible: Those of the trials that break a constraint.
        best: Numbers of trials, and the best feasible value up to each; empty where
            nothing says which way is better.
    """

    name: str
    feasible: tuple[list[int], list[float]]
    infeasible: tuple[list[int], list[float]]
    best: tuple[list[int], list[float]]


@dataclass(frozen=True)
class History:
    """A search, trial by trial."""

    objectives: list[Objective]
    trials: int
    failed: int

    def heading(self) -> str:
        """Return how many trials there are, and how many failed."""
        failed = f", {self.failed} failed" if self.failed else ""
        return f"Search: {self.trials} trials{failed}"


@dataclass(frozen=True)
class Importance:
    """How much each parameter matters, the least first, as bars are drawn upwards."""

    parameters: list[str]
    shares: list[float]
    trials: int


@dataclass(frozen=True)
class Rounds:
    """Counts of rows, round by round, and why it stopped."""

    rounds: list[int]
    selected: list[int]
    labeled: list[int]
    unlabeled: list[int]
    stop: str

    def heading(self) -> str:
        """Return how many rounds ran, and why no more."""
        return f"Pseudo-labels: {len(self.rounds)} rounds, stopped by {self.stop}"


def history_of(trials: object, best: object) -> History:
    """Return the values of a table of trials, and the best so far if that is known."""
    remedy = "Give the table NAME.trials."
    rows = table(_TRIALS, trials, ["number", "state", "feasible"], remedy)
    names = [
        str(name)
        for name in rows.columns
        if name == "value" or str(name).startswith("value.")
    ]
    if not names:
        expected = "a column 'value', or 'value.NAME' for each objective"
        got = listed(map(str, rows.columns))
        refuse_if([Breach(_TRIALS, expected, got, remedy)])
    numeric(_TRIALS, rows, ["number", *names])
    rows = rows.sort_values("number", kind="stable")
    done = rows[(rows["state"] == "complete") & rows[names].notna().all(axis=1)]
    feasible = done["feasible"].astype(bool)
    may_win, may_not = done[feasible], done[~feasible]
    objectives = [
        Objective(
            name.removeprefix("value."),
            _pairs(may_win, name),
            _pairs(may_not, name),
            _best_so_far(may_win, name, best) if i == 0 else ([], []),
        )
        for i, name in enumerate(names)
    ]
    return History(objectives, len(rows), len(rows) - len(done))


def importance_of(study: object) -> Importance:
    """Return Optuna's importance of each parameter of a study."""
    needed("optuna", "tune")
    import optuna

    opened = _opened(study)
    if not isinstance(opened, optuna.Study):
        expected, got = "a study of Optuna", f"a {type(opened).__name__}"
        remedy = "Only a search with an Optuna sampler tells what matters."
        refuse_if([Breach(_STUDY, expected, got, remedy)])
    complete = optuna.trial.TrialState.COMPLETE
    done = opened.get_trials(deepcopy=False, states=[complete])
    if len(done) < 2:
        # Optuna would call all parameters equally important.
        got, remedy = str(len(done)), "Search longer."
        refuse_if([Breach(_STUDY, "at least two complete trials", got, remedy)])
    if not any(trial.params for trial in done):
        remedy = "Search at least one parameter."
        refuse_if([Breach(_STUDY, "a parameter that was searched", "none", remedy)])
    found = optuna.importance.get_param_importances(opened)
    ranked = sorted(found.items(), key=lambda item: (item[1], item[0]))
    return Importance(
        [path for path, _ in ranked], [float(share) for _, share in ranked], len(done)
    )


def rounds_of(history: object) -> Rounds:
    """Return the counts of a history of pseudo-labelling."""
    subject, remedy = "plots.rounds, history", "Give the table NAME.history."
    counts = ["round", "selected", "labeled", "unlabeled"]
    rows = table(subject, history, [*counts, "stop"], remedy)
    numeric(subject, rows, counts)
    number, selected, labeled, unlabeled = (
        [int(value) for value in rows[name]] for name in counts
    )
    stop = str(rows["stop"].iloc[-1])
    return Rounds(number, selected, labeled, unlabeled, stop)


def _pairs(rows: pd.DataFrame, name: str) -> tuple[list[int], list[float]]:
    return [int(n) for n in rows["number"]], [float(v) for v in rows[name]]


def _best_so_far(
    rows: pd.DataFrame, name: str, best: object
) -> tuple[list[int], list[float]]:
    import numpy as np

    if best is None or not len(rows):
        return [], []
    numbers, values = _pairs(rows, name)
    value = _best_value(best)
    # A table that went through text may have lost the last digit.
    if math.isclose(value, max(values), rel_tol=1e-9, abs_tol=1e-300):
        return numbers, np.maximum.accumulate(values).tolist()
    if math.isclose(value, min(values), rel_tol=1e-9, abs_tol=1e-300):
        return numbers, np.minimum.accumulate(values).tolist()
    expected = f"{max(values)!r} or {min(values)!r}, the ends of {name!r} in trials"
    remedy = "Give NAME.best of the same search."
    breach = Breach("plots.optimization_history, best", expected, repr(value), remedy)
    raise RatsError(str(breach))


def _best_value(best: object) -> float:
    value: Any = best.get("value") if isinstance(best, dict) else None
    value = value[0] if isinstance(value, (list, tuple)) and value else value
    if not isinstance(value, (int, float)):
        expected = "a dict with the value of the best trial"
        remedy = "Give NAME.best of the same search."
        subject = "plots.optimization_history, best"
        raise RatsError(str(Breach(subject, expected, shown(best), remedy)))
    return float(value)


def _opened(study: object) -> Any:
    """Return the study that bytes hold. To read bytes is to run what they say."""
    if not isinstance(study, (bytes, bytearray)):
        return study
    try:
        return pickle.loads(study)  # noqa: S301 - the user's own study, as `tune` wrote it
    except Exception as error:
        got = f"bytes that are none ({type(error).__name__})"
        remedy = "Give NAME.study, from the versions that wrote it."
        breach = Breach(_STUDY, "the bytes of a study", got, remedy)
        raise RatsError(str(breach)) from error
