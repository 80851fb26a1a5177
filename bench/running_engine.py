"""An engine as a process of its own for a measurement: the program that `tradingbot run` and a pod start, on a folder, with its pages."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tradingbot_contract.document import EngineDocument, render_document
from tradingbot_contract.endpoints import METRICS_PATH, STATUS_PATH
from tradingbot_contract.report import EngineState, EngineStatus

ROOT: Final = Path(__file__).resolve().parents[1]
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 30.0


class RunningEngine:
    """Answers while it runs; what it logged stays in `log_path`."""

    def __init__(self, folder: Path, document: EngineDocument, *flags: str) -> None:
        """Start it in `folder`, which holds document, journal and log."""
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "config.yaml"
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)
        self.log_path = folder / "engine.log"
        self.config.write_text(render_document(document))
        command = [sys.executable, "-m", "tradingbot_engine", "--config", str(self.config), "--data", str(self.data), "--host", "127.0.0.1"]
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, "--port", "0", *flags], stderr=log, env=os.environ | {"PYTHONPATH": str(ROOT / "engine")}
            )
        self.port = int(self.until(lambda: re.search(r"serving .*port=(\d+)", self.log), "its port")[1])

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def until(self, probe: Callable[[], re.Match[str] | None], what: str, seconds: float = _START_SECONDS) -> re.Match[str]:
        """Return what the probe finds, as soon as it finds something."""
        deadline = time.monotonic() + seconds
        while (found := probe()) is None:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the engine did not come to {what}:\n{self.log[-5000:]}")
            time.sleep(0.002)
        return found

    def until_state(self, state: EngineState, seconds: float = _START_SECONDS) -> EngineStatus:
        """Return the status as soon as the engine is in this state."""
        deadline = time.monotonic() + seconds
        while (status := self.status()).state is not state:
            if time.monotonic() > deadline:
                raise SystemExit(f"the engine is {status.state.value} and not {state.value}:\n{self.log[-5000:]}")
            time.sleep(0.05)
        return status

    @contextlib.contextmanager
    def connection(self) -> Iterator[http.client.HTTPConnection]:
        """Keep one connection to its pages."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            yield connection
        finally:
            connection.close()

    def page(self, path: str) -> bytes:
        """Return a page that answers with 200."""
        with self.connection() as connection:
            return read_page(connection, path)

    def status(self) -> EngineStatus:
        return msgspec.json.decode(self.page(STATUS_PATH), type=EngineStatus)

    def metrics(self) -> dict[str, float]:
        """Return each sample of the page of metrics by its name and labels."""
        lines = self.page(METRICS_PATH).decode().splitlines()
        samples = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in samples}

    def change(self, document: EngineDocument) -> float:
        """Put another document in the place of the one before; return when it was there, in seconds since the epoch."""
        new = self.config.with_suffix(".new")
        new.write_text(render_document(document))
        new.replace(self.config)
        return time.time()

    def stop(self) -> None:
        """End it as the kubelet does."""
        self.process.send_signal(signal.SIGTERM)
        if self.process.wait(_STOP_SECONDS):
            raise SystemExit(f"the engine ended with {self.process.returncode}:\n{self.log[-5000:]}")

    def kill(self) -> None:
        """End it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def read_page(connection: http.client.HTTPConnection, path: str) -> bytes:
    """Return a page that answers with 200, over a connection that is kept."""
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != http.client.OK:
        raise SystemExit(f"{path}: {answer.status} {body[:200]!r}")
    return body
