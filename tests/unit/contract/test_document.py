from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tradingbot_contract.document import VERSION, EngineDocument, SpecError, parse_document, render_document, restart_hash

SMALLEST: dict[str, Any] = {
    "apiVersion": VERSION,
    "bot": {"namespace": "desk", "name": "first", "uid": "u-1"},
    "generation": 3,
    "strategy": {"name": "ema-cross"},
    "market": {"symbols": ["AAPL", "MSFT"]},
    "broker": {},
    "risk": {},
    "database": {"pool": {}},
    "cache": {},
    "health": {},
    "observability": {},
}


def document(**changes: Any) -> EngineDocument:
    return msgspec.convert(SMALLEST | changes, EngineDocument)


def test_what_is_written_reads_back_the_same() -> None:
    assert parse_document(render_document(document())) == document()
    assert render_document(document()) == render_document(parse_document(render_document(document())))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategy": {"name": "no such name!"}}, "$.strategy.name"),
        ({"strategy": {}}, "missing required field `name` - at `$.strategy`"),
        ({"market": {"symbols": []}}, "$.market.symbols"),
        ({"market": {"symbols": ["AAPL", "MSFT", "AAPL"]}}, "symbols names AAPL more than once - at `$.market`"),
        ({"market": {"symbols": ["AAPL"], "timefrane": "1d"}}, "unknown field `timefrane` - at `$.market`"),
        ({"market": {"symbols": ["AAPL"], "feed": {"replay": {"speed": -1}}}}, "$.market.feed.replay.speed"),
        ({"activity": "Sell"}, "$.activity"),
        ({"releasing": ["MSFT", 7]}, "$.releasing[1]"),
        ({"grant": -1}, "$.grant"),
        ({"risk": {"maxOrderNotional": 0}}, "$.risk.maxOrderNotional"),
        ({"database": {"pool": {"size": 0}}}, "$.database.pool.size"),
        ({"health": {"cpuPercent": {"elevated": 90, "high": 80}}}, "elevated must be below high - at `$.health.cpuPercent`"),
        ({"health": {"cacheHitPercent": {"low": 90}}}, "low must be below good - at `$.health.cacheHitPercent`"),
        ({"health": {"score": {"warning": 40}}}, "must be in order: critical < warning < unhealthy - at `$.health.score`"),
        ({"apiVersion": "tradingbot.dev/v9"}, "this engine reads 'tradingbot.dev/v1alpha1'"),
    ],
)
def test_a_document_that_can_not_be_run_is_refused_whole_and_the_message_names_the_field(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError) as refusal:
        parse_document(msgspec.yaml.encode(SMALLEST | change))
    assert message in str(refusal.value)


@pytest.mark.parametrize("text", ["", "a: [", "- 1", "\x00", "just words", "a: 2024-13-45", "[" * 5000 + "]" * 5000])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        parse_document(text)


@pytest.mark.parametrize(
    "change",
    [
        {"generation": 4},
        {"health": {"silentAfterSeconds": 5}},
        {"observability": {"intervalSeconds": 5, "otlpEndpoint": "http://collector:4318"}},
        {"risk": {"maxOrderNotional": 5}},
        {"database": {"pool": {"size": 6}, "retry": {"attempts": 1}, "healthIntervalSeconds": 5, "retention": {"orders": 1000}}},
        {"http": {"limit": 6}},
        {"cache": {"maxEntries": 5, "views": {"ttlSeconds": 5}}},
        {"memoryMode": "Minimal"},
        {"activity": "Flatten"},
        {"releasing": ["MSFT"], "settle": True},
        {"revision": "5d5ba1d0", "grant": 3},
    ],
)
def test_what_is_live_reaches_a_running_pod(change: dict[str, Any]) -> None:
    assert restart_hash(document(**change)) == restart_hash(document())


@pytest.mark.parametrize(
    "change",
    [
        {"strategy": {"name": "ema-cross", "parameters": {"fastPeriod": 5}}},
        {"market": {"symbols": ["AAPL"]}},
        {"market": {"symbols": ["AAPL", "MSFT"], "news": {"type": "file", "file": {"data": "/news.csv"}}}},
        {"broker": {"paper": {"feeBasisPoints": 1}}},
        {"bot": {"namespace": "desk", "name": "first", "uid": "u-2"}},
        {"database": {"external": True}},
        {"redis": {}},
        {"prediction": {"finbert": {"source": "/models/one"}}},
    ],
)
def test_all_else_needs_a_new_process(change: dict[str, Any]) -> None:
    assert restart_hash(document(**change)) != restart_hash(document())


def test_the_settings_of_redis_are_live_and_that_there_is_one_is_not() -> None:
    assert restart_hash(document(redis={"maxConnections": 3})) == restart_hash(document(redis={}))
