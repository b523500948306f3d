"""LocalRunner as Kedro calls it: what it refuses, returns, raises and leaves behind."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from kedro.io import DataCatalog, DatasetError, MemoryDataset
from kedro.pipeline import Pipeline, node
from kedro.runner import SequentialRunner
from pipelines import engine_steps as steps
from pipelines.prepared import catalog_of, isolated_runner
from pipelines.random_pipelines import RowsFile

from kedro_rats import LocalRunner
from kedro_rats.engines.local import RunFailed
from kedro_rats.errors import DefinitionError, RatsError
from kedro_rats.runners.local import LocalOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = f"{RowsFile.__module__}.RowsFile"


def chain() -> Pipeline:
    return Pipeline(
        [
            node(steps.first, "x", "y", name="first"),
            node(steps.second, "y", ["z", "about"], name="second"),
            node(steps.third, ["z", "about"], "text", name="third"),
        ]
    )


def files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 2}, ["workers", "expected 1", "got 2", "ParallelRunner"]),
        ({"workers": 0}, ["workers", "got 0"]),
        ({"is_async": True}, ["is_async", "expected False", "--async"]),
    ],
)
def test_what_it_cannot_do_is_refused_plainly(
    options: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(RatsError) as refused:
        LocalRunner(**options)
    assert "\n" not in str(refused.value)
    for word in words:
        assert word in str(refused.value)


def test_one_worker_is_what_it_has() -> None:
    assert LocalRunner(workers=1, cache=False, keep_going=True, is_async=False)


def test_only_missing_outputs_is_refused(folder: Path) -> None:
    with pytest.raises(RatsError, match=r"--only-missing-outputs.*--from-run"):
        LocalRunner().run(chain(), catalog_of(x=[1]), only_missing_outputs=True)
    assert files(folder) == []


def test_it_returns_free_outputs_as_datasets(folder: Path) -> None:
    catalog = catalog_of(x=[1, 2])
    made = LocalRunner().run(chain(), catalog)
    expected = SequentialRunner().run(chain(), catalog_of(x=[1, 2]))
    assert made.keys() == expected.keys()
    assert made["text"].load() == expected["text"].load() == "10 of 2"
    assert made["text"].load() == "10 of 2"  # again
    assert catalog.load("text") == "10 of 2"


def test_an_empty_pipeline_makes_nothing(folder: Path) -> None:
    assert LocalRunner().run(Pipeline([]), DataCatalog()) == {}


@pytest.mark.parametrize("isolate", [False, True])
@pytest.mark.parametrize(
    ("pipeline", "words"),
    [
        (Pipeline([node(steps.first, "gone", "y", name="f")]), "'gone'"),
        (Pipeline([node(steps.first, "params:gone", "y", name="f")]), "params:gone"),
        (Pipeline([node(steps.first, "no_file", "y", name="f")]), "none there"),
        (Pipeline([node(steps.first, "no_version", "y", name="f")]), "none yet"),
    ],
)
def test_a_wrong_pipeline_changes_nothing(
    folder: Path, pipeline: Pipeline, words: str, isolate: bool
) -> None:
    config = {
        "no_file": {"type": ROWS, "filepath": "data/x.json"},
        "no_version": {"type": ROWS, "filepath": "data/v.json", "versioned": True},
    }
    runner = LocalRunner(_options=LocalOptions(isolate=isolate))
    with pytest.raises(DefinitionError, match=words):
        runner.run(pipeline, DataCatalog.from_config(config))
    assert files(folder) == []


@pytest.mark.parametrize("run_id", ["a/b", "../x", "", "x" * 200])
def test_a_run_of_an_impossible_name_changes_nothing(folder: Path, run_id: str) -> None:
    if not run_id:
        return
    with pytest.raises(DefinitionError, match="name of a run"):
        LocalRunner().run(chain(), catalog_of(x=[1]), run_id=run_id)
    assert files(folder) == []


@pytest.mark.parametrize(
    ("function", "raised"),
    [
        (steps.refuse, KeyError),
        (steps.raise_memory_error, MemoryError),
        (steps.full_disk, OSError),
        (steps.nothing, DatasetError),
    ],
)
def test_a_failing_node_raises_what_it_raises_with_kedro(
    folder: Path, function: Callable[..., Any], raised: type[Exception]
) -> None:
    pipeline = Pipeline([node(function, "x", "y", name="bad")])
    errors = []
    for runner in (SequentialRunner(), LocalRunner()):
        with pytest.raises(raised) as caught:
            runner.run(pipeline, catalog_of(x=[1]))
        errors.append(caught.value)
    assert type(errors[0]) is type(errors[1])
    assert errors[0].args == errors[1].args
    assert type(errors[0].__cause__) is type(errors[1].__cause__)


def test_isolated_a_failing_node_is_named_with_its_cause(folder: Path) -> None:
    pipeline = Pipeline([node(steps.refuse, "x", "y", name="bad")])
    with pytest.raises(RunFailed) as failed:
        isolated_runner().run(pipeline, catalog_of(x=[1]), run_id="r1")
    assert "Node 'bad' failed: KeyError: 'cannot use [1]'" in str(failed.value)
    assert "kedro rats run --resume r1" in str(failed.value)


def test_what_does_not_depend_on_a_failure_runs_if_asked(folder: Path) -> None:
    pipeline = Pipeline(
        [
            node(steps.refuse, "x", "a", name="a_bad"),
            node(steps.third, ["a", "a"], "b", name="after_bad"),
            node(steps.first, "x", "y", name="z_good"),
            node(steps.refuse, "y", "c", name="z_bad"),
        ]
    )
    with pytest.raises(RunFailed) as failed:
        LocalRunner(keep_going=True).run(pipeline, catalog_of(x=[1]), run_id="r1")
    assert [f.task.label for f in failed.value.failures] == ["a_bad", "z_bad"]
    assert steps.calls() == ["first"]
    record = json.loads((folder / ".rats/runs/r1/run.json").read_text())
    states = {task["label"]: task["state"] for task in record["tasks"].values()}
    assert states == {
        "a_bad": "failed",
        "after_bad": "not run",
        "z_good": "done",
        "z_bad": "failed",
    }


def test_two_runs_of_one_id_are_two_runs_with_versions_of_their_own(
    folder: Path,
) -> None:
    config = {"y": {"type": ROWS, "filepath": "data/y.json", "versioned": True}}
    pipeline = Pipeline([node(steps.first, "x", "y", name="first")])
    for value in (1, 5):
        catalog = DataCatalog.from_config(config)
        catalog["x"] = MemoryDataset([value])
        LocalRunner().run(pipeline, catalog, run_id="2026-11-21T10.00.00.000Z")
    versions = sorted(path.name for path in (folder / "data/y.json").iterdir())
    assert len(versions) == 2
    assert len(list((folder / ".rats/runs").iterdir())) == 2
    found = [
        json.loads((folder / "data/y.json" / version / "y.json").read_text())
        for version in versions
    ]
    assert found == [[2], [6]]


def test_an_interrupt_ends_the_run_and_is_noted(folder: Path) -> None:
    pipeline = Pipeline([node(_interrupt, "x", "y", name="long")])
    with pytest.raises(KeyboardInterrupt):
        LocalRunner().run(pipeline, catalog_of(x=[1]), run_id="r1")
    record = json.loads((folder / ".rats/runs/r1/run.json").read_text())
    (task,) = record["tasks"].values()
    assert [a["outcome"] for a in task["attempts"]] == ["interrupted"]
    assert not list((folder / ".rats/staging").iterdir())


def _interrupt(x: Any) -> None:
    raise KeyboardInterrupt
