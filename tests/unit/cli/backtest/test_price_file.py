from __future__ import annotations

from pathlib import Path

import pytest

from tradingbot_cli.backtest.plan import Span
from tradingbot_cli.backtest.price_file import parse_span, write_part
from tradingbot_cli.errors import RefusedError
from tradingbot_contract.spec import Feed, Market, Replay
from tradingbot_engine.feed.dataset import load_prices

MARKET = Market(symbols=["IBM", "GOOG"], feed=Feed(replay=Replay(data="wiki-daily")))
DAY_MS = 86_400_000


def test_a_date_means_the_whole_day() -> None:
    assert parse_span("1970-01-02", "1970-01-03") == Span(DAY_MS, 3 * DAY_MS)
    assert parse_span(None, "1970-01-03T00:00") == Span(None, 2 * DAY_MS + 1)
    assert parse_span(None, None).is_whole


@pytest.mark.parametrize(
    ("first", "last", "words"), [("soon", None, "--from soon: no date"), ("2012-01-02", "2012-01-01", "is not before --to")]
)
def test_what_is_no_span_is_refused(first: str, last: str | None, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        parse_span(first, last)


def test_a_part_has_the_same_bars_as_the_whole(tmp_path: Path) -> None:
    prices = load_prices(MARKET)
    write_part(prices, parse_span("2006-03-01", "2006-04-28"), tmp_path / "part.csv")
    part = load_prices(Market(symbols=MARKET.symbols, feed=Feed(replay=Replay(data=str(tmp_path / "part.csv")))))
    first = prices.first_step_after(part.time_ms(0) - 1)
    assert part.bars(0, part.steps) == prices.bars(first, first + part.steps)
    assert (part.steps, part.time_ms(part.steps - 1) // DAY_MS * DAY_MS) == (42, 1_146_182_400_000)


def test_a_part_without_prices_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"leave no prices of GOOG: the prices are from 2000-03-01 to 2013-03-01"):
        write_part(load_prices(MARKET), parse_span("2001-01-01", "2002-01-01"), tmp_path / "part.csv")
