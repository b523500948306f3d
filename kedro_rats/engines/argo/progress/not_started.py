"""Why a pod has not started: in words, with the cure, and whether that may pass.

A registry that is too busy, a volume that is still attached elsewhere or a used-up quota
goes away by itself. An image or a secret that is not there does not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.progress.causes import MACHINE, Cause, Kind, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NEVER_STARTS: Final = ("image", "config")
"""Kinds of cause that do not go away by themselves."""

_IMAGE: Final = "Build and push it (`kedro rats build`), or correct image in rats.yml."
_CONFIG: Final = "Have it made in that namespace, or correct bind in rats.yml."
_LATER: Final = "The cluster tries it again."

_REMEDIES: Final[Mapping[str, str]] = {
    "image": _IMAGE,
    "config": _CONFIG,
    "unschedulable": MACHINE,
    "delayed": _LATER,
}

_WAITING: Final[Mapping[str, tuple[Kind, str]]] = {
    "ErrImagePull": ("image", "its image cannot be pulled"),
    "ImagePullBackOff": ("image", "its image cannot be pulled"),
    "ErrImageNeverPull": ("image", "its image is not on the machine"),
    "InvalidImageName": ("image", "its image has no valid name"),
    "ImageInspectError": ("image", "its image cannot be read"),
    "RegistryUnavailable": ("delayed", "its image cannot be pulled"),
    "SignatureValidationFailed": ("image", "its image is not signed as asked for"),
    "CreateContainerConfigError": ("config", "something that it binds is missing"),
    "CreateContainerError": ("config", "its container cannot be made"),
    "RunContainerError": ("config", "its container cannot be started"),
    "Unschedulable": ("unschedulable", "no machine can take it"),
    "SchedulingGated": ("queued", "it waits in a queue"),
    "FailedMount": ("delayed", "a volume that it binds is not ready"),
    "FailedAttachVolume": ("delayed", "a volume that it binds is not attached"),
}

_PASSES: Final = re.compile(
    r"time(d )?[ -]?out|deadline exceeded|too ?many ?requests|rate ?limit|pull QPS"
    r"|service unavailable|bad gateway|internal server error|connection reset|\bEOF\b"
    r"|temporary failure|server misbehaving|failed to sync \w+ cache"
    r"|name .* is reserved",
    re.IGNORECASE,
)
"""What registries, networks and machines say that are too busy just now."""

_MISSING: Final = re.compile(
    r"(secret|configmap|persistentvolumeclaim) \S+ not found|references non-existent",
    re.IGNORECASE,
)
"""What is said of a volume that will not come."""

_QUOTA: Final = re.compile(r"exceeded quota")

_GETS_ON: Final = ("Pulling", "Pulled", "Created", "Started")
"""Events of a pod whose volumes are there."""

_BACK_OFF: Final = re.compile(r"^Back-off pulling image \"[^\"]*\"$")

# What says nothing that is not said again after it.
_NOISE: Final = re.compile(
    r"^Back-off pulling image \"[^\"]*\": (ErrImagePull: )?"
    r"|^Failed to pull image \"[^\"]*\": "
    r"|failed to pull and unpack image \"[^\"]*\": "
    r"| preemption: .*$"
)


def why_pending(
    message: str,
    pod: Mapping[str, Any] | None = None,
    events: Iterable[Mapping[str, Any]] = (),
) -> Cause | None:
    """Return why a pod has not started; None if it is about to.

    Args:
        message: What Argo says of it.
        pod: The pod, where there is one.
        events: Those of the pod, the latest first.

    Example:
        >>> print(why_pending('ErrImageNeverPull: Container image "x:1" is not present'))
        its image is not on the machine: Container image "x:1" is not present. Build and push it (`kedro rats build`), or correct image in rats.yml.
    """
    # Argo asks for such a pod again and again, until it is taken.
    if _QUOTA.search(message):
        text = f"the cluster does not take its pod: {short(message)}"
        return Cause("unschedulable", text, MACHINE)
    told = [(str(e.get("reason")), str(e.get("message") or "")) for e in events]
    reasons = [*waiting_reasons(pod or {}), _split(message)]
    known = [found for found in reasons if found[0] in _WAITING]
    if known:
        return _cause(*_in_full(*known[0], told))
    last = [found for found in told if found[0] in (*_WAITING, *_GETS_ON)]
    if last and last[0][0] in _WAITING:
        return _cause(*last[0])
    if any(reason in ("PodInitializing", "ContainerCreating") for reason, _ in reasons):
        return Cause("starting", "its container is being made")
    return None


def says_too_little(reason: str, message: str) -> bool:
    """Say whether only the events of a pod tell why it waits.

    Example:
        >>> says_too_little("ContainerCreating", "")
        True
        >>> says_too_little("ImagePullBackOff", 'Back-off pulling image "x:1"')
        True
    """
    if _BACK_OFF.match(message):
        return True  # Kubernetes before 1.31 says no more.
    return reason in ("", "PodInitializing", "ContainerCreating")


def waiting_reasons(pod: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return for what a pod waits, its containers first: reasons and messages."""
    status = pod.get("status", {})
    containers = [
        *(status.get("containerStatuses") or ()),
        *(status.get("initContainerStatuses") or ()),
    ]
    waiting = [c.get("state", {}).get("waiting") for c in containers]
    conditions = [
        c for c in status.get("conditions") or () if c.get("type") == "PodScheduled"
    ]
    return [
        (str(found.get("reason") or ""), str(found.get("message") or ""))
        for found in (*waiting, *conditions)
        if found
    ]


def _cause(reason: str, said: str) -> Cause:
    kind, text = _WAITING[reason]
    if kind == "delayed" and _MISSING.search(said):
        kind, text = "config", "something that it binds is missing"
    elif kind in NEVER_STARTS and _PASSES.search(said):
        kind = "delayed"
    said = _NOISE.sub("", said)
    text = f"{text}: {short(said)}" if said else text
    return Cause(kind, text, _REMEDIES.get(kind, ""))


def _in_full(reason: str, said: str, told: list[tuple[str, str]]) -> tuple[str, str]:
    """Return why a pod waits, with what its events say where it says too little."""
    if _BACK_OFF.match(said):
        for event, message in told:
            if event == "Failed" and message.startswith("Failed to pull image"):
                return reason, message
    return reason, said


def _split(message: str) -> tuple[str, str]:
    reason, _, said = message.partition(": ")
    return reason, said
