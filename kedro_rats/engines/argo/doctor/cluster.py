"""What a cluster is: whether it answers, its clock, its namespace, Argo's types."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.cluster.calls import read_json
from kedro_rats.engines.argo.cluster.errors import Call, ClusterError
from kedro_rats.engines.argo.cluster.workflows import GROUP, VERSION
from kedro_rats.engines.argo.doctor.findings import Finding
from kedro_rats.errors import listed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro_rats.engines.argo.cluster.client import Cluster

OLDEST: Final = (3, 6)
"""The oldest Argo that our workflows are made for."""

_NEEDED: Final = ("workflows", "workflowtaskresults")
_DOUBTFUL_SECONDS: Final = 5.0
_WRONG_SECONDS: Final = 300.0
_CRD: Final = f"workflows.{GROUP}"
_INSTALL: Final = "Install Argo Workflows 3.6 or newer, with all its resource types."


@dataclass(frozen=True, slots=True)
class Greeting:
    """What an API server says first.

    Attributes:
        version: Its version.
        apart: Seconds that its clock is ahead of ours; None if it did not say.
    """

    version: str
    apart: float | None


def greeted(cluster: Cluster) -> Greeting:
    """Ask a cluster for its version.

    Raises:
        ClusterError: If it does not answer.
    """
    from kubernetes import client

    api = client.VersionApi(cluster.core.api_client)
    call = Call(verb="get", resource="version")
    sent = datetime.now(timezone.utc)
    response = cluster.response(call, api.get_code)
    between = sent + (datetime.now(timezone.utc) - sent) / 2
    date = response.headers.get("Date")
    version = str(read_json(response, host=cluster.host).get("gitVersion", "")) or "?"
    if not date:
        return Greeting(version, None)
    # It says whole seconds, and has cut off the rest.
    apart = (parsedate_to_datetime(date) - between).total_seconds() + 0.5
    return Greeting(version, apart)


def clock(apart: float | None, *, of: str = "the cluster's") -> Finding:
    """Say whether a clock is that of this machine.

    Example:
        >>> clock(-8.0).said
        "the cluster's clock is 8 s behind ours"
    """
    if apart is None:
        return Finding("clock", "warn", f"{of} clock is not known")
    if abs(apart) <= _DOUBTFUL_SECONDS:
        return Finding("clock", "ok", f"{of} clock is ours")
    way = "ahead of" if apart > 0 else "behind"
    said = f"{of} clock is {abs(apart):.0f} s {way} ours"
    wrong = abs(apart) > _WRONG_SECONDS
    remedy = "Set the time of this machine or of the cluster's (NTP)"
    why = ": S3 refuses requests that are minutes off." if wrong else "."
    return Finding("clock", "fail" if wrong else "warn", said, remedy + why)


def namespace(cluster: Cluster) -> Finding:
    """Say whether the namespace is there."""
    name = cluster.namespace
    call = Call(verb="get", resource="namespaces", name=name)
    try:
        found = cluster.ask(call, cluster.core.read_namespace, name)
    except ClusterError as error:
        if error.status == 404:
            remedy = "Have it made, or correct ext.argo.namespace in rats.yml."
            return Finding("namespace", "fail", f"there is no {name!r}", remedy)
        # A namespace's user may not look at namespaces; the pod below shows it.
        return Finding("namespace", "ok", f"{name!r} (you may not look at it)")
    labels = found.get("metadata", {}).get("labels") or {}
    level = labels.get("pod-security.kubernetes.io/enforce")
    more = f", which enforces the pod security standard {level!r}" if level else ""
    return Finding("namespace", "ok", f"{name!r}{more}")


def argo(cluster: Cluster) -> Iterator[Finding]:
    """Say whether Argo's types are there, and of which version it is, if that is known."""
    call = Call(verb="list", resource="resource types", group=GROUP)
    try:
        found = cluster.ask(call, cluster.custom.get_api_resources, GROUP, VERSION)
    except ClusterError as error:
        if error.status == 404:
            said = "Argo's resource types are not in this cluster"
            yield Finding("argo", "fail", said, _INSTALL)
        else:
            yield Finding("argo", "fail", str(error))
        return
    known = {resource["name"] for resource in found.get("resources", ())}
    missing = [name for name in _NEEDED if name not in known]
    if missing:
        said = f"Argo's types are incomplete: no {listed(missing)}"
        yield Finding("argo", "fail", said, _INSTALL)
        return
    yield Finding("argo", "ok", f"its resource types are there{_kind(cluster)}")


def _kind(cluster: Cluster) -> str:
    """Return whether the types are full or minimal, where we may look."""
    from kubernetes import client

    api = client.ApiextensionsV1Api(cluster.core.api_client)
    call = Call(verb="get", resource="customresourcedefinitions", name=_CRD)
    try:
        found = cluster.ask(call, api.read_custom_resource_definition, _CRD)
    except ClusterError:
        return ""
    return f" ({'full' if _is_full(found) else 'minimal'})"


def _is_full(definition: dict[str, Any]) -> bool:
    versions = definition.get("spec", {}).get("versions") or [{}]
    schema = versions[0].get("schema", {}).get("openAPIV3Schema", {})
    spec = schema.get("properties", {}).get("spec", {})
    return "templates" in spec.get("properties", {})


def argo_version(image: str) -> Finding:
    """Judge the version of Argo by the image that it puts into pods.

    Example:
        >>> print(argo_version("quay.io/argoproj/argoexec:v3.7.18"))
        ok    argo             version 3.7.18
    """
    tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    version = tag.removeprefix("v").partition("-")[0]
    numbers = version.split(".")[:2]
    if len(numbers) < 2 or not all(map(str.isdigit, numbers)):
        said = f"its version is not known: its image is {image!r}"
        return Finding("argo", "warn", said, f"It must be {_oldest()} or newer.")
    if (int(numbers[0]), int(numbers[1])) < OLDEST:
        remedy = f"Have it updated to {_oldest()} or newer."
        return Finding("argo", "fail", f"version {version}", remedy)
    return Finding("argo", "ok", f"version {version}")


def _oldest() -> str:
    return ".".join(map(str, OLDEST))
