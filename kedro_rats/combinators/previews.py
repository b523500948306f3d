"""What Kedro-Viz shows of the nodes that make tables of scores, trials and rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro_rats import names
from kedro_rats.combinators.space import Distributions, Space
from kedro_rats.combinators.study import OptunaSearcher
from kedro_rats.errors import listed, shown
from kedro_rats.estimators.preview import FactsPreview

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kedro_rats.combinators.searching import Goal
    from kedro_rats.combinators.select import Rule
    from kedro_rats.combinators.study import Searcher
    from kedro_rats.estimators.scoring import Score


def of_fold_score(judge: Score, n_splits: int) -> FactsPreview:
    """Return which fold is judged, and by what."""
    facts = (
        ("metrics", listed(name for name, _ in judge.metrics)),
        ("fold", f"{judge.fold} of 0 to {n_splits - 1}"),
        ("part", judge.part),
    )
    return FactsPreview(names.SCORE, facts)


def of_scores(metrics: Iterable[str], n_splits: int) -> FactsPreview:
    """Return what is in a table of scores."""
    facts = (
        ("makes", "a table with a row for each fold, part and metric"),
        ("metrics", listed(metrics)),
        ("folds", str(n_splits)),
    )
    return FactsPreview(names.GATHER, facts)


def of_summary(
    metrics: Iterable[str], pooled: Iterable[str], n_splits: int
) -> FactsPreview:
    """Return what is in a summary of scores."""
    facts = (
        ("makes", f"mean and std (ddof 0) of each metric over {n_splits} folds"),
        ("metrics", listed(metrics)),
        ("pooled", listed(pooled)),
    )
    return FactsPreview(names.GATHER, facts)


def of_search(
    goal: Goal, searcher: Searcher, paths: Iterable[str], batches: tuple[int, ...]
) -> FactsPreview:
    """Return what is searched, how, and what for."""
    aims = zip(goal.directions, goal.objectives, strict=True)
    by = getattr(searcher, "sampler", getattr(searcher, "source", searcher))
    facts = [
        ("makes", "the study, the table of trials, and the best trial"),
        ("objective", listed(f"{direction} {name}" for direction, name in aims)),
        ("trials", f"{sum(batches)} in {len(batches)} rounds"),
        ("sampler", type(by).__name__),
        *_space(searcher, paths),
    ]
    stops = {"target": goal.target, "patience": goal.patience}
    facts += [
        (f"stops at {word}", str(value))
        for word, value in stops.items()
        if value is not None
    ]
    return FactsPreview(names.GATHER, tuple(facts))


def of_rounds(rule: Rule, rounds: int, label: str) -> FactsPreview:
    """Return how rows get their pseudo-labels."""
    facts = (
        ("makes", "the table of labels, and that of rounds"),
        ("label", label),
        ("select", shown(rule)),
        ("rounds", f"at most {rounds}"),
    )
    return FactsPreview(names.GATHER, facts)


def _space(searcher: Searcher, paths: Iterable[str]) -> list[tuple[str, str]]:
    """Return a line for each searched path, with its distribution where it has one."""
    space = searcher.space if isinstance(searcher, OptunaSearcher) else None
    known = dict(space.by_path) if isinstance(space, Distributions) else {}
    said = "conditional" if isinstance(space, Space) else "as the sampler says"
    return [
        (path.replace(":", ".", 1), shown(known[path]) if path in known else said)
        for path in paths
    ]
