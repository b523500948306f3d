"""Scores of one fold whose nodes may have failed."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kedro_rats.combinators.guarding import Failed
from kedro_rats.combinators.rows import count
from kedro_rats.estimators.node_function import node_function
from kedro_rats.estimators.scoring import COLUMNS, Score

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScoreOrNan:
    """Judges a fold; what failed has the score NaN.

    Attributes:
        judge: The score.
        rows: Names of the row inputs, which tell how many rows there are.
    """

    judge: Score
    rows: tuple[str, ...]

    @property
    def argument_names(self) -> tuple[str, ...]:
        """Those of the score."""
        return self.judge.argument_names

    @node_function
    def score(self, *values: Any) -> pd.DataFrame:
        """Return one row of the table of scores for each metric."""
        import pandas as pd

        return pd.concat(
            [self._scored(i, values) for i, _ in enumerate(self.judge.metrics)],
            ignore_index=True,
        )

    def _scored(self, index: int, values: tuple[Any, ...]) -> pd.DataFrame:
        import pandas as pd

        name, metric = self.judge.metrics[index]
        given = dict(zip(self.judge.datasets, values, strict=True))
        read = [given[dataset] for dataset in metric.arguments.datasets]
        if not any(isinstance(value, Failed) for value in read):
            try:
                only = replace(self.judge, metrics=((name, metric),))
                return only.score(*values)
            except Exception:
                logger.exception("Metric %s failed in fold %d", name, self.judge.fold)
        known = [
            value
            for dataset, value in given.items()
            if dataset in self.rows and not isinstance(value, Failed)
        ]
        rows = count(known[0]) if known else 0
        row = (self.judge.fold, self.judge.part, name, float("nan"), rows)
        return pd.DataFrame([row], columns=list(COLUMNS))
