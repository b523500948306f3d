"""How long until a node's first line: a task's own process against `kedro run --nodes`.

    python tests/bench/bench_exec.py

Both start in the same project, with 10 and with 10,000 nodes, and with a hook that waits
for Kedro's context. CPU seconds and wall time, from the start of the process to the first
line of the node; medians, interleaved.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPEATS = 7
PACKAGE = "bench_project"

FILES = {
    "pyproject.toml": f"""
[tool.kedro]
package_name = "{PACKAGE}"
project_name = "bench"
kedro_init_version = "1.0.0"
source_dir = "src"
""",
    f"src/{PACKAGE}/__init__.py": "",
    f"src/{PACKAGE}/settings.py": "",
    f"src/{PACKAGE}/nodes.py": """
import os, sys, time

def first(x):
    with open(os.environ["BENCH_OUT"], "w") as file:
        file.write(f"{time.process_time()} {time.monotonic()}")
    return x

def same(x):
    return x
""",
    f"src/{PACKAGE}/pipeline_registry.py": """
from kedro.pipeline import Pipeline, node
from bench_project.nodes import first, same

def register_pipelines():
    lanes = 10
    nodes = [node(first, "x0", "y0", name="first")]
    for lane in range(lanes):
        for step in range(SIZE // lanes):
            if lane or step:
                source = f"l{lane}_{step - 1}" if step > 1 or (lane and step) else "x0"
                nodes.append(node(same, source, f"l{lane}_{step}", name=f"n{lane}_{step}"))
    return {"__default__": Pipeline(nodes)}
""",
    "conf/base/catalog.yml": """
x0:
  type: kedro_bench_dataset.Text
  filepath: x.txt
""",
    "conf/local/.gitkeep": "",
    "x.txt": "1",
    "src/kedro_bench_dataset.py": """
from pathlib import Path
from kedro.io import AbstractDataset

class Text(AbstractDataset):
    def __init__(self, *, filepath, metadata=None):
        self._filepath = filepath
    def load(self):
        return Path(self._filepath).read_text()
    def save(self, data):
        Path(self._filepath).write_text(data)
    def _describe(self):
        return {}
""",
}
HOOK = """
from kedro.framework.hooks import hook_impl

class Waits:
    @hook_impl
    def after_context_created(self, context):
        self.context = context

    @hook_impl
    def before_node_run(self, node):
        pass

HOOKS = (Waits(),)
"""
PREPARE = """
import sys, logging
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.framework.project import pipelines
from kedro_rats.runners.preparing import Asked, prepare
from kedro_rats.runners.project import of_context

bootstrap_project(Path.cwd())
session = KedroSession.create(Path.cwd())
context = session.load_context()
view = of_context(context, session._hook_manager)
prepared = prepare(pipelines["__default__"], view, parameters={}, asked=Asked(run=sys.argv[1]))
task = next(t.name for t in prepared.lowered.plan if t.nodes[0].name == "first")
print(prepared.request.digest, task)
"""


def project(folder: Path, size: int, *, hook: bool) -> Path:
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("SIZE", str(size)))
    if hook:
        (folder / f"src/{PACKAGE}/settings.py").write_text(HOOK)
    return folder


def measured(command: list[str], folder: Path) -> tuple[float, float]:
    out = folder / "out.txt"
    env = {**os.environ, "BENCH_OUT": str(out), "DO_NOT_TRACK": "1"}
    start = time.monotonic()
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    cpu, now = map(float, out.read_text().split())
    return cpu, now - start


def compare(size: int, *, hook: bool) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as made:
        folder = project(Path(made), size, hook=hook)
        kedro = [sys.executable, "-m", "kedro", "run", "--nodes", "first"]
        ours: list[tuple[float, float]] = []
        peer: list[tuple[float, float]] = []
        for repeat in range(REPEATS + 1):
            prepare = [sys.executable, "-c", PREPARE, f"run{repeat}"]
            env = {**os.environ, "DO_NOT_TRACK": "1"}
            said = subprocess.run(
                prepare, cwd=folder, env=env, check=True, capture_output=True, text=True
            )
            request, task = said.stdout.split()[-2:]
            task_process = [
                *(sys.executable, "-m", "kedro_rats.engines.execution"),
                *("--store", ".rats", "--request", request, "--task", task),
            ]
            both = measured(task_process, folder), measured(kedro, folder)
            if repeat:  # the first fills caches
                ours.append(both[0])
                peer.append(both[1])
    found: dict[str, object] = {"nodes": size, "context_hook": hook}
    for place, unit in enumerate(("cpu", "wall")):
        mine = statistics.median(sample[place] for sample in ours)
        theirs = statistics.median(sample[place] for sample in peer)
        found[unit] = {
            "task_s": round(mine, 3),
            "kedro_run_s": round(theirs, 3),
            "ratio": round(mine / theirs, 3),
        }
    return found


if __name__ == "__main__":
    for size, hook in ((10, False), (10_000, False), (10, True)):
        print(json.dumps(compare(size, hook=hook)))
