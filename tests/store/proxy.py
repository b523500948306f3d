"""An HTTP proxy in front of a real S3 server that makes it fail.

It passes requests on byte for byte, so the server checks the client's own signature.
``faults`` decides about each request: None passes it on, anything else is done to it.
"""

from __future__ import annotations

import http.client
import os
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Fault = str | None
"""``"503"`` (any status), ``"reset"`` (before the request is passed on), ``"lost"`` (the
answer to a request that was done), ``"cut"`` (half of the answer), ``"stall"`` (no
answer), ``"flip"`` (a changed byte in the answer), ``"blind"`` (without If-None-Match)."""


class Proxy:
    """The proxy; it serves as long as its context lasts."""

    def __init__(self, faults: Callable[[str, str], Fault]) -> None:
        self.faults = faults
        self.seen: list[tuple[str, str, Fault]] = []
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.uri = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Proxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, fault: Fault) -> int:
        return sum(found == fault for _, _, found in self.seen)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    proxy: Proxy

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    target: ClassVar = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "http://127.0.0.1"))
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        fault = self.server.proxy.faults(self.command, self.path)
        self.server.proxy.seen.append((self.command, self.path, fault))
        if fault == "reset":
            self._reset()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault == "stall":
            time.sleep(5)
            self.close_connection = True
        elif fault and fault.isdigit():
            self._answer(int(fault), {}, b"")
        else:
            headers = dict(self.headers.items())
            if fault == "blind" and headers.pop("If-None-Match", None):
                headers = self._signed_again(headers, body)
            self._respond(fault, *self._ask(headers, body))

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _serve  # noqa: N815

    def _ask(
        self, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.target.netloc, timeout=30)
        try:
            connection.putrequest(
                self.command, self.path, skip_host=True, skip_accept_encoding=True
            )
            for name, value in headers.items():
                if name.lower() != "expect":
                    connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def _signed_again(self, headers: dict[str, str], body: bytes) -> dict[str, str]:
        """Sign what remains, as a server would see it that does not know the header."""
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        kept = {k: v for k, v in headers.items() if k.lower() != "authorization"}
        request = AWSRequest("PUT", f"http://{headers['Host']}{self.path}", kept, body)
        request.context["payload_signing_enabled"] = True
        key = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
        for name in ("X-Amz-Date", "X-Amz-Content-SHA256", "x-amz-content-sha256"):
            del request.headers[name]
        S3SigV4Auth(Credentials(*key), "s3", os.environ["AWS_REGION"]).add_auth(request)
        return dict(request.headers.items())

    def _respond(
        self, fault: Fault, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        if fault == "lost":
            self._reset()
        elif fault == "cut" and len(body) > 1:
            self._answer(status, headers, body[: len(body) // 2], length=len(body))
            self.wfile.flush()
            self._reset()
        elif fault == "flip" and body:
            self._answer(status, headers, body[:-1] + bytes([body[-1] ^ 1]))
        else:
            self._answer(status, headers, body)

    def _answer(
        self,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        length: int | None = None,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {
                "content-length",
                "connection",
                "transfer-encoding",
            }:
                self.send_header(name, value)
        size = headers.get("Content-Length", "0") if self.command == "HEAD" else None
        self.send_header("Content-Length", size or str(length or len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _reset(self) -> None:
        """Send a TCP reset, not an orderly end."""
        self.close_connection = True
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        self.connection.close()
