"""Nodes that are slow, or do what ends a process; each notes on S3 that it ran."""

from __future__ import annotations

import json
import os
import signal
import ssl
import time
from importlib.util import find_spec
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen
from uuid import uuid4

from s3fs import S3FileSystem


def _ran(ticks: str, case: str, node: str) -> int:
    """Note that a node runs; return how often it did, this time included."""
    fs = S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
    fs.pipe_file(f"{ticks}/{case}/{node}/{uuid4().hex}", b"1")
    return len(fs.ls(f"{ticks}/{case}/{node}"))


def begin(case: str, ticks: str) -> list[int]:
    _ran(ticks, case, "begin")
    return [1, 2, 3]


def finish(rows: list[int], case: str, ticks: str) -> dict[str, int]:
    _ran(ticks, case, "finish")
    return {"sum": sum(rows)}


def slow(rows: list[int], case: str, ticks: str, seconds: float) -> list[int]:
    _ran(ticks, case, "slow")
    for second in range(int(seconds)):
        print(f"slow: {second}", flush=True)  # noqa: T201 - what a log has
        time.sleep(1)
    return [2 * row for row in rows]


def killed(rows: list[int], case: str, ticks: str) -> list[int]:
    """Is killed as by somebody outside, the first time."""
    if _ran(ticks, case, "killed") == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return [2 * row for row in rows]


def hungry(rows: list[int], case: str, ticks: str) -> list[int]:
    _ran(ticks, case, "hungry")
    held = [b"x" * 10**7 for _ in range(80)]
    return [2 * row * len(held) // 80 for row in rows]


def raising(rows: list[int], case: str, ticks: str) -> list[int]:
    """Needs a package that only the second image has."""
    _ran(ticks, case, "raising")
    if find_spec("humanize") is None:
        msg = "no row is right"
        raise ValueError(msg)
    return [2 * row for row in rows]


def waiting(rows: list[int], case: str, ticks: str) -> list[int]:
    """Is of no interest: where it should run is not there."""
    _ran(ticks, case, "waiting")
    return [2 * row for row in rows]


TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount")
ARGO = "apis/argoproj.io/v1alpha1"
# What somebody would try who has got hold of a pod: verb, group, and resource.
TRIED = (
    ("POST", ARGO, "workflowtaskresults"),
    ("GET", ARGO, "workflowtaskresults"),
    ("DELETE", ARGO, "workflowtaskresults"),
    ("GET", ARGO, "workflows"),
    ("POST", ARGO, "workflows"),
    ("POST", ARGO, "workflowtemplates"),
    ("GET", "api/v1", "secrets"),
    ("GET", "api/v1", "configmaps"),
    ("GET", "api/v1", "pods"),
    ("POST", "api/v1", "pods"),
    ("DELETE", "api/v1", "pods"),
    ("GET", "api/v1", "events"),
    ("GET", "api/v1", "serviceaccounts"),
    ("POST", "apis/batch/v1", "jobs"),
    ("POST", "apis/rbac.authorization.k8s.io/v1", "rolebindings"),
)


def prying(rows: list[int], case: str, ticks: str) -> tuple[list[int], dict]:
    """Look for a token, and try what it is good for."""
    _ran(ticks, case, "prying")
    names = sorted(path.name for path in TOKEN.glob("*")) if TOKEN.exists() else []
    seen = {"token": names, "uid": os.getuid()}
    if names:
        where = (TOKEN / "namespace").read_text()
        for verb, group, resource in TRIED:
            path = f"{group}/namespaces/{where}/{resource}"
            seen[f"{verb} {resource}"] = _answer(verb, path, resource)
    return [2 * row for row in rows], seen


def _answer(verb: str, path: str, resource: str) -> int:
    host, port = (os.environ[f"KUBERNETES_SERVICE_{n}"] for n in ("HOST", "PORT"))
    body = {
        "apiVersion": "/".join(path.split("/")[1:3]),
        "kind": "WorkflowTaskResult",
        "metadata": {"name": f"pried-{uuid4().hex[:8]}"},
    }
    request = Request(
        f"https://{host}:{port}/{path}",
        method=verb,
        data=json.dumps(body).encode() if verb == "POST" else None,
        headers={
            "Authorization": f"Bearer {(TOKEN / 'token').read_text()}",
            "Content-Type": "application/json",
        },
    )
    context = ssl.create_default_context(cafile=TOKEN / "ca.crt")
    try:
        with urlopen(request, context=context, timeout=30) as answer:  # noqa: S310 - the cluster's own address
            return answer.status
    except HTTPError as error:
        return error.code
