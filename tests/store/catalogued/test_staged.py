"""A staged dataset writes and reads what the entry's own dataset would."""

from __future__ import annotations

import filecmp
import io
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pipelines.own_datasets import LinesDataset
from pipelines.plotting import pyplot

from kedro_rats.errors import DefinitionError
from kedro_rats.store.catalogued import in_place, place_of, staged

OWN = "pipelines.own_datasets"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    (folder / "data").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def files_in(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def carried(folder: Path, to: Path) -> Path:
    """Copy files as a store does: no empty folders, no permissions, another place."""
    to.mkdir()
    for name in files_in(folder):
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        (to / name).write_bytes((folder / name).read_bytes())
    return to


def check(
    entry: dict[str, Any], *values: Any, project: Path, loads: bool = True
) -> Any:
    """Save the same values through both; compare their files and what they load."""
    real = in_place("x", entry)
    written = project.parent / "written"
    written.mkdir()
    saving = staged("x", entry, written)
    for value in values:
        real.save(value)
        saving.save(value)
    where = entry.get("filepath") or entry.get("path") or entry["dataset"]["filepath"]
    base = Path(where).name
    assert {name.split("/")[0].split(".")[0] for name in files_in(written)} == {
        base.split(".")[0]
    }

    # What is published by the artifact's paths is what the real dataset wrote.
    published = project.parent / "published"
    shutil.copytree(written, published)
    for name in files_in(written):
        target = (project / where).parent / name
        # These two hold the time at which they were written.
        timed = name.endswith((".xlsx", ".gz"))
        if not entry.get("versioned") and not timed:
            assert filecmp.cmp(published / name, target, shallow=False), name
    if not loads:
        return None

    read = carried(written, project.parent / "read")
    shutil.rmtree(written)
    return real.load(), staged("x", entry, read).load()


def pandas() -> Any:
    pytest.importorskip("kedro_datasets")
    return pytest.importorskip("pandas")


def frame() -> Any:
    return pandas().DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.1, 1e300]})


FRAMES: dict[str, dict[str, Any]] = {
    "CSV": {"type": "pandas.CSVDataset", "filepath": "data/x.csv"},
    "CSV compressed": {"type": "pandas.CSVDataset", "filepath": "data/x.csv.gz"}
    | {"fs_args": {"open_args_save": {"mode": "wb"}}}
    | {"save_args": {"compression": "gzip", "index": False}},
    "CSV with arguments": {
        "type": "pandas.CSVDataset",
        "filepath": "data/deep/x.y.csv",
        "save_args": {"index": True, "sep": ";"},
        "load_args": {"index_col": 0, "sep": ";"},
        "metadata": {"kedro-viz": {"layer": "raw"}},
    },
    "CSV by URL": {"type": "pandas.CSVDataset", "filepath": "file://{project}/x.csv"},
    "CSV of a kind": {"type": "pandas.GenericDataset", "file_format": "csv"}
    | {"filepath": "data/x.csv", "save_args": {"index": False}},
    "Parquet": {"type": "pandas.ParquetDataset", "filepath": "data/x.parquet"},
    "Excel": {"type": "pandas.ExcelDataset", "filepath": "data/x.xlsx"},
    "JSON": {"type": "pandas.JSONDataset", "filepath": "data/x.json"},
    "pickle": {"type": "pickle.PickleDataset", "filepath": "data/x.pkl"},
    "cached": {
        "type": "CachedDataset",
        "dataset": {"type": "pandas.CSVDataset", "filepath": "data/x.csv"},
    },
}
NEEDS = {"Parquet": "pyarrow", "Excel": "openpyxl"}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_comes_back_as_from_the_real_dataset(kind: str, project: Path) -> None:
    value = frame()
    pytest.importorskip(NEEDS.get(kind, "pandas"))
    entry = dict(FRAMES[kind])
    if "filepath" in entry:
        entry["filepath"] = entry["filepath"].format(project=project)
        where = entry["filepath"].removeprefix("file://")
        real, back = check({**entry, "filepath": where}, value, project=project)
        if kind == "CSV by URL":
            real = in_place("x", entry).load()
    else:
        real, back = check(entry, value, project=project)
        # The cache of the real one holds what was saved, not what the file says.
        real = in_place("x", entry).load()

    pandas().testing.assert_frame_equal(back, real, check_exact=True)


@pytest.mark.parametrize("kind", ["polars.CSVDataset", "polars.EagerPolarsDataset"])
def test_polars_comes_back_as_from_the_real_dataset(kind: str, project: Path) -> None:
    pytest.importorskip("kedro_datasets")
    pl = pytest.importorskip("polars")
    value = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    entry = {"type": kind, "filepath": "data/x.csv"}
    if kind == "polars.EagerPolarsDataset":
        entry["file_format"] = "csv"
    elif int(pl.__version__.partition(".")[0]) > 1:
        # `rechunk`, which kedro-datasets gives to it, is gone from Polars 2.
        entry["type"] = f"{OWN}.PolarsCSVDataset"

    real, back = check(entry, value, project=project)

    assert back.equals(real)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ({"type": "json.JSONDataset", "filepath": "data/x.json"}, {"a": [1, None]}),
        ({"type": "text.TextDataset", "filepath": "data/x.txt"}, "é\n"),
        ({"type": "pickle.PickleDataset", "filepath": "data/x.pkl"}, {"a": (1, 2.0)}),
    ],
    ids=["json", "text", "pickle"],
)
def test_plain_values_come_back(
    entry: dict[str, Any], value: Any, project: Path
) -> None:
    pytest.importorskip("kedro_datasets")

    assert check(entry, value, project=project) == (value, value)


def test_figures_of_plotly_come_back(project: Path) -> None:
    pytest.importorskip("kedro_datasets")
    go = pytest.importorskip("plotly.graph_objects")
    entry = {"type": "plotly.JSONDataset", "filepath": "data/x.json"}

    real, back = check(entry, go.Figure(go.Bar(x=["a"], y=[1])), project=project)

    assert back == real


@pytest.mark.parametrize("several", [False, True])
def test_one_figure_is_a_file_and_several_are_a_folder(
    several: bool, project: Path
) -> None:
    pytest.importorskip("kedro_datasets")
    plt = pyplot()
    figures = {}
    for name in ("a.png", "deep/b.png"):
        figures[name], axes = plt.subplots()
        axes.set_title(name)
    base = "plots" if several else "plot.png"
    entry = {"type": "matplotlib.MatplotlibDataset", "filepath": f"data/{base}"}

    check(entry, figures if several else figures["a.png"], project=project, loads=False)

    place = place_of(entry)
    published = files_in(project.parent / "published")
    names = {"plots/a.png", "plots/deep/b.png"} if several else {"plot.png"}
    assert published == names
    assert (place.uri, place.root) == (f"data/{base}", base)
    assert place.additive


PARTITIONS = {
    "plain": {},
    "suffix": {"filename_suffix": ".csv"},
    "overwriting": {"filename_suffix": ".csv", "overwrite": True},
    "arguments": {
        "dataset": {
            "type": "pandas.CSVDataset",
            "save_args": {"index": False, "sep": ";"},
            "load_args": {"sep": ";"},
        }
    },
}


@pytest.mark.parametrize("more", PARTITIONS.values(), ids=PARTITIONS)
def test_partitions_come_back_nested_and_lazy(
    more: dict[str, Any], project: Path
) -> None:
    value = frame()
    entry = {
        "type": "partitions.PartitionedDataset",
        "path": "data/parts",
        "dataset": "pandas.CSVDataset",
        **more,
    }
    parts = {"one": value, "deep/two": lambda: value[:1]}

    real, back = check(entry, {"old": value}, parts, project=project)

    assert sorted(back) == sorted(real)
    assert ("old" in back) is not entry.get("overwrite", False)
    for name, load in back.items():
        pandas().testing.assert_frame_equal(load(), real[name]())


def test_no_partitions_at_all_is_the_same_error(project: Path) -> None:
    pandas()
    from kedro.io import DatasetError

    entry = {"type": "partitions.PartitionedDataset", "path": "data/parts"}
    entry["dataset"] = "pandas.CSVDataset"

    for dataset in (in_place("x", entry), staged("x", entry, project.parent)):
        dataset.save({})
        with pytest.raises(DatasetError, match="No partitions found"):
            dataset.load()


def test_a_versioned_file_is_staged_without_its_version(project: Path) -> None:
    value = frame()
    entry = {**FRAMES["CSV"], "versioned": True}

    real, back = check(entry, value, project=project)

    pandas().testing.assert_frame_equal(back, real)
    assert files_in(project.parent / "published") == {"x.csv"}


def lines(**more: Any) -> dict[str, Any]:
    return {"type": f"{OWN}.LinesDataset", "filepath": "data/x.lines", **more}


def test_a_dataset_of_the_project_comes_back(project: Path) -> None:
    real, back = check(lines(end="|"), ["b", "a"], project=project)

    assert real == back == ["b", "a"]


def test_saves_that_add_are_all_in_the_file(project: Path) -> None:
    # As a node that is a generator does: one save for each chunk.
    real, back = check(lines(mode="a"), ["b"], ["a"], ["c"], project=project)

    assert real == back == ["b", "a", "c"]


def test_what_was_there_before_is_not_added_to(project: Path, tmp_path: Path) -> None:
    in_place("x", lines(mode="a")).save(["old"])
    folder = tmp_path / "written"
    folder.mkdir()

    staged("x", lines(mode="a"), folder).save(["new"])

    assert staged("x", lines(mode="a"), folder).load() == ["new"]


def test_files_beside_the_file_are_kept(project: Path) -> None:
    entry = lines(type=f"{OWN}.ShapeDataset")

    real, back = check(entry, ["b", "a"], project=project)

    assert real == back
    assert files_in(project.parent / "published") == {"x.lines", "x.idx"}


@pytest.mark.parametrize("kind", ["InsistingDataset", "AlwaysVersionedDataset"])
def test_a_class_that_knows_versions_is_staged_without(
    kind: str, project: Path
) -> None:
    entry = lines(type=f"{OWN}.{kind}", versioned=True)

    real, back = check(entry, "text", project=project)

    assert real == back == "text"
    assert files_in(project.parent / "published") == {"x.lines"}


def test_a_cached_dataset_is_the_one_inside(project: Path) -> None:
    inner = lines()
    entry = {"type": "kedro.io.CachedDataset", "dataset": inner, "versioned": False}
    folder = project.parent / "written"
    folder.mkdir()

    dataset = staged("x", entry, folder)

    assert type(dataset) is LinesDataset
    dataset.save(["a"])
    assert files_in(folder) == {"x.lines"}


def test_a_transcoded_entry_reads_what_the_other_wrote(tmp_path: Path) -> None:
    staged("x@lines", lines(), tmp_path).save(["a", "b"])

    other = lines(type=f"{OWN}.InsistingDataset")
    assert staged("x@text", other, tmp_path).load() == "a\nb\n"


def test_the_folder_may_be_relative_and_the_program_may_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("inside").mkdir()
    dataset = staged("x", lines(), Path("inside"))
    monkeypatch.chdir("/")

    dataset.save(["a"])

    assert files_in(tmp_path) == {"inside/x.lines"}


def test_what_is_remote_is_dropped_and_what_opens_files_is_kept(tmp_path: Path) -> None:
    value = frame().drop(columns="b")
    entry = {
        "type": "pandas.CSVDataset",
        "filepath": "s3://bucket/deep/x.csv.gz",
        "credentials": "dev_s3",
        "versioned": True,
        "fs_args": {"anon": False, "open_args_save": {"mode": "wb"}},
        "save_args": {"storage_options": {"anon": True}, "compression": "gzip"},
    }

    dataset: Any = staged("x", entry, tmp_path)
    dataset.save(value)

    assert files_in(tmp_path) == {"x.csv.gz"}
    assert (tmp_path / "x.csv.gz").read_bytes()[:2] == b"\x1f\x8b"
    assert dataset._fs_open_args_save == {"mode": "wb"}
    assert dataset._save_args == {"compression": "gzip", "index": False}
    assert dataset._version is None
    pandas().testing.assert_frame_equal(dataset.load(), value)


def test_options_of_a_remote_file_system_are_not_given_to_a_library(
    tmp_path: Path,
) -> None:
    given = {"storage_options": {"anon": True}, "level": 3}
    remote = lines(filepath="s3://bucket/x", save_args=given)

    dataset: Any = staged("x", remote, tmp_path)
    assert dataset.save_args == {"level": 3}
    dataset = staged("x", lines(save_args=given), tmp_path)
    assert dataset.save_args == given


def test_partitions_of_a_bucket_are_staged_without_credentials(tmp_path: Path) -> None:
    value = frame().drop(columns="b")
    entry = {
        "type": "partitions.PartitionedDataset",
        "path": "s3://bucket/parts/",
        "credentials": "dev_s3",
        "fs_args": {"anon": False},
        "dataset": {"type": "pandas.CSVDataset", "credentials": "other"},
        "filename_suffix": ".csv",
    }

    staged("x", entry, tmp_path).save({"a": value})

    assert files_in(tmp_path) == {"parts/a.csv"}
    (back,) = staged("x", entry, tmp_path).load().values()
    pandas().testing.assert_frame_equal(back(), value)


def has_validators() -> bool:
    from kedro.io import core

    return hasattr(core, "VALIDATOR_KEY")


needs_validators = pytest.mark.skipif(not has_validators(), reason="needs Kedro 1.6")


@needs_validators
@pytest.mark.parametrize("where", ["staged", "in place"])
def test_a_validator_of_the_entry_is_kept(where: str, project: Path) -> None:
    from kedro.validation.exceptions import DataValidationError

    entry = lines(validator=f"{OWN}.Sorted")
    dataset = (
        in_place("x", entry) if where == "in place" else staged("x", entry, project)
    )

    dataset.save(["b", "a"])
    assert dataset.load() == ["a", "b"]
    assert dataset.exists()
    with pytest.raises(DataValidationError, match=r"no lines"):
        dataset.save([])
    plain = in_place("x", lines()) if where == "in place" else None
    plain = plain or staged("x", lines(), project)
    assert plain.load() == ["a", "b"]
    plain.save([])
    with pytest.raises(DataValidationError, match=r"'x'"):
        dataset.load()


@needs_validators
def test_a_validator_is_switched_off_as_in_kedro(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEDRO_DATASET_VALIDATION", "0")
    dataset = staged("x", lines(validator=f"{OWN}.Sorted"), tmp_path)

    dataset.save(["b", "a"])

    assert dataset.load() == ["b", "a"]


@needs_validators
def test_a_validator_of_a_cached_dataset_is_kept(tmp_path: Path) -> None:
    entry = {"type": "CachedDataset", "dataset": lines(), "validator": f"{OWN}.Sorted"}

    dataset = staged("x", entry, tmp_path)
    dataset.save(["b", "a"])

    assert staged("x", lines(), tmp_path).load() == ["a", "b"]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"type": "pandas.SQLTableDataset", "table_name": "x"}, "in place"),
        ({"type": "MemoryDataset"}, "expected a dataset that keeps its data"),
        ({"filepath": "x"}, "expected a type as text, got none"),
        ({"type": "no.such.Dataset", "filepath": "x"}, "No module named 'no'. Check"),
        (lines(colour=1), "unexpected keyword argument 'colour'. Check its type and"),
        (lines(filepath="s3://"), "expected the path of a file or folder"),
    ],
)
def test_what_cannot_be_staged_is_one_line_with_its_name(
    entry: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DefinitionError) as caught:
        staged("model_input", entry, tmp_path)

    text = str(caught.value)
    assert said in text
    assert "\n" not in text
    assert text.startswith("dataset 'model_input'") or "s3://" in text


def test_a_missing_class_names_the_package_that_has_it(tmp_path: Path) -> None:
    entry = {"type": "snowflake.SnowparkTableDataset", "filepath": "x"}

    with pytest.raises(DefinitionError, match=r"kedro-datasets\[snowflake-snowparkt"):
        staged("x", entry, tmp_path)


def test_the_entry_is_not_changed(tmp_path: Path) -> None:
    inner = {"type": f"{OWN}.LinesDataset", "filepath": "x", "mode": "a"}
    entry = {"type": "CachedDataset", "dataset": inner, "metadata": {"a": {"b": 1}}}
    before = repr(entry)

    staged("x", entry, tmp_path)
    in_place("x", entry)

    assert repr(entry) == before


def test_in_place_resolves_credentials_by_name() -> None:
    entry = {"type": f"{OWN}.TableDataset", "table": "x", "credentials": "db"}

    dataset: Any = in_place("x", entry, credentials={"db": {"con": "sqlite://"}})

    assert dataset.credentials == {"con": "sqlite://"}
    with pytest.raises(DefinitionError, match="credentials 'db': expected credentials"):
        in_place("x", entry, credentials={"other": {"con": "hunter2"}})


def test_in_place_takes_the_versions(project: Path) -> None:
    from kedro.io.core import Version

    entry = lines(type=f"{OWN}.InsistingDataset", versioned=True)

    in_place("x", entry, version=Version(None, "v1")).save("one")
    in_place("x", entry, version=Version(None, "v2")).save("two")

    assert files_in(project) == {"data/x.lines/v1/x.lines", "data/x.lines/v2/x.lines"}
    assert in_place("x", entry, version=Version("v1", None)).load() == "one"
    assert in_place("x", entry).load() == "two"


def test_an_error_of_a_constructor_shows_no_secret() -> None:
    entry = {"type": f"{OWN}.TableDataset", "table": "x", "credentials": "db"}
    named = {"db": {"con": "broken://me:hunter2@host"}}

    with pytest.raises(DefinitionError) as caught:
        in_place("x", entry, credentials=named)

    import traceback

    whole = io.StringIO()
    traceback.print_exception(caught.value, file=whole)
    assert "hunter2" not in whole.getvalue()
    assert "could not parse '***'" in str(caught.value)


def test_staging_works_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        staged("x", lines(), tmp_path).save(["a"])
    finally:
        os.umask(before)

    assert staged("x", lines(), tmp_path).load() == ["a"]
