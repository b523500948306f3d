"""Functions that part what is known from what is not."""

from __future__ import annotations

import pandas as pd


def part_by_island(
    penguins: pd.DataFrame, island: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the birds of one island, and those of the others without their sex."""
    is_known = penguins["island"] == island
    return penguins[is_known], penguins[~is_known].drop(columns="sex")
