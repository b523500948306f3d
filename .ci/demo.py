"""Makes a project from the starter in a fresh environment, runs it, shows its metrics.

Called by ``make demo`` with the Python that ``uv`` is installed for.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "build" / "demo"
UV = str(Path(sys.executable).parent / "uv")
LOCK = ROOT / "requirements.lock"
BIN = DEMO / "venv" / ("Scripts" if os.name == "nt" else "bin")

LOCKED_BUILD = ("--build-constraint", LOCK)
INTO_DEMO = ("--python", BIN / "python", "--constraint", LOCK)


def main() -> None:
    """Run the steps that a newcomer would type, and time them."""
    begun = time.monotonic()
    shutil.rmtree(DEMO, ignore_errors=True)

    step("building the wheel")
    run(UV, "build", "--quiet", "--wheel", *LOCKED_BUILD, "--out-dir", DEMO / "dist")
    wheel = next((DEMO / "dist").glob("*.whl"))

    step("installing it with the extra 'starter' in a new environment")
    run(UV, "venv", "--quiet", "--python", sys.executable, DEMO / "venv")
    run(UV, "pip", "install", "--quiet", *INTO_DEMO, f"{wheel}[starter]")

    step("kedro new --starter=rats --name=penguins")
    starter = ("--starter=rats", "--name=penguins", "--telemetry=no")
    run(BIN / "kedro", "new", *starter, cwd=DEMO)
    project = DEMO / "penguins"

    step("kedro run")
    run(BIN / "kedro", "run", cwd=project)

    show_metrics(project)
    print(f"\nFrom nothing to metrics in {time.monotonic() - begun:.0f} s.")
    show_where_to_look(project)


def step(what: str) -> None:
    """Say what is being done."""
    print(f"--- {what}", flush=True)


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a program; if it fails, so does the demo."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, check=False)
    if done.returncode:
        sys.exit(f"demo: {Path(command[0]).name} failed with code {done.returncode}")


def show_metrics(project: Path) -> None:
    """Print every metric that the run wrote, one a line."""
    print("\nmetrics on held-out rows")
    for path in sorted(project.glob("data/08_reporting/*metrics*.json")):
        for metric, values in json.loads(path.read_text()).items():
            print(f"  {metric:<12} {values['mean']:.4f}")


def show_where_to_look(project: Path) -> None:
    """Print the files that the run wrote, and the next command."""
    here = project.relative_to(ROOT)
    print("\nLook at")
    for path in sorted(project.glob("data/0[678]_*/*")):
        if path.suffix:
            print(f"  {path.relative_to(ROOT)}")
    print(
        f"\nSee the pipeline:  cd {here} && {os.path.relpath(BIN, project)}/kedro viz run"
    )


if __name__ == "__main__":
    main()
