"""What a real engine may do, changed under it: paused, told to cancel, to sell, to stop everything, and killed in the midst of it."""

from __future__ import annotations

import random
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from msgspec import structs

from postgres_server import PostgresServer
from tradingbot_contract.document import Activity, DatabaseAccess, EngineDocument, render_document
from tradingbot_contract.endpoints import ENV_DATABASE_URL, ENV_GRANT_FLOOR, ENV_MEMORY_LIMIT
from tradingbot_contract.resources import Cache
from tradingbot_contract.spec import Market, Strategy

KILLS = 8
PRICED = ["AAPL", "IBM", "MSFT"]
"""GOOG is not listed yet in the years that these tests see."""
BUYS_ALWAYS = """
from tradingbot_engine.strategy.interface import Strategy

class Buyer(Strategy):
    def on_bar(self, bar):
        self.desk.buy(bar.symbol, 2.0)
"""
POISON = """
import os
os._exit(99)
"""


def swap(engine: Any, document: EngineDocument | str) -> None:
    new = engine.config.with_suffix(".new")
    new.write_text(document if isinstance(document, str) else render_document(document))
    new.replace(engine.config)


def tell(engine: Any, document: EngineDocument, activity: Activity, **changes: Any) -> EngineDocument:
    """Give the engine this document with another activity; return it, once the engine says that it has carried it out."""
    told = structs.replace(document, activity=activity, grant=document.grant + 1, **changes)
    swap(engine, told)
    engine.until(
        lambda: (status := engine.status())["activity"] == activity.value and status["grant"] == told.grant, f"activity {activity.value}"
    )
    return told


def read_orders(data: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(data / "journal.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM orders ORDER BY sequence")]


def read_fills(data: Path) -> list[dict[str, Any]]:
    with closing(sqlite3.connect(data / "journal.sqlite")) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM fills ORDER BY sequence")]


def held(fills: list[dict[str, Any]]) -> dict[str, float]:
    quantities: dict[str, float] = {}
    for fill in fills:
        sign = 1 if fill["side"] == "buy" else -1
        quantities[fill["symbol"]] = quantities.get(fill["symbol"], 0.0) + sign * fill["quantity"]
    return {symbol: quantity for symbol, quantity in quantities.items() if abs(quantity) > 1e-9}


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def buyer(engines: Any) -> EngineDocument:
    """It buys a little with each bar of each of its four symbols, and never sells."""
    document = engines.with_replay(speed=50.0)
    for number in range(20):  # of each engine that this test may start
        folder = engines.folder / f"engine-{number}"
        folder.mkdir()
        (folder / "own.py").write_text(BUYS_ALWAYS)
    changed: EngineDocument = structs.replace(document, strategy=Strategy("own:Buyer"), revision="r1")
    return changed


def started(engines: Any, document: EngineDocument, **options: Any) -> Any:
    engine = engines.start(document, **options)
    engine.until(lambda: engine.status()["openPositions"] == 3, "positions")
    return engine


def test_it_says_what_it_may_do(engines: Any, buyer: EngineDocument) -> None:
    engine = started(engines, buyer)
    status = engine.status()
    assert (status["activity"], status["revision"], status["grant"]) == ("Trade", "r1", 0)
    assert status["symbols"] == buyer.market.symbols
    assert status["busySymbols"] == PRICED
    assert 'tradingbot_engine_activity{activity="Trade"} 1.0' in engine.get("/metrics")[1]
    assert 'tradingbot_engine_activity{activity="Pause"} 0.0' in engine.get("/metrics")[1]
    assert engine.terminate() == 0


def test_paused_it_buys_nothing_and_goes_on_afterwards(engines: Any, buyer: EngineDocument) -> None:
    engine = started(engines, buyer)
    paused = tell(engine, buyer, Activity.PAUSE)
    before = engine.status()
    rejected = engine.until(
        lambda: status if (status := engine.status())["rejectedOrders"] > before["rejectedOrders"] + 20 else None, "refused purchases"
    )
    assert (rejected["fills"], rejected["openOrders"]) == (before["fills"], 0)
    assert rejected["state"] == "Running"
    tell(engine, paused, Activity.TRADE)
    engine.until(lambda: engine.status()["fills"] > before["fills"], "purchases again")
    assert engine.terminate() == 0
    reasons = {order["reason"] for order in read_orders(engines.data) if order["status"] == "rejected"}
    assert reasons == {"paused: nothing is bought"}


def test_told_to_cancel_it_sends_nothing_and_keeps_what_it_has(engines: Any, buyer: EngineDocument) -> None:
    engine = started(engines, buyer)
    tell(engine, buyer, Activity.CANCEL)
    status = engine.status()
    assert (status["openOrders"], status["openPositions"]) == (0, 3)
    engine.until(lambda: engine.status()["bars"] > status["bars"] + 20, "bars")
    assert engine.status()["fills"] == status["fills"]
    assert engine.terminate() == 0
    canceled = [order for order in read_orders(engines.data) if order["status"] == "canceled"]
    assert {order["reason"] for order in canceled} <= {"activity Cancel: no order is sent"}


def test_told_to_flatten_it_sells_all_at_once_and_the_journal_says_so(engines: Any, buyer: EngineDocument) -> None:
    # A bar every twenty seconds: nobody waits for the next one.
    slow = structs.replace(buyer, market=structs.replace(buyer.market, warmup_bars=0))
    engine = started(engines, slow)
    assert engine.terminate() == 0
    crawling = structs.replace(slow, market=engines.with_replay(speed=0.05).market)
    engine = engines.start(crawling)
    engine.until_state("Running")
    bars = engine.status()["bars"]
    flat = tell(engine, crawling, Activity.FLATTEN)
    status = engine.status()
    assert (status["busySymbols"], status["openPositions"], status["openOrders"]) == ([], 0, 0)
    assert status["bars"] <= bars + 3
    assert status["symbols"] == buyer.market.symbols
    engine.kill()  # what it has said is in the journal
    assert held(read_fills(engines.data)) == {}
    sales = [order for order in read_orders(engines.data) if order["side"] == "sell"]
    assert [order["reason"] for order in sales] == ["activity Flatten: every position is sold"] * 3
    engine = engines.start(structs.replace(flat, market=buyer.market))
    engine.until(lambda: engine.status()["rejectedOrders"] > 5, "refused purchases")
    assert engine.status()["openPositions"] == 0
    assert len([order for order in read_orders(engines.data) if order["side"] == "sell"]) == 3
    assert engine.terminate() == 0


def test_a_bot_whose_feed_has_ended_sells_all_too(engines: Any, buyer: EngineDocument) -> None:
    engine = engines.start(structs.replace(buyer, market=engines.document.market))
    engine.until_state("Finished")
    assert engine.status()["openPositions"] == 4
    tell(engine, structs.replace(buyer, market=engines.document.market), Activity.FLATTEN)
    status = engine.status()
    assert (status["state"], status["openPositions"], status["busySymbols"]) == ("Finished", 0, [])
    assert held(read_fills(engines.data)) == {}
    assert engine.terminate() == 0


@pytest.mark.parametrize(
    "changes",
    [{"strategy": Strategy("ema-cross", {"fastPeriod": 5})}, {"cache": Cache(memory_limit="900Gi")}],
    ids=["the rest needs a new process", "the rest is refused"],
)
def test_it_obeys_although_it_can_not_take_the_rest(engines: Any, buyer: EngineDocument, changes: Any) -> None:
    engine = started(engines, buyer, environment={ENV_MEMORY_LIMIT: str(2**30)})
    tell(engine, buyer, Activity.FLATTEN, generation=2, **changes)
    status = engine.status()
    assert (status["openPositions"], status["generation"]) == (0, 1)
    assert status["revision"] == "r1"
    assert engine.terminate() == 0


def test_another_revision_alone_is_taken_and_the_one_it_started_with_is_told(engines: Any, buyer: EngineDocument) -> None:
    engine = started(engines, buyer)
    swap(engine, structs.replace(buyer, generation=2, revision="r2"))
    engine.until(lambda: engine.status()["generation"] == 2, "the new generation")
    assert engine.status()["revision"] == "r1"
    assert engine.terminate() == 0


@pytest.mark.parametrize("settle", [True, False])
def test_what_it_releases_it_does_not_buy_and_the_others_trade_on(engines: Any, buyer: EngineDocument, settle: bool) -> None:
    engine = started(engines, buyer)
    released = ["AAPL", "GOOG", "MSFT"]
    tell(engine, buyer, Activity.TRADE, releasing=released, settle=settle)
    status = engine.status()
    busy_of_them = sorted(set(status["busySymbols"]) & set(released))
    assert busy_of_them == ([] if settle else ["AAPL", "MSFT"])
    assert status["symbols"] == (["IBM"] if settle else PRICED)
    sequence = max(fill["sequence"] for fill in read_fills(engines.data))
    engine.until(lambda: engine.status()["fills"] > status["fills"] + 20, "fills of the other")
    assert engine.terminate() == 0
    fills = read_fills(engines.data)
    assert {fill["symbol"] for fill in fills if fill["sequence"] > sequence and fill["side"] == "buy"} == {"IBM"}
    assert set(held(fills)) == ({"IBM"} if settle else set(PRICED))


def test_a_symbol_that_is_no_longer_listed_is_not_bought_until_the_restart(engines: Any, buyer: EngineDocument) -> None:
    engine = started(engines, buyer)
    settled = tell(engine, buyer, Activity.TRADE, releasing=["AAPL"], settle=True)
    fewer: Market = structs.replace(buyer.market, symbols=["GOOG", "IBM", "MSFT"])
    swap(engine, structs.replace(settled, market=fewer, releasing=[], settle=False, revision="r2", grant=9))
    engine.until(lambda: engine.status()["grant"] == 9, "the word on what it may trade")
    status = engine.status()
    assert (status["symbols"], status["revision"]) == (["GOOG", "IBM", "MSFT"], "r1")
    engine.until(lambda: engine.status()["fills"] > status["fills"] + 20, "fills of the other")
    assert "AAPL" not in engine.status()["busySymbols"]
    assert engine.terminate() == 0
    engine = engines.start(structs.replace(settled, market=fewer, releasing=[], settle=False, revision="r2"))
    engine.until_state("Running")
    assert engine.status()["revision"] == "r2"
    assert engine.terminate() == 0


def test_it_does_not_start_with_a_document_that_is_older_than_its_pod(engines: Any, buyer: EngineDocument) -> None:
    engine = engines.start(structs.replace(buyer, grant=6), environment={ENV_GRANT_FLOOR: "7"})
    engine.until(lambda: "the node still has 6" in engine.status()["message"], "it waits")
    status = engine.status()
    assert (status["state"], status.get("symbols"), status["grant"]) == ("Starting", None, 6)
    assert engine.get("/livez")[0] == 200
    assert engine.get("/readyz")[0] == 503
    assert not list(engines.data.glob("*"))
    swap(engine, structs.replace(buyer, grant=7))
    engine.until(lambda: engine.status()["fills"] > 0, "fills")
    assert engine.status()["message"] == ""
    assert engine.terminate() == 0


def test_fenced_at_its_start_it_touches_nothing(engines: Any, buyer: EngineDocument) -> None:
    poisoned = structs.replace(buyer, strategy=Strategy("poison:Any"))
    folder = engines.folder / "engine-0"
    (folder / "poison.py").write_text(POISON)
    assert engines.start(poisoned).wait() == 99  # without a fence it dies of it
    folder = engines.folder / "engine-1"
    (folder / "poison.py").write_text(POISON)
    engine = engines.start(structs.replace(poisoned, activity=Activity.FENCE, generation=5, revision="r7", grant=4))
    status = engine.until_state("Fenced")
    assert (status["symbols"], status["activity"], status["generation"]) == ([], "Fence", 5)
    assert (status["revision"], status["grant"], status.get("busySymbols")) == ("r7", 4, None)
    assert engine.get("/livez") == (200, "Fenced\n")
    assert engine.get("/readyz") == (503, "Fenced: told to trade nothing (activity Fence)\n")
    assert engine.get("/views/performance")[0] == engine.get("/views/news")[0] == 503
    metrics = engine.get("/metrics")[1]
    assert 'tradingbot_engine_state{state="Fenced"} 1.0' in metrics
    assert 'tradingbot_engine_activity{activity="Fence"} 1.0' in metrics
    assert not list(engines.data.glob("*"))
    beat = status["heartbeatAt"]
    swap(engine, structs.replace(poisoned, activity=Activity.FENCE, generation=6, revision="r8"))
    engine.until(lambda: (now := engine.status())["generation"] == 6 and now["revision"] == "r8" and now["heartbeatAt"] > beat, "r8")
    swap(engine, buyer)
    engine.until(lambda: engine.status()["fills"] > 0, "fills")
    assert engine.status()["revision"] == "r1"
    assert engine.get("/readyz")[0] == 200
    assert engine.terminate() == 0


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("name: own:Buyer", "name: '???'"),
        lambda text: text + "whatIsThis: 1\n",
        lambda text: text.replace("apiVersion: tradingbot.dev/v1alpha1", "apiVersion: other"),
        lambda text: text.replace("generation: 1", "generation: many"),
        lambda text: re.sub(r"symbols:\n(- .*\n|  +- .*\n)+", "symbols: []\n", text),
    ],
)
def test_no_mistake_in_the_rest_of_the_document_lifts_the_fence(engines: Any, buyer: EngineDocument, damage: Any) -> None:
    fenced = render_document(structs.replace(buyer, activity=Activity.FENCE))
    assert damage(fenced) != fenced
    engine = engines.start(damage(fenced))
    engine.until_state("Fenced")
    assert engine.terminate() == 0
    assert "Traceback" not in engine.log


def test_fenced_while_it_trades_it_lets_go_of_everything_and_comes_back(engines: Any, buyer: EngineDocument) -> None:
    engine = started(engines, buyer)
    swap(engine, structs.replace(buyer, activity=Activity.FENCE, generation=2, grant=3))
    status = engine.until_state("Fenced")
    assert (status["symbols"], status["openOrders"], status["openPositions"], status["grant"]) == ([], 0, 3, 3)
    assert status["busySymbols"] == PRICED
    assert status["equity"] > 0
    # Another engine may have the journal now, and finds all of it there.
    engine.until(lambda: "lets go of its journal" in engine.log and "journal_complete=True" in engine.log, "the end of its trading")
    bars, fills = status["bars"], status["fills"]
    assert len(read_fills(engines.data)) == fills
    assert not [order for order in read_orders(engines.data) if order["status"] == "new"]
    second = engines.start(structs.replace(buyer, activity=Activity.PAUSE))
    second.until(lambda: second.status()["bars"] > bars, "bars of another engine")
    assert second.terminate() == 0
    engine.config.write_text("{")  # what can't be read is told, and trades nothing
    engine.until_state("Refused")
    swap(engine, structs.replace(buyer, generation=4))
    engine.until(lambda: engine.status()["fills"] > fills, "fills")
    status = engine.status()
    assert (status["state"], status["generation"], status["activity"]) == ("Running", 4, "Trade")
    assert engine.get("/readyz")[0] == 200
    assert engine.terminate() == 0
    assert "Traceback" not in engine.log


def test_fenced_it_holds_no_connection_of_a_shared_database(engines: Any, buyer: EngineDocument, server: PostgresServer) -> None:
    url = server.url(server.new_database())
    shared = structs.replace(buyer, database=DatabaseAccess(external=True))
    engine = started(engines, shared, environment={ENV_DATABASE_URL: url})
    database = sqlalchemy.create_engine(url.replace("postgresql://", "postgresql+psycopg://"), poolclass=sqlalchemy.NullPool)

    def connections() -> int:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with database.connect() as connection:
            count: int = connection.execute(sqlalchemy.text(query)).scalar_one()
            return count

    assert connections() > 0
    for generation in (2, 4):
        swap(engine, structs.replace(shared, generation=generation, activity=Activity.FENCE))
        fills = engine.until_state("Fenced")["fills"]
        engine.until(lambda: connections() == 0, "the end of all connections")
        swap(engine, structs.replace(shared, generation=generation + 1))
        engine.until(lambda fills=fills: (status := engine.status())["state"] == "Running" and status["fills"] > fills, "fills")
    assert engine.terminate() == 0
    assert "Traceback" not in engine.log


def test_fenced_and_released_many_times_no_step_is_lost_or_taken_twice(engines: Any, tmp_path: Path) -> None:
    twin = tmp_path / "twin"
    assert engines.start(engines.document, "--exit-when-finished", data=twin).wait() == 0
    paced = engines.with_replay(speed=100.0)  # slow enough that nobody can be too late to fence it
    engine = engines.start(paced)
    for generation in range(2, 8, 2):
        bars = engine.until_state("Running")["bars"]
        engine.until(lambda bars=bars: engine.status()["bars"] > bars, "bars")
        swap(engine, structs.replace(paced, generation=generation, activity=Activity.FENCE))
        engine.until_state("Fenced")
        assert not [order for order in read_orders(engines.data) if order["status"] == "new"]
        released = paced if generation < 6 else engines.document  # the last time at full speed, to the end
        swap(engine, structs.replace(released, generation=generation + 1))
    engine.until_state("Finished")
    assert engine.terminate() == 0
    ours, theirs = engines.read_tables(engines.data), engines.read_tables(twin)
    if not [order for order in read_orders(engines.data) if "Fence" in order["reason"]]:  # else the fence has cost it an order
        assert ours == theirs
    assert ours["checkpoint"][0][:3] == theirs["checkpoint"][0][:3]
    assert "Traceback" not in engine.log


def test_fenced_it_stops_at_once_and_a_file_that_is_gone_says_nothing(engines: Any, buyer: EngineDocument) -> None:
    engine = engines.start(structs.replace(buyer, activity=Activity.FENCE))
    engine.until_state("Fenced")
    engine.config.unlink()
    engine.until(lambda: "document is gone" in engine.log, "the warning")
    assert engine.status()["state"] == "Fenced"
    assert engine.terminate() == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_of_a_change_no_order_is_lost_or_doubled(engines: Any, buyer: EngineDocument, seed: int) -> None:
    moments = random.Random(seed)  # noqa: S311 - repeatable, not secret
    ways: list[dict[str, Any]] = [
        {"activity": Activity.FLATTEN},
        {"activity": Activity.CANCEL},
        {"activity": Activity.PAUSE},
        {"activity": Activity.FENCE},
        {"releasing": ["AAPL", "IBM"], "settle": True},
    ]
    document = structs.replace(buyer, market=engines.with_replay(speed=100.0, loop=True).market)
    for round_number in range(KILLS):
        engine = engines.start(structs.replace(document, activity=Activity.TRADE))
        engine.until(lambda engine=engine: engine.status()["openPositions"] > 0, "a position")
        engine.until(lambda engine=engine: "commits_total 0" not in engine.get("/metrics")[1], "a commit")
        way = ways[(round_number + seed) % len(ways)]
        told = structs.replace(document, **way)
        swap(engine, told)
        time.sleep(moments.uniform(0.0, 0.15))  # the moment is what varies, not what is waited for
        engine.kill()
        check_books(engines.data)
        # Started anew with the same document, it does what it was told before its first bar.
        bars = read_bars(engines.data)
        engine = engines.start(structs.replace(told, market=engines.with_replay(speed=0.05, loop=True).market))
        if told.activity is Activity.FENCE:
            engine.until_state("Fenced")
        else:
            expected = told.activity.value
            engine.until(lambda engine=engine, expected=expected: engine.status()["activity"] == expected, expected)
            status = engine.status()
            if told.activity is Activity.FLATTEN:
                assert status["busySymbols"] == []
            if told.releasing:
                assert not set(status["busySymbols"]) & set(told.releasing)
            assert read_bars(engines.data) <= bars + 3
        engine.kill()
        check_books(engines.data)


def read_bars(data: Path) -> int:
    with closing(sqlite3.connect(data / "journal.sqlite")) as connection:
        bars: int = connection.execute("SELECT bars FROM checkpoint").fetchone()[0]
        return bars


def check_books(data: Path) -> None:
    """Each order is there once, each filled one has its one fill, and the fills make the positions of the checkpoint."""
    orders, fills = read_orders(data), read_fills(data)
    assert [order["sequence"] for order in orders] == list(range(1, len(orders) + 1))
    assert len({order["client_order_id"] for order in orders}) == len(orders)
    assert [fill["sequence"] for fill in fills] == list(range(1, len(fills) + 1))
    assert sorted(fill["order_sequence"] for fill in fills) == [order["sequence"] for order in orders if order["status"] == "filled"]
    with closing(sqlite3.connect(data / "journal.sqlite")) as connection:
        positions = connection.execute(
            "SELECT json_extract(value, '$.symbol'), json_extract(value, '$.quantity') FROM checkpoint, json_each(state, '$.positions')"
        ).fetchall()
    assert dict(positions) == pytest.approx(held(fills))
