"""Functions that turn the table of penguins into features and target."""

from __future__ import annotations

import pandas as pd

MEASUREMENTS = [
    "bill_length_mm",
    "bill_depth_mm",
    "flipper_length_mm",
    "body_mass_g",
    "delta_15_n",
    "delta_13_c",
]
SPECIES = ["Adelie", "Chinstrap", "Gentoo"]


def features(penguins: pd.DataFrame) -> pd.DataFrame:
    """Return the measurements, and one column of zeros and ones for each species.

    The columns are the same for every table, also for one that lacks a species.
    Missing measurements stay missing: filling them in is learned, so the model does it.
    """
    species = penguins["species"].astype(pd.CategoricalDtype(SPECIES))
    one_hot = pd.get_dummies(species, prefix="species", dtype=float)
    return penguins[MEASUREMENTS].astype(float).join(one_hot)


def sex(penguins: pd.DataFrame) -> pd.Series:
    """Return what is to be predicted: ``female`` or ``male`` for each row."""
    return penguins["sex"]


def bird(penguins: pd.DataFrame) -> pd.Series:
    """Return the name of each bird: rows that share one may be the same bird.

    An id is that of a nest and an adult, and its species may use it again next season.
    """
    return penguins["species"] + " " + penguins["individual_id"]
