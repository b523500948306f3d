"""The starter in a pod on a real cluster: without a network, the same numbers as here."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from cluster import argo

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cluster

METRICS = "data/08_reporting/test_metrics.json"
NEW = ["new", "--starter=rats", "--name=penguins", "--telemetry=no"]

# One thread on both sides: a sum in another order would be another float.
ENVIRONMENT = {"DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}

# A pod of the test cluster reaches nothing outside of it.
SCRIPT = f"""
set -eu
kedro {shlex.join(NEW)}
cd penguins
kedro run
kedro viz build --include-previews
test -s build/index.html
grep -q test.summary build/api/main
"""

MANIFEST = {
    "metadata": {"generateName": "starter-"},
    "spec": {
        "entrypoint": "run",
        "activeDeadlineSeconds": 240,
        "serviceAccountName": os.environ.get("ARGO_SERVICE_ACCOUNT", "default"),
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 8737,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "templates": [
            {
                "name": "run",
                "container": {
                    "image": os.environ.get("RATS_TEST_IMAGE", ""),
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["sh", "-c", SCRIPT],
                    "env": [{"name": k, "value": v} for k, v in ENVIRONMENT.items()],
                    "resources": {
                        "requests": {"cpu": "100m", "memory": "256Mi"},
                        "limits": {"memory": "2Gi"},
                    },
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "capabilities": {"drop": ["ALL"]},
                    },
                },
                "outputs": {
                    "parameters": [
                        {
                            "name": "metrics",
                            "valueFrom": {"path": f"/home/rats/penguins/{METRICS}"},
                        }
                    ]
                },
            }
        ],
    },
}


def test_without_a_network_a_pod_makes_runs_and_draws_what_this_machine_does(
    tmp_path: Path,
) -> None:
    kedro, here = os.environ["RATS_TEST_KEDRO"], tmp_path / "penguins"
    environment = {**os.environ, **ENVIRONMENT}

    for command, folder in (([kedro, *NEW], tmp_path), ([kedro, "run"], here)):
        subprocess.run(command, cwd=folder, env=environment, check=True, timeout=240)
    name = argo.submit(MANIFEST)
    status = argo.wait_for_end(name, seconds=300)

    (pod,) = status["nodes"].values()
    assert status["phase"] == "Succeeded", pod
    (metrics,) = pod["outputs"]["parameters"]
    expected = json.loads((here / METRICS).read_text())
    assert expected.keys() == {"auc", "accuracy"}
    assert json.loads(metrics["value"]) == expected
    argo.delete(name)
