"""Orders, fills and equity as a real engine tells them: from SQLite and from Postgres, while it may not trade, and when it can't read."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bot_tables import BotTables
from postgres_server import PostgresServer
from tradingbot_contract.document import Activity, DatabaseAccess, EngineDocument, render_document
from tradingbot_contract.endpoints import ENV_DATABASE_URL
from tradingbot_contract.resources import Retention


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


def read(engine: Any, path: str) -> dict[str, Any]:
    code, body = engine.get(path)
    assert code == 200, body
    page: dict[str, Any] = json.loads(body)
    return page


def tell(engine: Any, document: EngineDocument) -> None:
    new = engine.config.with_suffix(".new")
    new.write_text(render_document(document))
    new.replace(engine.config)


@pytest.fixture(params=["sqlite", "postgres"])
def finished(request: pytest.FixtureRequest, engines: Any, tmp_path: Path) -> tuple[Any, BotTables, PostgresServer | None]:
    """An engine that has played all of its prices, and what is in its journal."""
    if request.param == "sqlite":
        engine = engines.start(engines.document)
        engine.until_state("Finished")
        return engine, BotTables(engines.data, None, engines.document.bot), None
    server: PostgresServer = request.getfixturevalue("server")
    url = server.url(server.new_database())
    document = structs.replace(engines.document, database=DatabaseAccess(external=True))
    engine = engines.start(document, environment={ENV_DATABASE_URL: url})
    engine.until_state("Finished")
    return engine, BotTables(tmp_path, url, document.bot), server


def test_pages_say_what_the_journal_says(finished: tuple[Any, BotTables, PostgresServer | None]) -> None:
    engine, tables, server = finished
    with contextlib.closing(tables):
        rows = tables.rows()
    orders = [order for page in pages_of(engine, "/orders?limit=150") for order in page["orders"]]
    assert [order["clientOrderId"] for order in orders] == [row[1] for row in reversed(rows["orders"])]
    fills = [fill for page in pages_of(engine, "/fills?limit=150") for fill in page["fills"]]
    assert [(fill["sequence"], fill["price"], fill["fee"], fill["realised"]) for fill in fills] == [
        (row[0], row[5], row[6], row[7]) for row in reversed(rows["fills"])
    ]
    assert sum(order["fee"] or 0.0 for order in orders) == pytest.approx(sum(row[6] for row in rows["fills"]))

    one = read(engine, "/orders?limit=1&symbol=IBM&status=filled")
    assert (one["bot"], one["shard"], one["currency"], one["removed"], one["note"]) == ("first", 0, "USD", 0, "")
    assert (one["orders"][0]["symbol"], one["orders"][0]["filled"]) == ("IBM", one["orders"][0]["amount"])
    assert read(engine, "/orders?status=rejected")["orders"] == []

    whole = read(engine, "/equity?points=10000")
    assert [(point["sequence"], point["equity"]) for point in whole["points"]] == [(row[0], row[4]) for row in rows["equity"]]
    assert whole["initialEquity"] == 100_000
    thin = read(engine, "/equity?points=12")
    assert len(thin["points"]) <= 12 < thin["held"] == len(rows["equity"])
    equity = [point["equity"] for point in thin["points"]]
    assert (min(equity), max(equity)) == (min(row[4] for row in rows["equity"]), max(row[4] for row in rows["equity"]))

    for path, words in (
        ("/orders?limit=none", "limit is 'none'"),
        ("/fills?status=filled", "there is no parameter"),
        ("/equity?points=1", "4"),
        ("/orders?symbol=%00", "symbol '\\x00' is none"),
    ):
        code, body = engine.get(path)
        assert code == 400, body
        assert words in body
    if server is not None:
        server.stop()
        code, body = engine.get("/orders")
        assert code == 503
        assert body.startswith("journal can't be read: ")
        server.start()
        assert engine.until(lambda: engine.get("/orders")[0] == 200, "orders again")


def pages_of(engine: Any, path: str) -> Iterator[dict[str, Any]]:
    page = read(engine, path)
    yield page
    while page["next"] is not None:
        page = read(engine, f"{path}&before={page['next']}")
        yield page


def test_it_tells_out_of_limits_and_paused_and_what_is_removed_and_fenced_why_it_does_not(engines: Any) -> None:
    document = structs.replace(engines.document, risk=structs.replace(engines.document.risk, max_drawdown_percent=3.0))
    document = structs.replace(document, database=DatabaseAccess(retention=Retention(orders=1000, equity_points=100)))
    engine = engines.start(document)
    engine.until_state("Finished")
    engine.until(lambda: read(engine, "/equity")["removed"], "old points removed")
    page = read(engine, "/equity")
    assert (page["held"], page["removed"]) == (100, page["points"][0]["sequence"] - 1)
    assert page["note"] == f"{page['removed']} older points were removed: database.retention.equityPoints keeps 100"
    stopped_by_limit = read(engine, "/orders?limit=1000")["orders"]
    assert "drawdown" in {word for order in stopped_by_limit for word in order["reason"].split()}
    tell(engine, structs.replace(document, activity=Activity.PAUSE, grant=1))
    engine.until(lambda: engine.status()["activity"] == "Pause", "pause")
    assert read(engine, "/orders?limit=1000")["orders"] == stopped_by_limit
    tell(engine, structs.replace(document, activity=Activity.FENCE, grant=2))
    engine.until_state("Fenced")
    for path in ("/orders", "/fills", "/equity"):
        code, body = engine.get(path)
        assert (code, body) == (503, "Fenced: told to trade nothing (activity Fence): it holds no journal now\n")
    assert engine.terminate() == 0
