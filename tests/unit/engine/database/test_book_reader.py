from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradingbot_contract.document import BotIdentity
from tradingbot_contract.resources import Pool
from tradingbot_engine.database import schema
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.database.book_reader import Choice, Thinning, read_equity, read_fills, read_orders
from tradingbot_engine.database.connections import Database
from tradingbot_engine.database.journal import Journal
from tradingbot_engine.orders.order import OrderStatus

BOT = BotIdentity(namespace="trading", name="first", uid="u")


def open_database(folder: Path) -> Database:
    database = Database(parse_database_address(None, folder, "journal.sqlite", BOT), Pool(size=1, max_overflow=0))
    Journal(database).open(BOT)
    return database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(tmp_path)
    yield database
    database.close()


def order(sequence: int, status: str = "filled", symbol: str = "IBM") -> dict[str, Any]:
    moment = {"lap": 0, "step": sequence, "time_ms": sequence * 1000}
    words = {"client_order_id": f"tb-{sequence}", "symbol": symbol, "side": "buy", "type": "market", "reason": ""}
    return {"sequence": sequence, "quantity": 2.0, "reference_price": 10.0, "status": status, **words, **moment}


def fill(sequence: int, order_sequence: int, symbol: str = "IBM") -> dict[str, Any]:
    money = {"quantity": 2.0, "price": 11.0, "fee": 0.5, "realised": None}
    return {
        "sequence": sequence,
        "order_sequence": order_sequence,
        "symbol": symbol,
        "side": "buy",
        **money,
        "lap": 0,
        "step": 1,
        "time_ms": 7,
    }


def point(sequence: int, equity: float, lap: int = 0) -> dict[str, Any]:
    return {"sequence": sequence, "lap": lap, "step": sequence, "time_ms": sequence * 1000, "equity": equity, "cash": 0.0, "drawdown": 0.1}


def insert(database: Database, table: Any, rows: Sequence[dict[str, Any]]) -> None:
    with database.writing() as connection:
        connection.execute(table.delete())
        connection.execute(table.insert(), list(rows))


def test_an_order_says_what_became_of_it(database: Database) -> None:
    insert(database, schema.orders, [order(1), order(2, "rejected")])
    insert(database, schema.fills, [fill(1, 1)])
    rejected, filled = read_orders(database, Choice(limit=10)).rows
    assert (rejected.status, rejected.filled, rejected.average, rejected.fee) == ("rejected", 0.0, None, None)
    assert (filled.client_order_id, filled.filled, filled.average, filled.fee, filled.time) == ("tb-1", 2.0, 11.0, 0.5, 1.0)


def test_pages_follow_each_other_without_gap_or_double(database: Database) -> None:
    insert(database, schema.orders, [order(number) for number in range(1, 24)])
    seen, before = [], None
    while True:
        page = read_orders(database, Choice(limit=5, before=before))
        seen += [row.sequence for row in page.rows]
        before = seen[-1]
        if not page.more:
            break
    assert seen == list(range(23, 0, -1))


def test_symbol_and_status_choose(database: Database) -> None:
    insert(database, schema.orders, [order(1), order(2, symbol="AAPL"), order(3, "canceled", symbol="AAPL")])
    insert(database, schema.fills, [fill(1, 1), fill(2, 2, symbol="AAPL")])
    chosen = read_orders(database, Choice(limit=5, symbol="AAPL", status=OrderStatus.CANCELED))
    assert [row.sequence for row in chosen.rows] == [3]
    (only,) = read_fills(database, Choice(limit=5, symbol="AAPL")).rows
    assert (only.client_order_id, only.cost) == ("tb-2", 22.0)


def test_what_retention_has_removed_is_counted_but_for_old_open_orders(database: Database) -> None:
    insert(database, schema.orders, [order(3, "new"), order(41), order(42)])
    insert(database, schema.fills, [fill(38, 41), fill(39, 42)])
    insert(database, schema.equity, [point(8, 1.0), point(9, 1.0)])
    assert read_orders(database, Choice(limit=1)).removed == 40
    assert read_fills(database, Choice(limit=1)).removed == 37
    assert read_equity(database, 10, None, Thinning.EXTREMES).removed == 7


def test_an_empty_journal_has_nothing_and_nothing_removed(database: Database) -> None:
    assert read_orders(database, Choice(limit=5)) == ((), False, 0)
    assert read_fills(database, Choice(limit=5)) == ((), False, 0)
    assert read_equity(database, 5, None, Thinning.EVEN) == ((), 0, 0)


def test_since_takes_only_what_came_later(database: Database) -> None:
    insert(database, schema.equity, [point(number, float(number)) for number in range(1, 101)])
    found = read_equity(database, 10, 91_000, Thinning.EXTREMES)
    assert (found.held, [point.sequence for point in found.points]) == (10, list(range(91, 101)))


@settings(max_examples=60)
@given(
    equity=st.lists(st.floats(1.0, 1e9), min_size=1, max_size=300),
    points=st.integers(4, 60),
    thinning=st.sampled_from(Thinning),
    gap=st.integers(0, 3),
)
def test_a_thinned_curve_keeps_its_ends_and_its_bound_and_extremes_if_asked(
    tmp_path_factory: pytest.TempPathFactory, equity: list[float], points: int, thinning: Thinning, gap: int
) -> None:
    database = open_database(tmp_path_factory.mktemp("journal"))
    try:
        insert(database, schema.equity, [point(5 + number * (1 + gap * (number > 9)), value) for number, value in enumerate(equity)])
        found = read_equity(database, points, None, thinning)
    finally:
        database.close()
    assert found.held == len(equity)
    assert len(found.points) <= points
    shown = [point.equity for point in found.points]
    assert (shown[0], shown[-1]) == (equity[0], equity[-1])
    assert [point.sequence for point in found.points] == sorted({point.sequence for point in found.points})
    if thinning is Thinning.EXTREMES:
        assert (min(shown), max(shown)) == (min(equity), max(equity))
