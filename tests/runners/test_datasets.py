"""Datasets of every kind, run by SequentialRunner and by LocalRunner: the same data."""

from __future__ import annotations

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from kedro.io import CachedDataset, DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro.runner import SequentialRunner
from pipelines import engine_steps as steps
from pipelines.own_datasets import LinesDataset, TableDataset
from pipelines.prepared import catalog_of, isolated_runner
from pipelines.random_pipelines import RowsFile

from kedro_rats import LocalRunner
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Callable

PARTITIONS = "kedro_datasets.partitions"
ROWS = f"{RowsFile.__module__}.RowsFile"


def same(
    folder: Path, pipeline: Pipeline, catalog: Callable[[], DataCatalog]
) -> dict[str, Any]:
    """Run with both runners, each in a folder; compare and return all free outputs."""
    found = []
    for name, runner in (("kedro", SequentialRunner()), ("ours", LocalRunner())):
        (folder / name).mkdir()
        os.chdir(folder / name)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="kedro")
            made = runner.run(pipeline, catalog())
        found.append({key: dataset.load() for key, dataset in made.items()})
    os.chdir(folder)
    assert found[0] == found[1]
    data = [
        {
            path.relative_to(folder / name).as_posix(): path.read_bytes()
            for path in (folder / name).rglob("*")
            if path.is_file() and ".rats" not in path.parts
        }
        for name in ("kedro", "ours")
    ]
    assert data[0] == data[1]
    return found[1]


def test_links_to_inputs_are_followed(folder: Path) -> None:
    pytest.importorskip(PARTITIONS)
    (folder / "big").mkdir()
    (folder / "big/x.txt").write_text("a\nb\n")
    (folder / "big/parts").mkdir()
    (folder / "big/parts/p.txt").symlink_to(folder / "big/x.txt")

    def catalog() -> DataCatalog:
        for name in ("x.txt", "parts"):
            Path(name).symlink_to(folder / "big" / name)
        lines = f"{LinesDataset.__module__}.LinesDataset"
        return DataCatalog.from_config(
            {
                "x": {"type": lines, "filepath": "x.txt"},
                "parts": {
                    "type": "partitions.PartitionedDataset",
                    "path": "parts",
                    "dataset": lines,
                    "filename_suffix": ".txt",
                },
            }
        )

    pipeline = Pipeline([node(_lines_of, ["x", "parts"], "n", name="count")])
    assert same(folder, pipeline, catalog) == {"n": [["a", "b"], ["a", "b"]]}


def _lines_of(x: list[str], parts: dict[str, Callable[[], Any]]) -> Any:
    return [x, *(load() for load in parts.values())]


def _parts(x: list[int]) -> dict[str, Any]:
    return {f"part{i}": [str(i)] for i in x} | {"lazy": lambda: ["lazy"]}


def _join(parts: dict[str, Callable[[], Any]]) -> list[Any]:
    return [[name, load()] for name, load in sorted(parts.items())]


@pytest.mark.parametrize("group", [False, True])
def test_partitions_are_loaded_when_they_are_asked_for(
    folder: Path, group: bool
) -> None:
    pytest.importorskip(PARTITIONS)

    def catalog() -> DataCatalog:
        entry = {
            "type": "partitions.PartitionedDataset",
            "path": "data/parts",
            "dataset": f"{LinesDataset.__module__}.LinesDataset",
            "filename_suffix": ".txt",
        }
        Path("data/parts").mkdir(parents=True)
        made = DataCatalog.from_config({"parts": entry})
        made["x"] = MemoryDataset([1, 2])
        return made

    pipeline = Pipeline(
        [
            node(_parts, "x", "parts", name="parts"),
            node(_join, "parts", "joined", name="join"),
        ]
    )
    if group:
        pipeline = pipeline.tag("group.one")
    assert len(same(folder, pipeline, catalog)["joined"]) == 3


def test_generators_with_several_outputs_and_appending_files(folder: Path) -> None:
    def catalog() -> DataCatalog:
        return DataCatalog(
            {"log": LinesDataset(filepath="log.txt", mode="a"), "x": MemoryDataset([1])}
        )

    pipeline = Pipeline(
        [
            node(_stream, "x", ["log", "last"], name="stream"),
            node(_keep, ["log", "last"], "kept", name="keep"),
        ]
    )
    assert same(folder, pipeline, catalog) == {"kept": [["a", "b"], 2]}


def _stream(x: list[int]) -> Any:
    yield ["a"], 1
    yield ["b"], 2


def _keep(log: Any, last: Any) -> Any:
    return [log, last]


def test_nodes_without_outputs_and_data_read_twice(folder: Path) -> None:
    pipeline = Pipeline(
        [
            node(steps.first, "x", "y", name="first"),
            node(_look, ["y", "x"], None, name="look"),
            node(_keep, ["y", "x"], "kept", name="keep"),
        ]
    )
    made = same(folder, pipeline, lambda: catalog_of(x=[1]))
    assert made == {"kept": [[2], [1]]}
    assert steps.calls().count("look") == 2


def _look(y: Any, x: Any) -> None:
    steps.count("look")
    y.append(9)  # others do not see it: each reader has a copy


@pytest.mark.parametrize("mode", ["assign", "copy", "deepcopy"])
def test_memory_of_every_kind_of_copy(folder: Path, mode: str) -> None:
    def catalog() -> DataCatalog:
        made = DataCatalog.from_config(
            {"y": {"type": "MemoryDataset", "copy_mode": mode}}
        )
        made["x"] = MemoryDataset([1])
        return made

    pipeline = Pipeline(
        [
            node(steps.first, "x", "y", name="a_first"),
            node(_grow, "y", "b", name="b_grow"),
            node(_grow, "y", "c", name="c_grow"),
        ]
    )
    made = same(folder, pipeline, catalog)
    assert made["c"] == (3 if mode == "assign" else 2)


def _grow(y: list[int]) -> int:
    y.append(0)
    return len(y)


def test_cached_datasets_are_read_from_their_files(folder: Path) -> None:
    def catalog() -> DataCatalog:
        return DataCatalog(
            {
                "x": MemoryDataset(["a"]),
                "y": CachedDataset(LinesDataset(filepath="y.txt")),
            }
        )

    pipeline = Pipeline(
        [node(_same, "x", "y", name="write"), node(_same, "y", "z", name="read")]
    )
    assert same(folder, pipeline, catalog) == {"z": ["a"]}


def _same(x: Any) -> Any:
    return x


def test_a_versioned_input_is_its_newest_or_the_one_asked_for(folder: Path) -> None:
    for version, rows in (
        ("2024-01-01T00.00.00.000Z", [1]),
        ("2025-01-01T00.00.00.000Z", [2]),
    ):
        path = folder / "x.json" / version / "x.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(rows))
    config = {"x": {"type": ROWS, "filepath": "x.json", "versioned": True}}
    pipeline = Pipeline([node(_same, "x", "y", name="same")])
    found = []
    for versions in (None, {"x": "2024-01-01T00.00.00.000Z"}):
        for runner in (SequentialRunner(), LocalRunner()):
            catalog = DataCatalog.from_config(config, load_versions=versions)
            found.append(runner.run(pipeline, catalog)["y"].load())
    assert found == [[2], [2], [1], [1]]


def test_a_table_has_the_layout_that_kedros_memory_gives_it(folder: Path) -> None:
    def catalog() -> DataCatalog:
        return catalog_of(x=np.asfortranarray(np.arange(6.0).reshape(2, 3)))

    pipeline = Pipeline(
        [node(_transposed, "x", "y", name="t"), node(_layout, "y", "z", name="layout")]
    )
    assert same(folder, pipeline, catalog) == {"z": [True, False]}


def _transposed(x: Any) -> Any:
    return x.T


def _layout(y: Any) -> list[bool]:
    return [bool(y.flags.c_contiguous), bool(y.flags.f_contiguous)]


def test_catalogs_of_instances_keep_their_credentials_out_of_the_store(
    folder: Path,
) -> None:
    catalog = DataCatalog(
        {
            "x": MemoryDataset([1]),
            "t": TableDataset(table="people", credentials={"con": "canary-s3cret"}),
        }
    )
    pipeline = Pipeline([node(_keep, ["x", "t"], "kept", name="keep")])
    made = LocalRunner().run(pipeline, catalog)
    assert made["kept"].load() == [[1], "people"]
    for path in (folder / ".rats").rglob("*"):
        assert not path.is_file() or b"canary-s3cret" not in path.read_bytes()
    with pytest.raises(RatsError, match=r"credentials\.yml"):
        isolated_runner().run(pipeline, catalog)


def test_a_generator_that_yields_nothing_is_the_nodes_failure(folder: Path) -> None:
    pipeline = Pipeline([node(steps.chunks, "x", "y", name="chunks")])
    with pytest.raises(DatasetError, match=r"'y'.*yield"):
        LocalRunner().run(pipeline, catalog_of(x=[]), run_id="r1")
    assert not list((folder / ".rats/runs/r1").glob("records/*"))


def test_frames_survive_the_way_through_the_store(folder: Path) -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[3, 5])
    pipeline = Pipeline(
        [node(_same, "x", "y", name="s"), node(_same, "y", "z", name="t")]
    )
    made = LocalRunner().run(pipeline, catalog_of(x=frame))["z"].load()
    pd.testing.assert_frame_equal(made, frame)


# --- confirming --------------------------------------------------------------------------


def incremental() -> DataCatalog:
    entry = {
        "type": "partitions.IncrementalDataset",
        "path": "in",
        "dataset": f"{LinesDataset.__module__}.LinesDataset",
    }
    return DataCatalog.from_config({"parts": entry})


def read_and_confirm(function: Callable[..., Any]) -> Pipeline:
    return Pipeline([node(function, "parts", "seen", name="read", confirms="parts")])


def test_what_was_confirmed_is_not_offered_again(folder: Path) -> None:
    pytest.importorskip(PARTITIONS)
    (folder / "in").mkdir()
    (folder / "in/p1").write_text("a\n")
    with pytest.raises(KeyError):
        LocalRunner().run(read_and_confirm(steps.refuse), incremental())
    first = LocalRunner().run(read_and_confirm(_same), incremental())
    assert first["seen"].load() == {"p1": ["a"]}
    (folder / "in/p2").write_text("b\n")
    second = LocalRunner().run(read_and_confirm(_same), incremental())
    assert second["seen"].load() == {"p2": ["b"]}


def test_nothing_is_confirmed_before_it_is_committed(
    folder: Path,
) -> None:
    pytest.importorskip(PARTITIONS)
    (folder / "in").mkdir()
    (folder / "in/p1").write_text("a\n")
    # A value that no format can keep is found after the node, before the record.
    with pytest.raises(Exception, match="seen"):
        LocalRunner().run(read_and_confirm(_unstorable), incremental())
    again = LocalRunner().run(read_and_confirm(_same), incremental())
    assert again["seen"].load() == {"p1": ["a"]}


def _unstorable(x: Any) -> Any:
    import threading

    return threading.Lock()
