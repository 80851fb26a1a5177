"""The writer: off the loop, in order, and for as long as it takes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import sqlalchemy

from tradingbot_contract.document import BotIdentity
from tradingbot_contract.metrics import JOURNAL_COMMIT_DURATION, ORDER_DURATION, Instrument
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.fence import FencedError
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.telemetry.counts import Component, Counts
from tradingbot_engine.telemetry.record import NO_ATTRIBUTES, Attributes, ignore_measurement

OpenDatabase = Callable[..., Database]
BOT = BotIdentity(namespace="n", name="b", uid="u")
T = TypeVar("T")


@pytest.fixture
def journal(open_database: OpenDatabase) -> Journal:
    journal = Journal(open_database())
    journal.open(BOT)
    return journal


@pytest.fixture
def other(tmp_path: Path, journal: Journal) -> Iterator[sqlite3.Connection]:  # noqa: ARG001 - the file must be there
    """Another program with the same file."""
    connection = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
    yield connection
    connection.close()


def within_seconds(work: Coroutine[Any, Any, T]) -> T:
    async def bounded() -> T:
        async with asyncio.timeout(60):
            return await work

    return asyncio.run(bounded())


def test_a_journal_that_is_blocked_is_written_when_it_can_be(journal: Journal, workshop: Any, other: sqlite3.Connection) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), workshop.script({1: [("buy", "A", 100.0)]}))
    bench.run()
    group = bench.session.take_group()
    counts = Counts()
    measured: Counter[Instrument] = Counter()

    def record(instrument: Instrument, seconds: float, attributes: Attributes = NO_ATTRIBUTES, /) -> None:
        assert seconds >= 0
        assert attributes == {}
        measured[instrument] += 1

    async def scenario() -> None:
        writer = JournalWriter(journal, counts, record)
        writer.backlog.took(2, 0.0, ordered=True)
        other.execute("BEGIN IMMEDIATE")
        writer.write(group)
        assert not writer.is_free()
        while not writer.trouble:
            assert not await writer.wait(0.01)
        assert writer.trouble == "database is locked: another process holds the file: stop it"
        assert (writer.backlog_steps, writer.behind_seconds > 0) == (2, True)
        other.execute("ROLLBACK")
        while not await writer.wait(0.1):
            pass
        assert (writer.trouble, writer.backlog_steps, writer.behind_seconds) == ("", 0, 0.0)
        await writer.close()

    within_seconds(scenario())
    assert other.execute("SELECT count(*) FROM fills").fetchone() == (1,)
    assert counts.commits == 1
    assert counts.errors[Component.DATABASE] == counts.operations[Component.DATABASE] - 1 > 0
    assert measured == {JOURNAL_COMMIT_DURATION: 1, ORDER_DURATION: 1}


def test_closed_it_gives_up_what_it_could_not_write(journal: Journal, workshop: Any, other: sqlite3.Connection) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), workshop.script({}))

    async def scenario() -> str:
        writer = JournalWriter(journal, Counts(), ignore_measurement)
        other.execute("BEGIN IMMEDIATE")
        writer.write(bench.session.take_group())
        while not writer.trouble:
            await writer.wait(0.01)
        await writer.close()
        return writer.trouble

    assert "locked" in within_seconds(scenario())
    other.execute("ROLLBACK")


def test_what_the_database_refuses_is_a_bug_and_surfaces(journal: Journal, workshop: Any, other: sqlite3.Connection) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), workshop.script({}))
    other.execute("DROP TABLE checkpoint")

    async def scenario() -> None:
        writer = JournalWriter(journal, Counts(), ignore_measurement)
        writer.write(bench.session.take_group())
        try:
            while not await writer.wait(0.1):
                pass
        finally:
            await writer.close()

    with pytest.raises(sqlalchemy.exc.OperationalError, match="no such table"):
        within_seconds(scenario())


def test_another_engine_s_start_surfaces(journal: Journal, open_database: OpenDatabase, workshop: Any) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), workshop.script({}))
    Journal(open_database()).open(BOT)

    async def scenario() -> None:
        writer = JournalWriter(journal, Counts(), ignore_measurement)
        writer.write(bench.session.take_group())
        try:
            while not writer.is_free():  # noqa: ASYNC110 - this is how the loop does it
                await asyncio.sleep(0.001)
        finally:
            await writer.close()

    with pytest.raises(FencedError):
        within_seconds(scenario())
