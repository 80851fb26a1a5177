"""A part of a bot's prices as a file of their own, which the engine reads like any other."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path
from typing import Final

from tradingbot_cli.backtest.plan import Span
from tradingbot_cli.errors import RefusedError
from tradingbot_cli.figures import market_date
from tradingbot_engine.feed.prices import Prices

FILE_NAME: Final = "prices.csv"
_DAY_MS: Final = 86_400_000
_DATE_CHARACTERS: Final = 10


def parse_span(first: str | None, last: str | None) -> Span:
    """Return which prices are meant: from a date or time on, up to a time, or up to the end of a date.

    Raises:
        RefusedError: one is no date or time, or the end comes before the beginning.
    """
    span = Span(None if first is None else _parse_ms("--from", first), None if last is None else _parse_end_ms(last))
    if span.first_ms is not None and span.end_ms is not None and span.first_ms >= span.end_ms:
        raise RefusedError(f"--from {first} is not before --to {last}")
    return span


def write_part(prices: Prices, span: Span, path: Path) -> None:
    """Write the prices of a span as CSV.

    Raises:
        RefusedError: there are none, or a symbol has none.
    """
    first = 0 if span.first_ms is None else prices.first_step_after(span.first_ms - 1)
    last = prices.steps if span.end_ms is None else prices.first_step_after(span.end_ms - 1)
    counts = prices.bar_counts(first, last) if first < last else [0] * len(prices.symbols)
    missing = [symbol for symbol, count in zip(prices.symbols, counts, strict=True) if not count]
    if missing:
        between = f"the prices are from {market_date(prices.time_ms(0) / 1000)} to {market_date(prices.time_ms(prices.steps - 1) / 1000)}"
        raise RefusedError(f"--from and --to leave no prices of {', '.join(missing)}: {between}")
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["timestamp", "symbol", "open", "high", "low", "close", "volume"])
        for bars in prices.bars(first, last):
            writer.writerows([bar.time_ms, bar.symbol, bar.open, bar.high, bar.low, bar.close, bar.volume] for bar in bars)


def _parse_end_ms(text: str) -> int:
    """Return the end of a date, so that the day itself is played, or the time that is meant."""
    return _parse_ms("--to", text) + (_DAY_MS if len(text) == _DATE_CHARACTERS else 1)


def _parse_ms(option: str, text: str) -> int:
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise RefusedError(f"{option} {text}: no date: write it as 2010-12-31, or 2010-12-31T15:30") from error
    if time.tzinfo is None:
        time = time.replace(tzinfo=dt.UTC)
    return round(time.timestamp() * 1000)
