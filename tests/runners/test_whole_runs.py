"""Runs as a whole: killed at any time and resumed; contexts; typed parameters."""

from __future__ import annotations

import os
import random
import signal
import subprocess
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from pipelines.project import QUIET, KedroProject

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

KEDRO = tuple(map(int, version("kedro").split(".")[:2]))
SOAK = os.environ.get("RATS_SOAK") == "1"

STEPS = """
    import os
    from pathlib import Path
    from kedro.pipeline import node

    def step(*values):
        return sum(values) % 1_000_003 * 7 + 1

    def last(*values):
        return list(values)

    PIPELINE = [
        node(step, ["params:x"], "s0", name="s0"),
        *[node(step, [f"s{i}", "params:x"], f"s{i + 1}", name=f"s{i + 1}") for i in range(8)],
        node(last, ["s3", "s8"], "total", name="total"),
    ]
    """
FILES = {
    "conf/logging.yml": QUIET,
    "nodes.py": STEPS,
    "conf/base/parameters.yml": "x: 11\n",
    "conf/base/catalog.yml": """
        s4: {type: json.JSONDataset, filepath: data/s4.json}
        total: {type: json.JSONDataset, filepath: data/total.json}
        """,
}


def outputs(project: KedroProject) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in (project.folder / "data").glob("*.json")}


@pytest.mark.parametrize("isolate", [False, True])
def test_a_run_that_is_killed_at_any_time_is_resumed_to_the_same_end(
    tmp_path: Path, isolate: bool
) -> None:
    pytest.importorskip("kedro_datasets.json")
    undisturbed = KedroProject.make(tmp_path / "calm", FILES)
    undisturbed.run().ok()
    chance = random.Random(7)  # noqa: S311 - any points will do
    options = ("--isolate",) if isolate else ()

    for attempt in range(20 if SOAK else 3):
        project = KedroProject.make(tmp_path / f"hit{attempt}", FILES)
        process = project.start("-m", "kedro", "rats", "run", *options)
        while process.poll() is None and not (project.store / "runs").exists():
            pass
        try:
            process.wait(timeout=chance.uniform(0.05, 1.5))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for run in project.runs():
            project.run("--resume", run, *options).ok()
            assert project.record(run)["state"] == "done"
        if not project.runs():
            project.run(*options).ok()

        assert outputs(project) == outputs(undisturbed)
        (run,) = project.runs()
        tasks = project.record(run)["tasks"].values()
        ended = [a for task in tasks for a in task["attempts"] if "outcome" in a]
        assert len([a for a in ended if a["outcome"] == "done"]) >= len(tasks) - 1


CONTEXT = """
    from pathlib import Path
    from kedro.framework.hooks import hook_impl

    class Keeps:
        @hook_impl
        def after_context_created(self, context):
            self.context = context

        @hook_impl
        def before_node_run(self, node):
            with Path("said").open("a") as file:
                said = self.context.params["x"], self.context.env, node.name
                file.write(f"{said}\\n")

    HOOKS = (Keeps(),)
    """


def test_a_hook_that_keeps_the_context_has_it_in_every_process(tmp_path: Path) -> None:
    files = {k: v for k, v in FILES.items() if "catalog" not in k}
    project = KedroProject.make(tmp_path / "shop", {**files, "settings.py": CONTEXT})
    said = project.folder / "said"

    project.kedro("run").ok()
    expected = said.read_text()
    said.unlink()
    project.run("--isolate").ok()

    assert sorted(said.read_text().splitlines()) == sorted(expected.splitlines())
    assert len(expected.splitlines()) == 10


TYPED = """
    from dataclasses import dataclass
    from kedro.pipeline import node

    @dataclass
    class Model:
        depth: int
        rate: float

    def use(model: Model, depth: int):
        return [type(model).__name__, model.depth * 2, model.rate, depth]

    PIPELINE = [node(use, ["params:model", "params:model.depth"], "total", name="use")]
    """


@pytest.mark.skipif(KEDRO < (1, 3), reason="Kedro 1.3 has typed parameters first")
@pytest.mark.parametrize("isolate", [False, True])
def test_typed_parameters_are_instances_in_every_process(
    tmp_path: Path, isolate: bool
) -> None:
    pytest.importorskip("kedro_datasets.json")
    files = {
        **FILES,
        "nodes.py": TYPED,
        "conf/base/parameters.yml": "model: {depth: 3, rate: 0.5}\n",
    }
    project = KedroProject.make(tmp_path / "shop", files)
    project.kedro("run").ok()
    expected = outputs(project)
    (project.folder / "data/total.json").unlink()

    project.run(*(("--isolate",) if isolate else ())).ok()

    assert outputs(project) == expected
    assert b"Model" in expected["total.json"]


def test_the_record_says_which_commit_it_was(tmp_path: Path) -> None:
    files = {k: v for k, v in FILES.items() if "catalog" not in k}
    project = KedroProject.make(tmp_path / "shop", files)

    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ["git", *who, *arguments],
            cwd=project.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    git("init", "--quiet")
    project.write(".gitignore", "__pycache__\n.rats\n.viz\n")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    project.run("--to-nodes", "s0").ok()
    assert project.record()["about"]["git"] == {
        "commit": git("rev-parse", "HEAD"),
        "changed": False,
    }

    project.write("conf/base/parameters.yml", "x: 12\n")
    project.run("--to-nodes", "s0").ok()
    assert project.record(project.runs()[-1])["about"]["git"]["changed"] is True
