"""The workflow of ``kedro rats doctor``: a pod for each image, which looks around."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.cluster.workflows import GROUP, VERSION
from kedro_rats.engines.argo.naming import PREFIX
from kedro_rats.engines.argo.translation.pods import pod_security, pod_template
from kedro_rats.placement.placing import place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kedro_rats.engines.argo.settings import ArgoSettings
    from kedro_rats.placement.settings import Settings

IMAGE_LABEL: Final = f"{PREFIX}image"
"""The label of a pod that says which of the images it is for."""

DOCTOR_LABEL: Final = f"{PREFIX}doctor"
_ENTRY: Final = "main"
_KEPT_SECONDS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """An image that a pod is made of.

    Attributes:
        profiles: Its names in ``rats.yml``.
        placement: Where nodes run that get it and nothing else but the defaults.
    """

    profiles: tuple[str, ...]
    placement: Mapping[str, Any]

    @property
    def ref(self) -> str:
        """The image."""
        return str(self.placement["image"]["ref"])

    @property
    def name(self) -> str:
        """What a finding calls it."""
        return f"image {' '.join(self.profiles)}"


@dataclass(frozen=True, slots=True)
class _Node:
    """A node without a name for patterns to match, that asks for an image."""

    tags: set[str]
    name: str = "kedro-rats-doctor"
    namespace: str | None = None


def looked_at(settings: Settings) -> list[Looked]:
    """Return the images that ``rats.yml`` names, each once."""
    found: dict[str, list[str]] = {}
    for name, image in settings.profiles.get("image", {}).items():
        if image.get("ref"):
            found.setdefault(image["ref"], []).append(name)
    return [
        Looked(profiles=tuple(names), placement=_placement(settings, names[0]))
        for names in found.values()
    ]


def _placement(settings: Settings, profile: str) -> Mapping[str, Any]:
    node = _Node({f"image.{profile}"})
    placed, _ = place([node], settings)
    # How often and how long nodes are tried is nothing to look at.
    return {k: v for k, v in placed[node.name].to_json().items() if k != "policy"}


def workflow(
    images: Sequence[Looked], settings: ArgoSettings, *, store: str, seconds: int
) -> dict[str, Any]:
    """Return a workflow with a pod for each image, which ends and goes by itself.

    Args:
        images: The images.
        settings: Of the engine.
        store: The store's URI.
        seconds: When it ends at the latest.
    """
    name = f"rats-doctor-{os.urandom(4).hex()}"
    labels = {**settings.labels, DOCTOR_LABEL: "true"}
    spec: dict[str, Any] = {
        "entrypoint": _ENTRY,
        "templates": [_entry(images), *_pods(images, settings, store)],
        "podMetadata": {"labels": labels, "annotations": dict(settings.annotations)},
        "securityContext": pod_security(settings).model_dump(
            mode="json", by_alias=True, exclude_none=True
        ),
        "activeDeadlineSeconds": seconds,
        "ttlStrategy": {"secondsAfterCompletion": _KEPT_SECONDS},
    }
    if settings.service_account:
        spec["serviceAccountName"] = settings.service_account
    if secrets := _pull_secrets(images):
        spec["imagePullSecrets"] = [{"name": secret} for secret in secrets]
    if settings.artifacts:
        spec["archiveLogs"] = True
    if settings.artifact_repository:
        repository = settings.artifact_repository
        key = {"key": repository.key} if repository.key else {}
        spec["artifactRepositoryRef"] = {"configMap": repository.config_map, **key}
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Workflow",
        "metadata": {"name": name, "labels": labels},
        "spec": spec,
    }


def template_name(index: int) -> str:
    """Return the name of the template for an image."""
    return f"image-{index}"


def _entry(images: Sequence[Looked]) -> dict[str, Any]:
    names = [template_name(index) for index in range(len(images))]
    tasks = [{"name": name, "template": name} for name in names]
    return {"name": _ENTRY, "dag": {"failFast": False, "tasks": tasks}}


def _pods(
    images: Sequence[Looked], settings: ArgoSettings, store: str
) -> list[dict[str, Any]]:
    command = ["python", "-m", "kedro_rats.engines.argo.doctor.probe"]
    found = []
    for index, image in enumerate(images):
        template = pod_template(
            template_name(index),
            image.placement,
            [*command, "--store", store],
            settings,
        )
        # What fails once is what is to be seen.
        template.pop("retryStrategy", None)
        metadata = template.setdefault("metadata", {})
        labels = metadata.setdefault("labels", {})
        labels[IMAGE_LABEL] = str(index)
        if queue := image.placement.get("resources", {}).get("queue"):
            labels[settings.queue_label] = queue
        found.append(template)
    return found


def _pull_secrets(images: Sequence[Looked]) -> list[str]:
    named = (image.placement["image"].get("pull_secrets", []) for image in images)
    return sorted({name for each in named for name in each})
