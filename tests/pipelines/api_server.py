"""An HTTP server that answers as it is told, fails, hangs and comes back.

It knows nothing of Kubernetes: a test says what is answered to each request. What the
answers look like was copied from a real API server.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True)
class Answer:
    """What is answered to one request.

    Attributes:
        status: The HTTP status; 0 breaks the connection without an answer.
        body: JSON, or bytes.
        pieces: Sent after the body, one by one; the last without an end breaks off.
        broken: Whether the connection breaks before the answer is whole.
        seconds: So long nothing is said before the answer.
    """

    status: int = 200
    body: Any = b""
    pieces: tuple[bytes, ...] = ()
    broken: bool = False
    seconds: float = 0


@dataclass
class ApiServer:
    """A server; it serves as long as its context lasts.

    Attributes:
        answer: Returns what is answered to a method and a path with its query.
        port: Where to; 0 for one that is free.
    """

    answer: Callable[[str, str], Answer]
    port: int = 0
    seen: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> ApiServer:
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.owner = self
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kubeconfig(self, folder: Path) -> Path:
        """Write a kubeconfig for it."""
        path = folder / "kubeconfig"
        path.write_text(json.dumps(kubeconfig(self.url)))
        return path


def kubeconfig(url: str) -> dict[str, Any]:
    context = {"cluster": "test", "user": "me", "namespace": "ml"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": {"server": url}}],
        "users": [{"name": "me", "user": {"token": "canary-token"}}],
        "contexts": [
            {"name": "test", "context": context},
            {"name": "plain", "context": {"cluster": "test", "user": "me"}},
        ],
        "current-context": "test",
    }


def failure(status: int, message: str, **details: Any) -> Answer:
    """What Kubernetes answers when it does not do something."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "details": details,
        "code": status,
    }
    return Answer(status, body)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: ApiServer

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that hang up are what this is for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        owner = self.server.owner
        owner.seen.append((self.command, self.path))
        owner.headers.append(dict(self.headers.items()))
        owner.bodies.append(json.loads(body) if body else None)
        answer = owner.answer(self.command, self.path)
        owner.ended.wait(answer.seconds)
        self.close_connection = True
        if answer.status == 0:
            self.connection.close()
            return
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        data = answer.body
        data = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        # Or a client that is faster than the end of this one asks again over it.
        self.send_header("Connection", "close")
        self.end_headers()
        for piece in (data, *answer.pieces):
            if piece:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                self.wfile.flush()
        if not answer.broken:
            self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _serve  # noqa: N815 - as it wants
