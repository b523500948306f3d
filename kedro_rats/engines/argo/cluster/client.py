"""What kedro-rats asks of a Kubernetes cluster with Argo Workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.cluster.api import ClusterApi
from kedro_rats.engines.argo.cluster.calls import configured
from kedro_rats.engines.argo.cluster.errors import (
    Call,
    ClusterError,
    NoSuchWorkflow,
    WorkflowExists,
)
from kedro_rats.engines.argo.cluster.watching import logged, watched
from kedro_rats.engines.argo.cluster.workflows import (
    GROUP,
    STOPPED,
    VERSION,
    has_ended,
    phase_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "GROUP",
    "STOPPED",
    "VERSION",
    "Call",
    "Cluster",
    "ClusterError",
    "NoSuchWorkflow",
    "WorkflowExists",
    "has_ended",
    "phase_of",
]

Json = dict[str, Any]
Items = list[Json]

_PHASE: Final = "workflows.argoproj.io/phase"


class Cluster(ClusterApi):
    """A namespace of a cluster, over the Kubernetes API.

    Args:
        configuration: The client's configuration.
        namespace: The namespace.

    Attributes:
        namespace: The namespace.
    """

    def __init__(self, configuration: Any, namespace: str) -> None:
        super().__init__(configuration)
        self.namespace = namespace

    @classmethod
    def connect(
        cls, *, namespace: str | None = None, context: str | None = None
    ) -> Cluster:
        """Return the cluster that kubeconfig names, or the one that this pod is in.

        Nothing is sent yet.

        Args:
            namespace: The namespace; default that of the context.
            context: The context of kubeconfig; default the current one.

        Raises:
            ClusterError: If there is no kubeconfig, no such context, and this is no pod.
            RatsError: If the client of Kubernetes is not installed.
        """
        configuration, default = configured(context)
        return cls(configuration, namespace or default)

    # --- workflows ----------------------------------------------------------------

    def create(self, manifest: Json, *, dry_run: bool = False) -> Json:
        """Make a workflow and return it as the cluster has it.

        Args:
            manifest: The workflow.
            dry_run: Whether the cluster only checks it.

        Raises:
            WorkflowExists: If there is one of that name.
            ClusterError: If the cluster does not take it.
        """
        body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": "Workflow", **manifest}
        call = self.workflows_call("create", manifest.get("metadata", {}).get("name"))
        options = {"dry_run": "All"} if dry_run else {}
        return self.ask(
            call,
            self.custom.create_namespaced_custom_object,
            *(GROUP, VERSION, self.namespace, "workflows", body),
            **options,
        )

    def get(self, name: str) -> Json:
        """Return a workflow.

        Raises:
            NoSuchWorkflow: If there is none.
            ClusterError: If the cluster does not say.
        """
        return self.ask(
            self.workflows_call("get", name),
            self.custom.get_namespaced_custom_object,
            *(GROUP, VERSION, self.namespace, "workflows", name),
        )

    def list(self, labels: Mapping[str, str]) -> Items:
        """Return the workflows with these labels, the latest first, without their spec.

        Each has its metadata, and a status with nothing but the phase: whole workflows
        are up to a megabyte each.

        Raises:
            ClusterError: If the cluster does not say.
        """
        selector = ",".join(f"{name}={value}" for name, value in labels.items())
        found = self.ask(
            self.workflows_call("list"),
            self.heads.list_namespaced_custom_object,
            *(GROUP, VERSION, self.namespace, "workflows"),
            label_selector=selector,
        )
        heads = [_head(item) for item in found.get("items") or ()]
        return sorted(heads, key=_age, reverse=True)

    def watch(self, name: str) -> Iterator[Json]:
        """Yield a workflow now, at each change and each few seconds, until it has ended.

        It goes on where the API server does not answer for some minutes.

        Raises:
            NoSuchWorkflow: If there is none, or it is deleted.
            ClusterError: If the cluster does not answer for longer, or refuses.
        """
        yield from watched(self, self.workflows_call("watch", name), name)

    def stop(self, name: str, message: str = "", *, now: bool = False) -> None:
        """Have a workflow stopped: what runs is ended, nothing more is started.

        Args:
            name: The workflow.
            message: Why, for those who look later.
            now: Whether exit handlers are left out, too.

        Raises:
            NoSuchWorkflow: If there is none.
            ClusterError: If the cluster does not do it.
        """
        patch: Json = {"spec": {"shutdown": "Terminate" if now else "Stop"}}
        if message:
            patch["metadata"] = {"annotations": {STOPPED: message}}
        self.ask(
            self.workflows_call("patch", name),
            self.custom.patch_namespaced_custom_object,
            *(GROUP, VERSION, self.namespace, "workflows", name, patch),
        )

    def delete(self, name: str) -> None:
        """Delete a workflow, and its pods with it.

        Raises:
            NoSuchWorkflow: If there is none.
            ClusterError: If the cluster does not do it.
        """
        self.ask(
            self.workflows_call("delete", name),
            self.custom.delete_namespaced_custom_object,
            *(GROUP, VERSION, self.namespace, "workflows", name),
        )

    # --- pods -----------------------------------------------------------------------

    def pods(self, name: str, *, phase: str | None = None) -> Items:
        """Return the pods of a workflow.

        Args:
            name: The workflow.
            phase: Only those in this phase, such as ``Pending``.

        Raises:
            ClusterError: If the cluster does not say.
        """
        options = {"field_selector": f"status.phase={phase}"} if phase else {}
        found = self.ask(
            Call(verb="list", resource="pods", namespace=self.namespace),
            self.core.list_namespaced_pod,
            self.namespace,
            label_selector=f"workflows.argoproj.io/workflow={name}",
            **options,
        )
        return list(found.get("items") or ())

    def events(self, pod: str) -> Items:
        """Return the events of a pod, the latest first.

        Raises:
            ClusterError: If the cluster does not say.
        """
        found = self.ask(
            Call(verb="list", resource="events", namespace=self.namespace),
            self.core.list_namespaced_event,
            self.namespace,
            field_selector=f"involvedObject.name={pod}",
        )
        return sorted(found.get("items") or (), key=_last_seen, reverse=True)

    def log(
        self, pod: str, *, follow: bool = False, container: str = "main"
    ) -> Iterator[str]:
        """Yield the lines of a pod's log.

        Args:
            pod: The pod.
            follow: Whether to wait for more until its container has ended; it goes on
                where the API server does not answer for some minutes.
            container: The container.

        Raises:
            ClusterError: If there is no such pod, or its container has not started.
        """
        yield from logged(self, pod, container=container, follow=follow)

    # --- rights -----------------------------------------------------------------------

    def allowed(
        self,
        verb: str,
        resource: str,
        *,
        group: str = "",
        namespace: str | None = None,
        user: str | None = None,
    ) -> bool:
        """Say whether we, or another user, may do something.

        Args:
            verb: As in a role.
            resource: As in a role: ``workflows``, ``pods/log``.
            group: Its API group.
            namespace: Where; default this one.
            user: Who; default ourselves. A service account is
                ``system:serviceaccount:NAMESPACE:NAME``.

        Raises:
            ClusterError: If the cluster does not say.
        """
        kind = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
        name, _, part = resource.partition("/")
        attributes = {
            "verb": verb,
            "resource": name,
            "subresource": part,
            "group": group,
            "namespace": self.namespace if namespace is None else namespace,
        }
        spec: Json = {"resourceAttributes": attributes}
        if user:
            spec["user"] = user
        create = (
            self.authorization.create_subject_access_review
            if user
            else self.authorization.create_self_subject_access_review
        )
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
        plural = f"{kind.lower()}s"
        call = Call(verb="create", resource=plural, group="authorization.k8s.io")
        return bool(self.ask(call, create, body).get("status", {}).get("allowed"))

    def workflows_call(self, verb: str, name: str | None = None) -> Call:
        """Return what is asked of workflows, for errors."""
        return Call(
            verb=verb,
            resource="workflows",
            namespace=self.namespace,
            name=name,
            group=GROUP,
        )


def _head(item: Json) -> Json:
    metadata = item["metadata"]
    metadata.pop("managedFields", None)
    labels = metadata.get("labels") or {}
    return {"metadata": metadata, "status": {"phase": labels.get(_PHASE, "")}}


def _age(workflow: Json) -> tuple[str, str]:
    metadata = workflow["metadata"]
    return metadata.get("creationTimestamp", ""), metadata["name"]


def _last_seen(event: Json) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")
