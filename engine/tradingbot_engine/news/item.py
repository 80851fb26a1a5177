"""One piece of news, as it is read and as a strategy gets it; and how it is parsed. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from tradingbot_engine.feed.reader import parse_time_ms
from tradingbot_engine.prediction.sentiment import Passage, Sentiment, Source

_MAX_TEXT: Final = 4000
"""Characters kept; no model reads more than 512 tokens."""
_MAX_ID: Final = 256
_IN_PLACE_OF_NUL: Final = "\N{SYMBOL FOR NULL}"
"""Postgres keeps no text with a NUL, and one such id would keep all news after it from being taken down."""
_SHOWN: Final = 80
"""Characters of a value in a message."""
_SEPARATORS: Final = re.compile(r"[\s,;|]+")
_SOURCES: Final = {source.value: source for source in Source}


class NewsItem(Struct, frozen=True):
    """As it was published. Without symbols it is about the whole market."""

    id: str
    time_ms: int
    """When it was published, in milliseconds since the epoch."""
    symbols: tuple[str, ...]
    source: Source
    text: str

    @property
    def passage(self) -> Passage:
        """What there is to judge."""
        return Passage(self.text, self.source)

    def narrowed(self, symbols: frozenset[str]) -> NewsItem | None:
        """Return what concerns somebody who trades these symbols: the news with those of its symbols, None if it has only others."""
        mine = tuple(symbol for symbol in self.symbols if symbol in symbols)
        if mine == self.symbols:
            return self
        return NewsItem(self.id, self.time_ms, mine, self.source, self.text) if mine else None


class News(Struct, frozen=True):
    """What `on_news` is given."""

    id: str
    time_ms: int
    symbols: tuple[str, ...]
    source: Source
    text: str
    sentiment: Sentiment


class NewsError(ValueError):
    """What is wrong with a piece of news; the reader adds where it stands."""


def with_sentiment(item: NewsItem, sentiment: Sentiment) -> News:
    """Return what a strategy gets."""
    return News(item.id, item.time_ms, item.symbols, item.source, item.text, sentiment)


def parse_news(raw: object) -> NewsItem:
    """Return the news that a row or a JSON object holds: timestamp, text, and maybe id, symbols (or symbol) and source.

    Symbols are a list, or text with spaces, commas, semicolons or bars between them. Without a source it is `news`, without an id its
    content is its id.

    Raises:
        NewsError: it holds none.
    """
    if not isinstance(raw, Mapping):
        raise NewsError(f"{type(raw).__name__} is no object")
    stamp = raw.get("timestamp")
    if isinstance(stamp, bool) or not isinstance(stamp, int | str) or not _write(stamp):
        raise NewsError(f"timestamp {_show(stamp)} is neither an ISO date or time nor milliseconds since 1970")
    try:
        time_ms = parse_time_ms(_write(stamp))
    except ValueError as error:
        raise NewsError(str(error)) from None
    text = raw.get("text")
    if not isinstance(text, str) or not text.strip():
        raise NewsError(f"text {_show(text)} is no text")
    source = raw.get("source") or Source.NEWS.value
    if not isinstance(source, str) or source not in _SOURCES:
        raise NewsError(f"source {_show(source)} is none of {', '.join(_SOURCES)}")
    symbols = _parse_symbols(raw.get("symbols") or raw.get("symbol") or ())
    text = text.strip()[:_MAX_TEXT]
    found = raw.get("id")
    identity = "" if found is None else _write(found)[:_MAX_ID].replace("\0", _IN_PLACE_OF_NUL)
    return NewsItem(identity or _content_id(time_ms, symbols, text), time_ms, symbols, _SOURCES[source], text)


def _show(value: object) -> str:
    """Return a value for a message; one that Python can't write out, because it is too deep or too long, by its kind."""
    try:
        return repr(value)[:_SHOWN]
    except (ValueError, RecursionError):
        return type(value).__name__


def _write(value: object) -> str:
    """Return the text of a value; empty for a number with more digits than Python writes."""
    try:
        return str(value).strip()
    except ValueError:
        return ""


def _parse_symbols(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        return tuple(dict.fromkeys(filter(None, _SEPARATORS.split(raw))))
    if isinstance(raw, Sequence) and all(isinstance(each, str) for each in raw):
        return tuple(dict.fromkeys(raw))
    raise NewsError(f"symbols {_show(raw)} is neither text nor a list of texts")


def _content_id(time_ms: int, symbols: tuple[str, ...], text: str) -> str:
    return hashlib.sha256("\n".join((str(time_ms), *symbols, text)).encode()).hexdigest()[:24]
