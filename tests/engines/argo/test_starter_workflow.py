"""The starter's plan as a workflow, compared with what is checked in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pipelines.plans import Order, dags
from pipelines.starter import new_project

GOLDEN = Path(__file__).parents[2] / "golden" / "starter_argo.json"

pytest.importorskip("kedro_datasets", reason="needs the extra kedro-rats[starter]")
pytest.importorskip("sklearn", reason="needs the extra kedro-rats[starter]")

PROGRAM = """
import json, sys
from pathlib import Path
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from pipelines.plans import IMAGE, workflow
from pipelines.random_pipelines import parameter_datasets
from kedro_rats.placement.settings import Choice, Settings
from kedro_rats.plan import lower
from kedro_rats.plan.placing import SettingsPlacing
from kedro_rats.runners.project import of_context

bootstrap_project(Path.cwd())
with KedroSession.create() as session:
    context = session.load_context()
    view = of_context(context, session._hook_manager)
    images = {"default": IMAGE, "sklearn": {"ref": "registry.example/sklearn:1"}}
    profiles = {"image": images, "resources": {}, "policy": {}, "bind": {}}
    found = lower(
        pipelines["__default__"],
        catalog=view.entries,
        parameters=parameter_datasets(context.params),
        placing=SettingsPlacing(
            Settings(profiles=profiles, default=Choice(image="default"))
        ),
    )
with open(sys.argv[1], "w") as file:
    json.dump([workflow(found.plan), {t.name: t.after for t in found.plan}], file)
"""


def test_the_starters_workflow_is_the_one_that_is_checked_in(
    tmp_path: Path, update_golden: bool
) -> None:
    made = new_project(tmp_path)
    assert made.returncode == 0, made.stdout + made.stderr
    out = tmp_path / "workflow.json"
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(out)],
        cwd=tmp_path / "my-model",
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
            "MPLBACKEND": "agg",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    manifest, after = json.loads(out.read_text())
    text = json.dumps(manifest, indent=1) + "\n"
    if update_golden:
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text(), "write it with --update-golden"
    order = Order(manifest)
    assert sorted(order.tasks) == sorted(after)
    assert all(order.waits(one, other) for one in after for other in after[one])
    assert len(dags(manifest)) > 1
