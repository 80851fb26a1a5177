"""The writer: off the loop, in order, and for as long as it takes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tradingbot_contract.document import BotIdentity
from tradingbot_engine.database.connections import Database, ignore_measurement
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.telemetry.counts import Component, Counts

OpenDatabase = Callable[..., Database]
BOT = BotIdentity(namespace="n", name="b", uid="u")


@pytest.fixture
def journal(open_database: OpenDatabase) -> Journal:
    journal = Journal(open_database())
    journal.open(BOT)
    return journal


def test_a_journal_that_is_blocked_is_written_when_it_can_be(journal: Journal, workshop: Any, tmp_path: Path) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), workshop.script({1: [("buy", "A", 100.0)]}))
    bench.run()
    group = bench.session.take_group()
    counts = Counts()
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        other.execute("ALTER TABLE orders RENAME TO away")  # any error of the database will do
        other.commit()

        async def scenario() -> None:
            writer = JournalWriter(journal, counts, ignore_measurement)
            writer.write(group)
            async with asyncio.timeout(20):
                while not writer.trouble:
                    assert not await writer.wait(0.01)
            assert "orders" in writer.trouble
            other.execute("ALTER TABLE away RENAME TO orders")
            other.commit()
            async with asyncio.timeout(20):
                while not await writer.wait(0.1):
                    pass
            assert writer.trouble == ""
            await writer.close()

        asyncio.run(scenario())
        assert other.execute("SELECT count(*) FROM fills").fetchone() == (1,)
    other.close()
    assert counts.commits == 1
    assert counts.errors[Component.DATABASE] == counts.operations[Component.DATABASE] - 1 > 0


def test_closed_it_gives_up_what_it_could_not_write(journal: Journal, workshop: Any, tmp_path: Path) -> None:
    bench = workshop.session(workshop.prices({"A": [10.0, 10.0]}), workshop.script({}))
    with sqlite3.connect(tmp_path / "journal.sqlite") as other:
        other.execute("DROP TABLE checkpoint")
        other.commit()
    other.close()

    async def scenario() -> bool:
        writer = JournalWriter(journal, Counts(), ignore_measurement)
        writer.write(bench.session.take_group())
        async with asyncio.timeout(20):
            while not writer.trouble:
                await writer.wait(0.01)
            await writer.close()
        return await writer.wait(0.0) if writer.trouble == "" else False

    assert asyncio.run(scenario()) is False
