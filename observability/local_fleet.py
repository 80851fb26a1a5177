"""A small fleet without a cluster, for looking at dashboards: real engines and observers, scraped by a real Prometheus.

What only a cluster has, an operator, is played: its own instruments, with figures as they would be for this fleet. One engine is ended
again and again, as its kubelet would see it, so that there is something to see.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from played_operator import PlayedOperator
from prometheus_server import PrometheusServer
from redis_server import RedisServer
from server_process import HOST, free_port
from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument, render_document
from tradingbot_contract.endpoints import ENGINE_CONTAINER, ENV_MEMORY_LIMIT, ENV_REDIS_URL, OBSERVER_CONTAINER
from tradingbot_contract.resources import Cache, Pool, RedisPool
from tradingbot_contract.spec import (
    Broker,
    Feed,
    Health,
    Market,
    News,
    NewsFile,
    NewsType,
    Observability,
    Replay,
    Risk,
    Strategy,
)

ROOT: Final = Path(__file__).resolve().parents[1]
RULES: Final = ROOT / "operator/tradingbot_operator/monitoring/files/rules.yaml"
NAMESPACE: Final = "trading"
SYMBOLS: Final = ["AAPL", "GOOG", "IBM", "MSFT"]
MEMORY_LIMIT_BYTES: Final = 256 * 2**20
END_AFTER_SECONDS: Final = 35.0
AWAY_SECONDS: Final = 12.0
_NEWS: Final = News(type=NewsType.FILE, file=NewsFile(data="made-up-headlines"))


@dataclass
class LocalBot:
    """An engine and an observer in a folder of their own."""

    name: str
    strategy: str
    folder: Path
    redis_url: str = ""
    engine_port: int = field(default_factory=free_port)
    observer_port: int = field(default_factory=free_port)
    engine: subprocess.Popen[bytes] | None = None
    observer: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start both."""
        (self.folder / "data").mkdir(parents=True)
        self._config.write_text(render_document(self._document()))
        self.start_engine()
        watch = ("--engine-url", f"http://{HOST}:{self.engine_port}", "--engine-command", str(self._config))
        self.observer = self._run("tradingbot_observer", self.observer_port, *watch)

    def start_engine(self) -> None:
        self.engine = self._run("tradingbot_engine", self.engine_port, "--data", str(self.folder / "data"))

    def end_engine(self) -> None:
        """End the engine as the kernel would."""
        assert self.engine is not None
        self.engine.kill()
        self.engine.wait()

    def stop(self) -> None:
        for process in (self.engine, self.observer):
            if process is not None:
                process.kill()
                process.wait()

    def targets(self) -> Mapping[int, Mapping[str, str]]:
        """Return its ports with the labels that a PodMonitor gives them."""
        labels = {"job": "tradingbot", "namespace": NAMESPACE, "pod": f"{self.name}-0", "bot": self.name}
        ports = {self.engine_port: ENGINE_CONTAINER, self.observer_port: OBSERVER_CONTAINER}
        return {port: labels | {"container": container} for port, container in ports.items()}

    @property
    def _config(self) -> Path:
        return self.folder / "config.yaml"

    def _document(self) -> EngineDocument:
        return EngineDocument(
            api_version=VERSION,
            bot=BotIdentity(namespace=NAMESPACE, name=self.name, uid=self.name),
            generation=1,
            strategy=Strategy(name=self.strategy),
            market=Market(
                symbols=SYMBOLS,
                feed=Feed(replay=Replay(speed=20.0, loop=True)),
                news=_NEWS if self.strategy == "sentiment" else None,
            ),
            broker=Broker(),
            risk=Risk(max_order_notional=12_000.0),
            database=DatabaseAccess(pool=Pool()),
            cache=Cache(memory_limit="16Mi"),
            health=Health(silent_after_seconds=3.0),
            observability=Observability(interval_seconds=2.0),
            redis=RedisPool() if self.redis_url else None,
        )

    def _run(self, module: str, port: int, *arguments: str) -> subprocess.Popen[bytes]:
        variables = os.environ | {"PYTHONPATH": str(ROOT / "engine"), ENV_MEMORY_LIMIT: str(MEMORY_LIMIT_BYTES)}
        variables |= {ENV_REDIS_URL: self.redis_url} if self.redis_url else {}
        command = [sys.executable, "-m", module, "--config", str(self._config), "--host", HOST, "--port", str(port), *arguments]
        with (self.folder / f"{module}.log").open("ab") as log:
            return subprocess.Popen(command, env=variables, stderr=log, stdout=log)


@contextlib.contextmanager
def local_fleet(scrape_seconds: float) -> Iterator[PrometheusServer]:
    """Return a Prometheus that scrapes a fleet, until the end of the block."""
    with (
        TemporaryDirectory(prefix="tradingbot-fleet-") as folder,
        RedisServer() as redis,
        PrometheusServer(scrape_seconds=scrape_seconds, rules=RULES) as prometheus,
    ):
        home = Path(folder)
        bots = [
            LocalBot("trend", "donchian-breakout", home / "trend"),
            LocalBot("cross", "ema-cross", home / "cross", redis.url()),
            LocalBot("headlines", "sentiment", home / "headlines", redis.url()),
            LocalBot("unlucky", "rsi-reversion", home / "unlucky"),
        ]
        operators = [PlayedOperator(NAMESPACE, leads=number == 0) for number in range(2)]
        stop = threading.Event()
        troubles = threading.Thread(target=_make_trouble, args=(bots[-1], operators, stop))
        try:
            for bot in bots:
                bot.start()
            troubles.start()
            prometheus.set_targets(_all_targets(bots, operators))
            yield prometheus
        finally:
            stop.set()
            if troubles.is_alive():
                troubles.join()
            for bot in bots:
                bot.stop()
            for operator in operators:
                operator.stop()


def _all_targets(bots: Sequence[LocalBot], operators: Sequence[PlayedOperator]) -> dict[int, Mapping[str, str]]:
    targets = {port: labels for bot in bots for port, labels in bot.targets().items()}
    for number, operator in enumerate(operators):
        targets[operator.port] = {
            "job": "tradingbot-operator", "namespace": "tradingbot-system", "pod": f"tradingbot-operator-{number}",
        }  # fmt: skip
    return targets


def _make_trouble(bot: LocalBot, operators: Sequence[PlayedOperator], stop: threading.Event) -> None:
    """End one engine from time to time, and have the operators tell of the fleet as they would."""
    began = time.monotonic()
    ended_at: float | None = None
    turns = 0
    while not stop.wait(1.0):
        passed = time.monotonic() - began
        if ended_at is None and passed > (turns + 1) * END_AFTER_SECONDS:
            bot.end_engine()
            ended_at, turns = passed, turns + 1
        elif ended_at is not None and passed - ended_at > AWAY_SECONDS:
            bot.start_engine()
            ended_at = None
        for operator in operators:
            operator.tell(sick=bot.name if ended_at is not None else None, restarts=turns)
