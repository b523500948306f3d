"""What the plugin costs every ``kedro`` command, and ``import kedro_rats``.

Two environments are equal but for the plugin, which is installed as a wheel in one of
them. The commands are run in turns (A B A B …), so that what else the machine does falls
on both, and compared by their medians. Usage: ``python tests/bench/bench_cli.py``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
WORK = ROOT / "build" / "bench"
UV = str(Path(sys.executable).parent / "uv")
REPEATS = 15


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock and on the processors, for one run of a command."""

    wall: float
    cpu: float


def main() -> None:
    with_plugin, without = environment("with"), environment("without")
    wheel = build_wheel()
    install(with_plugin, str(wheel))

    title = f"seconds, median of {REPEATS}"
    print(f"{title:<34}{'without':>9}{'with':>9}{'more':>9}{'ratio':>8}")
    compare(
        "kedro --help", [without / "kedro", "--help"], [with_plugin / "kedro", "--help"]
    )
    python = with_plugin / "python"
    compare(
        "import kedro_rats",
        [python, "-c", "pass"],
        [python, "-c", "import kedro_rats"],
    )


def environment(name: str) -> Path:
    """Make an environment with the locked Kedro and return its folder of programs."""
    folder = WORK / name
    uv("venv", "--clear", "--python", sys.executable, folder)
    programs = folder / "bin"
    install(programs, "kedro")
    return programs


def install(programs: Path, requirement: str) -> None:
    python = ("--python", programs / "python")
    uv(
        "pip",
        "install",
        "--compile-bytecode",
        "--constraint",
        LOCK,
        *python,
        requirement,
    )


def build_wheel() -> Path:
    dist = WORK / "dist"
    uv("build", "--wheel", "--clear", "--build-constraint", LOCK, "--out-dir", dist)
    return next(dist.glob("*.whl"))


def uv(*arguments: str | Path) -> None:
    subprocess.run([UV, "--quiet", *map(str, arguments)], cwd=ROOT, check=True)


def compare(what: str, without: list[str | Path], with_it: list[str | Path]) -> None:
    """Run two commands in turns and print a line for the clock and one for the CPU."""
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    for command in (without, with_it):
        measure(command)  # once to warm the file cache
    for _ in range(REPEATS):
        for found, command in zip(costs, (without, with_it), strict=True):
            found.append(measure(command))
    for kind in ("wall", "cpu"):
        one, other = (
            statistics.median(getattr(cost, kind) for cost in found) for found in costs
        )
        label = f"{what} ({kind})"
        print(f"{label:<34}{one:9.3f}{other:9.3f}{other - one:9.3f}{other / one:8.2f}")


def measure(command: list[str | Path]) -> Cost:
    before, begun = os.times(), time.perf_counter()
    subprocess.run(
        [str(part) for part in command],
        cwd=WORK,
        env={**os.environ, "DO_NOT_TRACK": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    wall, after = time.perf_counter() - begun, os.times()
    used = after.children_user + after.children_system
    return Cost(wall, used - before.children_user - before.children_system)


if __name__ == "__main__":
    main()
