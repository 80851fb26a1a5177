"""A real engine and a real observer beside it, as processes, talked to from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from server_process import free_port
from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument
from tradingbot_contract.endpoints import METRICS_PATH, REPORT_PATH
from tradingbot_contract.report import ObserverReport
from tradingbot_contract.resources import Cache, Pool
from tradingbot_contract.spec import Broker, Feed, Health, Market, Observability, Replay, Risk, Strategy

ROOT = Path(__file__).resolve().parents[3]
WITHIN_SECONDS = 60.0


def document(*, generation: int = 1, silent_after_seconds: float = 2.0, interval_seconds: float = 1.0) -> EngineDocument:
    return EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace="trading", name="first", uid="u"),
        generation=generation,
        strategy=Strategy(name="ema-cross"),
        market=Market(symbols=["AAPL", "MSFT"], feed=Feed(replay=Replay(speed=20.0, loop=True))),
        broker=Broker(),
        risk=Risk(),
        database=DatabaseAccess(pool=Pool()),
        cache=Cache(),
        health=Health(silent_after_seconds=silent_after_seconds),
        observability=Observability(interval_seconds=interval_seconds),
    )


@dataclass
class Rig:
    """An engine and an observer in a folder of their own."""

    folder: Path
    engine_port: int = field(default_factory=free_port)
    observer_port: int = field(default_factory=free_port)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def write(self, text: str) -> None:
        # As the kubelet does: nobody sees half a document.
        new = self.folder / "config.new"
        new.write_text(text)
        new.replace(self.config)

    def start_engine(self) -> subprocess.Popen[bytes]:
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        return self.start("tradingbot_engine", "--data", str(data), "--host", "127.0.0.1", "--port", str(self.engine_port))

    def start_observer(self, *arguments: str) -> subprocess.Popen[bytes]:
        return self.start(
            "tradingbot_observer",
            *("--engine-url", f"http://127.0.0.1:{self.engine_port}", "--host", "127.0.0.1", "--port", str(self.observer_port)),
            # Other engines may run on this machine: ours has our document in its command line.
            *(arguments or ("--engine-command", str(self.config))),
        )

    def start(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{module}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, "--config", str(self.config), *arguments],
                env=os.environ | {"PYTHONPATH": str(ROOT / "engine")},
                stderr=log,
            )
        self.started.append(process)
        return process

    def read(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.observer_port}{path}", timeout=WITHIN_SECONDS) as answer:
            body: bytes = answer.read()
            return body

    def report(self) -> ObserverReport:
        return msgspec.json.decode(self.read(REPORT_PATH), type=ObserverReport)

    def acknowledgement(self, generation: int) -> ObserverReport:
        """Return the report that says what became of a generation; who gets none within 5 s asks again, as the operator does."""
        deadline = time.monotonic() + WITHIN_SECONDS
        while True:
            report = msgspec.json.decode(self.read(f"{REPORT_PATH}?generation={generation}&wait=5"), type=ObserverReport)
            if report.engine is not None and generation in {report.engine.generation, report.engine.refused_generation}:
                return report
            assert time.monotonic() < deadline, f"generation {generation} is not acknowledged: {report}"

    def log(self, module: str) -> str:
        return (self.folder / f"{module}.log").read_text()

    def reasons(self) -> set[str]:
        return {finding.reason.value for finding in self.report().findings}

    def metric(self, series: str) -> float | None:
        """Return the value of a series as ``/metrics`` spells it."""
        for line in self.read(METRICS_PATH).decode().splitlines():
            if line.rpartition(" ")[0] == series:
                return float(line.rpartition(" ")[2])
        return None

    def eventually(self, what: str, holds: Callable[[ObserverReport], bool]) -> ObserverReport:
        """Return the first report for which this is so."""
        deadline = time.monotonic() + WITHIN_SECONDS
        seen: object = None
        while time.monotonic() < deadline:
            try:
                report = self.report()
            except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
                seen = error
            else:
                if holds(report):
                    return report
                seen = report
            time.sleep(0.05)
        logs = "\n".join(path.read_text()[-3000:] for path in self.folder.glob("*.log"))
        raise AssertionError(f"not within {WITHIN_SECONDS:.0f} s: {what}\n{seen}\n{logs}")

    def stop(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()
