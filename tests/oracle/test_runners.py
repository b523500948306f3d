"""Kedro's own runners, in their own processes, give the same numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pipelines.running import train_then_eval
from pipelines.slr import estimator_and_data, numbers_of

TESTS = Path(__file__).parents[1]
PARALLEL = ["fork", "spawn"]


def numbers_of_parallel_runner(start_method: str) -> dict[str, list[str]]:
    """Return what a process prints that trains and evaluates in several processes."""
    path = os.pathsep.join([str(TESTS), *(entry for entry in sys.path if entry)])
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.slr", "ParallelRunner"],
        env={**os.environ, "PYTHONPATH": path, "KEDRO_MP_CONTEXT": start_method},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def sequential() -> dict[str, list[str]]:
    return numbers_of("SequentialRunner")


def test_files_between_the_nodes_change_no_number(
    sequential: dict[str, list[str]],
) -> None:
    slr, train, held_out = estimator_and_data()

    trained, evaluated = train_then_eval(slr, train, held_out)

    assert sequential["d"] == [value.hex() for value in trained["d"].tolist()]
    assert sequential["test.d"] == [value.hex() for value in evaluated["d"].tolist()]


def test_threads_give_the_same_numbers(sequential: dict[str, list[str]]) -> None:
    assert numbers_of("ThreadRunner") == sequential


@pytest.mark.parametrize("start_method", PARALLEL)
def test_processes_give_the_same_numbers(
    start_method: str, sequential: dict[str, list[str]]
) -> None:
    assert numbers_of_parallel_runner(start_method) == sequential
