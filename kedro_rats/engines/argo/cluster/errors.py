"""What a cluster says when it does not do what it is asked for, in one line each."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from kedro_rats.errors import Breach, RatsError

_TRANSIENT: Final = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}
_LONGEST: Final = 400
_RIGHT: Final = re.compile(r"\bcannot (\S+) resource \"([^\"]+)\"")
_RBAC: Final = (
    "`kedro rats init --argo` writes the rights that are needed to argo/rbac.yml: "
    "ask whoever runs the cluster to apply it."
)


class ClusterError(RatsError):
    """The cluster cannot be reached, or does not do what it is asked for.

    Attributes:
        transient: Whether the same may work a little later.
        status: The HTTP status of its answer; None if there was no answer.
    """

    def __init__(
        self, message: object, *, transient: bool = False, status: int | None = None
    ) -> None:
        super().__init__(str(message))
        self.transient = transient
        self.status = status


class WorkflowExists(ClusterError):  # noqa: N818 - says what happened
    """There is a workflow of that name already."""


class NoSuchWorkflow(ClusterError):  # noqa: N818 - says what happened
    """There is no such workflow, or no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked of a cluster, so that an error can name it.

    Attributes:
        verb: As in a role: get, list, watch, create, patch, delete.
        resource: As in a role, in the plural: ``workflows``, ``pods``, ``pods/log``.
        namespace: Where; None for what is in no namespace.
        name: Of which; None for all of them.
        group: Its API group; empty for that of pods and secrets.
    """

    verb: str
    resource: str
    namespace: str | None = None
    name: str | None = None
    group: str = ""

    def __str__(self) -> str:
        group = f".{self.group}" if self.group else ""
        where = f" in namespace {self.namespace!r}" if self.namespace else ""
        return f"to {self.verb} {self.resource}{group}{where}"


def no_answer(host: str, error: BaseException) -> ClusterError:
    """Return the error for a cluster that gives no answer."""
    text = f"{type(error).__name__}: {' '.join(str(error).split())}"
    # What urllib3 says begins with the address of an object in memory.
    text = re.sub(r"<[^>]* object at 0x[0-9a-f]+>:? ?", "", text)
    certificate = "CERTIFICATE" in text.upper()
    remedy = (
        "Check certificate-authority of your kubeconfig, and the clock of this machine."
        if certificate
        else "Check that it runs, the network or VPN, and `kubectl config current-context`."
    )
    breach = Breach(f"cluster {host!r}", "an answer", text[:_LONGEST], remedy)
    return ClusterError(breach, transient=not certificate)


def of_answer(status: int, body: str, call: Call, *, host: str) -> ClusterError:
    """Return what an answer that is an error means, with the cure.

    Args:
        status: Its HTTP status.
        body: What it says.
        call: What was asked for.
        host: Of whom.

    Example:
        >>> call = Call(verb="get", resource="pods", namespace="ml")
        >>> print(of_answer(401, "Unauthorized", call, host="https://k8s"))
        cluster 'https://k8s': expected credentials that it knows, got 'Unauthorized' (HTTP 401). Log in again, or choose another context: ext.argo.context in rats.yml.
    """
    said, details = _read(body)
    got = f"{said[:_LONGEST]!r} (HTTP {status})"
    if status == HTTPStatus.UNAUTHORIZED:
        breach = Breach(
            f"cluster {host!r}",
            "credentials that it knows",
            got,
            "Log in again, or choose another context: ext.argo.context in rats.yml.",
        )
        return ClusterError(breach, status=status)
    if status == HTTPStatus.FORBIDDEN:
        return ClusterError(_forbidden(said, got, call, host), status=status)
    if status == HTTPStatus.NOT_FOUND:
        return _not_found(details, got, call, host)
    if status == HTTPStatus.CONFLICT and call.verb == "create":
        breach = Breach(
            f"{_one(call.resource)} {call.name!r}",
            f"a new name in namespace {call.namespace!r}",
            "one that is there",
            "Give another name, or delete it.",
        )
        of_workflows = call.resource == "workflows"
        return (WorkflowExists if of_workflows else ClusterError)(breach, status=status)
    transient = status in _TRANSIENT
    remedy = (
        "Try again in a minute; if that does not help, ask whoever runs the cluster."
        if transient
        else "Mend what it names, or ask whoever runs the cluster."
    )
    breach = Breach(f"cluster {host!r}", f"it {call}", got, remedy)
    return ClusterError(breach, transient=transient, status=status)


def _forbidden(said: str, got: str, call: Call, host: str) -> Breach:
    missing = _RIGHT.search(said)
    if missing is None:
        # A quota, a policy of the cluster: not what a role allows.
        remedy = "Ask for less in rats.yml, or ask whoever runs the cluster."
        return Breach(f"cluster {host!r}", f"it {call}", got, remedy)
    asked = Call(
        verb=missing[1],
        resource=missing[2],
        namespace=call.namespace,
        group=call.group,
    )
    who = re.search(r"User \"([^\"]+)\"", said)
    user = f" for user {who[1]!r}" if who else ""
    return Breach(f"cluster {host!r}", f"the right {asked}{user}", "none", _RBAC)


def _not_found(
    details: dict[str, Any], got: str, call: Call, host: str
) -> ClusterError:
    kind, name = details.get("kind"), details.get("name")
    status = int(HTTPStatus.NOT_FOUND)
    if kind == "namespaces" and call.resource != "namespaces":
        breach = Breach(
            f"cluster {host!r}",
            f"namespace {call.namespace!r}",
            "none of that name",
            "Set ext.argo.namespace in rats.yml, or have the namespace made.",
        )
        return ClusterError(breach, status=status)
    if name is None:
        # A path that the server does not know at all.
        breach = Breach(
            f"cluster {host!r}",
            f"the resource type {call.resource}{'.' + call.group if call.group else ''}",
            "none",
            "Have Argo Workflows installed there, or choose another context: ext.argo.context in rats.yml.",
        )
        return ClusterError(breach, status=status)
    if call.resource == "workflows":
        breach = Breach(
            f"workflow {call.name!r}",
            f"one in namespace {call.namespace!r} of cluster {host!r}",
            "none of that name",
            "`kedro rats list` shows those that are there; they are deleted some time "
            "after their end (ext.argo.keep), what they made stays in the store.",
        )
        return NoSuchWorkflow(breach, status=status)
    subject = f"{_one(call.resource)} {call.name or name!r}"
    breach = Breach(subject, "that it is there", got, "Have it made, or name another.")
    return ClusterError(breach, status=status)


def _one(resource: str) -> str:
    return resource.partition("/")[0].removesuffix("s")


def _read(body: str) -> tuple[str, dict[str, Any]]:
    """Return what an answer says, and its details if it is Kubernetes' own."""
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        return " ".join(body.split()), {}
    details = value.get("details")
    message = value.get("message") or value.get("reason") or body
    return " ".join(str(message).split()), details if isinstance(details, dict) else {}
