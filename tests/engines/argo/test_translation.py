"""What a plan asks for, in the workflow: nothing lost, nothing added, nothing evaluated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pipelines.manifests import FULL, of_everything
from pipelines.plans import (
    DIGEST,
    SUBMISSION,
    dags,
    plan_of,
    pods,
    task,
    templates,
    texts,
    told,
    workflow,
)

from kedro_rats.engines.argo.settings import ArgoSettings, ArtifactRepository
from kedro_rats.engines.argo.translation.characters import HARMLESS, TASK_INPUT
from kedro_rats.engines.argo.translation.ladders import EXPRESSIONS
from kedro_rats.engines.argo.translation.retrying import EXPRESSION
from kedro_rats.engines.argo.translation.workflow import translate
from kedro_rats.errors import DefinitionError

if TYPE_CHECKING:
    from kedro_rats.plan.model import Task

GOLDEN = Path(__file__).parents[2] / "golden" / "argo_workflow.json"


def pod(settings: ArgoSettings | None = None, **placement: Any) -> dict[str, Any]:
    """Return the template of the pod of a plan with one task."""
    (found,) = pods(workflow([task("one", **placement)], settings))
    return found


# --- placements -------------------------------------------------------------------------


def test_everything_of_a_placement_is_in_the_pod() -> None:
    found = pod(**FULL)
    container = found["container"]
    assert container["image"] == FULL["image"]["ref"]
    assert container["imagePullPolicy"] == "Always"
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "2Gi", "ephemeral-storage": "10Gi"},
        "limits": {
            "cpu": "2",
            "memory": "3Gi",
            "ephemeral-storage": "20Gi",
            "amd.com/gpu": "2",
            "example.com/fpga": "1",
        },
    }
    assert found["nodeSelector"] == {"pool": "gpu"}
    assert found["tolerations"] == [
        {
            "key": "k",
            "operator": "Equal",
            "value": "v",
            "effect": "NoExecute",
            "tolerationSeconds": 60,
        }
    ]
    assert found["affinity"] == FULL["resources"]["affinity"]
    assert found["schedulerName"] == "volcano"
    assert found["priorityClassName"] == "high"
    assert found["metadata"]["labels"] == {
        "kueue.x-k8s.io/queue-name": "ml",
        "rats.kedro/task": TASK_INPUT,
    }
    assert found["activeDeadlineSeconds"] == 100
    assert found["retryStrategy"] == {
        "limit": "3",
        "retryPolicy": "Always",
        "expression": EXPRESSION,
        "backoff": {
            "duration": "10",
            "factor": "3",
            "cap": "60",
            "maxDuration": "1000",
        },
    }


def test_variables_and_volumes_are_bound() -> None:
    found = pod(**FULL)
    container = found["container"]
    env = {one.pop("name"): one for one in container["env"]}
    assert env == {
        "A": {"value": "1"},
        "B": {
            "valueFrom": {"secretKeyRef": {"name": "s1", "key": "k1", "optional": True}}
        },
        "C": {"valueFrom": {"configMapKeyRef": {"name": "c1", "key": "k2"}}},
        "KEDRO_RATS_LAST_WORDS": {"value": "/dev/termination-log"},
    }
    assert container["envFrom"] == [
        {"secretRef": {"name": "s2"}, "prefix": "X_"},
        {"configMapRef": {"name": "c2", "optional": True}},
    ]
    volumes = {one.pop("name"): one for one in found["volumes"]}
    mounts = {
        one["mountPath"]: (
            volumes[one["name"]],
            {k: v for k, v in one.items() if k not in ("name", "mountPath")},
        )
        for one in container["volumeMounts"]
    }
    empty = {"emptyDir": {}}
    read_only = {"readOnly": True}
    assert mounts == {
        "/etc/s": (
            {
                "secret": {
                    "secretName": "s3",
                    "items": [{"key": "key", "path": "f/g"}],
                    "defaultMode": 0o400,
                }
            },
            read_only,
        ),
        "/etc/c": ({"configMap": {"name": "c3", "optional": True}}, read_only),
        "/data": (
            {"persistentVolumeClaim": {"claimName": "pvc", "readOnly": True}},
            {"readOnly": True, "subPath": "a/b"},
        ),
        "/dev/shm": ({"emptyDir": {"medium": "Memory", "sizeLimit": "1Gi"}}, {}),  # noqa: S108
        "/scratch": ({"emptyDir": {"sizeLimit": "10Gi"}}, {}),
        "/tmp": (empty, {}),  # noqa: S108
        "/var/run/secrets/kubernetes.io/serviceaccount": (empty, read_only),
    }


def test_memory_and_disk_are_also_limits_and_cpu_is_not() -> None:
    resources = {"cpu": "1", "memory": "1Gi", "disk": "2Gi", "gpu": {"count": 1}}
    assert pod(resources=resources)["container"]["resources"] == {
        "requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "2Gi"},
        "limits": {"memory": "1Gi", "ephemeral-storage": "2Gi", "nvidia.com/gpu": "1"},
    }


def test_tasks_of_equal_placements_share_a_template() -> None:
    small, large = {"memory": "1Gi"}, {"memory": "2Gi"}
    manifest = workflow(
        [
            task("a", resources=small),
            task("b", resources=large),
            task("c", resources=small, group="g", cache=False),
        ]
    )
    assert len(pods(manifest)) == 2
    assert [item["template"] for item in dags(manifest)[0]] == [
        "pod-0",
        "pod-1",
        "pod-0",
    ]


def test_pull_secrets_of_all_images_are_the_workflows() -> None:
    images = [
        {"ref": "a", "pull_secrets": ["z", "b"]},
        {"ref": "b", "pull_secrets": ["b"]},
    ]
    manifest = workflow([task(f"t{n}", image=image) for n, image in enumerate(images)])
    assert manifest["spec"]["imagePullSecrets"] == [{"name": "b"}, {"name": "z"}]


def test_scratch_of_the_users_own_takes_the_place_of_tmp() -> None:
    found = pod(bind={"mounts": {"/tmp": {"scratch": "5Gi"}}})  # noqa: S108
    mounted = [m["mountPath"] for m in found["container"]["volumeMounts"]]
    assert mounted.count("/tmp") == 1  # noqa: S108


# --- safety -----------------------------------------------------------------------------


def test_pods_are_confined() -> None:
    manifest = workflow([task("one")])
    assert manifest["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 8737,
        "fsGroup": 8737,
        "fsGroupChangePolicy": "OnRootMismatch",
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert pods(manifest)[0]["container"]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_images_own_user_may_be_kept() -> None:
    manifest = workflow([task("one")], ArgoSettings(run_as_user=None))
    assert manifest["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_nodes_do_not_find_the_token_unless_they_may() -> None:
    folder = "/var/run/secrets/kubernetes.io/serviceaccount"

    def mounted(settings: ArgoSettings) -> list[str]:
        return [m["mountPath"] for m in pod(settings)["container"]["volumeMounts"]]

    assert folder in mounted(ArgoSettings())
    assert folder not in mounted(ArgoSettings(api_token=True))


def test_a_command_is_constant_but_for_the_task() -> None:
    assert pod()["container"]["command"] == [
        *("python", "-m", "kedro_rats.engines.execution"),
        *("--store", "s3://bucket/rats", "--request", DIGEST[::-1]),
        *("--task", "{{inputs.parameters.task}}"),
    ]
    assert "args" not in pod()["container"]


def test_nothing_patches_pods_or_runs_scripts() -> None:
    manifest = workflow([task("one", **FULL)], ArgoSettings(artifacts=True))
    assert not {"podSpecPatch", "script", "withItems", "withParam"} & set(
        texts(manifest)
    )


@given(text=st.text(min_size=1, max_size=30))
def test_names_of_nodes_never_reach_a_template(text: str) -> None:
    hostile = f"x{text}'\"{{{{=1+1}}}}\n{{{{workflow.name}}}}"
    one = replace(task("safe-000000", namespace=f"n{text}"), label=hostile)
    other = replace(task("safe-000001", namespace=f"n{text}"), label=text)
    outside = replace(task("safe-000002"), label=hostile)
    manifest = workflow([one, other, outside])
    only_ours = {TASK_INPUT, EXPRESSION}
    plain = [t for t in texts(manifest) if t not in only_ours and t != "{}"]
    assert all(HARMLESS.fullmatch(t) for t in plain)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("store", "s3://b/{{workflow.name}}"),
        ("run", "a\nb"),
        ("request", "{{=1+1}}"),
        ("name", 'x"'),
    ],
)
def test_other_characters_are_refused_wherever_they_come_from(
    field: str, value: str
) -> None:
    submission = replace(SUBMISSION, **{field: value})
    with pytest.raises(DefinitionError, match="letters, digits and"):
        translate(plan_of([task("one")]), submission, ArgoSettings())


@pytest.mark.parametrize(
    "placement",
    [
        {"image": {"ref": "{{=1+1}}"}},
        {"resources": {"node_selector": {"a": "{{workflow.uid}}"}}},
        {"resources": {"queue": "a b"}},
        {"bind": {"env": {"A": {"value": "$(B)"}}}},
        {"bind": {"env": {"{{x}}": {"value": "1"}}}},
        {"bind": {"mounts": {"/a b": {"claim": "c"}}}},
    ],
)
def test_a_plan_from_elsewhere_is_looked_over_too(placement: dict[str, Any]) -> None:
    with pytest.raises(DefinitionError, match="letters, digits and"):
        workflow([task("one", **placement)])


# --- retries and ladders ----------------------------------------------------------------


def test_lost_pods_are_retried_unless_it_is_said_that_nothing_is() -> None:
    assert pod()["retryStrategy"]["limit"] == "2"
    assert pod()["retryStrategy"]["backoff"] == {"duration": "5", "factor": "4"}
    assert "retryStrategy" not in pod(policy={"retries": 0})
    assert "retryStrategy" not in pod(ArgoSettings(retries=0))
    assert (
        pod(ArgoSettings(retries=0), policy={"retries": 1})["retryStrategy"]["limit"]
        == "1"
    )


def test_only_what_may_end_otherwise_is_retried() -> None:
    codes = EXPRESSION.rpartition("[")[2].rstrip("])").replace("'", "").split(", ")
    assert codes == ["-1", "2", "75", "137", "143"]
    for words in ("OOMKilled", "out-of-memory", "bad-input", "specified deadline"):
        assert words in EXPRESSION.partition(" and ")[0]


def test_dags_are_never_retried() -> None:
    policy = {"retries": 2, "memory_ladder": ["8Gi"]}
    manifest = workflow([task(f"t{n}", namespace="a", policy=policy) for n in range(2)])
    assert all(
        "retryStrategy" not in t for t in manifest["spec"]["templates"] if "dag" in t
    )
    assert "retryStrategy" not in manifest["spec"]
    assert "templateDefaults" not in manifest["spec"]


def test_a_cap_that_no_delay_reaches_is_left_out() -> None:
    """Argo 3.6 does not know it."""
    policy = {"retries": 2, "backoff": {"delay": 10, "max": 300}}
    assert pod(policy=policy)["retryStrategy"]["backoff"] == {
        "duration": "10",
        "factor": "2",
    }
    policy["retries"] = 7
    assert pod(policy=policy)["retryStrategy"]["backoff"]["cap"] == "300"


def test_a_deadline_bounds_the_first_attempt_too() -> None:
    found = pod(policy={"deadline": 30})
    assert found["activeDeadlineSeconds"] == 30
    assert found["retryStrategy"]["backoff"]["maxDuration"] == "30"


def test_a_memory_ladder_is_a_template_for_each_step() -> None:
    resources = {"memory": "4Gi", "cpu": "1", "limits": {"memory": "6Gi"}}
    policy = {"memory_ladder": ["5Gi", "6Gi", "8Gi", "16Gi"]}
    manifest = workflow(
        [
            task(f"t{n}", resources=resources, policy=policy, group=f"g{n}")
            for n in range(3)
        ]
    )
    memory = [pod["container"]["resources"] for pod in pods(manifest)]
    assert [(m["requests"]["memory"], m["limits"]["memory"]) for m in memory] == [
        ("4Gi", "6Gi"),
        ("8Gi", "8Gi"),
        ("16Gi", "16Gi"),
    ]
    assert [item["template"] for item in dags(manifest)[0]] == ["ladder-0"] * 3
    ladder = templates(manifest)["ladder-0"]
    assert ladder["inputs"] == {"parameters": [{"name": "task"}]}
    first, second, third = ladder["dag"]["tasks"]
    assert {told(item) for item in (first, second, third)} == {TASK_INPUT}
    assert (first["name"], first["template"]) == ("m0", "pod-0")
    assert not {"depends", "when"} & set(first)
    assert (second["depends"], third["depends"]) == ("m0.Failed", "m1.Failed")
    assert second["when"] == (
        "{{=tasks.m0.status == 'Failed' && (tasks.m0?.exitCode ?? '') == '137'}}"
    )
    assert all(
        any(p.fullmatch(i["when"]) for p in EXPRESSIONS) for i in (second, third)
    )


def test_a_ladder_without_a_larger_step_is_none() -> None:
    manifest = workflow(
        [
            task(
                "t",
                resources={"memory": "8Gi"},
                policy={"memory_ladder": ["4Gi", "8Gi"]},
            )
        ]
    )
    assert set(templates(manifest)) == {"main", "pod-0"}


# --- the workflow -----------------------------------------------------------------------


def test_settings_are_the_workflows() -> None:
    settings = ArgoSettings(
        namespace="ml",
        service_account="runner",
        parallelism=7,
        deadline=3600,
        keep=60,
        pods="on_end",
        priority=3,
        artifacts=True,
        artifact_repository=ArtifactRepository(config_map="repos", key="mine"),
        labels={"team": "a"},
        annotations={"example.com/why": "b"},
        queue_label="example.com/queue",
    )
    manifest = workflow([task("one", resources={"queue": "q"})], settings)
    spec = manifest["spec"]
    assert manifest["metadata"]["namespace"] == "ml"
    assert spec["serviceAccountName"] == "runner"
    assert spec["parallelism"] == 7
    assert spec["activeDeadlineSeconds"] == 3600
    assert spec["ttlStrategy"] == {"secondsAfterCompletion": 60}
    assert spec["podGC"] == {"strategy": "OnWorkflowCompletion"}
    assert spec["priority"] == 3
    assert spec["archiveLogs"] is True
    assert spec["artifactRepositoryRef"] == {"configMap": "repos", "key": "mine"}
    assert manifest["metadata"]["labels"]["team"] == "a"
    assert spec["podMetadata"]["labels"] == manifest["metadata"]["labels"]
    assert spec["podMetadata"]["annotations"] == {"example.com/why": "b"}
    assert pods(manifest)[0]["metadata"]["labels"]["example.com/queue"] == "q"


def test_pods_of_a_run_that_failed_are_kept_with_it() -> None:
    assert workflow([task("one")])["spec"]["podGC"] == {"strategy": "OnWorkflowSuccess"}
    assert "podGC" not in workflow([task("one")], ArgoSettings(pods="keep"))["spec"]


def test_labels_lead_back_to_the_run() -> None:
    metadata = workflow([task("one")])["metadata"]
    assert metadata["name"] == "shop-12345678"
    assert metadata["labels"] == {
        "rats.kedro/project": "shop",
        "rats.kedro/pipeline": "default-2f2d9de3",
        "rats.kedro/run": "2026-11-21T13.40.05.123Z",
        "rats.kedro/plan": DIGEST[:12],
    }
    assert metadata["annotations"] == {
        "rats.kedro/run": "2026-11-21T13.40.05.123Z",
        "rats.kedro/plan": DIGEST,
        "rats.kedro/request": DIGEST[::-1],
        "rats.kedro/store": "s3://bucket/rats",
        "rats.kedro/outputs": "{}",
    }


def test_results_are_artifacts_where_that_is_asked_for() -> None:
    found = pod(ArgoSettings(artifacts=True))
    assert found["outputs"]["artifacts"] == [
        {
            "name": "results",
            "path": "/kedro-rats/results",
            "optional": True,
            "archive": {"none": {}},
        }
    ]
    env = {e["name"]: e.get("value") for e in found["container"]["env"]}
    assert env["KEDRO_RATS_RESULTS"] == "/kedro-rats/results"
    mounted = [m["mountPath"] for m in found["container"]["volumeMounts"]]
    assert "/kedro-rats" in mounted
    assert "outputs" not in pod()
    assert "archiveLogs" not in workflow([task("one")])["spec"]


def entry(path: str) -> dict[str, str]:
    return {"type": "json.JSONDataset", "filepath": path}


def outputs(*tasks: Task) -> dict[str, Any]:
    text = workflow(tasks)["metadata"]["annotations"]["rats.kedro/outputs"]
    found: dict[str, Any] = json.loads(text)
    return found


def test_catalogued_outputs_are_listed_with_their_places() -> None:
    writes = {
        "metrics": entry("s3://bucket/metrics.json"),
        "model": None,
        "table": {"type": "pandas.SQLTableDataset", "table_name": "x"},
    }
    assert outputs(task("one", writes=writes)) == {
        "metrics": "s3://bucket/metrics.json"
    }


def test_outputs_that_a_workflow_cannot_hold_are_counted() -> None:
    writes = {
        "fine": entry("s3://bucket/a.json"),
        "spaced": entry("s3://bucket/a b.json"),
        "évil": entry("s3://bucket/b.json"),
        "braces": entry("s3://bucket/{{workflow.name}}.json"),
    }
    assert outputs(task("one", writes=writes)) == {
        "fine": "s3://bucket/a.json",
        "-left-out": 3,
    }


def test_the_list_of_outputs_is_bounded() -> None:
    writes = {f"name_{n:05}": entry(f"s3://bucket/{n}.json") for n in range(3000)}
    text = workflow([task("one", writes=writes)])["metadata"]["annotations"]
    listed = json.loads(text["rats.kedro/outputs"])
    assert len(text["rats.kedro/outputs"]) < 32_768
    assert listed["-left-out"] + len(listed) - 1 == 3000


def test_tasks_that_are_not_of_the_plan_are_refused() -> None:
    with pytest.raises(DefinitionError, match="tasks of this plan, got 'ghost'"):
        workflow([task("one")], only=["ghost"])


# --- bytes ------------------------------------------------------------------------------


def test_the_same_plan_is_the_same_bytes_in_every_process() -> None:
    program = (
        "import json, sys; from pipelines.plans import *; from pipelines.manifests import FULL\n"
        "plan = [task('a', **FULL), task('b', 'a', namespace='n'),"
        " task('c', 'a', namespace='n')]\n"
        "sys.stdout.write(json.dumps(workflow(plan, ArgoSettings(labels={'x': 'y', 'a': 'b'}))))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**_environment(), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1")
    }
    assert len(found) == 1
    assert list(json.loads(found.pop())) == ["apiVersion", "kind", "metadata", "spec"]


def test_the_engine_needs_neither_hera_nor_kubernetes_to_be_imported() -> None:
    program = (
        "import sys, kedro_rats.engines.argo.translation.workflow, kedro_rats.engines.argo.translation.sizes,"
        " kedro_rats.engines.argo.translation.requirements, kedro_rats.engines.argo.settings\n"
        "assert not {'hera', 'kubernetes', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=_environment())


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_the_golden_workflow(update_golden: bool) -> None:
    """Compare with a file, in which a reader finds one of everything."""
    settings = ArgoSettings(
        namespace="ml", service_account="rats-workflow", artifacts=True
    )
    text = json.dumps(workflow(of_everything(), settings), indent=1) + "\n"
    if update_golden:
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()
