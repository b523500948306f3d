"""Combinators: functions from estimators to estimators, which nest at will."""

from kedro_rats.combinators import select
from kedro_rats.combinators.cross_validation import cross_validate, holdout
from kedro_rats.combinators.mapping import map_over
from kedro_rats.combinators.pseudolabelling import pseudolabel
from kedro_rats.combinators.space import Space
from kedro_rats.combinators.stacking import stack
from kedro_rats.combinators.tuning import tune

__all__ = [
    "Space",
    "cross_validate",
    "holdout",
    "map_over",
    "pseudolabel",
    "select",
    "stack",
    "tune",
]
