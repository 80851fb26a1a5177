"""The database fails while the engine trades: market data goes on, nothing is lost, nothing is doubled, and it says what is wrong."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bot_tables import BotTables
from faulty_link import FaultyLink
from postgres_server import PostgresServer
from tradingbot_contract.document import DatabaseAccess, EngineDocument
from tradingbot_contract.endpoints import ENV_DATABASE_URL
from tradingbot_contract.resources import Pool, Retry

SPEED = 100.0
"""Steps a second: the data has 3000, so there is half a minute in which to do harm. Nobody waits for the rest of it: an engine that has
come through is stopped, and the next one plays to the end at full speed."""
SOON = Retry(attempts=2, delay_seconds=0.1)
VOLUME_KIB = 4096


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


class Bot:
    """A bot whose journal is in a Postgres, and what its journal must be in the end."""

    def __init__(self, engines: Any, server: PostgresServer, link_port: int | None = None) -> None:
        server.start()
        self.engines = engines
        name = server.new_database()
        self.url = server.url(name)
        self.environment = {ENV_DATABASE_URL: server.url(name, port=link_port)}
        self.started = 0

    def start(self, pool: Pool | None = None) -> Any:
        engine = self._start(pool=pool)
        engine.until(lambda: engine.status()["bars"] > 100, "bars")
        return engine

    def check(self) -> None:
        """Played to the end, the journal is that of a bot whose database never failed."""
        assert self._start("--exit-when-finished", speed=0.0).wait() == 0
        whole = self.engines.folder / "whole"
        assert self.engines.start(self.engines.document, "--exit-when-finished", data=whole).wait() == 0
        with contextlib.closing(BotTables(self.engines.folder, self.url, self.engines.document.bot)) as place:
            found = place.rows()
        assert len(found["fills"]) > 100
        assert found == self.engines.read_tables(whole)

    def _start(self, *flags: str, speed: float = SPEED, pool: Pool | None = None) -> Any:
        access = DatabaseAccess(external=True, retry=SOON, pool=pool or Pool(), health_interval_seconds=1.0)
        document: EngineDocument = structs.replace(self.engines.with_replay(speed=speed), database=access)
        self.started += 1
        return self.engines.start(document, *flags, data=self.engines.folder / f"data-{self.started}", environment=self.environment)


def until_troubled(engine: Any, cause: str) -> None:
    engine.until(lambda: "journal can't be written" in (message := engine.status()["message"]) and cause in message, f"trouble: {cause}")


def take_bars(engine: Any, count: int = 200) -> None:
    """Wait until it has taken so many more."""
    bars = engine.status()["bars"]
    engine.until(lambda: engine.status()["bars"] >= bars + count, "more bars")


def take_more_fills(engine: Any) -> None:
    """Wait until it has filled another order: as its journal can't be written, that is one that it does not hold."""
    fills = engine.status()["fills"]
    engine.until(lambda: engine.status()["fills"] > fills, "more fills")


def read_written_fills(server: PostgresServer, bot: Bot) -> int:
    server.start()
    with contextlib.closing(BotTables(bot.engines.folder, bot.url, bot.engines.document.bot)) as place:
        count: int = place.run("SELECT count(*) FROM fills")[0][0]
        return count


def test_postgres_is_restarted_while_it_trades(engines: Any, server: PostgresServer) -> None:
    bot = Bot(engines, server)
    engine = bot.start()
    for restart in (server.restart, lambda: (server.kill(), server.start()), server.restart):
        take_bars(engine)
        restart()
    take_bars(engine)
    assert "Traceback" not in engine.log
    assert engine.terminate() == 0
    bot.check()


def test_postgres_is_gone_for_a_while(engines: Any, server: PostgresServer) -> None:
    bot = Bot(engines, server)
    engine = bot.start()
    server.stop()
    until_troubled(engine, "can the server be reached from here?")
    take_bars(engine, 600)
    assert engine.get("/livez")[0] == 200
    assert engine.status()["state"] == "Running"
    server.start()
    engine.until(lambda: "journal can be written again" in engine.log, "the journal again")
    take_bars(engine)
    engine.until(lambda: engine.status()["message"] == "", "no trouble")
    assert "Traceback" not in engine.log
    assert engine.terminate() == 0
    bot.check()


def test_killed_while_postgres_is_gone_it_takes_the_same_steps_again(engines: Any, server: PostgresServer) -> None:
    bot = Bot(engines, server)
    engine = bot.start()
    server.stop()
    until_troubled(engine, "")
    take_more_fills(engine)
    fills = engine.status()["fills"]
    engine.kill()
    assert read_written_fills(server, bot) < fills  # what was not written has not happened
    bot.check()


def test_asked_to_stop_while_postgres_says_nothing_it_stops(engines: Any, server: PostgresServer) -> None:
    with FaultyLink(server.port) as link:
        bot = Bot(engines, server, link.port)
        engine = bot.start()
        link.stall()
        take_more_fills(engine)
        assert engine.terminate() == 1
        assert "journal not written in time" in engine.log
        link.heal()
        bot.check()


def test_a_slow_postgres_exhausts_the_pool_and_nothing_waits_for_ever(engines: Any, server: PostgresServer) -> None:
    with FaultyLink(server.port) as link:
        bot = Bot(engines, server, link.port)
        engine = bot.start(pool=Pool(size=1, max_overflow=0, timeout_seconds=0.5))
        link.delay(0.3)
        done = threading.Event()

        def look_at_figures() -> None:
            while not done.is_set():
                engine.get("/views/performance")

        people = [threading.Thread(target=look_at_figures) for _ in range(3)]
        for person in people:
            person.start()
        try:
            engine.until(lambda: any(pool["timeouts"] > 2 for pool in engine.status()["pools"]), "requests that waited in vain")
            take_bars(engine, 300)
            assert engine.get("/livez")[0] == 200
        finally:
            done.set()
            link.heal()
            for person in people:
                person.join(60)
        take_bars(engine)
        assert "Traceback" not in engine.log
        assert engine.terminate() == 0
        bot.check()


class SmallVolume:
    """A data folder on a volume of its own that is full when it is told to be; only the engine's own processes see it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        not_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        self.launcher = [
            "unshare", *not_root, "--mount", "--propagation", "private",
            "sh", "-c", f'mount -t tmpfs -o size={VOLUME_KIB}k,mode=0755 tmpfs "$0" && exec "$@"', str(folder),
        ]  # fmt: skip

    def seen_by(self, engine: Any) -> Path:
        return Path(f"/proc/{engine.process.pid}/root{self.folder}")

    def fill(self, engine: Any) -> Path:
        """Leave no byte free."""
        ballast = self.seen_by(engine) / "ballast"
        with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while True:
                file.write(bytes(4096))
        return ballast

    def copy(self, engine: Any, target: Path) -> Path:
        """Copy what the engine sees, which stands still from now on: with its process the volume would be gone."""
        engine.process.send_signal(signal.SIGSTOP)
        subprocess.run(["cp", "-r", str(self.seen_by(engine)), str(target)], check=True)
        return target


def test_the_volume_is_full_and_has_space_again(engines: Any, tmp_path: Path) -> None:
    volume = SmallVolume(tmp_path / "volume")
    engine = engines.start(engines.with_replay(speed=SPEED), data=volume.folder, launcher=volume.launcher)
    engine.until(lambda: engine.status()["bars"] > 100, "bars")
    ballast = volume.fill(engine)
    until_troubled(engine, "the volume is full: enlarge it (database.storage.size)")
    take_bars(engine, 300)
    assert engine.get("/livez")[0] == 200
    ballast.unlink()
    engine.until(lambda: engine.status()["message"] == "", "no trouble")
    take_bars(engine)
    assert "Traceback" not in engine.log
    kept = volume.copy(engine, tmp_path / "kept")
    engine.process.send_signal(signal.SIGCONT)
    assert engine.terminate() == 0
    assert engines.start(engines.document, "--exit-when-finished", data=kept).wait() == 0
    assert engines.start(engines.document, "--exit-when-finished", data=tmp_path / "whole").wait() == 0
    assert engines.read_tables(kept) == engines.read_tables(tmp_path / "whole")


def test_killed_while_the_volume_is_full_it_takes_the_same_steps_again(engines: Any, tmp_path: Path) -> None:
    volume = SmallVolume(tmp_path / "volume")
    engine = engines.start(engines.with_replay(speed=SPEED), data=volume.folder, launcher=volume.launcher)
    engine.until(lambda: engine.status()["bars"] > 100, "bars")
    volume.fill(engine)
    until_troubled(engine, "the volume is full")
    take_more_fills(engine)
    fills = engine.status()["fills"]
    kept = volume.copy(engine, tmp_path / "kept")
    engine.kill()
    (kept / "ballast").unlink()
    assert len(engines.read_tables(kept)["fills"]) < fills
    assert engines.start(engines.document, "--exit-when-finished", data=kept).wait() == 0
    assert engines.start(engines.document, "--exit-when-finished", data=tmp_path / "whole").wait() == 0
    assert engines.read_tables(kept) == engines.read_tables(tmp_path / "whole")
