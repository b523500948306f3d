"""Calls of the Kubernetes API: with time limits, tried again where that may help.

The official client reads kubeconfig and knows the paths. Its answers are read here as
plain JSON: workflows are nothing else, and its versions differ in the rest.
"""

from __future__ import annotations

import json
import os
import random
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from kedro_rats.engines.argo.cluster.errors import ClusterError, no_answer, of_answer
from kedro_rats.errors import Breach, RatsError, listed, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kedro_rats.engines.argo.cluster.errors import Call

Result = TypeVar("Result")

CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 30
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 2.0

_MALFORMED: Final = (AttributeError, LookupError, TypeError, ValueError)
"""What the client raises where a file is none of its kind."""

_IN_CLUSTER: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def configured(context: str | None) -> tuple[Any, str]:
    """Return the client's configuration and the namespace that goes with it.

    Args:
        context: A context of kubeconfig; None for the current one.

    Raises:
        ClusterError: If there is no kubeconfig, no such context, and this is no pod.
        RatsError: If the client is not installed.
    """
    try:
        from kubernetes import client, config
    except ImportError as error:
        msg = (
            "Argo: expected the client of Kubernetes, got no module of that name. "
            'Install "kedro-rats[argo]".'
        )
        raise RatsError(msg) from error
    configuration = client.Configuration()
    files = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    if any(Path(file).expanduser().exists() for file in files.split(os.pathsep)):
        with _reading(files, config.ConfigException):
            namespace = _from_file(config, configuration, files, context)
    elif os.environ.get("KUBERNETES_SERVICE_HOST") and context is None:
        with _reading("this pod's service account", config.ConfigException):
            config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
        namespace = _IN_CLUSTER.read_text().strip() if _IN_CLUSTER.exists() else None
    else:
        breach = Breach(
            f"kubeconfig {files!r}",
            "a file",
            "none",
            "Set KUBECONFIG, or have the cluster's tool write one, for example `kind export kubeconfig`.",
        )
        raise ClusterError(breach)
    # What is tried again is decided here.
    configuration.retries = False
    return configuration, namespace or "default"


def _from_file(
    config: Any, configuration: Any, files: str, context: str | None
) -> str | None:
    contexts, active = config.list_kube_config_contexts(config_file=files)
    known = {each["name"]: each for each in contexts}
    if context is not None and context not in known:
        remedy = f"{nearest(context, known)}Known are {listed(sorted(known))}."
        breach = Breach(f"kubeconfig {files!r}", f"context {context!r}", "none", remedy)
        raise ClusterError(breach)
    chosen = known[context] if context is not None else active
    config.load_kube_config(
        config_file=files, context=chosen["name"], client_configuration=configuration
    )
    namespace = chosen["context"].get("namespace")
    return str(namespace) if namespace else None


@contextmanager
def _reading(what: str, failure: type[Exception]) -> Iterator[None]:
    from yaml import YAMLError  # type: ignore[import-untyped]

    try:
        yield
    except (failure, YAMLError, OSError, *_MALFORMED) as error:
        got = " ".join(str(error).split())
        remedy = "Mend it: `kubectl config view` shows how it is read."
        breach = Breach(f"kubeconfig {what!r}", "one that can be read", got, remedy)
        raise ClusterError(breach) from error


def answered(call: Call, function: Callable[[], Any], *, host: str) -> Any:
    """Return the answer to one request.

    Args:
        call: What is asked for.
        function: Asks, and returns the response of urllib3.
        host: Of whom.

    Raises:
        ClusterError: If there is no answer, or one that is an error.
    """
    from kubernetes.client.exceptions import ApiException
    from urllib3.exceptions import HTTPError

    try:
        return function()
    except ApiException as error:
        if not error.status:
            raise no_answer(host, error) from error
        body = error.body if error.body is not None else error.reason
        text = body.decode(errors="replace") if isinstance(body, bytes) else str(body)
        raise of_answer(int(error.status), text, call, host=host) from error
    except (HTTPError, OSError) as error:
        raise no_answer(host, error) from error


def read_json(response: Any, *, host: str) -> dict[str, Any]:
    """Return what an answer says.

    Raises:
        ClusterError: If it breaks off, or is not JSON.
    """
    from urllib3.exceptions import HTTPError

    try:
        value = json.loads(response.data)
    except (HTTPError, OSError) as error:
        raise no_answer(host, error) from error
    except ValueError as error:
        breach = Breach(
            f"cluster {host!r}",
            "JSON",
            f"{bytes(response.data)[:80]!r}",
            "Check the address in kubeconfig: this may be a proxy or a login page.",
        )
        raise ClusterError(breach) from error
    return dict(value)


def patiently(function: Callable[[], Result], *, seconds: float) -> Result:
    """Call a function again while it fails in a way that may pass.

    Args:
        function: What is called.
        seconds: For how long.

    Raises:
        ClusterError: What it raised last.
    """
    deadline = time.monotonic() + seconds
    for pause in pauses():
        try:
            return function()
        except ClusterError as error:
            if not error.transient or time.monotonic() + pause > deadline:
                raise
        time.sleep(pause)
    raise AssertionError


def pauses() -> Iterator[float]:
    """Yield how long to wait before each further try, for ever."""
    pause = _FIRST_PAUSE
    while True:
        # Not all at the same moment again.
        yield pause * random.uniform(0.5, 1)  # noqa: S311 - no secret
        pause = min(pause * 2, _LONGEST_PAUSE)
