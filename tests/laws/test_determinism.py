"""Law 7: one definition gives the same nodes in every process and hash seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from pipelines.chains import as_data, build_chain
from pipelines.described import described
from pipelines.strategies import chains

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.chains import Step

TESTS = Path(__file__).parents[1]
HASH_SEEDS = ("0", "1", "2")


def described_elsewhere(hash_seed: str, many: Sequence[list[Step]]) -> list[Any]:
    """Return what another process makes of the chains."""
    path = os.pathsep.join([str(TESTS), *(entry for entry in sys.path if entry)])
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.chains"],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path},
        input=json.dumps([as_data(steps) for steps in many]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def some_chains(count: int) -> list[list[Step]]:
    """Return random chains in one batch, since another process costs a second."""
    many: list[list[Step]] = []

    @settings(max_examples=count, derandomize=True, database=None)
    @given(steps=chains(min_size=2))
    def collect(steps: list[Step]) -> None:
        many.append(steps)

    collect()
    return many


def test_nodes_are_the_same_in_three_hash_seeds_and_processes() -> None:
    many = some_chains(40)
    here = [described(build_chain(steps)) for steps in many]

    elsewhere = {seed: described_elsewhere(seed, many) for seed in HASH_SEEDS}

    assert elsewhere == dict.fromkeys(HASH_SEEDS, here)


@given(steps=chains())
def test_a_definition_made_twice_gives_the_same_nodes(steps: list[Step]) -> None:
    first, second = build_chain(steps), build_chain(steps)

    assert described(first) == described(second)


@given(steps=chains())
def test_a_chain_and_its_copy_are_the_same_to_plus(steps: list[Step]) -> None:
    first, second = build_chain(steps), build_chain(steps)

    assert described(first + second) == described(first)
