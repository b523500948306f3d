"""Logs of pods that are gone, from where Argo has archived them.

They are read with the access to S3 that the store has, or through Argo's server. Neither
credentials nor the token are in anything that is shown.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from kedro_rats.engines.argo.progress.nodes import LOGS
from kedro_rats.errors import Breach, RatsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kedro_rats.engines.argo.progress.nodes import PodNode

TOKEN: Final = "ARGO_TOKEN"  # noqa: S105 - the name of a variable
"""The environment variable with the token for Argo's server, with its ``Bearer``."""

_SECONDS: Final = 30


def archived(
    workflow: Mapping[str, Any],
    pod: PodNode,
    *,
    credentials: Mapping[str, Any] | None,
    server: str | None,
) -> Iterator[str]:
    """Yield the lines of an archived log.

    Args:
        workflow: The workflow.
        pod: The pod.
        credentials: What s3fs takes; None for those of the environment.
        server: URL of Argo's server; None if there is none.

    Raises:
        RatsError: If it is nowhere, or cannot be read.
    """
    if pod.log is None:
        raise _nowhere(pod)
    place = place_of(pod.log, workflow)
    if server is not None and (place is None or os.environ.get(TOKEN)):
        return _from_server(server, workflow, pod)
    if place is None:
        msg = (
            f"Log of pod {pod.pod!r}: expected it on S3, got another kind of artifact "
            "repository. Name Argo's server in rats.yml, ext.argo.server, and set "
            f"{TOKEN}: it reads all kinds."
        )
        raise RatsError(msg)
    return _from_s3(place, pod, credentials)


def place_of(log: Mapping[str, Any], workflow: Mapping[str, Any]) -> str | None:
    """Return bucket and key of an archived log; None if it is not on S3.

    Example:
        >>> place_of({"s3": {"bucket": "logs", "key": "run/pod/main.log"}}, {})
        'logs/run/pod/main.log'
    """
    reference = workflow.get("status", {}).get("artifactRepositoryRef") or {}
    repository = (reference.get("artifactRepository") or {}).get("s3") or {}
    own = log.get("s3") or {}
    bucket, key = own.get("bucket") or repository.get("bucket"), own.get("key")
    return f"{bucket}/{key}" if bucket and key else None


def _nowhere(pod: PodNode) -> RatsError:
    return RatsError(
        Breach(
            f"log of pod {pod.pod!r}",
            "the pod, or its archived log",
            "neither: the pod was deleted",
            "Set ext.argo.artifacts: true in rats.yml, so that Argo archives logs, or "
            "ext.argo.pods: keep; what the task itself said is in `kedro rats status`.",
        )
    )


def _from_s3(
    place: str, pod: PodNode, credentials: Mapping[str, Any] | None
) -> Iterator[str]:
    # Only here: it brings asyncio and botocore with it.
    import fsspec

    from kedro_rats.store.s3_errors import reported_by_s3

    # s3fs keeps an instance for each set of arguments.
    filesystem = fsspec.filesystem(
        "s3", skip_instance_cache=True, **(credentials or {})
    )
    try:
        with reported_by_s3(f"s3://{place}"), filesystem.open(place, "rb") as file:
            for line in file:
                yield line.decode(errors="replace").rstrip("\n")
    except RatsError as error:
        msg = (
            f"Log of pod {pod.pod!r}: the pod is gone, and its archived log cannot be "
            f"read. {error}"
        )
        raise RatsError(msg) from error


def _from_server(
    server: str, workflow: Mapping[str, Any], pod: PodNode
) -> Iterator[str]:
    metadata = workflow["metadata"]
    parts = (metadata["namespace"], metadata["name"], pod.node, LOGS)
    path = "/".join(quote(str(part), safe="") for part in parts)
    request = urllib.request.Request(  # noqa: S310 - rats.yml takes http and https only
        f"{server.rstrip('/')}/artifacts/{path}"
    )
    if token := os.environ.get(TOKEN):
        request.add_header("Authorization", token)
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            for line in answer:
                yield line.decode(errors="replace").rstrip("\n")
    except (urllib.error.URLError, OSError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        reason = getattr(error, "reason", None) or type(error).__name__
        code = getattr(error, "code", None)
        got = f"{reason} (HTTP {code})" if code else f"{reason}"
        breach = Breach(
            f"Argo's server {server!r}",
            f"the log of pod {pod.pod!r}",
            got,
            f"Check ext.argo.server in rats.yml, and that {TOKEN} is set and valid "
            "(`argo auth token` prints one).",
        )
        raise RatsError(breach) from error
