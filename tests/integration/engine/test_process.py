"""The engine as a process: its pages, its signals, and how it refuses what it can't run."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from tradingbot_contract.document import BotIdentity, EngineDocument, render_document
from tradingbot_contract.metrics import ENGINE, prometheus_name
from tradingbot_contract.spec import Broker, Feed, Paper, Replay, Risk, Strategy

Change = Callable[[EngineDocument], EngineDocument | str]


@pytest.fixture
def slow(engines: Any) -> EngineDocument:
    return engines.with_replay(speed=20.0)


NOT_OF_THIS_BOT = {
    "tradingbot.memory.limit",  # where there is no limit
    # It has no Redis, no news, and asks nobody by HTTP.
    "tradingbot.cache.second.level.lookups",
    "tradingbot.memory.mode",
    "tradingbot.news.items",
    "tradingbot.news.pending",
    "tradingbot.predictions",
    "tradingbot.prediction.duration",
    "tradingbot.prediction.model.failures",
    "http.client.request.duration",
    # Nothing of this has happened yet.
    "tradingbot.cache.load.duration",
    "tradingbot.config.apply.duration",
    "tradingbot.risk.rejections",
    "tradingbot.retention.rows",
}


def test_it_trades_and_tells(engines: Any) -> None:
    engine = engines.start(engines.with_replay(speed=100.0))
    engine.until(lambda: engine.status()["fills"] >= 4, "fills")
    assert engine.get("/livez") == (200, "Running\n")
    assert engine.get("/readyz") == (200, "Running\n")
    status = engine.status()
    assert status["generation"] == 1
    assert status["currency"] == "USD"
    assert status["feedDue"] is True
    assert 0 < status["progress"] < 1

    def complete_metrics() -> str | None:
        body: str = engine.get("/metrics")[1]
        return body if "loop_lag" in body and "commit_duration" in body else None

    metrics = engine.until(complete_metrics, "figures")
    assert 'tradingbot_bars_total{symbol="MSFT"}' in metrics
    assert 'service_name="tradingbot-engine"' in metrics
    assert "otel_scope" not in metrics
    absent = {instrument.name for instrument in ENGINE if f"# HELP {prometheus_name(instrument)} " not in metrics}
    assert absent <= NOT_OF_THIS_BOT
    code, body = engine.get("/views/performance")
    assert code == 200
    assert json.loads(body)["trades"] >= 1
    assert engine.terminate() == 0


def test_it_finishes_and_stays_up(engines: Any) -> None:
    engine = engines.start(engines.document)
    status = engine.until_state("Finished")
    assert status["bars"] == 11958
    assert status["feedDue"] is False
    assert engine.get("/readyz")[0] == 200
    views = [engine.get("/views/performance")[1] for _ in range(3)]
    assert views[0] == views[2]
    assert 'tradingbot_cache_lookups_total{cache="views",result="hit"} 2.0' in engine.get("/metrics")[1]
    assert engine.terminate() == 0


def test_it_stops_in_the_midst_of_a_lap(engines: Any) -> None:
    engine = engines.start(engines.with_replay(loop=True))
    engine.until(lambda: engine.status()["lap"] > 0, "a lap")
    assert engine.terminate() == 0
    assert "journal_complete=True" in engine.log
    assert "Traceback" not in engine.log


def test_one_engine_per_journal(engines: Any, slow: EngineDocument) -> None:
    first = engines.start(slow)
    first.until_state("Running")
    second = engines.start(slow)
    message = second.until_state("Refused")["message"]
    assert f"process {first.process.pid}" in message
    assert second.get("/livez")[0] == 200
    code, reason = second.get("/readyz")
    assert code == 503
    assert "another engine" in reason
    first.kill()
    second.until_state("Running")  # what it waited for has come
    assert second.terminate() == 0


def test_it_says_when_its_port_is_taken(engines: Any, slow: EngineDocument) -> None:
    first = engines.start(slow)
    second = engines.start(slow, "--port", str(first.port()), data=engines.folder / "other")
    assert second.wait() == 69
    assert "can't serve" in second.log
    assert "Traceback" not in second.log


def test_it_follows_what_needs_no_restart(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(slow)
    engine.until_state("Running")
    engine.config.write_text(render_document(structs.replace(slow, generation=2)))
    engine.until(lambda: engine.status()["generation"] == 2, "the new generation")
    other = structs.replace(engines.with_replay(speed=7.0), generation=3)
    engine.config.write_text(render_document(other))
    engine.config.write_text("nonsense: [")
    engine.until(lambda: "document refused" in engine.log, "the refusal in the log")
    engine.config.write_text(render_document(other))
    assert engine.status()["generation"] == 2
    assert engine.terminate() == 0


def _changed(**changes: Any) -> Change:
    return lambda document: structs.replace(document, **changes)


def _market(**changes: Any) -> Change:
    return lambda document: structs.replace(document, market=structs.replace(document.market, **changes))


def _data(name: str) -> Change:
    return _market(feed=Feed(replay=Replay(data=name)))


REFUSALS: dict[str, tuple[Change, str]] = {
    "not YAML": (lambda _: "{", "configuration: "),
    "an unknown field": (lambda document: render_document(document) + "foo: 1\n", "foo"),
    "a value out of bounds": (_market(feed=Feed(replay=Replay(speed=-1.0))), "$.market.feed.replay.speed"),
    "another version": (_changed(api_version="tradingbot.dev/v9"), "apiVersion"),
    "an unknown strategy": (_changed(strategy=Strategy("golden-goose")), "strategy.name"),
    "a module that isn't there": (_changed(strategy=Strategy("nowhere:Goose")), "strategy.name"),
    "an unknown parameter": (_changed(strategy=Strategy("ema-cross", {"fats": 1})), "strategy.parameters.fats"),
    "a wrong parameter": (_changed(strategy=Strategy("ema-cross", {"fastPeriod": "x"})), "strategy.parameters.fastPeriod"),
    "an unknown data set": (_data("moon"), "market.feed.replay.data"),
    "a missing file": (_data("/nowhere/prices.csv"), "market.feed.replay.data"),
    "an unknown symbol": (_market(symbols=["AAPL", "TSLA"]), "market.symbols"),
    "another timeframe": (_market(timeframe="1h"), "market.timeframe"),
    "two currencies": (_market(symbols=["AAPL", "BTC/USDT"]), "market.symbols"),
    "no money": (_changed(broker=Broker(paper=Paper(balances={"EUR": 1.0}))), "broker.paper.balances"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_it_cannot_run_it_refuses_by_name(engines: Any, slow: EngineDocument, case: str) -> None:
    change, field = REFUSALS[case]
    engine = engines.start(change(slow), "--exit-when-refused")
    assert engine.wait() == 78
    assert field in engine.log.splitlines()[-1]
    assert "Traceback" not in engine.log


def test_refused_it_stays_up_and_says_why(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(structs.replace(slow, generation=7, strategy=Strategy("golden-goose")))
    status = engine.until_state("Refused")
    assert status["generation"] == 7
    assert "strategy.name" in status["message"]
    assert engine.get("/livez")[0] == 200
    code, reason = engine.get("/readyz")
    assert code == 503
    assert "strategy.name" in reason
    assert engine.get("/views/performance")[0] == 503
    assert engine.terminate() == 0


def test_risk_limits_follow_the_document(engines: Any) -> None:
    document = engines.with_replay(speed=300.0, loop=True)
    engine = engines.start(document)
    engine.until(lambda: engine.status()["fills"] >= 2, "fills")
    assert engine.status()["rejectedOrders"] == 0
    engine.config.write_text(render_document(structs.replace(document, generation=2, risk=Risk(max_order_notional=1.0))))
    engine.until(lambda: engine.status()["rejectedOrders"] >= 2, "purchases above the new limit, rejected")
    assert engine.status()["generation"] == 2
    engine.config.write_text(render_document(structs.replace(document, generation=3)))
    engine.until(lambda: engine.status()["generation"] == 3, "the old limits")
    fills = engine.status()["fills"]
    engine.until(lambda: engine.status()["fills"] >= fills + 2, "purchases again")
    assert engine.terminate() == 0


def test_a_bot_without_news_says_that_there_is_none(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(slow)
    engine.until_state("Running")
    assert engine.get("/views/news") == (404, "the bot's spec names no news\n")
    assert engine.terminate() == 0


def test_a_refused_document_that_is_mended_is_run_by_the_same_process(engines: Any, slow: EngineDocument) -> None:
    engine = engines.start(structs.replace(slow, risk=Risk(max_drawdown_percent=-1.0)))
    engine.until_state("Refused")
    engine.config.write_text(render_document(structs.replace(slow, generation=2)))
    engine.until_state("Running")
    assert engine.status()["generation"] == 2
    assert engine.terminate() == 0


def test_it_refuses_a_data_folder_that_is_not_there(engines: Any, slow: EngineDocument, tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    engine = engines.start(slow, "--exit-when-refused", "--data", str(folder))
    assert engine.wait() == 78
    assert str(folder) in engine.log


def test_it_refuses_a_journal_of_another_bot_and_of_a_newer_engine(engines: Any, tmp_path: Path) -> None:
    assert engines.start(engines.document, "--exit-when-finished").wait() == 0
    other = structs.replace(engines.document, bot=BotIdentity(namespace="trading", name="second", uid="other"))
    engine = engines.start(other, "--exit-when-refused")
    assert engine.wait() == 78
    assert "trading/first" in engine.log
    with sqlite3.connect(tmp_path / "data" / "journal.sqlite") as connection:
        connection.execute("UPDATE journal SET schema_version = 99")
    connection.close()
    engine = engines.start(engines.document, "--exit-when-refused")
    assert engine.wait() == 78
    assert "newer engine" in engine.log


def test_it_refuses_a_file_that_is_no_journal(engines: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "journal.sqlite").write_bytes(b"no database at all, but long enough to be read as one" * 100)
    engine = engines.start(engines.document, "--exit-when-refused")
    assert engine.wait() == 78
    assert "journal: the file is damaged" in engine.log
    assert "Traceback" not in engine.log
