"""The rights that kedro-rats needs on a cluster, and whether they are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.cluster.errors import Call, ClusterError
from kedro_rats.engines.argo.cluster.workflows import GROUP
from kedro_rats.engines.argo.doctor.findings import Finding
from kedro_rats.errors import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kedro_rats.engines.argo.cluster.client import Cluster

_REVIEWS: Final = "authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class Right:
    """To do something with a kind of object in a namespace, as a role says it."""

    verb: str
    resource: str
    group: str = ""

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        return f"{self.verb} {self.resource}{group}"


USER_RIGHTS: Final = (
    *(
        Right(verb, "workflows", GROUP)
        for verb in ("create", "delete", "get", "list", "patch", "watch")
    ),
    Right("get", "pods"),
    Right("list", "pods"),
    Right("get", "pods/log"),
    Right("list", "events"),
)
"""What our commands do with a cluster."""

DOCTOR_RIGHTS: Final = (
    Right("get", "serviceaccounts"),
    Right("create", "localsubjectaccessreviews", _REVIEWS),
)
"""What this command looks at besides; without them it knows less."""

POD_RIGHTS: Final = (
    Right("create", "workflowtaskresults", GROUP),
    Right("patch", "workflowtaskresults", GROUP),
)
"""What Argo does from inside a pod, as the pod's service account."""

TOO_MUCH: Final = (
    Right("get", "secrets"),
    Right("create", "pods"),
    Right("create", "workflows", GROUP),
)
"""Rights that a node's code has no use for."""

_APPLY: Final = (
    "`kedro rats init --argo` writes argo/rbac.yml: have it applied with kubectl apply "
    "--namespace {namespace} -f argo/rbac.yml"
)


def user_rights(cluster: Cluster) -> Finding:
    """Say whether we may do what our commands do."""
    missing = [
        right
        for right in USER_RIGHTS
        if not cluster.allowed(right.verb, right.resource, group=right.group)
    ]
    if not missing:
        said = f"all {len(USER_RIGHTS)} that the commands need"
        return Finding("your rights", "ok", said)
    said = f"you may not {listed(map(str, missing))} in namespace {cluster.namespace!r}"
    remedy = f"{_apply(cluster)}, and be one of the users that it names."
    return Finding("your rights", "fail", said, remedy)


def account(cluster: Cluster, name: str | None) -> Iterator[Finding]:
    """Say whether the service account of pods is there, and has its rights."""
    asked = name or "default"
    found = _is_there(cluster, asked)
    if found is not None:
        yield found
        if found.state == "fail":
            return
    yield _pod_rights(cluster, asked)


def _is_there(cluster: Cluster, name: str) -> Finding | None:
    call = Call(
        verb="get", resource="serviceaccounts", namespace=cluster.namespace, name=name
    )
    check = "service account"
    read = cluster.core.read_namespaced_service_account
    try:
        cluster.ask(call, read, name, cluster.namespace)
    except ClusterError as error:
        if error.status == 404:
            said = f"there is no {name!r} in namespace {cluster.namespace!r}"
            remedy = f"{_apply(cluster)}, or correct ext.argo.service_account."
            return Finding(check, "fail", said, remedy)
        said = f"whether there is a {name!r} is not known: you may not look"
        return Finding(check, "warn", said, "The pod below shows it.")
    return Finding(check, "ok", repr(name))


def _pod_rights(cluster: Cluster, name: str) -> Finding:
    check = "rights of pods"
    try:
        missing = [str(r) for r in POD_RIGHTS if not _may(cluster, name, r)]
        more = [str(r) for r in TOO_MUCH if _may(cluster, name, r)]
    except ClusterError:
        said = f"what {name!r} may do is not known: you may not ask"
        return Finding(check, "warn", said, "The pod below shows it.")
    if missing:
        said = f"service account {name!r} may not {listed(missing)}"
        remedy = f"{_apply(cluster)}; without them a workflow never ends."
        return Finding(check, "fail", said, remedy)
    if more:
        said = f"service account {name!r} may also {listed(more)}: so may every node"
        return Finding(
            check, "warn", said, f"{_apply(cluster)}, and use its service account."
        )
    return Finding(check, "ok", f"{listed(map(str, POD_RIGHTS))}, and no more")


def _may(cluster: Cluster, name: str, right: Right) -> bool:
    """Say whether a service account has a right, as a namespace's user may ask it."""
    namespace = cluster.namespace
    resource, _, part = right.resource.partition("/")
    kind = "LocalSubjectAccessReview"
    body: dict[str, Any] = {
        "apiVersion": f"{_REVIEWS}/v1",
        "kind": kind,
        "metadata": {"namespace": namespace},
        "spec": {
            "user": f"system:serviceaccount:{namespace}:{name}",
            "groups": _groups(namespace),
            "resourceAttributes": {
                "namespace": namespace,
                "verb": right.verb,
                "group": right.group,
                "resource": resource,
                "subresource": part,
            },
        },
    }
    call = Call(
        verb="create", resource=f"{kind.lower()}s", namespace=namespace, group=_REVIEWS
    )
    create = cluster.authorization.create_namespaced_local_subject_access_review
    found = cluster.ask(call, create, namespace, body)
    return bool(found.get("status", {}).get("allowed"))


def _groups(namespace: str) -> list[str]:
    """Return the groups that every service account is in."""
    every = "system:serviceaccounts"
    return [every, f"{every}:{namespace}", "system:authenticated"]


def _apply(cluster: Cluster) -> str:
    return _APPLY.format(namespace=cluster.namespace)


def as_rules(rights: Iterable[Right]) -> list[dict[str, list[str]]]:
    """Return rights as the rules of a role, as ``templates/rbac.yml`` has them."""
    verbs: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        verbs.setdefault((right.group, right.resource), []).append(right.verb)
    return [
        {"apiGroups": [group], "resources": [resource], "verbs": sorted(found)}
        for (group, resource), found in verbs.items()
    ]
