"""Real engine processes: started with a document, asked over HTTP, stopped or killed by their own id."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
from msgspec import structs

from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument, render_document
from tradingbot_contract.resources import Cache, Pool
from tradingbot_contract.spec import Broker, Feed, Health, Market, Observability, Replay, Risk, Strategy

ROOT = Path(__file__).parents[3]
DEADLINE_SECONDS = 90.0
"""A bound on how long a failing run takes, not a claim about speed."""
NOTHING: Mapping[str, str] = {}
T = TypeVar("T")


def build_document() -> EngineDocument:
    return EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace="trading", name="first", uid="5d5ba1d0"),
        generation=1,
        strategy=Strategy(name="ema-cross"),
        market=Market(symbols=["AAPL", "GOOG", "IBM", "MSFT"], feed=Feed(replay=Replay(speed=0.0))),
        broker=Broker(),
        risk=Risk(),
        database=DatabaseAccess(pool=Pool()),
        cache=Cache(),
        health=Health(),
        observability=Observability(),
    )


def with_replay(document: EngineDocument, **changes: Any) -> EngineDocument:
    market = document.market
    replay = structs.replace(market.feed.replay, **changes)
    return structs.replace(document, market=structs.replace(market, feed=Feed(replay=replay)))


class EngineProcess:
    """One process; `log` grows while it runs."""

    def __init__(
        self,
        folder: Path,
        data: Path,
        document: EngineDocument | str,
        *flags: str,
        launcher: Sequence[str] = (),
        environment: Mapping[str, str] = NOTHING,
    ) -> None:
        """`launcher` is a command that becomes the engine's, which is given to it as its arguments."""
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "config.yaml"
        self.config.write_text(document if isinstance(document, str) else render_document(document))
        self.log_path = folder / "engine.log"
        command = [
            *launcher,
            sys.executable,
            "-m",
            "tradingbot_engine",
            "--config",
            str(self.config),
            "--data",
            str(data),
            "--host",
            "127.0.0.1",
        ]
        variables = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "engine"), str(folder)]), **environment}
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen([*command, "--port", "0", *flags], stderr=log, env=variables, cwd=folder)

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def port(self) -> int:
        found = self.until(lambda: re.search(r"serving .*port=(\d+)", self.log), "serving")
        return int(found[1])

    def until(self, probe: Callable[[], T | None], what: str, seconds: float = DEADLINE_SECONDS) -> T:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = probe()
            if found:
                return found
            time.sleep(0.005)
        pytest.fail(f"no {what} within {seconds:.0f} s; log:\n{self.log}")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port()}{path}", timeout=DEADLINE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def status(self) -> dict[str, Any]:
        code, body = self.get("/status")
        assert code == 200
        status: dict[str, Any] = json.loads(body)
        return status

    def until_state(self, state: str) -> dict[str, Any]:
        return self.until(lambda: status if (status := self.status())["state"] == state else None, f"state {state}")

    def wait(self, seconds: float = DEADLINE_SECONDS) -> int:
        return self.process.wait(seconds)

    def terminate(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class Engines:
    """Starts engines in one folder, and reads what they leave."""

    document = build_document()
    """Four symbols of the data that ships with the engine, at full speed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.started: list[EngineProcess] = []

    def start(self, document: EngineDocument | str, *flags: str, data: Path | None = None, **options: Any) -> EngineProcess:
        data = data or self.data
        data.mkdir(exist_ok=True)
        engine = EngineProcess(self.folder / f"engine-{len(self.started)}", data, document, *flags, **options)
        self.started.append(engine)
        return engine

    def with_replay(self, **changes: Any) -> EngineDocument:
        return with_replay(self.document, **changes)

    def read_tables(self, data: Path) -> dict[str, list[tuple[Any, ...]]]:
        return read_tables(data)


@pytest.fixture
def engines(tmp_path: Path) -> Iterator[Engines]:
    """What still runs at the end of the test is killed."""
    engines = Engines(tmp_path)
    yield engines
    for engine in engines.started:
        if engine.process.poll() is None:
            engine.kill()


def read_tables(data: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that the journal says of what happened."""
    with contextlib.closing(sqlite3.connect(data / "journal.sqlite")) as connection:
        tables = {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in ("orders", "fills", "equity")}  # noqa: S608 - names from here
        tables["checkpoint"] = connection.execute("SELECT lap, step, bars, equity, state FROM checkpoint").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return tables
