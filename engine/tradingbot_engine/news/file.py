"""Reads news from a file, by and by, so that a year of it takes no memory. Wrong news is worse than none: it is said with its line.

CSV with columns `id, timestamp, symbols, source, text` in any order (others are ignored), or JSON lines (.jsonl, .ndjson, .json) with the
same names; see :func:`tradingbot_engine.news.item.parse_news`. Rows are in the order of time. A name that ends in .gz is unpacked.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec

from tradingbot_contract.document import SpecError
from tradingbot_engine.news.item import NewsError, NewsItem, parse_news

FIELD: Final = "market.news.file.data"
_JSON_LINES: Final = frozenset({".json", ".jsonl", ".ndjson"})
_NEEDED: Final = ("timestamp", "text")
_IDS_KNOWN: Final = 10_000
"""An id that comes again within so many items is the same news."""


class NewsFileSummary(NamedTuple):
    """What a file holds for these symbols."""

    items: int
    others: int
    """About other symbols."""


def check_news_file(path: Path, symbols: frozenset[str]) -> NewsFileSummary:
    """Read all of the file; return how much of it concerns `symbols`.

    Raises:
        SpecError: there is no such file, or a row is wrong.
    """
    items = others = 0
    for item in read_news(path):
        if item.narrowed(symbols) is None:
            others += 1
        else:
            items += 1
    return NewsFileSummary(items, others)


def read_news(path: Path) -> Iterator[NewsItem]:
    """Yield the news of a file, in its order, each id once.

    Raises:
        SpecError: there is no such file, or a row is wrong.
    """
    try:
        with _open_text(path) as text:
            yield from _each_once(_rows(text, path), path)
    except FileNotFoundError:
        raise SpecError(f"{FIELD}: there is no file {path} in the engine's container: mount it") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SpecError(f"{FIELD}: {path} can't be read: {error}") from error


def _open_text(path: Path) -> IO[str]:
    encoding = "utf-8-sig"  # some programs put a byte order mark in front
    return gzip.open(path, "rt", encoding=encoding, newline="") if path.suffix == ".gz" else path.open(encoding=encoding, newline="")


def _each_once(rows: Iterator[tuple[int, Mapping[str, Any]]], path: Path) -> Iterator[NewsItem]:
    known: dict[str, None] = {}
    last_ms = -(2**62)
    for line, row in rows:
        try:
            item = parse_news(row)
        except NewsError as error:
            raise SpecError(f"{FIELD}: {path} line {line}: {error}") from None
        if item.time_ms < last_ms:
            raise SpecError(f"{FIELD}: {path} line {line}: it is earlier than the one before it: sort the file by time")
        last_ms = item.time_ms
        if item.id in known:
            continue
        known[item.id] = None
        if len(known) > _IDS_KNOWN:
            del known[next(iter(known))]
        yield item


def _rows(text: IO[str], path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    name = path.name.removesuffix(".gz")
    return _json_rows(text, path) if Path(name).suffix in _JSON_LINES else _csv_rows(text, path)


def _json_rows(text: IO[str], path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    decoder = msgspec.json.Decoder(dict[str, Any])
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            yield number, decoder.decode(line)
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise SpecError(f"{FIELD}: {path} line {number}: no JSON object: {error}") from None


def _csv_rows(text: IO[str], path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    reader = csv.reader(text)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in _NEEDED if name not in header]
        if missing:
            raise SpecError(
                f"{FIELD}: {path} line 1: no column {', '.join(missing)}: the columns must be id, timestamp, symbols, source, text"
            )
        for row in reader:
            if row:
                yield reader.line_num, dict(zip(header, row, strict=False))
    except csv.Error as error:
        raise SpecError(f"{FIELD}: {path} line {reader.line_num}: {error}") from None
