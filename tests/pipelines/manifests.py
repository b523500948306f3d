"""Workflows with one of everything, for tests that only a real Argo can pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.plans import DIGEST, lanes, layers, plan_of, task, workflow

from kedro_rats.engines.argo.settings import ArgoSettings, ArtifactRepository

if TYPE_CHECKING:
    from collections.abc import Callable

    from kedro_rats.plan.model import Plan

Json = dict[str, Any]

FULL: Json = {
    "image": {
        "ref": "r.io/a@sha256:" + DIGEST,
        "pull": "Always",
        "pull_secrets": ["s"],
    },
    "resources": {
        "cpu": "500m",
        "memory": "2Gi",
        "disk": "10Gi",
        "gpu": {"count": 2, "resource": "amd.com/gpu"},
        "extended": {"example.com/fpga": 1},
        "limits": {"cpu": "2", "memory": "3Gi", "disk": "20Gi"},
        "node_selector": {"pool": "gpu"},
        "tolerations": [
            {
                "key": "k",
                "operator": "Equal",
                "value": "v",
                "effect": "NoExecute",
                "seconds": 60,
            }
        ],
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "labelSelector": {"matchLabels": {"app": "x"}},
                            "namespaceSelector": {},
                            "topologyKey": "kubernetes.io/hostname",
                        },
                    }
                ]
            }
        },
        "scheduler": "volcano",
        "queue": "ml",
        "priority": "high",
    },
    "policy": {
        "retries": 3,
        "backoff": {"delay": 10, "factor": 3, "max": 60},
        "timeout": 100,
        "deadline": 1000,
    },
    "bind": {
        "env": {
            "A": {"value": "1"},
            "B": {"secret": "s1", "key": "k1", "optional": True},
            "C": {"config_map": "c1", "key": "k2"},
        },
        "env_from": [
            {"secret": "s2", "prefix": "X_"},
            {"config_map": "c2", "optional": True},
        ],
        "mounts": {
            "/etc/s": {"secret": "s3", "items": {"f/g": "key"}, "mode": "0400"},
            "/etc/c": {"config_map": "c3", "optional": True},
            "/data": {"claim": "pvc", "sub_path": "a/b", "read_only": True},
            "/dev/shm": {"scratch": "1Gi", "medium": "memory"},  # noqa: S108
            "/scratch": {"scratch": "10Gi"},
        },
    },
}
"""A placement that asks for everything."""

LADDER: Json = {
    "resources": {"memory": "1Gi"},
    "policy": {"memory_ladder": ["2Gi", "4Gi"]},
}


def of_everything() -> Plan:
    """Return a plan in which a reader finds one of everything."""
    inside = {"namespace": "cv.fold_0"}
    metrics = {"type": "json.JSONDataset", "filepath": "s3://bucket/metrics.json"}
    return plan_of(
        [
            task("split", resources={"memory": "1Gi"}),
            task("fit", "split", **inside, **{**FULL, "policy": {"retries": 1}}),
            task("score", "fit", **inside, resources={"memory": "1Gi"}),
            task("report", "score", **LADDER, writes={"metrics": metrics}),
        ]
    )


MANIFESTS: dict[str, Callable[[], Json]] = {
    "one of everything": lambda: workflow(of_everything()),
    "a placement in full": lambda: workflow([task("one", **FULL)]),
    "settings in full": lambda: workflow(
        [task("one")],
        ArgoSettings(
            service_account="runner",
            parallelism=7,
            deadline=3600,
            keep=60,
            pods="on_end",
            priority=3,
            retries=0,
            artifacts=True,
            artifact_repository=ArtifactRepository(config_map="repos", key="mine"),
            run_as_user=None,
            api_token=True,
            labels={"team": "a"},
            annotations={"example.com/owner": "me@example.com"},
        ),
    ),
    "ladders": lambda: workflow([task(f"t{n}", **LADDER) for n in range(3)]),
    "bands": lambda: workflow(lanes(30, 10)),
    "namespaces": lambda: workflow(lanes(5, 5, namespaces=True)),
    "joins": lambda: workflow(layers(20, 3)),
    "what is left": lambda: workflow(lanes(3, 3), only=["l0-2", "l1-2", "sink"]),
}
