"""News as it is written: what is taken, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_engine.news.item import NewsError, parse_news
from tradingbot_engine.prediction.sentiment import Source


@pytest.mark.parametrize(
    ("raw", "symbols"),
    [
        ("AAPL", ("AAPL",)),
        ("AAPL MSFT", ("AAPL", "MSFT")),
        ("AAPL;BTC/USDT, BRK.B|AAPL", ("AAPL", "BTC/USDT", "BRK.B")),
        (["MSFT", "AAPL"], ("MSFT", "AAPL")),
        ("", ()),
        (None, ()),
    ],
)
def test_symbols_are_a_list_or_a_text(raw: Any, symbols: tuple[str, ...]) -> None:
    item = parse_news({"id": 7, "timestamp": "2020-01-02T03:04:05Z", "symbols": raw, "text": " Gains ", "source": "social"})
    assert (item.id, item.time_ms, item.text, item.source) == ("7", 1_577_934_245_000, "Gains", Source.SOCIAL)
    assert item.symbols == symbols


def test_without_an_id_the_content_is_the_id() -> None:
    raw = {"timestamp": 1_577_934_245_000, "symbol": "A", "text": "Gains"}
    assert parse_news(raw).id == parse_news(dict(raw)).id
    assert parse_news(raw).id != parse_news(raw | {"text": "Losses"}).id
    assert parse_news(raw).source is Source.NEWS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"timestamp": None}, "timestamp None is neither"),
        ({"timestamp": "yesterday"}, "timestamp 'yesterday' is neither"),
        ({"timestamp": 1_577_934_245}, "must be milliseconds"),
        ({"timestamp": True}, "timestamp True is neither"),
        ({"text": "  "}, "text '  ' is no text"),
        ({"text": 5}, "text 5 is no text"),
        ({"source": "rumour"}, "source 'rumour' is none of news, social"),
        ({"symbols": 5}, "symbols 5 is neither"),
        ({"symbols": [5]}, r"symbols \[5\] is neither"),
    ],
)
def test_what_is_no_news(change: dict[str, Any], message: str) -> None:
    with pytest.raises(NewsError, match=message):
        parse_news({"timestamp": "2020-01-02", "text": "Gains"} | change)


def test_a_list_is_no_news() -> None:
    with pytest.raises(NewsError, match="list is no object"):
        parse_news([])


@pytest.mark.parametrize(("symbols", "left"), [(["A"], ("A",)), (["A", "X", "B"], ("A", "B")), (["X"], None), ([], ())])
def test_of_its_symbols_those_remain_that_are_traded(symbols: list[str], left: tuple[str, ...] | None) -> None:
    item = parse_news({"timestamp": "2020-01-02", "text": "t", "symbols": symbols}).narrowed(frozenset("AB"))
    assert (None if item is None else item.symbols) == left


def test_a_text_without_end_is_cut() -> None:
    assert len(parse_news({"timestamp": "2020-01-02", "text": "x" * 10**6}).text) == 4000
