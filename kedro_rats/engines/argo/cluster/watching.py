"""What a cluster tells bit by bit: how a workflow changes, and what a pod logs."""

from __future__ import annotations

import json
import time
from contextlib import closing
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.cluster.api import lines
from kedro_rats.engines.argo.cluster.calls import (
    CONNECT_SECONDS,
    READ_SECONDS,
    pauses,
    read_json,
)
from kedro_rats.engines.argo.cluster.errors import (
    Call,
    ClusterError,
    NoSuchWorkflow,
    no_answer,
    of_answer,
)
from kedro_rats.engines.argo.cluster.workflows import GROUP, VERSION, has_ended

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kedro_rats.engines.argo.cluster.client import Cluster

Json = dict[str, Any]

LONG_PATIENCE: Final = 300.0
"""So many seconds a command that waits does without an answer."""

SETTLING: Final = 30.0
"""An API server that starts refuses, for so many seconds, what it will allow."""

TICK: Final = 5
"""At least so often, in seconds, a watched workflow is yielded."""

_SILENT_LOG: Final = 300.0


class _Outage:
    """A time without answers, which may last so long and no longer."""

    def __init__(self) -> None:
        self.over()

    def over(self) -> None:
        """Note that there is an answer."""
        self.began: float | None = None
        self._pauses = pauses()

    def bear(self, error: ClusterError) -> None:
        """Wait a moment, or raise what is wrong if that has lasted too long."""
        now = time.monotonic()
        self.began = now if self.began is None else self.began
        limit = LONG_PATIENCE if error.transient else SETTLING
        if isinstance(error, NoSuchWorkflow) or now - self.began > limit:
            raise error
        time.sleep(next(self._pauses))


def watched(cluster: Cluster, call: Call, name: str) -> Iterator[Json]:
    """Yield a workflow now, at each change and each few seconds, until it has ended."""
    workflow = cluster.get(name)
    yield workflow
    outage = _Outage()
    while not has_ended(workflow):
        try:
            for found in _round(
                cluster, call, workflow, again=outage.began is not None
            ):
                workflow = found
                yield workflow
        except ClusterError as error:
            outage.bear(error)
        else:
            outage.over()


def _round(
    cluster: Cluster, call: Call, workflow: Json, *, again: bool
) -> Iterator[Json]:
    """Yield what becomes of a workflow in some seconds."""
    found = _now(cluster, call, workflow) if again else workflow
    if again:
        yield found
    for change in _changes(cluster, call, found):
        found = change
        yield found
        if has_ended(found):
            return
    yield found


def _now(cluster: Cluster, call: Call, workflow: Json) -> Json:
    response = cluster.response(
        call,
        cluster.custom.get_namespaced_custom_object,
        *(GROUP, VERSION, cluster.namespace, "workflows", workflow["metadata"]["name"]),
    )
    return read_json(response, host=cluster.host)


def _changes(cluster: Cluster, call: Call, workflow: Json) -> Iterator[Json]:
    from urllib3.exceptions import HTTPError

    metadata = workflow["metadata"]
    response = cluster.response(
        call,
        cluster.custom.list_namespaced_custom_object,
        *(GROUP, VERSION, cluster.namespace, "workflows"),
        # A connection whose other end is gone says nothing.
        read_seconds=TICK + CONNECT_SECONDS,
        field_selector=f"metadata.name={metadata['name']}",
        resource_version=metadata["resourceVersion"],
        timeout_seconds=TICK,
        watch=True,
    )
    try:
        with closing(response):
            for line in lines(response):
                yield _changed(json.loads(line), call, host=cluster.host)
    except (HTTPError, OSError, ValueError) as error:
        raise no_answer(cluster.host, error) from error


def _changed(event: Json, call: Call, *, host: str) -> Json:
    found: Json = event.get("object") or {}
    if event.get("type") == "DELETED":
        gone = json.dumps({"details": {"kind": "workflows", "name": call.name}})
        raise of_answer(HTTPStatus.NOT_FOUND, gone, call, host=host)
    if event.get("type") == "ERROR":
        # Mostly 410: what was seen last is too old to go on from.
        text = f"cluster {host!r}: it broke a watch off: {found.get('message')}"
        raise ClusterError(text, transient=True, status=found.get("code"))
    return found


def logged(
    cluster: Cluster, pod: str, *, container: str, follow: bool
) -> Iterator[str]:
    """Yield the lines of a pod's log, each once, also over a broken connection."""
    outage = _Outage()
    seen = 0
    while True:
        try:
            for number, line in enumerate(
                _lines_now(cluster, pod, container=container, follow=follow)
            ):
                if number < seen:
                    continue
                seen += 1
                outage.over()
                yield line
        except ClusterError as error:
            if not follow or not error.transient:
                raise
            outage.bear(error)
        else:
            return


def _lines_now(
    cluster: Cluster, pod: str, *, container: str, follow: bool
) -> Iterator[str]:
    from urllib3.exceptions import HTTPError

    call = Call(verb="get", resource="pods/log", namespace=cluster.namespace, name=pod)
    response = cluster.response(
        call,
        cluster.core.read_namespaced_pod_log,
        *(pod, cluster.namespace),
        read_seconds=_SILENT_LOG if follow else READ_SECONDS,
        container=container,
        follow=follow,
    )
    try:
        with closing(response):
            yield from lines(response)
    except (HTTPError, OSError) as error:
        raise no_answer(cluster.host, error) from error
