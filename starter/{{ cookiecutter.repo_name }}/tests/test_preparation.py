"""The features fit together, whatever table they are made from."""

from __future__ import annotations

import pandas as pd

from {{ cookiecutter.python_package }}.pipelines.preparation.nodes import features, sex


def test_a_table_with_one_species_has_the_same_columns(penguins: pd.DataFrame) -> None:
    gentoo = penguins[penguins["species"] == "Gentoo"]

    columns = features(gentoo).columns

    assert list(columns) == list(features(penguins).columns)


def test_missing_measurements_stay_missing(penguins: pd.DataFrame) -> None:
    missing = penguins["delta_15_n"].isna()

    X = features(penguins)

    assert missing.any()
    assert X["delta_15_n"].isna().equals(missing)


def test_the_target_is_known_for_every_row(penguins: pd.DataFrame) -> None:
    assert set(sex(penguins)) == {"female", "male"}
