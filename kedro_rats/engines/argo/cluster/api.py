"""The APIs of a Kubernetes cluster, each call of which says in one line why it fails."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from kedro_rats.engines.argo.cluster.calls import (
    CONNECT_SECONDS,
    READ_SECONDS,
    answered,
    patiently,
    read_json,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kedro_rats.engines.argo.cluster.errors import Call

Json = dict[str, Any]

PATIENCE: Final = 10.0
"""So many seconds a call is tried again that gets no answer."""

_METADATA: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class ClusterApi:
    """The APIs of a cluster.

    Every call has a time limit, is tried again for ``patience`` seconds while there is
    no answer, and raises ``ClusterError`` where it fails.

    Args:
        configuration: The client's configuration.

    Attributes:
        host: Address of the API server.
        patience: So many seconds a call is tried again that gets no answer.
    """

    def __init__(self, configuration: Any) -> None:
        self._configuration = configuration
        self.host = str(configuration.host)
        self.patience = PATIENCE

    def ask(
        self, call: Call, function: Callable[..., Any], *arguments: Any, **options: Any
    ) -> Json:
        """Call a function of the client's APIs; return the answer as plain JSON.

        Args:
            call: What is asked for, for errors.
            function: One of ``core``, ``custom``, ``authorization``.
            *arguments: For the function.
            **options: For the function.

        Raises:
            ClusterError: If the cluster does not do it.
        """
        return patiently(
            lambda: read_json(
                self.response(call, function, *arguments, **options), host=self.host
            ),
            seconds=self.patience,
        )

    @cached_property
    def core(self) -> Any:
        """The client's API of pods, secrets, namespaces."""
        from kubernetes import client

        return client.CoreV1Api(client.ApiClient(self._configuration))

    @cached_property
    def custom(self) -> Any:
        """The client's API of everything that has a group."""
        from kubernetes import client

        return client.CustomObjectsApi(client.ApiClient(self._configuration))

    @cached_property
    def authorization(self) -> Any:
        """The client's API of rights."""
        from kubernetes import client

        return client.AuthorizationV1Api(client.ApiClient(self._configuration))

    @cached_property
    def heads(self) -> Any:
        """As ``custom``, for lists: with the metadata only."""
        from kubernetes import client

        api = client.ApiClient(
            self._configuration, header_name="Accept", header_value=_METADATA
        )
        return client.CustomObjectsApi(api)

    def response(
        self,
        call: Call,
        function: Callable[..., Any],
        *arguments: Any,
        read_seconds: float = READ_SECONDS,
        **options: Any,
    ) -> Any:
        """Call a function of the client's APIs once; return the response of urllib3.

        Args:
            call: What is asked for, for errors.
            function: One of ``core``, ``custom``, ``authorization``.
            *arguments: For the function.
            read_seconds: So long the answer may pause.
            **options: For the function.

        Raises:
            ClusterError: If the cluster does not do it.
        """
        return answered(
            call,
            lambda: function(
                *arguments,
                _preload_content=False,
                _request_timeout=(CONNECT_SECONDS, read_seconds),
                **options,
            ),
            host=self.host,
        )


def lines(response: Any) -> Iterator[str]:
    """Yield the lines of an answer as they come."""
    rest = b""
    for chunk in response.stream(None, decode_content=False):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")
