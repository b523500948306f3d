"""The little of Argo's API that the end-to-end tests use."""

from __future__ import annotations

import json
import os
import time
import urllib.request
from typing import Any

Json = dict[str, Any]


def submit(manifest: Json) -> str:
    """Submit a workflow and return its name."""
    created = _call("POST", "", {"workflow": manifest})
    return str(created["metadata"]["name"])


def wait_for_end(name: str, *, seconds: float) -> Json:
    """Return a workflow's status once it has ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        status: Json = _call("GET", f"/{name}").get("status", {})
        if status.get("phase") in {"Succeeded", "Failed", "Error"}:
            return status
        time.sleep(1)
    msg = f"workflow {name!r}: expected an end within {seconds} s, got {status}"
    raise TimeoutError(msg)


def delete(name: str) -> None:
    _call("DELETE", f"/{name}")


def _call(method: str, path: str, body: Json | None = None) -> Json:
    namespace = os.environ["ARGO_NAMESPACE"]
    request = urllib.request.Request(  # noqa: S310 - the cluster's own address
        f"{os.environ['ARGO_SERVER_URL']}/api/v1/workflows/{namespace}{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    if token := os.environ.get("ARGO_TOKEN"):
        request.add_header("Authorization", token)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return dict(json.load(answer))
