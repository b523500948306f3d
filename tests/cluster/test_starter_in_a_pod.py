"""The starter's project in a pod on a real cluster: the same numbers as here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from cluster import argo

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.cluster

METRICS = "data/08_reporting/test_metrics.json"

# One thread on both sides: a sum in another order would be another float.
ENVIRONMENT = {"DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}

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
                    "command": ["sh", "-c", f"kedro run && cat {METRICS}"],
                    "env": [{"name": k, "value": v} for k, v in ENVIRONMENT.items()],
                    "resources": {
                        "requests": {"cpu": "100m", "memory": "256Mi"},
                        "limits": {"memory": "1Gi"},
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


def test_a_pod_gives_the_metrics_of_this_machine_bit_for_bit(tmp_path: Path) -> None:
    here = tmp_path / "penguins"
    shutil.copytree(os.environ["RATS_TEST_PROJECT"], here)

    subprocess.run(
        [os.environ["RATS_TEST_KEDRO"], "run"],
        cwd=here,
        env={**os.environ, **ENVIRONMENT},
        check=True,
        timeout=240,
    )
    name = argo.submit(MANIFEST)
    status = argo.wait_for_end(name, seconds=300)

    (pod,) = status["nodes"].values()
    assert status["phase"] == "Succeeded", pod
    (metrics,) = pod["outputs"]["parameters"]
    expected = json.loads((here / METRICS).read_text())
    assert expected.keys() == {"auc", "accuracy"}
    assert json.loads(metrics["value"]) == expected
    argo.delete(name)
