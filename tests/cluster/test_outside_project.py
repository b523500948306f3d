"""An ordinary project of others: `kedro rats init` and a `conf/cluster`, and it runs.

The project knows nothing of kedro-rats; see ``projects/shop``.
"""

from __future__ import annotations

import hashlib
import json
import pickle
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from cluster import harness

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.cluster

SHOP = Path(__file__).parent / "projects" / "shop"
# What the catalog of the project lists, with what reads it.
TABLES = {
    "02_intermediate/clean_customers.csv": pd.read_csv,
    "02_intermediate/clean_orders.csv": pd.read_csv,
    "03_primary/model_input.parquet": pd.read_parquet,
    "07_model_output/predictions.csv": pd.read_csv,
    "08_reporting/sales_by_region.xlsx": pd.read_excel,
}
DOCUMENTS = ("08_reporting/metrics.json", "08_reporting/sales_by_month.json")
MODEL = "06_models/classifier.pkl"


@dataclass
class Ran:
    """What was run, and the digests of all files before anything of ours was there."""

    project: harness.Project
    before: dict[str, str]
    workflow: dict[str, Any]


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[harness.Project], harness.Project],
) -> Ran:
    folder = tmp_path_factory.mktemp("p")
    project = cleaned(harness.new_plain(folder, "shop", SHOP))
    harness.make_data(project)
    project.kedro("run")
    before = files(project.path)
    project.rats("init", "--argo")
    project.configure()
    submitted = project.submit()
    return Ran(project, before, harness.succeeded(submitted["workflow"]))


def files(folder: Path) -> dict[str, str]:
    """Return the digest of each file that somebody wrote or a run has made."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(
            path.read_bytes()
        ).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def here(ran: Ran, name: str) -> bytes:
    return (ran.project.path / "data" / name).read_bytes()


def there(ran: Ran, name: str) -> bytes:
    return harness.published(ran.project, f"shop/data/{name}")


def test_no_file_of_the_project_was_changed(ran: Ran) -> None:
    after = files(ran.project.path)

    assert {name: after[name] for name in ran.before} == ran.before
    added = {Path(name).parts[0] for name in after if name not in ran.before}
    assert added <= {"conf", "argo", "Dockerfile", ".dockerignore", "got"}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_those_of_kedro_run(ran: Ran, name: str) -> None:
    read = TABLES[name]

    pd.testing.assert_frame_equal(
        read(BytesIO(there(ran, name))),
        read(BytesIO(here(ran, name))),
        check_exact=True,
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_metrics_and_plots_are_those_of_kedro_run(ran: Ran, name: str) -> None:
    assert json.loads(there(ran, name)) == json.loads(here(ran, name))


def test_the_pickled_model_predicts_what_that_of_kedro_run_does(ran: Ran) -> None:
    rows = pd.read_csv(BytesIO(here(ran, "07_model_output/predictions.csv")))
    table = pd.read_parquet(BytesIO(here(ran, "03_primary/model_input.parquet")))
    one, two = (pickle.loads(read(ran, MODEL)) for read in (here, there))
    features = table[list(one.feature_names_in_)]

    assert len(rows)
    assert (one.predict_proba(features) == two.predict_proba(features)).all()


def test_what_the_catalog_does_not_list_comes_from_the_store(ran: Ran) -> None:
    folder = ran.project.get("order_features")

    (file,) = folder.iterdir()
    table = pd.read_parquet(file)
    assert list(table.columns) == ["customer", "orders", "spent", "mean_amount"]


def test_nothing_was_written_outside_of_the_places_that_were_given(ran: Ran) -> None:
    shop = {
        key.split("/shop/data/")[1] for key in ran.project.found() if "/shop/" in key
    }

    assert shop == {*TABLES, *DOCUMENTS, MODEL}
