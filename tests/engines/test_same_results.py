"""LocalRunner makes what SequentialRunner makes: random pipelines, and ones that learn."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from combinators import test_runners, toys, tune_toys
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pipelines.both_runners import Case, Made, by_kedro, by_us, with_settings
from pipelines.kept import assert_kept
from pipelines.prepared import isolated_runner
from pipelines.random_pipelines import DrawnPipeline, drawn_pipelines, some_pipelines
from pipelines.same import assert_identical, assert_same_learned

from kedro_rats import Estimator, LocalRunner
from kedro_rats.placement.settings import Grouping, Settings

if TYPE_CHECKING:
    from collections.abc import Callable

FEW = settings(
    max_examples=max(12, settings().max_examples // 4),
    suppress_health_check=[HealthCheck.too_slow],
)


def case_of(drawn: DrawnPipeline) -> Case:
    given = {
        name: value
        for name, value in drawn.parameters().items()
        if any(name in step.reads for step in drawn.steps)
    }
    return Case(drawn.pipeline(), drawn.catalog(), {**drawn.inputs(), **given})


def assert_same(ours: Made, theirs: Made) -> None:
    assert_kept(ours.outputs, theirs.outputs)
    assert_kept(ours.loaded, theirs.loaded)
    assert ours.files == theirs.files | {
        name: data for name, data in ours.files.items() if ".json/" in name
    }


@FEW
@given(drawn=drawn_pipelines(extra_kinds=("lambda", "generator")))
def test_random_pipelines_give_the_same_values_types_and_files(
    drawn: DrawnPipeline,
) -> None:
    case = case_of(drawn)
    assert_same(by_us(case, LocalRunner()), by_kedro(case))


@FEW
@given(
    drawn=drawn_pipelines(max_nodes=8, groups=False, memory=False),
    depth=st.integers(1, 2),
)
def test_random_pipelines_grouped_by_namespace_give_the_same(
    drawn: DrawnPipeline, depth: int
) -> None:
    case = case_of(drawn)
    grouping = Settings(grouping=Grouping(namespace_depth=depth))
    try:
        ours, _ = with_settings(case, grouping)
    except ValueError as error:
        # Namespaces of random pipelines need each other in turn, often.
        assert "since they are one task" in str(error)
        return
    assert_same(ours, by_kedro(case))


@pytest.mark.parametrize("position", range(2))
def test_random_pipelines_give_the_same_with_a_process_for_each_task(
    position: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(_import_paths()))
    small = [
        drawn
        for drawn in some_pipelines(40, max_nodes=5, extra_kinds=("lambda",))
        if len(drawn.steps) == 4
    ]
    case = case_of(small[position])
    assert_same(by_us(case, isolated_runner()), by_kedro(case))


def _import_paths() -> list[str]:
    return [path for path in sys.path if path]


@pytest.mark.parametrize(
    ("model", "data"),
    [
        (toys.nested, test_runners.DATA),
        (tune_toys.tuned, tune_toys.DATA),
        (lambda: tune_toys.judged(tune_toys.tuned(), name="outer"), tune_toys.DATA),
    ],
    ids=["cv in cv", "tune of cv", "cv of tune of cv"],
)
def test_resampling_and_searches_give_the_same_numbers(
    model: Callable[[], Estimator], data: Any, caplog: pytest.LogCaptureFixture
) -> None:
    tune_toys.quieten(caplog)
    pipeline = model().train
    case = Case(pipeline, {}, {name: data[name] for name in pipeline.inputs()})
    ours, theirs = by_us(case, LocalRunner()).outputs, by_kedro(case).outputs
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        if isinstance(value, np.ndarray) or hasattr(value, "iloc"):
            assert_identical(ours[name], value)
        elif hasattr(value, "get_params"):
            assert_same_learned(ours[name], value)
        else:
            assert type(ours[name]) is type(value), name
    assert any(name.endswith("scores") for name in theirs)
