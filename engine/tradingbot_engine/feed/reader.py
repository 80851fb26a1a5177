"""Reads prices from a CSV file. What is wrong with a file is said with the number of the line; wrong prices are worse than none.

Columns `timestamp, symbol, open, high, low, close, volume`, in any order, others are ignored. A timestamp is an ISO date, an ISO
date and time (UTC unless it says otherwise) or milliseconds since the epoch. Each symbol's rows are in the order of time; rows of
different symbols may be mixed, or come one symbol after the other. A name that ends in .gz is unpacked.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import math
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from tradingbot_contract.document import SpecError
from tradingbot_engine.feed.prices import Columns, Prices

FIELD: Final = "market.feed.replay.data"
_COLUMNS: Final = ("timestamp", "symbol", "open", "high", "low", "close", "volume")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND: Final = dt.timedelta(milliseconds=1)
_FIRST_PLAUSIBLE_MS: Final = 100_000_000_000  # March 1973: a smaller number is most likely in seconds
_MOST_DIGITS: Final = 15
"""Of a time in milliseconds up to the year 9999, and some way on."""
_SYMBOLS_SHOWN: Final = 20


class _RowError(ValueError):
    """What is wrong with the row; the reader adds where."""


def parse_time_ms(text: str) -> int:
    """Return the milliseconds since the epoch of a timestamp.

    Raises:
        ValueError: it is none.
    """
    if text.isdecimal():
        if len(text) > _MOST_DIGITS:
            raise _RowError(f"timestamp {text[:_MOST_DIGITS]}… is no time in milliseconds: it is after the year 9999")
        number = int(text)
        if number < _FIRST_PLAUSIBLE_MS:
            raise _RowError(f"timestamp {text} is no time in milliseconds: a number must be milliseconds since 1970")
        return number
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise _RowError(f"timestamp {text!r} is neither an ISO date or time nor milliseconds since 1970") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return (moment - _EPOCH) // _MILLISECOND


def read_prices(path: Path, symbols: Sequence[str]) -> Prices:
    """Return the prices of `symbols` that the file holds.

    Raises:
        SpecError: there is no such file, a symbol isn't in it, or a row is wrong.
    """
    try:
        with path.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
        with _open_text(path) as text:
            return Prices(symbols, _read_columns(text, symbols, path), digest)
    except FileNotFoundError:
        raise SpecError(f"{FIELD}: there is no file {path} in the engine's container: mount it, or use a data set by name") from None
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise SpecError(f"{FIELD}: {path} can't be read: {error}") from error


def _open_text(path: Path) -> IO[str]:
    encoding = "utf-8-sig"  # some programs put a byte order mark in front
    return gzip.open(path, "rt", encoding=encoding, newline="") if path.suffix == ".gz" else path.open(encoding=encoding, newline="")


def _read_columns(text: IO[str], symbols: Sequence[str], path: Path) -> Columns:
    reader = csv.reader(text)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in _COLUMNS if name not in header]
        if missing:
            raise SpecError(f"{FIELD}: {path} line 1: no column {', '.join(missing)}: the columns must be {', '.join(_COLUMNS)}")
        columns = Columns()
        others = _fill(columns, reader, [header.index(name) for name in _COLUMNS], symbols)
    except (_RowError, csv.Error) as error:
        raise SpecError(f"{FIELD}: {path} line {reader.line_num}: {error}") from error
    there = set(columns.symbol_indexes)
    missing = [symbol for index, symbol in enumerate(symbols) if index not in there]
    if missing:
        known = sorted(others | {symbols[index] for index in there})
        shown = ", ".join(known[:_SYMBOLS_SHOWN]) + (f" and {len(known) - _SYMBOLS_SHOWN} more" if len(known) > _SYMBOLS_SHOWN else "")
        raise SpecError(f"market.symbols: {path.name} has no {', '.join(missing)}: it has {shown or 'no rows at all'}")
    return columns


def _fill(columns: Columns, rows: Iterator[list[str]], places: Sequence[int], symbols: Sequence[str]) -> set[str]:
    """Append all rows of `symbols`; return the other symbols that were seen."""
    time_at, symbol_at, open_at, high_at, low_at, close_at, volume_at = places
    width = max(places) + 1
    index_by_symbol = {symbol: index for index, symbol in enumerate(symbols)}
    last_time_by_index = [-(2**62)] * len(symbols)
    others: set[str] = set()
    text_before, time_ms = "", 0
    for row in rows:
        if not row:
            continue
        if len(row) < width:
            raise _RowError(f"{len(row)} values where the header has {width} or more")
        symbol = row[symbol_at]
        index = index_by_symbol.get(symbol)
        if index is None:
            others.add(symbol)
            continue
        if row[time_at] != text_before:
            text_before = row[time_at]
            time_ms = parse_time_ms(text_before)
        if time_ms <= last_time_by_index[index]:
            raise _RowError(f"{symbol} {text_before} is not after the row of {symbol} before it: sort the file by time")
        last_time_by_index[index] = time_ms
        try:
            opening, high, low, close = float(row[open_at]), float(row[high_at]), float(row[low_at]), float(row[close_at])
            volume = float(row[volume_at])
        except ValueError as error:
            raise _RowError(f"{symbol} {text_before}: {error}") from None
        if not (0.0 < low <= high < math.inf and 0.0 < opening < math.inf and 0.0 < close < math.inf and 0.0 <= volume < math.inf):
            raise _RowError(f"{symbol} {text_before}: " + _what_is_wrong(opening, high, low, close, volume))
        columns.symbol_indexes.append(index)
        columns.times_ms.append(time_ms)
        columns.opens.append(opening)
        columns.highs.append(high)
        columns.lows.append(low)
        columns.closes.append(close)
        columns.volumes.append(volume)
    return others


def _what_is_wrong(opening: float, high: float, low: float, close: float, volume: float) -> str:
    for name, price in (("open", opening), ("high", high), ("low", low), ("close", close)):
        if not (math.isfinite(price) and price > 0.0):
            return f"{name} is {price}, no price above 0"
    if high < low:
        return f"high {high} is below low {low}"
    return f"volume is {volume}"
