"""The package itself: every ``kedro`` command imports it, so it imports nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

import kedro_rats

FOREIGN = {"kedro", "numpy", "pandas", "scipy", "sklearn", "optuna", "hera", "polars"}


def test_importing_it_imports_no_other_library() -> None:
    program = "import sys, kedro_rats; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert not FOREIGN & set(done.stdout.split())


def test_a_transformer_of_a_function_needs_neither_scikit_learn_nor_pandas() -> None:
    program = (
        "import sys\n"
        "from kedro_rats import estimator, metric, train_only, transformer\n"
        "part = transformer(len, inputs='a', outputs='b', name='n')\n"
        "metric(max, inputs='b')\n"
        "(part + part).eval_on('test')\n"
        "print(*sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert not {"pandas", "sklearn", "optuna", "hera"} & set(done.stdout.split())


@pytest.mark.parametrize("name", kedro_rats.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    public = getattr(kedro_rats, name)

    assert public.__doc__
    assert name in dir(kedro_rats)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="cross_validat_"):
        kedro_rats.cross_validat_  # noqa: B018
