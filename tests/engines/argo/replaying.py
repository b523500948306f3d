"""A server that answers as the API server of a real cluster did.

The answers in ``recorded/doctor`` were written down by a proxy between the real client
and the test cluster (Kubernetes 1.33, Argo 3.7), and then shortened: no specs, no names
of owners, a name of the workflow that is always the same.
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
RECORDED = Path(__file__).parent / "recorded" / "doctor"

_NAME = re.compile(r"rats-doctor-[0-9a-f]{8}")


def recorded(name: str) -> list[Json]:
    """Return what was asked and answered, in order."""
    found: list[Json] = json.loads((RECORDED / f"{name}.json").read_text("utf-8"))
    return found


@dataclass
class Replay:
    """Answers, and what was asked for.

    Attributes:
        exchanges: What was recorded; of equal questions the last answer stays.
        ahead: Seconds that the server's clock is ahead.
    """

    exchanges: list[Json]
    ahead: float = 0.0
    asked: list[tuple[str, str, Json | None]] = field(default_factory=list)
    _answers: dict[str, list[Json]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for each in self.exchanges:
            key = _key(each["method"], each["path"], each["request"])
            self._answers[key].append(each)

    def answer(self, method: str, path: str, body: Json | None) -> Json:
        self.asked.append((method, path, body))
        review = (body or {}).get("spec", {})
        request = review if "resourceAttributes" in review else None
        answers = self._answers.get(_key(method, path, request), [])
        if not answers:
            status = {"kind": "Status", "message": f"not recorded: {path}"}
            return {"status": 404, "body": status}
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @contextlib.contextmanager
    def served(self, folder: Path) -> Iterator[str]:
        """Serve it; yields the path of a kubeconfig."""

        class Handler(_Handler):
            replay = self

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(
            target=server.serve_forever, args=(0.01,), daemon=True
        )
        thread.start()
        file = folder / "kubeconfig"
        address = f"http://127.0.0.1:{server.server_port}"
        file.write_text(json.dumps(_kubeconfig(address)))
        try:
            yield str(file)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _key(method: str, path: str, request: Json | None) -> str:
    parts = urlsplit(_NAME.sub("rats-doctor", path))
    asked = (request or {}).get("resourceAttributes")
    kept = {k: v for k, v in (asked or {}).items() if v}
    return json.dumps([method, parts.path.rstrip("/"), kept], sort_keys=True)


def _kubeconfig(server: str) -> Json:
    context = {"cluster": "c", "user": "u", "namespace": "argo"}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server}}],
        "users": [{"name": "u", "user": {}}],
        "contexts": [{"name": "c", "context": context}],
        "current-context": "c",
    }


class _Handler(BaseHTTPRequestHandler):
    replay: Replay

    def _do(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        body = json.loads(sent) if sent else None
        found = self.replay.answer(self.command, self.path, body)
        text = found["body"]
        data = text if isinstance(text, str) else json.dumps(text)
        self.send_response_only(found["status"])
        now = datetime.now(timezone.utc) + timedelta(seconds=self.replay.ahead)
        self.send_header("Date", format_datetime(now, usegmt=True))
        self.send_header("Content-Length", str(len(data.encode())))
        self.end_headers()
        self.wfile.write(data.encode())

    do_GET = do_POST = do_DELETE = _do  # noqa: N815 - as the library names them

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""
