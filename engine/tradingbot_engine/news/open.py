"""From the spec's news section to a source of news that goes on where the bot stopped."""

from __future__ import annotations

import asyncio
import logging

from tradingbot_contract.document import SpecError
from tradingbot_contract.spec import Market, NewsType
from tradingbot_engine.feed.timeframe import parse_timeframe_ms
from tradingbot_engine.news.dataset import find_news_file
from tradingbot_engine.news.file import FIELD, check_news_file
from tradingbot_engine.news.file_feed import FileNews
from tradingbot_engine.news.http_feed import HttpNews, JsonClient
from tradingbot_engine.news.port import Scorer

_logger = logging.getLogger(__name__)


async def open_news(
    market: Market, scorer: Scorer, client: JsonClient, *, first_ms: int, after_ms: int | None, seen: str
) -> FileNews | HttpNews | None:
    """Return the news of the spec, None if it has none. All of a file is checked first.

    `first_ms` is the time of the feed's first step, `after_ms` of the last that was taken in this lap (None: none was yet), `seen` what the
    checkpoint has kept.

    Raises:
        SpecError: the file isn't there, or a row of it is wrong.
    """
    section = market.news
    if section is None:
        return None
    symbols = frozenset(market.symbols)
    if section.http is not None and section.type is NewsType.HTTP:
        return HttpNews(section.http.url, symbols, scorer, client, seen=seen)
    assert section.file is not None  # the section's own rule
    path = find_news_file(section.file.data)
    summary = await asyncio.to_thread(check_news_file, path, symbols)
    if not summary.items:
        raise SpecError(f"{FIELD}: {path} has no news of {', '.join(market.symbols)}, only {summary.others} of other symbols")
    _logger.info("news", extra={"fields": {"file": path, "items": summary.items, "of_others": summary.others}})
    starts_ms = first_ms - parse_timeframe_ms(market.timeframe)
    return FileNews(path, symbols, scorer, lap_starts_ms=starts_ms, after_ms=after_ms)
