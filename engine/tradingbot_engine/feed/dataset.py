"""From the spec's market section to its prices: a data set that ships with the engine, by name, or a file, by its path."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tradingbot_contract.document import SpecError
from tradingbot_contract.spec import Market
from tradingbot_engine.feed.prices import Prices
from tradingbot_engine.feed.reader import FIELD, read_prices
from tradingbot_engine.feed.timeframe import describe_ms, parse_timeframe_ms, spacing_mismatch_ms

_FOLDER: Final = Path(__file__).parent / "data"
DATASETS: Final[dict[str, Path]] = {"wiki-daily": _FOLDER / "wiki-daily.csv.gz"}


def load_prices(market: Market) -> Prices:
    """Return the prices that the bot replays.

    Raises:
        SpecError: no such data, no such symbol, a wrong row, or bars of another length than `market.timeframe`.
    """
    prices = read_prices(_find_file(market.feed.replay.data), market.symbols)
    timeframe_ms = parse_timeframe_ms(market.timeframe)
    for symbol in prices.symbols:
        found = spacing_mismatch_ms(prices.spacings_ms(symbol), timeframe_ms)
        if found is not None:
            raise SpecError(
                f"market.timeframe: bars of {symbol} are {describe_ms(found)} apart, not {market.timeframe}: write what the data has"
            )
    return prices


def _find_file(data: str) -> Path:
    if data.startswith("/"):
        return Path(data)
    path = DATASETS.get(data)
    if path is None:
        raise SpecError(f"{FIELD}: there is no data set {data!r}: use {', '.join(sorted(DATASETS))}, or the absolute path of a CSV file")
    return path
