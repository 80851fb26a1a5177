from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.document import SpecError
from tradingbot_engine.book_query import CurveChoice, parse_equity_query, parse_fills_query, parse_orders_query
from tradingbot_engine.database.book_reader import Choice, Thinning
from tradingbot_engine.orders.order import OrderStatus


def test_without_a_query_the_newest_hundred_are_meant() -> None:
    assert parse_orders_query({}) == parse_fills_query({}) == Choice(limit=100)
    assert parse_equity_query({}) == CurveChoice(500, None, Thinning.EXTREMES)


def test_each_parameter_is_taken() -> None:
    query = {"limit": "7", "before": "12", "symbol": "BTC/USDT"}
    assert parse_fills_query(query) == Choice(7, 12, "BTC/USDT")
    assert parse_orders_query(query | {"status": "rejected"}) == Choice(7, 12, "BTC/USDT", OrderStatus.REJECTED)
    assert parse_equity_query({"points": "50", "since": "1300000000", "thin": "even"}) == CurveChoice(50, 1_300_000_000_000, Thinning.EVEN)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"limit": "0"}, "limit is '0': give a whole number from 1 to 1,000"),
        ({"limit": "1001"}, "from 1 to 1,000"),
        ({"limit": "-1"}, "limit is '-1'"),
        ({"limit": "1e2"}, "limit is '1e2'"),
        ({"limit": ""}, "limit is ''"),
        ({"limit": "²"}, "limit is '²'"),
        ({"before": "0"}, "before is '0': give a whole number from 1"),
        ({"before": "9" * 5000}, "before is '9999"),
        ({"symbol": ""}, "symbol is empty"),
        ({"symbol": "AAPL\x00"}, "symbol 'AAPL\\x00' is none that a spec may name"),
        ({"symbol": "A" * 5000}, "symbol 'AAAA"),
        ({"status": "open"}, "status 'open' is none: use new, filled, rejected, canceled"),
        ({"page": "2"}, "there is no parameter 'page': use limit, before, symbol, status"),
    ],
)
def test_what_can_t_be_meant_is_refused_with_words(query: dict[str, str], words: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_orders_query(query)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"points": "3"}, "points is '3': give a whole number from 4 to 10,000"),
        ({"since": "yesterday"}, "since is 'yesterday'"),
        ({"thin": "coarse"}, "thin 'coarse' is none: use extremes, even"),
        ({"limit": "5"}, "there is no parameter 'limit'"),
    ],
)
def test_a_curve_that_can_t_be_meant_is_refused_with_words(query: dict[str, str], words: str) -> None:
    with pytest.raises(SpecError) as refused:
        parse_equity_query(query)
    assert words in str(refused.value)


@given(st.dictionaries(st.sampled_from(["limit", "before", "symbol", "status", "points", "since", "thin", "x"]), st.text(), max_size=4))
def test_whatever_is_asked_is_taken_within_bounds_or_refused(query: dict[str, str]) -> None:
    for parse in (parse_orders_query, parse_fills_query):
        with contextlib.suppress(SpecError):
            choice = parse(query)
            assert 1 <= choice.limit <= 1000
            assert choice.before is None or 1 <= choice.before < 2**63
    with contextlib.suppress(SpecError):
        curve = parse_equity_query(query)
        assert 4 <= curve.points <= 10_000
        assert curve.since_ms is None or 0 <= curve.since_ms < 2**63
