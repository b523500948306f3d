"""What ``ext: {argo: …}`` of ``rats.yml`` says: the settings of this engine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

ENGINE: Final = "argo"
"""The engine's name: its key under ``ext``."""

DEFAULT_USER: Final = 8737
"""The user that Argo's own images run as."""

DEFAULT_KEEP: Final = 7 * 86_400
DEFAULT_PENDING: Final = 600
DEFAULT_RETRIES: Final = 2
QUEUE_LABEL: Final = "kueue.x-k8s.io/queue-name"

PodsKept = Literal["on_success", "on_end", "keep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactRepository:
    """Where Argo keeps artifacts, if not in the namespace's own place.

    Args:
        config_map: Name of the config map that describes it.
        key: The key there; None for Argo's default.
    """

    config_map: str
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArgoSettings:
    """Settings of the engine for one environment; ``docs/reference/argo.md`` explains.

    Args:
        namespace: Where workflows are made; None for that of the kubeconfig's context.
        context: Context of the kubeconfig; None for the current one.
        server: URL of Argo's server, for links and archived logs.
        service_account: Whose rights pods have; None for the namespace's default.
        parallelism: At most so many pods of one workflow at once.
        deadline: Seconds after which a whole workflow is stopped.
        keep: Seconds for which a workflow that has ended is kept.
        pods: When the pods of a workflow are deleted.
        pending: Seconds for which a task may find no machine before a command that
            waits gives up.
        retries: How often a task runs again whose pod was lost, where its policy does
            not say.
        artifacts: Whether logs and small results become Argo's artifacts.
        artifact_repository: Where to.
        run_as_user: The user of all containers; None for that of each image.
        api_token: Whether nodes find the service account's token.
        labels: Further labels of workflows and pods.
        annotations: Further annotations of workflows and pods.
        queue_label: Label that names the queue of a pod.
        priority: Of the workflow among those that wait for Argo.
    """

    namespace: str | None = None
    context: str | None = None
    server: str | None = None
    service_account: str | None = None
    parallelism: int | None = None
    deadline: int | None = None
    keep: int = DEFAULT_KEEP
    pods: PodsKept = "on_success"
    pending: int = DEFAULT_PENDING
    retries: int = DEFAULT_RETRIES
    artifacts: bool = False
    artifact_repository: ArtifactRepository | None = None
    run_as_user: int | None = DEFAULT_USER
    api_token: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    queue_label: str = QUEUE_LABEL
    priority: int | None = None

    def address(self, namespace: str, workflow: str) -> str | None:
        """Return where Argo's server shows a workflow; None if no server is named.

        Example:
            >>> ArgoSettings(server="https://argo.example/").address("ml", "penguins-1")
            'https://argo.example/workflows/ml/penguins-1'
        """
        if self.server is None:
            return None
        return f"{self.server.rstrip('/')}/workflows/{namespace}/{workflow}"
