"""A step with PySpark hands Parquet to a step with scikit-learn in another image."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from cluster import harness

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.cluster

TRIPS = Path(__file__).parent / "projects" / "trips"
OUTPUTS = ("seen_by_spark", "seen_by_sklearn", "line", "longest")


@dataclass
class Ran:
    """The same run twice: the second time scikit-learn's step has another image."""

    project: harness.Project
    plans: tuple[Any, Any]
    runs: tuple[str, str]
    images: tuple[dict[str, str], dict[str, str]]


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[harness.Project], harness.Project],
) -> Ran:
    folder = tmp_path_factory.mktemp("p")
    project = cleaned(harness.new_plain(folder, "trips", TRIPS))
    harness.make_data(project)
    # A catalog for the cluster: the same entries at places that all machines reach.
    catalog = (project.path / "conf/base/catalog.yml").read_text()
    moved = catalog.replace("filepath: data/0", "filepath: s3://${globals:bucket}/0")
    moved = moved.replace("s3://${globals:bucket}/01_raw", "data/01_raw")
    project.configure()
    (project.path / "conf/cluster/catalog.yml").write_text(moved)

    submitted, plans = [], []
    for number in (1, 2):
        project.images = {
            "spark": harness.spark_image(),
            "sklearn": harness.image(number),
        }
        project.configure(
            resources={"tiny": {"cpu": "100m", "memory": "1Gi"}},
            ext={"argo": {"pods": "keep"}},
        )
        plans.append(project.asked("plan"))
        submitted.append(project.submit())
    names = [each["workflow"] for each in submitted]
    for name in names:
        harness.succeeded(name)
    images = [
        {harness.task_of(p): harness.main_of(p).image for p in harness.pods(name)}
        for name in names
    ]
    one, two = submitted
    return Ran(
        project,
        (plans[0], plans[1]),
        (one["run"], two["run"]),
        (images[0], images[1]),
    )


def value(ran: Ran, dataset: str, run: int) -> Any:
    (file,) = ran.project.get(dataset, run=ran.runs[run]).iterdir()
    return json.loads(file.read_text())


def test_both_steps_see_the_same_numbers(ran: Ran) -> None:
    trips = pd.read_parquet(ran.project.path / "data/01_raw/trips.parquet")
    expected = trips.groupby("zone")[["metres", "seconds"]].sum()
    expected.insert(0, "trips", trips.groupby("zone").size())

    spark, sklearn = value(ran, "seen_by_spark", 0), value(ran, "seen_by_sklearn", 0)

    assert spark == sklearn == expected.reset_index().to_dict("records")


def test_each_step_ran_in_its_own_image(ran: Ran) -> None:
    images = {task.rpartition("-")[0]: image for task, image in ran.images[0].items()}

    assert images == {
        "zones": harness.spark_image(),
        "line": harness.image(1),
        "longest": harness.image(1),
    }


def test_what_spark_has_written_is_a_folder_of_parquet_at_its_place(ran: Ran) -> None:
    keys = [k for k in ran.project.found() if "/03_primary/zones.parquet/" in k]

    assert [key for key in keys if key.endswith(".parquet")]
    fs = harness.bucket()
    tables = [pd.read_parquet(fs.open(k)) for k in keys if k.endswith(".parquet")]
    table = pd.concat(tables)
    assert table.to_dict("records") == value(ran, "seen_by_spark", 1)


def test_another_image_for_one_step_changes_nothing_else(ran: Ran) -> None:
    one, two = ({task["name"]: task for task in plan["tasks"]} for plan in ran.plans)
    images = [images.copy() for images in ran.images]
    (swapped,) = (name for name in one if name.startswith("line-"))

    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == [swapped]
    assert images[0].pop(swapped) == harness.image(1)
    assert images[1].pop(swapped) == harness.image(2)
    assert images[0] == images[1]
    for name in OUTPUTS:
        assert value(ran, name, 0) == value(ran, name, 1), name
