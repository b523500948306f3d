"""What a task's process does in a container: results to show, last words, a home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline, node
from pipelines import engine_steps as steps
from pipelines.plans import task
from pipelines.prepared import prepared
from pipelines.project import task_command
from pipelines.random_pipelines import RowsFile, mix

from kedro_rats.encoding.canonical import digest
from kedro_rats.engines.execution import results
from kedro_rats.engines.execution.exit_codes import ExitCode
from kedro_rats.store.artifacts import DATASET, Artifact, File
from kedro_rats.store.opening import open_store
from kedro_rats.store.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kedro_rats.store.base import Store


def process(
    function: Callable[..., Any], **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a task of one node, which makes a file, with variables as in a container."""
    catalog = DataCatalog(
        {"x": MemoryDataset([1, 2, 3]), "rows": RowsFile(filepath="out/rows.json")}
    )
    made = prepared(Pipeline([node(function, "x", "rows", name="only")]), catalog)
    (only,) = made.lowered.plan
    command = task_command(made.store.uri, made.request.digest, only.name)
    return subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


# --- last words -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "code", "words"),
    [
        (steps.raise_memory_error, ExitCode.OUT_OF_MEMORY, "out-of-memory"),
        (steps.refuse, ExitCode.USER_ERROR, "user-error"),
        (mix, ExitCode.DONE, None),
    ],
)
def test_a_container_says_why_it_ended_and_nothing_else(
    function: Any, code: int, words: str | None, folder: Path
) -> None:
    path = folder / "last"
    done = process(function, KEDRO_RATS_LAST_WORDS=str(path))
    assert done.returncode == code, done.stderr
    assert (path.read_text() if path.exists() else None) == words


def test_words_that_nobody_can_read_are_no_failure(folder: Path) -> None:
    done = process(steps.refuse, KEDRO_RATS_LAST_WORDS=str(folder / "no" / "such"))
    assert done.returncode == ExitCode.USER_ERROR


# --- home -------------------------------------------------------------------------------


def test_a_home_that_cannot_be_written_is_replaced(folder: Path) -> None:
    gone = folder / "nowhere"
    words = str(folder / "last")
    done = process(steps.write_at_home, HOME=str(gone), KEDRO_RATS_LAST_WORDS=words)
    assert done.returncode == 0, done.stderr
    assert not gone.exists()


def test_a_home_that_can_be_written_is_kept(folder: Path) -> None:
    words = str(folder / "last")
    done = process(steps.write_at_home, HOME=str(folder), KEDRO_RATS_LAST_WORDS=words)
    assert done.returncode == 0, done.stderr
    assert (folder / "a").exists()


def test_outside_of_a_container_the_home_is_the_users_own(folder: Path) -> None:
    done = process(steps.write_at_home, HOME=str(folder / "nowhere"))
    assert done.returncode == ExitCode.USER_ERROR


# --- results ----------------------------------------------------------------------------


def test_small_results_are_copied_where_they_are_asked_for(folder: Path) -> None:
    done = process(mix, KEDRO_RATS_RESULTS=str(folder / "results"))
    assert done.returncode == 0, done.stderr
    shown = folder / "results" / "rows" / "rows.json"
    assert shown.read_bytes() == (folder / "out" / "rows.json").read_bytes()
    assert json.loads(shown.read_text())


def test_without_the_variable_nothing_is_copied(folder: Path) -> None:
    assert process(mix).returncode == 0
    assert not (folder / "results").exists()


def test_a_task_whose_results_cannot_be_shown_is_done_nevertheless(
    folder: Path,
) -> None:
    (folder / "results").write_text("in the way")
    done = process(mix, KEDRO_RATS_RESULTS=str(folder / "results"))
    assert done.returncode == 0, done.stderr
    assert "cannot be shown" in done.stderr


@pytest.fixture
def store(folder: Path) -> Store:
    return open_store("store", base=folder)


def shown(
    store: Store, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, **more: Any
) -> list[str]:
    """Return what is shown of a dataset ``out.put/x`` that consists of some files."""
    monkeypatch.setenv(results.VARIABLE, "shown")
    made = tuple(File(n, store.put(data), len(data)) for n, data in files.items())
    kind = more.get("format", DATASET)
    record = Record(
        run="r1",
        task="one-000000",
        plan=digest(b""),
        attempt="a",
        inputs={},
        outputs={"out.put/x": Artifact(kind, made)},
        started="2026-11-21T00:00:00+00:00",
        finished="2026-11-21T00:00:00+00:00",
        host="here",
        versions={},
    )
    entry = more.get("entry", {"type": "x"})
    one = task("one-000000", writes={"out.put/x": entry})
    return results.show_results(one, record, store)


def test_only_what_a_browser_shows_is_copied(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"a.json": b"{}", "b.pkl": b"x", "c/d.PNG": b"p", "e.parquet": b"x"}
    found = shown(store, files, monkeypatch)
    assert found == ["out.put_x/a.json", "out.put_x/c/d.PNG"]
    assert (folder / "shown" / "out.put_x" / "c" / "d.PNG").read_bytes() == b"p"


def test_what_is_large_is_not_copied(
    store: Store, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "LARGEST", 10)
    monkeypatch.setattr(results, "MOST", 25)
    files = {
        f"{name}.txt": b"x" * size
        for name, size in zip("abcd", (10, 11, 10, 6), strict=True)
    }
    assert shown(store, files, monkeypatch) == ["out.put_x/a.txt", "out.put_x/c.txt"]


@pytest.mark.parametrize("more", [{"entry": None}, {"format": "json"}])
def test_what_the_catalog_gives_no_place_is_not_copied(
    more: dict[str, Any],
    store: Store,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert shown(store, {"a.json": b"{}"}, monkeypatch, **more) == []
