"""`kedro rats run` with its store on a real S3 server, from the wheel."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cluster

METRICS = "data/08_reporting/test_metrics.json"
# One thread: a sum in another order would be another float.
ENVIRONMENT = {"DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}


def kedro(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        [os.environ["RATS_TEST_KEDRO"], *arguments],
        cwd=cwd,
        env={**os.environ, **ENVIRONMENT},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_store_on_s3_gives_the_same_numbers_and_the_same_files(
    tmp_path: Path,
) -> None:
    kedro("new", "--starter=rats", "--name=penguins", "--telemetry=no", cwd=tmp_path)
    project = tmp_path / "penguins"
    kedro("run", cwd=project)
    expected = (project / METRICS).read_bytes()
    for path in (project / "data/08_reporting").iterdir():
        path.unlink()
    settings = project / "conf/local/rats.yml"
    prefix = f"tests/{uuid.uuid4().hex}"
    settings.write_text(f"store: s3://{os.environ['RATS_TEST_BUCKET']}/{prefix}\n")

    kedro("rats", "run", "--to-nodes", "clf.fit", "--isolate", cwd=project)
    (first,) = json.loads(kedro("rats", "runs", "-o", "json", cwd=project))
    kedro("rats", "run", "--from-run", first["run"], cwd=project)

    assert (project / METRICS).read_bytes() == expected
    assert [
        r["state"] for r in json.loads(kedro("rats", "runs", "-o", "json", cwd=project))
    ] == ["done", "done"]
    kedro("rats", "get", "test.p", "--to", "p", cwd=project)
    assert (project / "p/data.npy").read_bytes().startswith(b"\x93NUMPY")
    assert not (project / ".rats").exists()
