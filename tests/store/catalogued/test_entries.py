"""What an entry says about its data, and what must not be in one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from kedro_rats.errors import DefinitionError
from kedro_rats.plan.entries import entry_breaches
from kedro_rats.store.catalogued import (
    PlaceOf,
    is_local,
    kind_of,
    latest_version,
    place_of,
    source_of,
)

CSV = {"type": "pandas.CSVDataset", "filepath": "data/x.csv"}
PARTS = {
    "type": "partitions.PartitionedDataset",
    "path": "data/parts/",
    "dataset": "pandas.CSVDataset",
}
KINDS = {
    "file": (CSV, "file"),
    "own class with a file": ({"type": "my.own.Thing", "filepath": "x"}, "file"),
    "own class that is called like a table": (
        {"type": "my.own.DeltaTableDataset", "filepath": "x"},
        "file",
    ),
    "folder": (PARTS, "folder"),
    "own folder": ({**PARTS, "type": "my.own.Parts"}, "folder"),
    "full name": (
        {**PARTS, "type": "kedro_datasets.partitions.PartitionedDataset"},
        "folder",
    ),
    "incremental": ({**PARTS, "type": "partitions.IncrementalDataset"}, "in_place"),
    "own incremental": ({**PARTS, "type": "a.b.C", "checkpoint": "x"}, "in_place"),
    "versioned partitions": (
        {**PARTS, "dataset": {"type": "pandas.CSVDataset", "versioned": True}},
        "in_place",
    ),
    "table": ({"type": "pandas.SQLTableDataset", "table_name": "x"}, "in_place"),
    "query in a file": (
        {"type": "pandas.SQLQueryDataset", "filepath": "data/x.sql"},
        "in_place",
    ),
    "Delta": ({"type": "pandas.DeltaTableDataset", "filepath": "x"}, "in_place"),
    "API": ({"type": "api.APIDataset", "url": "https://x.org"}, "in_place"),
    "cached": ({"type": "CachedDataset", "dataset": CSV}, "file"),
    "cached twice": (
        {"type": "kedro.io.CachedDataset", "dataset": {"type": "CachedDataset"}}
        | {"dataset": {"type": "CachedDataset", "dataset": PARTS}},
        "folder",
    ),
    "cached by name": ({"type": "CachedDataset", "dataset": "a.B"}, "in_place"),
}


@pytest.mark.parametrize(("entry", "kind"), KINDS.values(), ids=KINDS)
def test_the_kind_is_known_without_the_class(entry: Any, kind: str) -> None:
    assert kind_of(entry) == kind


@pytest.mark.parametrize(
    "kind", ["MemoryDataset", "kedro.io.MemoryDataset", "SharedMemoryDataset"]
)
def test_data_in_memory_is_refused(kind: str) -> None:
    with pytest.raises(DefinitionError, match=f"keeps its data, got '{kind}'"):
        kind_of({"type": kind})
    with pytest.raises(DefinitionError, match=f"keeps its data, got '{kind}'"):
        kind_of({"type": "CachedDataset", "dataset": {"type": kind}})


@pytest.mark.parametrize(
    ("entry", "local"),
    [
        (CSV, True),
        (PARTS, True),
        ({**CSV, "filepath": "file:///data/x.csv"}, True),
        ({**CSV, "filepath": "C:/data/x.csv"}, True),
        ({**CSV, "filepath": "s3://bucket/x.csv"}, False),
        ({**CSV, "filepath": "https://x.org/x.csv"}, False),
        ({**CSV, "filepath": "dbfs:/x.csv"}, False),
        ({"type": "CachedDataset", "dataset": {**CSV, "filepath": "s3://b/x"}}, False),
        ({**PARTS, "path": "gs://bucket/parts"}, False),
        ({"type": "pandas.SQLTableDataset", "table_name": "x"}, False),
    ],
)
def test_local_is_what_is_in_files_of_this_machine(entry: Any, local: bool) -> None:
    assert is_local(entry) is local


PLACES = {
    "file": (CSV, PlaceOf("data/x.csv", False, False, None, {}, "x.csv")),
    "folder": (PARTS, PlaceOf("data/parts", True, True, None, {}, "parts")),
    "folder that is replaced": (
        {**PARTS, "overwrite": True},
        PlaceOf("data/parts", True, False, None, {}, "parts"),
    ),
    "version": (
        {**CSV, "versioned": True},
        PlaceOf("data/x.csv/v1/x.csv", False, False, None, {}, "x.csv"),
    ),
    "version of a cached one": (
        {"type": "CachedDataset", "versioned": True, "dataset": CSV},
        PlaceOf("data/x.csv/v1/x.csv", False, False, None, {}, "x.csv"),
    ),
    "bucket": (
        {**CSV, "filepath": "s3://bucket/deep/x.csv", "credentials": "dev_s3"}
        | {"fs_args": {"anon": False, "open_args_load": {"mode": "r"}}},
        PlaceOf(
            "s3://bucket/deep/x.csv", False, False, "dev_s3", {"anon": False}, "x.csv"
        ),
    ),
    "credentials of the parts": (
        {**PARTS, "dataset": {"type": "a.B", "credentials": "inner"}},
        PlaceOf("data/parts", True, True, "inner", {}, "parts"),
    ),
    "file by URL": (
        {**CSV, "filepath": "file:///data/x.csv"},
        PlaceOf("/data/x.csv", False, False, None, {}, "x.csv"),
    ),
    "home": (
        {**CSV, "filepath": "~/x.csv"},
        PlaceOf(str(Path("~/x.csv").expanduser()), False, False, None, {}, "x.csv"),
    ),
    "figures": (
        {"type": "matplotlib.MatplotlibDataset", "filepath": "plots"},
        PlaceOf("plots", False, True, None, {}, "plots"),
    ),
    "figures that are replaced": (
        {
            "type": "matplotlib.MatplotlibDataset",
            "filepath": "plots",
            "overwrite": True,
        },
        PlaceOf("plots", False, False, None, {}, "plots"),
    ),
}


@pytest.mark.parametrize(("entry", "place"), PLACES.values(), ids=PLACES)
def test_the_place_is_where_kedro_would_save(entry: Any, place: PlaceOf) -> None:
    assert place_of(entry, save_version="v1") == place
    assert source_of(entry, load_version="v1") == place.uri


@pytest.mark.parametrize("version", [None, "", ".", "..", "a/b", "a\\b"])
def test_a_versioned_place_needs_a_version_of_one_part(version: str | None) -> None:
    entry = {**CSV, "versioned": True}

    for ask in (
        lambda: place_of(entry, save_version=version),
        lambda: source_of(entry, load_version=version),
    ):
        with pytest.raises(DefinitionError, match=r"'data/x\.csv': expected a version"):
            ask()


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "pandas.SQLTableDataset", "table_name": "x"},
        {**CSV, "filepath": "https://x.org/x.csv"},
        {**PARTS, "type": "partitions.IncrementalDataset"},
    ],
)
def test_what_cannot_be_published_has_no_place(entry: Any) -> None:
    with pytest.raises(DefinitionError, match="expected files that can be published"):
        place_of(entry)


def test_the_place_needs_no_library() -> None:
    code = f"""
import sys
from kedro_rats.store.catalogued import *
entry = {CSV!r}
kind_of(entry), place_of(entry), source_of(entry), is_local(entry)
latest_version({{**entry, "versioned": True}})
print(*[m for m in ("kedro", "fsspec", "pandas") if m in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def versions(folder: Path, *names: str, base: str = "x.csv") -> None:
    for name in names:
        (folder / base / name).mkdir(parents=True)
        (folder / base / name / base).write_text("a\n1\n")


def resolved_by_kedro(path: Path) -> str | None:
    from kedro.io.core import Version, VersionNotFoundError
    from pipelines.own_datasets import InsistingDataset

    try:
        return InsistingDataset(str(path), Version(None, None)).resolve_load_version()
    except VersionNotFoundError:
        return None


NEWEST = {
    "times": ["2020-01-01T00.00.00.000Z", "2021-01-01T00.00.00.000Z"],
    "a dot after a name": ["v1", "v1.1", "v1-1"],
    "words": ["b", "a", "B", "é"],
    "none": [],
}


@pytest.mark.parametrize("names", NEWEST.values(), ids=NEWEST)
def test_the_latest_version_is_the_one_that_kedro_takes(
    names: list[str], tmp_path: Path
) -> None:
    versions(tmp_path, *names)
    (tmp_path / "x.csv" / "zzz").mkdir(parents=True)
    entry = {**CSV, "filepath": str(tmp_path / "x.csv"), "versioned": True}

    found = latest_version(entry)

    assert found == resolved_by_kedro(tmp_path / "x.csv")
    assert found == (max(names, key=lambda name: f"{name}/") if names else None)


def test_a_version_that_is_being_written_is_none(tmp_path: Path) -> None:
    versions(tmp_path, ".tmp-v2")
    entry = {**CSV, "filepath": str(tmp_path / "x.csv"), "versioned": True}

    assert latest_version(entry) is None


def test_what_is_not_versioned_has_no_latest_version(tmp_path: Path) -> None:
    versions(tmp_path, "v1")

    assert latest_version({**CSV, "filepath": str(tmp_path / "x.csv")}) is None
    assert latest_version({"type": "a.B", "versioned": True}) is None


def test_the_latest_version_of_a_remote_dataset_is_found() -> None:
    fsspec = pytest.importorskip("fsspec")
    memory = fsspec.filesystem("memory")
    entry = {**CSV, "filepath": "memory://bucket/x.csv", "versioned": True}
    assert latest_version(entry) is None
    try:
        for name in ("v1", "v2"):
            memory.pipe_file(f"/bucket/x.csv/{name}/x.csv", b"a\n1\n")
        memory.pipe_file("/bucket/x.csv/v3/other", b"")

        assert latest_version(entry) == "v2"
    finally:
        memory.rm("/bucket", recursive=True)


def test_credentials_that_are_missing_are_named() -> None:
    entry = {**CSV, "filepath": "s3://bucket/x.csv", "versioned": True}

    with pytest.raises(DefinitionError, match="credentials 'dev_s3': expected"):
        latest_version({**entry, "credentials": "dev_s3"}, {})


SECRET = "hunter2"  # noqa: S105
BAD = {
    "no type": ({"filepath": "x"}, "a type as text, got none"),
    "a class as type": ({"type": dict, "filepath": "x"}, "a type as text, got type"),
    "credentials given": (
        {**CSV, "credentials": {"key": SECRET}},
        "x', credentials: e",
    ),
    "credentials of the parts": (
        {**PARTS, "dataset": {"type": "a.B", "credentials": {"password": SECRET}}},
        "dataset.credentials: expected the name of credentials",
    ),
    "password in a URL": (
        {**CSV, "filepath": f"https://me:{SECRET}@x.org/x.csv"},
        "filepath: expected a URL without user and password",
    ),
    "token as a user": (
        {**CSV, "filepath": f"https://{SECRET}@x.org/x.csv"},
        "filepath: expected a URL without user and password",
    ),
    "password in a list": (
        {"type": "a.B", "urls": ["x", f"postgresql+psycopg://me:{SECRET}@host/db"]},
        "urls.1: expected a URL without user and password",
    ),
    "password of a container": (
        {**CSV, "filepath": f"abfss://me:{SECRET}@account.x.net/x.csv"},
        "filepath: expected a URL without user and password",
    ),
    "signature": (
        {**CSV, "filepath": f"https://x.org/x.csv?a=1&X-Amz-Signature={SECRET}"},
        "filepath: expected a URL without signature or token",
    ),
    "secret of the file system": (
        {**CSV, "fs_args": {"key": "k", "secret": SECRET}},
        "fs_args.secret: expected no secret",
    ),
    "secret deeper": (
        {**CSV, "fs_args": {"client_kwargs": {"aws_session_token": SECRET}}},
        "fs_args.client_kwargs.aws_session_token: expected no secret",
    ),
    "secret of a library": (
        {**CSV, "save_args": {"storage_options": {"token": SECRET}}},
        "save_args.storage_options.token: expected no secret",
    ),
}


@pytest.mark.parametrize(("entry", "said"), BAD.values(), ids=BAD)
def test_what_must_not_be_in_an_entry_is_found_and_not_shown(
    entry: Any, said: str
) -> None:
    text = "\n".join(str(breach) for breach in entry_breaches("x", entry))

    assert text.startswith("dataset 'x'")
    assert said in text
    assert SECRET not in text


def test_all_breaches_are_found_at_once() -> None:
    entry = {
        "filepath": "https://a:b@x.org",
        "credentials": {},
        "fs_args": {"key": "k"},
    }

    assert len(entry_breaches("x", entry)) == 4


GOOD = {
    "file": CSV,
    "credentials by name": {**CSV, "credentials": "dev_s3"},
    "no credentials": {**CSV, "credentials": None},
    "a container": {**CSV, "filepath": "abfss://container@account.x.net/x.csv"},
    "an at sign in a path": {**CSV, "filepath": "s3://bucket/a@b/report@2024.csv"},
    "a local at sign": {**CSV, "filepath": "data/me:x@2024.csv"},
    "a key that is none": {
        "type": "pandas.HDFDataset",
        "filepath": "x",
        "key": "table",
    },
    "anonymous": {**CSV, "fs_args": {"token": "anon", "key": None}},
    "an address in text": {
        "type": "a.B",
        "text": "write to me@x.org, see https://x.org",
    },
}


@pytest.mark.parametrize("entry", GOOD.values(), ids=GOOD)
def test_entries_without_secrets_are_taken(entry: Any) -> None:
    assert entry_breaches("x", entry) == []
