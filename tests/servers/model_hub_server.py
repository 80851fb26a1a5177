"""A hub of models on this machine: as much of Hugging Face's HTTP as its own client needs to fetch a file, and faults on demand."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

REVISION = "0123456789abcdef0123456789abcdef01234567"


class ModelHubServer:
    """Serves the folder of each model; `requests` counts paths that were asked for with GET."""

    def __init__(self, models: dict[str, Path]) -> None:
        self.models = models
        self.requests: Counter[str] = Counter()
        self.failing = False
        """Answer everything with 503."""
        self.gate = threading.Event()
        """Files are served while it is set."""
        self.gate.set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.gate.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        class Handler(_Handler):
            hub = self

        return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: ModelHubServer

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self.hub.requests[self.path] += 1
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        if self.hub.failing:
            self._send(503, b"try again later")
        elif self.path.startswith("/api/models/"):
            self._describe(self.path.removeprefix("/api/models/").split("?")[0])
        elif "/resolve/" in self.path:
            name, _, rest = self.path.lstrip("/").partition("/resolve/")
            self._send_file(name, rest.partition("/")[2])
        else:
            self._send(404, b"")

    def _describe(self, name: str) -> None:
        folder = self.hub.models.get(name)
        if folder is None:
            self._send(404, b'{"error": "Repository not found"}', {"X-Error-Code": "RepoNotFound"})
            return
        files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
        body = {"id": name, "modelId": name, "sha": REVISION, "siblings": [{"rfilename": file} for file in files]}
        self._send(200, json.dumps(body).encode(), {"Content-Type": "application/json"})

    def _send_file(self, name: str, file: str) -> None:
        path = self.hub.models.get(name, Path("/nonexistent")) / file
        if not path.is_file():
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        if self.command == "GET":
            self.hub.gate.wait()
        body = path.read_bytes()
        self._send(200, body, {"ETag": f'"{hashlib.sha256(body).hexdigest()}"', "X-Repo-Commit": REVISION})

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)
