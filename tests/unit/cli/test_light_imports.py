"""Every ``kedro`` command imports the plugin, so it must bring nothing heavy with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"hera", "numpy", "optuna", "pandas", "scipy", "sklearn"}


@pytest.mark.parametrize(
    "module", ["kedro_rats", "kedro_rats.cli", "kedro_rats.cli.starters"]
)
def test_import_brings_no_heavy_library(module: str) -> None:
    program = f"import sys, {module}; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert not HEAVY & set(done.stdout.split())


def test_the_entry_point_imports_no_command() -> None:
    program = "import sys, kedro_rats.cli; print(*sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    ours = {name for name in done.stdout.split() if name.startswith("kedro_rats")}
    assert ours == {"kedro_rats", "kedro_rats.cli"}


def test_kedro_help_imports_no_heavy_library_because_of_us() -> None:
    program = (
        "import sys\n"
        "from kedro.framework.cli.cli import main\n"
        "sys.argv = ['kedro', '--help']\n"
        "try:\n"
        "    main()\n"
        "finally:\n"
        "    print('MODULES', *sys.modules)\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    shown, _, modules = done.stdout.partition("MODULES")
    assert "rats" in shown
    assert not HEAVY & set(modules.split())
