"""What goes wrong on a cluster, as tiny workflows: for tests, and to record answers.

`python -m cluster.situations FOLDER` (with `tests` on the path, inside a cluster's
network) makes every one of them happen and writes what Kubernetes and Argo say then: the
files in `tests/engines/argo/recorded`.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kedro_rats.engines.argo.cluster.client import (
    Call,
    Cluster,
    NoSuchWorkflow,
    has_ended,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]

IMAGE = os.environ.get("RATS_TEST_PLAIN_IMAGE", "localhost/python:3.11")
TASK = "clf-fit-0a1b2c"
QUOTA = "watching-quota"
"""A priority class of whose pods the namespace takes none, while ``used_up`` lasts."""

PENDING_SECONDS = 40
"""So long a pod is left alone that cannot start: long enough for all there is to say."""


@dataclass(frozen=True)
class Situation:
    """What happens to one task.

    Attributes:
        template: What its pods do.
        until: When it is there: at the workflow's end, when a pod has been pending for
            some time, or when a pod has failed and the workflow goes on.
        act: What is done to it while it runs.
        ladder: Further templates, for pods that are made when memory did not suffice.
    """

    template: Json
    until: Literal["end", "pending", "failed"] = "end"
    act: Literal["delete", "stop", ""] = ""
    ladder: tuple[Json, ...] = ()


def python(code: str, **container: Any) -> Json:
    """A template that runs a line of Python."""
    return {"container": {"command": ["python3", "-c", code], **container}}


def exits(code: int, **more: Any) -> Json:
    return {**python(f"import sys; print('bye'); sys.exit({code})"), **more}


def again(delay: str = "1s") -> Json:
    return {
        "limit": "1",
        "retryPolicy": "Always",
        "backoff": {"duration": delay},
        "expression": "lastRetry.status == 'Error' || asInt(lastRetry.exitCode) in [75]",
    }


def memory(size: str) -> Json:
    return {"requests": {"cpu": "10m", "memory": size}, "limits": {"memory": size}}


_HOG = "b = bytearray(10**8); b[::4096] = b'x' * len(b[::4096])"
_SLEEP = "import time; time.sleep(600)"
_FILLS = "open('/tmp/big', 'wb').write(bytes(10**8)); import time; time.sleep(600)"

SITUATIONS: dict[str, Situation] = {
    "succeeded": Situation(python("print('hello')")),
    "exit-1": Situation(exits(1)),
    "exit-2": Situation(exits(2)),
    "exit-75-retried": Situation(exits(75, retryStrategy=again())),
    "exit-75-retrying": Situation(exits(75, retryStrategy=again("60s")), "failed"),
    "exit-1-in-backoff": Situation(exits(1, retryStrategy=again("60s")), "failed"),
    "exit-143": Situation(exits(143)),
    "killed": Situation(python("import os; os.kill(os.getpid(), 9)")),
    "segfault": Situation(python("import os; os.kill(os.getpid(), 11)")),
    "out-of-memory": Situation(python(_HOG, resources=memory("48Mi"))),
    "ladder": Situation(
        python(_HOG, resources=memory("48Mi")),
        ladder=(python(_HOG, resources=memory("256Mi")),),
    ),
    "ladder-too-low": Situation(
        python(_HOG, resources=memory("48Mi")),
        ladder=(python(_HOG, resources=memory("64Mi")),),
    ),
    "ladder-not-needed": Situation(
        python("pass"), ladder=(python(_HOG, resources=memory("256Mi")),)
    ),
    "no-such-command": Situation(python("pass", command=["kedro-rats-nope"])),
    "timeout": Situation({**python(_SLEEP), "activeDeadlineSeconds": "8"}),
    "deleted": Situation(python(_SLEEP), act="delete"),
    "deleted-retried": Situation(
        {**python("import time; time.sleep(8)"), "retryStrategy": again()}, act="delete"
    ),
    "stopped": Situation(python(_SLEEP), act="stop"),
    "evicted": Situation(
        python(_FILLS, resources={"limits": {"ephemeral-storage": "10Mi"}})
    ),
    "no-service-account": Situation(
        {**python("pass"), "serviceAccountName": "watching-nope"}
    ),
    "no-rights": Situation({**python("pass"), "serviceAccountName": "default"}),
    "image-missing": Situation(
        python("pass", image="localhost/watching-nope:1"), "pending"
    ),
    "image-never": Situation(
        python("pass", image="localhost/watching-nope:1", imagePullPolicy="Never"),
        "pending",
    ),
    "image-invalid": Situation(
        python("pass", image="localhost/Watching nope"), "pending"
    ),
    "unschedulable": Situation(
        {**python("pass"), "nodeSelector": {"pool": "watching-nope"}}, "pending"
    ),
    "too-much-cpu": Situation(
        python("pass", resources={"requests": {"cpu": "900"}}), "pending"
    ),
    "gated": Situation(
        {
            **python("pass"),
            "podSpecPatch": json.dumps({"schedulingGates": [{"name": "test/queue"}]}),
        },
        "pending",
    ),
    "secret-missing": Situation(
        python("pass", envFrom=[{"secretRef": {"name": "watching-nope"}}]), "pending"
    ),
    "config-map-missing": Situation(
        python("pass", envFrom=[{"configMapRef": {"name": "watching-nope"}}]), "pending"
    ),
    "quota": Situation({**python("pass"), "priorityClassName": QUOTA}, "pending"),
    "volume-not-ready": Situation(
        {
            **python("pass", volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            "volumes": [
                {"name": "v", "hostPath": {"path": "/watching", "type": "Directory"}}
            ],
        },
        "pending",
    ),
    "secret-file-missing": Situation(
        {
            **python("pass", volumeMounts=[{"name": "s", "mountPath": "/s"}]),
            "volumes": [{"name": "s", "secret": {"secretName": "watching-nope"}}],
        },
        "pending",
    ),
}


def workflow(situation: Situation, *, name: str, **spec: Any) -> Json:
    """The workflow of a situation: one task, in a DAG, as kedro-rats makes them."""
    arguments = {"parameters": [{"name": "task", "value": TASK}]}
    steps = [{"name": "fit", "template": "c0", "arguments": arguments}]
    for number, _ in enumerate(situation.ladder, 1):
        before = steps[-1]["name"]
        steps.append(
            {
                "name": f"fit-m{number}",
                "template": f"c{number}",
                "arguments": arguments,
                "depends": f"{before}.Failed || {before}.Errored",
                "when": f"{{{{tasks.{before}.exitCode}}}} == 137",
            }
        )
    templates = [situation.template, *situation.ladder]
    return {
        "metadata": {"name": name, "labels": {"rats.kedro/project": "watching"}},
        "spec": {
            "entrypoint": "main",
            "serviceAccountName": os.environ.get("ARGO_SERVICE_ACCOUNT", "default"),
            "templates": [
                {"name": "main", "dag": {"tasks": steps}},
                *(_template(f"c{i}", each) for i, each in enumerate(templates)),
            ],
            **spec,
        },
    }


def _template(name: str, template: Json) -> Json:
    container = {"image": IMAGE, "imagePullPolicy": "IfNotPresent"}
    return {
        "name": name,
        "inputs": {"parameters": [{"name": "task"}]},
        **template,
        "container": {**container, **template["container"]},
    }


def delete_pod(cluster: Cluster, pod: str) -> None:
    """Delete a pod at once, as a machine that is lost does."""
    cluster.ask(
        Call(verb="delete", resource="pods", namespace=cluster.namespace, name=pod),
        cluster.core.delete_namespaced_pod,
        *(pod, cluster.namespace),
        grace_period_seconds=0,
    )


@contextmanager
def used_up(cluster: Cluster) -> Iterator[None]:
    """Have a quota that is used up, for pods of one priority class."""
    from kubernetes import client
    from kubernetes.client.exceptions import ApiException

    core, classes = cluster.core, client.SchedulingV1Api(cluster.core.api_client)
    names = {"metadata": {"name": QUOTA}}
    selector = {"scopeName": "PriorityClass", "operator": "In", "values": [QUOTA]}
    spec = {"hard": {"pods": "0"}, "scopeSelector": {"matchExpressions": [selector]}}
    with suppress(ApiException):  # it is of the whole cluster, and harms nobody
        classes.create_priority_class({**names, "value": 0})
    with suppress(ApiException):
        core.create_namespaced_resource_quota(
            cluster.namespace, {**names, "spec": spec}
        )
    try:
        yield
    finally:
        core.delete_namespaced_resource_quota(QUOTA, cluster.namespace)


def act_on(cluster: Cluster, name: str, act: str) -> bool:
    """Do something to a workflow if a pod of it runs; say whether.

    Argo makes a pod that is lost in its first ten seconds anew, as if nothing was; so it
    does, however old the pod is, where it has not noted yet that it runs. Whoever waits
    for what comes of it acts until it has come.
    """
    seen = datetime.now(timezone.utc) - timedelta(seconds=12)
    pods = [
        pod
        for pod in cluster.pods(name, phase="Running")
        if datetime.fromisoformat(pod["status"]["startTime"].replace("Z", "+00:00"))
        < seen
    ]
    for pod in pods:
        if act == "delete":
            delete_pod(cluster, pod["metadata"]["name"])
    if pods and act == "stop":
        cluster.stop(name, "Stopped by a test.")
    return bool(pods)


def is_there(cluster: Cluster, name: str, situation: Situation, since: float) -> bool:
    found = cluster.get(name)
    if has_ended(found) or situation.until == "end":
        return has_ended(found)
    if situation.until == "pending":
        return since > PENDING_SECONDS
    nodes = (found.get("status", {}).get("nodes") or {}).values()
    return any(n["type"] == "Pod" and n["phase"] == "Failed" for n in nodes)


def recorded(cluster: Cluster, name: str) -> Json:
    """What the cluster says of a workflow, without what nobody reads."""
    found, pods = cluster.get(name), cluster.pods(name)
    names = [pod["metadata"]["name"] for pod in pods]
    return {
        "workflow": _small_workflow(found),
        "pods": [_small_pod(pod) for pod in pods],
        "events": {
            pod: [
                {"reason": event["reason"], "message": event["message"]}
                for event in cluster.events(pod)
                if event["reason"] != "MissingClusterDNS"
            ]
            for pod in names
        },
    }


def _small_workflow(found: Json) -> Json:
    metadata, spec = found["metadata"], found["spec"]
    # A controller that has not looked at it yet has given it no status.
    status = found.get("status", {})
    dags = [
        {"name": each["name"], "dag": each["dag"]}
        for each in spec["templates"]
        if "dag" in each
    ]
    keys = ("name", "namespace", "labels", "annotations", "creationTimestamp")
    return {
        "metadata": {k: metadata[k] for k in keys if k in metadata},
        "spec": {**{k: spec[k] for k in ("shutdown",) if k in spec}, "templates": dags},
        "status": {
            k: v
            for k, v in status.items()
            if k in ("phase", "message", "startedAt", "finishedAt", "nodes")
            or k == "artifactRepositoryRef"
        },
    }


def _small_pod(pod: Json) -> Json:
    metadata, status = pod["metadata"], pod["status"]
    small: Json = {k: status[k] for k in ("phase", "reason", "message") if k in status}
    small["conditions"] = [
        c for c in status.get("conditions", ()) if c["type"] == "PodScheduled"
    ]
    for kind in ("containerStatuses", "initContainerStatuses"):
        small[kind] = [
            {"name": c["name"], "state": c["state"]} for c in status.get(kind, ())
        ]
    keys = ("name", "annotations", "creationTimestamp")
    return {"metadata": {k: metadata[k] for k in keys}, "status": small}


@dataclass
class _Making:
    """A situation that is on its way."""

    name: str
    situation: Situation
    acted: bool = False

    def step(self, cluster: Cluster, since: float) -> bool:
        """Help it along; say whether it is there."""
        if self.situation.act and not self.acted:
            self.acted = act_on(cluster, self.name, self.situation.act)
        return is_there(cluster, self.name, self.situation, since)


def record_all(folder: Path, only: list[str]) -> None:
    """Make every situation happen, and write what the cluster says of it."""
    cluster = Cluster.connect(namespace=os.environ["ARGO_NAMESPACE"])
    mark, begun = uuid.uuid4().hex[:6], time.monotonic()
    making = {
        name: _Making(f"watching-{name}-{mark}", each)
        for name, each in SITUATIONS.items()
        if not only or name in only
    }
    with used_up(cluster):
        for each in making.values():
            cluster.create(workflow(each.situation, name=each.name))
        _record(cluster, making, folder, begun)
    if making:
        sys.exit(f"not reached: {sorted(making)}")


def _record(
    cluster: Cluster, making: dict[str, _Making], folder: Path, begun: float
) -> None:
    try:
        while making and time.monotonic() < begun + 300:
            time.sleep(0.5)
            for name, each in list(making.items()):
                if each.step(cluster, time.monotonic() - begun):
                    text = json.dumps(recorded(cluster, each.name), sort_keys=True)
                    (folder / f"{name}.json").write_text(text + "\n")
                    cluster.delete(making.pop(name).name)
    finally:
        for each in making.values():
            with suppress(NoSuchWorkflow):
                cluster.delete(each.name)


if __name__ == "__main__":
    record_all(Path(sys.argv[1]), sys.argv[2:])
