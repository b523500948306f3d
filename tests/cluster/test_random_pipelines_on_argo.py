"""Random pipelines on the cluster make what the local engine and Kedro itself make."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cluster import harness
from cluster.committed import Run, assert_committed_once
from pipelines import random_pipelines
from pipelines.both_runners import Case, by_kedro
from pipelines.kept import assert_kept
from pipelines.random_pipelines import DrawnPipeline, Step, some_pipelines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

pytestmark = pytest.mark.cluster

COUNT = 25
NAMES = [f"p{i:02}" for i in range(COUNT)]

# All are submitted by one process, each in a session of its own as `kedro run` has it.
DRIVER = """
import json, os, sys, warnings
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro_rats import ArgoRunner, LocalRunner

warnings.simplefilter("ignore")
env, names = sys.argv[1] or None, sys.argv[2:]
project = bootstrap_project(Path.cwd()).project_path
runs = {}
for name in names:
    with KedroSession.create(project, env=env) as session:
        runner = ArgoRunner(wait=False) if env else LocalRunner()
        session.run(pipeline_names=[name], runner=runner)
        runs[name] = session.session_id
print("RUNS", json.dumps(runs))
"""
REGISTRY = """
import json
from pathlib import Path
from randoms.steps import DrawnPipeline


def register_pipelines():
    drawn = json.loads((Path(__file__).parent / "drawn.json").read_text())
    return {n: DrawnPipeline.from_json(value).pipeline() for n, value in drawn.items()}
"""


def drawn_pipelines() -> dict[str, DrawnPipeline]:
    """Return different pipelines of four nodes or more, always the same ones."""
    many = some_pipelines(90, max_nodes=6, extra_kinds=("lambda", "generator"))
    different = {json.dumps(each.to_json()): each for each in many}
    large = [each for each in different.values() if len(each.steps) >= 4]
    chosen = large[:: max(1, len(large) // COUNT)][:COUNT]
    return {
        name: _renamed(each, name) for name, each in zip(NAMES, chosen, strict=True)
    }


def _renamed(drawn: DrawnPipeline, suffix: str) -> DrawnPipeline:
    """Give its datasets names of their own: all pipelines share one catalog."""
    made = {name.partition("@")[0] for step in drawn.steps for name in step.makes}

    def new(names: Sequence[str]) -> tuple[str, ...]:
        return tuple(
            f"{base}_{suffix}{at}{kind}" if base in made else name
            for name in names
            for base, at, kind in [name.partition("@")]
        )

    def step(old: Step) -> Step:
        return replace(old, reads=new(old.reads), makes=new(old.makes))

    return DrawnPipeline(
        steps=tuple(map(step, drawn.steps)),
        files=new(drawn.files),
        memory=new(drawn.memory),
        versioned=new(drawn.versioned),
    )


def steps_module() -> str:
    """Return the part of the module that nodes need: pods have no Hypothesis."""
    text = inspect.getsource(random_pipelines)
    kept, mark, _ = text.partition("# --- drawing them")
    needless = "from hypothesis import strategies as st\n"
    assert mark
    assert needless in kept
    return kept.replace(needless, "")


def write_project(folder: Path, drawn: dict[str, DrawnPipeline]) -> harness.Project:
    project = harness.Project(folder / "randoms")
    package = project.path / "src/randoms"
    for each in (package, project.path / "conf/base", project.path / "data"):
        each.mkdir(parents=True)
    (project.path / "conf/local").mkdir()
    (project.path / "pyproject.toml").write_text(
        '[tool.kedro]\npackage_name = "randoms"\nproject_name = "randoms"\n'
        'kedro_init_version = "1.0.0"\nsource_dir = "src"\n'
    )
    for name in ("__init__.py", "settings.py"):
        (package / name).write_text("")
    (package / "steps.py").write_text(steps_module())
    (package / "pipeline_registry.py").write_text(REGISTRY)
    as_json = {name: each.to_json() for name, each in drawn.items()}
    (package / "drawn.json").write_text(json.dumps(as_json))
    conf = project.path / "conf/base"
    (conf / "parameters.yml").write_text(json.dumps(random_pipelines.PARAMETERS))
    (conf / "catalog.yml").write_text(json.dumps(_catalog(drawn, "data")))
    for each in drawn.values():
        for name, rows in each.inputs().items():
            (project.path / f"data/{name}.json").write_text(json.dumps(rows))
    return project


def _catalog(drawn: dict[str, DrawnPipeline], folder: str) -> dict[str, Any]:
    kind = "randoms.steps.RowsFile"
    made = {
        name: entry
        for each in drawn.values()
        for name, entry in each.catalog(folder).items()
    }
    for entry in made.values():
        if entry["type"] != "MemoryDataset":
            entry["type"] = kind
    inputs = {n for each in drawn.values() for n in each.inputs()}
    given = {n: {"type": kind, "filepath": f"data/{n}.json"} for n in inputs}
    return {**made, **given}


@dataclass(frozen=True)
class Ran:
    """All pipelines, and the runs of each on the laptop and on the cluster."""

    project: harness.Project
    drawn: dict[str, DrawnPipeline]
    here: dict[str, str]
    there: dict[str, str]


@pytest.fixture(scope="module")
def ran(
    tmp_path_factory: pytest.TempPathFactory,
    cleaned: Callable[[harness.Project], harness.Project],
) -> Ran:
    drawn = drawn_pipelines()
    project = cleaned(write_project(tmp_path_factory.mktemp("p"), drawn))
    project.configure(resources={"tiny": {"cpu": "100m", "memory": "256Mi"}})
    places = _catalog(drawn, f"s3://{project.prefix}/data")
    places = {n: e for n, e in places.items() if e.get("filepath", "").startswith("s3")}
    (project.path / "conf/cluster/catalog.yml").write_text(json.dumps(places))
    there = _driven(project, harness.ENV)
    here = _driven(project, "")
    names = {
        each["metadata"]["labels"]["rats.kedro/run"]: each["metadata"]["name"]
        for each in project.workflows()
    }
    for run in there.values():
        harness.succeeded(names[run], seconds=300)
    return Ran(project, drawn, here, there)


def _driven(project: harness.Project, env: str) -> dict[str, str]:

    python = Path(os.environ["RATS_TEST_KEDRO"]).parent / "python"
    done = subprocess.run(
        [str(python), "-c", DRIVER, env, *NAMES],
        cwd=project.path,
        env={**os.environ, **harness.VARIABLES},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (line,) = [li for li in done.stdout.splitlines() if li.startswith("RUNS ")]
    return dict(json.loads(line.removeprefix("RUNS ")))


def test_the_pipelines_have_all_that_a_pipeline_can_have(ran: Ran) -> None:
    steps = [step for each in ran.drawn.values() for step in each.steps]
    kinds = {step.kind for step in steps}
    tags = {tag.partition(".")[0] for step in steps for tag in step.tags}

    assert kinds >= {"function", "keyword", "method", "partial", "take", "gather"}
    assert kinds >= {"lambda", "generator"}
    assert tags == {"group", "rats"}
    assert any(each.memory for each in ran.drawn.values())
    assert any(each.versioned for each in ran.drawn.values())
    assert any("@list" in name for each in ran.drawn.values() for name in each.files)
    assert len(ran.drawn) == COUNT


@pytest.mark.parametrize("name", NAMES)
def test_a_random_pipeline_makes_the_same_on_the_cluster(ran: Ran, name: str) -> None:
    there = Run.of(ran.project, ran.there[name])
    here = Run.of(ran.project, ran.here[name], store=str(ran.project.path / ".rats"))

    assert_committed_once(there)
    assert there.artifacts() == here.artifacts()
    drawn = ran.drawn[name]
    given = {n: v for n, v in drawn.parameters().items() if n in _read(drawn)}
    case = Case(drawn.pipeline(), drawn.catalog(), {**drawn.inputs(), **given})
    made = by_kedro(case)
    outputs = {n: there.value(n) for n in made.outputs}
    assert_kept(outputs, made.outputs)
    for path, content in made.files.items():
        if ".json/" not in path:
            assert harness.published(ran.project, path) == content


def _read(drawn: DrawnPipeline) -> set[str]:
    return {name for step in drawn.steps for name in step.reads}
