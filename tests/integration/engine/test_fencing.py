"""One writer for each journal: who comes later has it, who had it before finds out at once and writes nothing more."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bot_tables import BotTables
from postgres_server import PostgresServer
from tradingbot_contract.document import BotIdentity, DatabaseAccess, EngineDocument
from tradingbot_contract.endpoints import ENV_DATABASE_URL
from tradingbot_engine.database.fence import FencedError
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.rows import Group, Restored

BOT = BotIdentity(namespace="trading", name="first", uid="5d5ba1d0")
STARTS = 8


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BotTables]:
    url = None
    if request.param == "postgres":
        server = request.getfixturevalue("server")
        url = server.url(server.new_database())
    place = BotTables(tmp_path, url, BOT)
    place.make_version_1()
    yield place
    place.close()


def open_journal(place: BotTables) -> tuple[Journal, Restored]:
    journal = Journal(place.open())
    restored = journal.open(BOT)
    assert restored is not None
    return journal, restored


def commit_at(journal: Journal, restored: Restored) -> Callable[[int], None]:
    """Commits a group that ends with the step it is given."""

    def commit(step: int) -> None:
        journal.commit(Group([], [], [], structs.replace(restored.checkpoint, step=step), 0.0))

    return commit


def test_who_comes_later_sees_what_was_written_and_shuts_the_former_out(place: BotTables) -> None:
    former, restored = open_journal(place)
    commit_at(former, restored)(300)
    newer, seen = open_journal(place)
    assert seen.checkpoint.step == 300
    with pytest.raises(FencedError):
        commit_at(former, restored)(301)
    commit_at(newer, seen)(302)
    assert place.run("SELECT step FROM checkpoint") == [(302,)]


def test_commits_and_starts_that_race_lose_nothing(place: BotTables) -> None:
    """What a former engine was told is written, the newer one has seen."""
    written: dict[int, int] = {}
    seen: dict[int, int] = {}

    def trade(journal: Journal, restored: Restored) -> None:
        commit, step = commit_at(journal, restored), restored.checkpoint.step
        with contextlib.suppress(FencedError):
            while True:
                commit(step + 1)
                step += 1
                written[journal.epoch] = step

    threads = []
    for _ in range(STARTS):
        journal, restored = open_journal(place)
        seen[journal.epoch] = restored.checkpoint.step
        threads.append(threading.Thread(target=trade, args=(journal, restored)))
        threads[-1].start()
        while journal.epoch not in written:
            assert threads[-1].is_alive()
    open_journal(place)
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    for epoch in range(2, STARTS + 1):
        assert seen[epoch] == written[epoch - 1]


def test_of_two_engines_the_later_trades_and_the_former_says_why_it_does_not(engines: Any, server: PostgresServer, tmp_path: Path) -> None:
    url = server.url(server.new_database())
    document: EngineDocument = structs.replace(engines.with_replay(speed=100.0), database=DatabaseAccess(external=True))
    environment = {ENV_DATABASE_URL: url}
    former = engines.start(document, data=tmp_path / "former", environment=environment)
    former.until(lambda: former.status()["fills"] > 4, "fills")
    newer = engines.start(document, data=tmp_path / "newer", environment=environment)
    status = former.until_state("Refused")
    assert "another engine has started with it" in status["message"]
    bars = former.status()["bars"]
    assert former.get("/livez")[0] == 200  # a restart would shut the other one out
    code, reason = former.get("/readyz")
    assert code == 503
    assert "another engine" in reason
    newer.until(lambda: newer.status()["bars"] > bars + 200, "bars of the newer one")
    assert former.status()["bars"] == bars
    assert former.status()["state"] == "Refused"
    assert former.terminate() == 1
    assert newer.terminate() == 0
    assert "Traceback" not in former.log + newer.log

    finishing = engines.start(
        structs.replace(engines.document, database=document.database),
        "--exit-when-finished",
        data=tmp_path / "third",
        environment=environment,
    )
    assert finishing.wait() == 0
    assert engines.start(engines.document, "--exit-when-finished", data=tmp_path / "whole").wait() == 0
    with contextlib.closing(BotTables(tmp_path, url, document.bot)) as place:
        assert place.rows() == engines.read_tables(tmp_path / "whole")
