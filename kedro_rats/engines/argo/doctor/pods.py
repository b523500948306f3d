"""Runs the workflow of ``kedro rats doctor`` and says what its pods found."""

from __future__ import annotations

import contextlib
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.cluster.errors import ClusterError, NoSuchWorkflow
from kedro_rats.engines.argo.cluster.workflows import has_ended, phase_of
from kedro_rats.engines.argo.doctor.cluster import argo_version, clock
from kedro_rats.engines.argo.doctor.findings import Finding
from kedro_rats.engines.argo.doctor.probe import read
from kedro_rats.engines.argo.doctor.workflow import (
    IMAGE_LABEL,
    template_name,
    workflow,
)
from kedro_rats.engines.argo.logs.archive import place_of
from kedro_rats.engines.argo.progress.causes import Cause, why_ended
from kedro_rats.engines.argo.progress.nodes import LOGS, nodes_of
from kedro_rats.engines.argo.progress.not_started import NEVER_STARTS, why_pending
from kedro_rats.errors import RatsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from kedro_rats.engines.argo.cluster.client import Cluster
    from kedro_rats.engines.argo.doctor.workflow import Looked
    from kedro_rats.engines.argo.settings import ArgoSettings

Json = dict[str, Any]

_NODE_ENDED: Final = ("Succeeded", "Failed", "Error")
_EXECUTOR: Final = "wait"
_NO_MODULE: Final = "No module named"

_CONTROLLER: Final = (
    "Have Argo's controller started, and see that it watches this namespace."
)
_UNCONFINED: Final = (
    "Have Argo's own containers confined as well: the key executor of the config map "
    "workflow-controller-configmap, see 'A cluster of your own' in the documentation."
)
_BUILD: Final = "Build the image again: `kedro rats build --rebuild`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long things take, in seconds.

    Attributes:
        pause: Between two looks.
        stable: So long a cause must stand that no pod gets over by itself.
        unseen: So soon Argo's controller sees a new workflow, if it ever does.
    """

    pause: float = 1.0
    stable: float = 10.0
    unseen: float = 60.0


@dataclass
class _Watched:
    """What is known of a workflow, image by image."""

    images: Sequence[Looked]
    since: dict[int, float] = field(default_factory=dict)
    settled: dict[int, list[Finding]] = field(default_factory=dict)
    argo_image: str = ""
    has_ended: bool = False
    logs: list[Mapping[str, Any]] = field(default_factory=list)


def remove_object(place: str) -> bool:
    """Remove an object of S3, with the access that this machine has; say if it is gone."""
    import fsspec

    from kedro_rats.store.s3_errors import reported_by_s3

    try:
        with reported_by_s3(f"s3://{place}"):
            fsspec.filesystem("s3", skip_instance_cache=True).rm_file(place)
    except (ImportError, RatsError):
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the pods are asked.

    Attributes:
        images: The images.
        settings: Of the engine.
        store: The store's URI.
        version: Of kedro-rats here.
        seconds: For how long to wait.
        pace: How long things take.
        forget: Removes an object of S3 that Argo has made; says if it is gone.
    """

    images: Sequence[Looked]
    settings: ArgoSettings
    store: str
    version: str
    seconds: int
    pace: Pace = field(default_factory=Pace)
    forget: Callable[[str], bool] = remove_object


def pods(cluster: Cluster, asked: Asked) -> Iterator[Finding]:
    """Run a pod for each image, say what each found, and leave nothing behind.

    Raises:
        ClusterError: If the cluster does not answer any more.
    """
    manifest = workflow(
        asked.images, asked.settings, store=asked.store, seconds=asked.seconds
    )
    name = manifest["metadata"]["name"]
    watched = _Watched(asked.images)
    try:
        cluster.create(manifest)
    except ClusterError as error:
        yield Finding("workflow", "fail", str(error))
        return
    last: Json = manifest
    try:
        for last in _states(cluster, name, asked):
            _look(cluster, last, watched, asked)
            if len(watched.settled) == len(asked.images) or has_ended(last):
                break
        _give_up(cluster, last, watched, asked)
    finally:
        left = [*_left(cluster, name), *_logs_left(last, watched, asked)]
    yield from (f for found in watched.settled.values() for f in found)
    if watched.argo_image:
        yield argo_version(watched.argo_image)
    yield from _logs_kept(watched, asked.settings)
    if left:
        remedy = "Delete it if you mind."
        yield Finding("left behind", "warn", ", ".join(left), remedy)


def _states(cluster: Cluster, name: str, asked: Asked) -> Iterator[Json]:
    """Yield a workflow again and again, while Argo may still do something with it."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < asked.seconds:
        found = cluster.get(name)
        yield found
        if not phase_of(found) and passed > asked.pace.unseen:
            return
        time.sleep(asked.pace.pause)


def _look(cluster: Cluster, state: Json, watched: _Watched, asked: Asked) -> None:
    """Settle what can be settled."""
    nodes = {str(n.get("templateName")): n for n in nodes_of(state).values()}
    found = _by_image(cluster.pods(state["metadata"]["name"]))
    for index, image in enumerate(watched.images):
        node, pod = nodes.get(template_name(index)), found.get(index)
        watched.argo_image = watched.argo_image or _executor_of(pod)
        if index in watched.settled or node is None:
            continue
        if node.get("phase") in _NODE_ENDED:
            watched.has_ended = True
            watched.logs += _logs_of(node)
            watched.settled[index] = list(_ended(cluster, image, node, pod, asked))
        elif cause := _stuck(cluster, node, pod):
            begun = watched.since.setdefault(index, time.monotonic())
            if time.monotonic() - begun > asked.pace.stable:
                watched.settled[index] = [_failed(image, cause)]
        else:
            watched.since.pop(index, None)


def _by_image(found: Sequence[Json]) -> dict[int, Json]:
    labelled = (
        (pod["metadata"].get("labels", {}).get(IMAGE_LABEL), pod) for pod in found
    )
    return {int(index): pod for index, pod in labelled if index is not None}


def _executor_of(pod: Json | None) -> str:
    containers = (pod or {}).get("spec", {}).get("containers", [])
    return next((c["image"] for c in containers if c["name"] == _EXECUTOR), "")


def _stuck(cluster: Cluster, node: Mapping[str, Any], pod: Json | None) -> Cause | None:
    events: list[Json] = []
    if pod is not None:
        with contextlib.suppress(ClusterError):
            events = cluster.events(pod["metadata"]["name"])
    cause = why_pending(str(node.get("message") or ""), pod, events)
    return cause if cause is not None and cause.kind in NEVER_STARTS else None


def _ended(
    cluster: Cluster,
    image: Looked,
    node: Mapping[str, Any],
    pod: Json | None,
    asked: Asked,
) -> Iterator[Finding]:
    lines: list[str] = []
    if pod is not None:
        with contextlib.suppress(ClusterError):
            lines = list(cluster.log(pod["metadata"]["name"]))
    said = read(lines)
    if said is not None:
        yield from _of_image(image, said, asked)
        yield _of_store(image, said)
    if node.get("phase") == "Succeeded":
        if said is None:
            text = f"{image.ref}: its pod ended well and said nothing"
            yield Finding(image.name, "fail", text, _BUILD)
        return
    message = str(node.get("message") or "")
    if unknown := [line for line in lines if _NO_MODULE in line]:
        text = f"{image.ref}: {unknown[-1]}"
        remedy = f"It needs kedro-rats {asked.version}. {_BUILD}"
        yield Finding(image.name, "fail", text, remedy)
        return
    code = node.get("outputs", {}).get("exitCode")
    cause = why_ended(message, phase=node["phase"], code=code, pod=pod)
    yield _failed(image, cause, message)


def _failed(image: Looked, cause: Cause, message: str = "") -> Finding:
    remedy = _UNCONFINED if "violates PodSecurity" in message else cause.remedy
    return Finding(image.name, "fail", f"{image.ref}: {cause.text}", remedy)


def _of_image(image: Looked, said: Json, asked: Asked) -> Iterator[Finding]:
    here = ".".join(map(str, sys.version_info[:2]))
    there, python = said.get("kedro_rats"), said.get("python")
    text = f"{image.ref}: Python {python}, kedro-rats {there}"
    if there != asked.version:
        remedy = (
            f"Here is kedro-rats {asked.version}, and both must be the same. {_BUILD}"
        )
        yield Finding(image.name, "fail", text, remedy)
    elif python != here:
        remedy = (
            f"Here is Python {here}: results are not shared, and a pickled function may "
            "not load. Use the same in both."
        )
        yield Finding(image.name, "warn", text, remedy)
    else:
        yield Finding(image.name, "ok", text)
    read_at = float(said.get("time") or 0)
    # Its log comes some seconds later, and never sooner.
    if read_at and (apart := read_at - time.time()) > 0:
        found = clock(apart, of="a machine's")
        if found.state != "ok":
            yield found


def _of_store(image: Looked, said: Json) -> Finding:
    check = "store from pods"
    wrong = str(said.get("store") or "")
    if wrong:
        remedy = "Check the secret that bind in rats.yml names for the store."
        return Finding(check, "fail", f"{image.ref}: {wrong}", remedy)
    return Finding(check, "ok", "read, written, and only the first to create wins")


def _give_up(cluster: Cluster, state: Json, watched: _Watched, asked: Asked) -> None:
    """Say of each image that is left why it is."""
    if not phase_of(state):
        said = f"its controller has not seen a workflow in {asked.pace.unseen:.0f} s"
        watched.settled[-1] = [Finding("argo", "fail", said, _CONTROLLER)]
        return
    message = str(state.get("status", {}).get("message") or "")
    pods_now = _by_image(cluster.pods(state["metadata"]["name"]))
    for index, image in enumerate(watched.images):
        if index in watched.settled:
            continue
        if has_ended(state) and message:
            cause = why_ended(message)
        else:
            cause = _unfinished(pods_now.get(index), asked.seconds)
        watched.settled[index] = [_failed(image, cause, message)]


def _unfinished(pod: Json | None, seconds: int) -> Cause:
    found = why_pending("", pod) if pod is not None else None
    if found is not None and found.kind != "starting":
        return found
    statuses = (pod or {}).get("status", {}).get("containerStatuses") or ()
    if any(
        s["name"] == "main" and s.get("state", {}).get("terminated") for s in statuses
    ):
        remedy = "See the rights of pods above, and the log of Argo's controller."
        return Cause("refused", "its pod has ended, and Argo does not know", remedy)
    remedy = "Give it longer with --timeout, or see `kubectl describe pod`."
    return Cause("starting", f"not ready after {seconds} s", remedy)


def _logs_kept(watched: _Watched, settings: ArgoSettings) -> Iterator[Finding]:
    if watched.logs:
        yield Finding("artifacts", "ok", "Argo has kept a log as an artifact")
    elif settings.artifacts:
        said = "Argo has kept no log as an artifact"
        remedy = (
            "Have an artifact repository configured, name it under "
            "ext.argo.artifact_repository, or leave ext.argo.artifacts out."
        )
        yield Finding("artifacts", "fail", said, remedy)
    elif settings.pods != "keep" and watched.has_ended:
        said = "Argo keeps no logs here: what nodes write is gone with their pods"
        remedy = (
            "Set ext.argo.pods to keep in rats.yml, or ext.argo.artifacts to true where "
            "Argo has an artifact repository."
        )
        yield Finding("artifacts", "warn", said, remedy)


# --- leaving nothing behind -----------------------------------------------------------


def _logs_of(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    artifacts = node.get("outputs", {}).get("artifacts") or []
    return [artifact for artifact in artifacts if artifact.get("name") == LOGS]


def _logs_left(state: Json, watched: _Watched, asked: Asked) -> Iterator[str]:
    """Remove the logs that Argo has archived; yield what stays."""
    for log in watched.logs:
        place = place_of(log, state)
        if place is None or not asked.forget(place):
            yield f"a log of some lines{f' at {place}' if place else ''}"


def _left(cluster: Cluster, name: str) -> Iterator[str]:
    """Remove the workflow and its pods; yield what stays."""
    try:
        cluster.delete(name)
    except NoSuchWorkflow:
        return
    except ClusterError as error:
        yield f"workflow {name!r}, for some minutes ({error})"
