"""The main loop with a real journal that can't always be written."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from tradingbot_contract.document import Activity, BotIdentity
from tradingbot_contract.report import EngineState, EngineStatus
from tradingbot_contract.resources import Pool
from tradingbot_contract.spec import Replay
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.backlog import Bounds
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.fence import FencedError
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.database.writer import JournalWriter
from tradingbot_engine.loop import TradingLoop
from tradingbot_engine.orders.mandate import Mandate
from tradingbot_engine.state import EngineFacts
from tradingbot_engine.telemetry.record import ignore_measurement

BOT = BotIdentity(namespace="n", name="b", uid="u")
STEPS = 3000
CLOSES = [10.0 + step % 7 for step in range(STEPS)]
TABLES = ("orders", "fills", "equity", "checkpoint")


def trades_now_and_then(desk: Any, bar: Any) -> None:
    day = bar.time_ms // 86_400_000
    if day % 5 == 1:
        desk.buy(bar.symbol, 10.0)
    elif day % 5 == 3:
        desk.sell(bar.symbol)


class Rig:
    """A bot of its own: loop, session, journal, and somebody who can hold the journal's file."""

    def __init__(self, folder: Path, workshop: Any, *, bounds: Bounds = Bounds(), **replay: Any) -> None:  # noqa: B008 - immutable
        folder.mkdir(exist_ok=True)
        self.file = folder / "journal.sqlite"
        self.database = Database(parse_database_address(None, folder, self.file.name, BOT), Pool())
        self.journal = Journal(self.database)
        self.session = workshop.session(workshop.prices({"A": CLOSES}), trades_now_and_then, restored=self.journal.open(BOT)).session
        self.facts = EngineFacts()
        self.stop = asyncio.Event()
        self.writer = JournalWriter(self.journal, self.facts.counts, ignore_measurement, bounds)
        self.loop = TradingLoop(
            self.facts,
            session=self.session,
            writer=self.writer,
            replay=Replay(**{"speed": 0.0, **replay}),
            stop=self.stop,
            record=ignore_measurement,
        )

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """The journal can't be written meanwhile."""
        with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    def contents(self) -> dict[str, list[Any]]:
        with contextlib.closing(sqlite3.connect(self.file)) as connection:
            return {table: connection.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in TABLES}  # noqa: S608 - names from here

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(60):
            while not condition():  # noqa: ASYNC110 - what it waits for tells nobody
                await asyncio.sleep(0.001)

    async def end(self) -> None:
        await self.writer.close()
        self.database.close()


@pytest.fixture
def undisturbed(tmp_path: Path, workshop: Any) -> dict[str, list[Any]]:
    rig = Rig(tmp_path / "undisturbed", workshop)

    async def scenario() -> None:
        assert await rig.loop.trade()
        await rig.end()

    run(scenario())
    return rig.contents()


def run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await work

    asyncio.run(bounded())


def test_it_goes_on_while_the_journal_cannot_be_written_and_catches_up(
    tmp_path: Path, workshop: Any, undisturbed: dict[str, list[Any]]
) -> None:
    rig = Rig(tmp_path / "held", workshop, speed=5000.0)

    async def scenario() -> None:
        with rig.held():
            trading = asyncio.create_task(rig.loop.trade())
            await rig.until(rig.session.at_end)
            assert rig.writer.backlog_steps == STEPS
            assert rig.writer.behind_seconds > 0
            assert rig.contents()["orders"] == []
            assert not trading.done()
            beat = rig.facts.heartbeat_monotonic
            await rig.until(lambda: rig.facts.heartbeat_monotonic > beat)  # it waits, and lives
        assert await trading
        assert rig.writer.backlog_steps == 0
        assert rig.facts.counts.commits <= 2  # what was being written, and all the rest in one
        await rig.end()

    run(scenario())
    assert rig.contents() == undisturbed


@pytest.mark.parametrize(
    "bounds",
    [Bounds(steps=500), Bounds(rows=100), Bounds(seconds=0.2)],
    ids=["steps", "rows", "seconds"],
)
def test_at_its_bound_it_waits_and_loses_nothing(tmp_path: Path, workshop: Any, undisturbed: dict[str, list[Any]], bounds: Bounds) -> None:
    rig = Rig(tmp_path / "held", workshop, bounds=bounds, speed=2000.0)

    async def scenario() -> None:
        with rig.held():
            trading = asyncio.create_task(rig.loop.trade())
            await rig.until(lambda: not rig.writer.is_free() and rig.writer.backlog.is_full(rig.session.unwritten_rows, time.monotonic()))
            await rig.until(lambda: rig.facts.pace is not None and rig.facts.pace.due(time.monotonic()) > 1000)  # many are due
            step = rig.session.step
            assert 0 < step < STEPS
            beat = rig.facts.heartbeat_monotonic
            await rig.until(lambda: rig.facts.heartbeat_monotonic > beat)
            assert rig.session.step == step
        assert await trading
        await rig.end()

    run(scenario())
    assert rig.contents() == undisturbed


def test_asked_to_stop_meanwhile_it_leaves_what_the_next_start_repeats(
    tmp_path: Path, workshop: Any, undisturbed: dict[str, list[Any]]
) -> None:
    rig = Rig(tmp_path / "held", workshop, speed=2000.0)

    async def scenario() -> None:
        with rig.held():
            trading = asyncio.create_task(rig.loop.trade())
            await rig.until(lambda: rig.session.step > 500)
            rig.stop.set()
            assert not await trading
            assert rig.contents()["checkpoint"] == []
            await rig.end()

    run(scenario())
    again = Rig(tmp_path / "held", workshop)

    async def second() -> None:
        assert await again.loop.trade()
        await again.end()

    run(second())
    assert again.contents() == undisturbed


def status(rig: Rig) -> EngineStatus:
    rig.facts.session, rig.facts.writer = rig.session, rig.writer
    if rig.facts.state is EngineState.STARTING:
        rig.facts.lifecycle.move(EngineState.RUNNING)
    return rig.facts.status()


def test_what_it_is_told_is_written_without_a_bar_and_told_when_it_is_written(tmp_path: Path, workshop: Any) -> None:
    rig = Rig(tmp_path / "slow", workshop, speed=0.01)

    async def scenario() -> None:
        rig.session.advance(1)
        trading = asyncio.create_task(rig.loop.trade())
        await rig.until(lambda: rig.facts.counts.commits == 1 and not rig.session.has_changes())
        assert (status(rig).busy_symbols, status(rig).activity) == (("A",), "Trade")
        with rig.held():
            assert rig.session.obey(Mandate(Activity.FLATTEN, grant=4))
            await rig.until(lambda: not rig.session.has_changes())  # on its way
            assert rig.session.open_positions == 0
            told = status(rig)
            assert (told.busy_symbols, told.activity, told.grant) == (("A",), "Trade", 0)
        await rig.until(lambda: status(rig).activity == "Flatten")
        assert (status(rig).busy_symbols, status(rig).grant, status(rig).symbols) == ((), 4, ("A",))
        assert rig.session.step <= 4
        rig.stop.set()
        assert await trading
        await rig.end()

    run(scenario())
    assert rig.contents()["fills"][-1][3] == "sell"


def test_what_it_is_told_after_the_end_of_the_feed_is_written_too(tmp_path: Path, workshop: Any) -> None:
    rig = Rig(tmp_path / "ended", workshop)

    async def scenario() -> None:
        assert await rig.loop.trade()
        commits = rig.facts.counts.commits
        resting = asyncio.create_task(rig.loop.rest())
        assert rig.session.obey(Mandate(Activity.CANCEL))
        await rig.until(lambda: status(rig).activity == "Cancel")
        with rig.held():
            rig.session.obey(Mandate())
            await rig.until(lambda: not rig.session.has_changes())
            rig.stop.set()
            assert not await resting  # asked to stop, and the journal can't be written
        await rig.end()
        assert commits < rig.facts.counts.commits

    run(scenario())


def test_another_engine_that_takes_the_journal_after_the_end_of_the_feed_is_noticed_with_the_next_order(
    tmp_path: Path, workshop: Any
) -> None:
    rig = Rig(tmp_path / "ended", workshop)

    async def scenario() -> None:
        assert await rig.loop.trade()
        newer = Rig(tmp_path / "ended", workshop)
        resting = asyncio.create_task(rig.loop.rest())
        rig.session.obey(Mandate(Activity.FLATTEN))
        with pytest.raises(FencedError):
            await resting
        await newer.end()
        await rig.end()

    run(scenario())


def test_another_engine_s_start_ends_the_trading(tmp_path: Path, workshop: Any) -> None:
    rig = Rig(tmp_path / "shared", workshop, speed=100.0)

    async def scenario() -> None:
        trading = asyncio.create_task(rig.loop.trade())
        await rig.until(lambda: rig.facts.counts.commits > 0)
        newer = Rig(tmp_path / "shared", workshop)
        with pytest.raises(FencedError):
            await trading
        step = rig.session.step
        assert 0 < newer.session.step <= step < STEPS
        assert await newer.loop.trade()
        await newer.end()
        await rig.end()

    run(scenario())
    fills = rig.contents()["fills"]
    assert [fill[0] for fill in fills] == list(range(1, len(fills) + 1))
