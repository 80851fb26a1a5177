"""Half a million real bars of one symbol, in a file that the engine and its peers read: years of prices, lap after lap, later each time.

Hours of EUR/USD when there is an archive of them (``Data/forex/oanda/hour/eurusd.zip`` of QuantConnect/Lean, Apache-2.0: 74,439 hours from
2007 to 2018, bids and asks, of which the bids are taken; it has no volumes). Otherwise days of IBM, which ship with the engine.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import zipfile
from pathlib import Path
from typing import Final, NamedTuple

SHIPPED: Final = Path(__file__).resolve().parents[1] / "engine" / "tradingbot_engine" / "feed" / "data" / "wiki-daily.csv.gz"
_HEADER: Final = ("timestamp", "symbol", "open", "high", "low", "close", "volume")
_LEAN_FIELDS: Final = 11
"""Time, four bids and a size, four asks and a size."""

_Row = tuple[dt.datetime, list[str]]
"""Time, and open, high, low, close and volume as they are written."""


class BarFile(NamedTuple):
    """Prices on disk, and what they are."""

    path: Path
    symbol: str
    timeframe: str
    """In the engine's words."""
    source: str
    bars: int


def write_bar_file(folder: Path, archive: Path | None, bars: int) -> BarFile:
    """Write so many bars, of the archive if there is one; the same input gives the same file."""
    if archive is None:
        rows, symbol, timeframe = _read_shipped("IBM"), "IBM", "1d"
        source = "IBM, daily, wiki-daily.csv.gz, which ships with the engine: name an archive of hourly EUR/USD to use that"
    else:
        rows, symbol, timeframe = _read_lean(archive), "EUR/USD", "1h"
        source = f"EUR/USD, hourly, {archive.name}"
    path = folder / "prices.csv"
    # Whole weeks, so that a day of the week stays one.
    lap_weeks = (rows[-1][0] - rows[0][0]).days // 7 + 1
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_HEADER)
        for index in range(bars):
            lap, row = divmod(index, len(rows))
            time, figures = rows[row]
            writer.writerow([(time + dt.timedelta(weeks=lap_weeks * lap)).isoformat(), symbol, *figures])
    return BarFile(path, symbol, timeframe, source, bars)


def _read_lean(archive: Path) -> list[_Row]:
    with zipfile.ZipFile(archive) as files:
        (name,) = files.namelist()
        text = files.read(name).decode()
    rows = []
    for fields in csv.reader(io.StringIO(text)):
        if len(fields) != _LEAN_FIELDS:
            raise SystemExit(
                f"{archive}: {len(fields)} fields in a row where bids and asks make {_LEAN_FIELDS}: is it hourly forex data of Lean?"
            )
        rows.append((dt.datetime.strptime(fields[0], "%Y%m%d %H:%M").replace(tzinfo=dt.UTC), fields[1:6]))
    return rows


def _read_shipped(symbol: str) -> list[_Row]:
    with gzip.open(SHIPPED, "rt", encoding="utf-8", newline="") as file:
        return [
            (dt.datetime.fromisoformat(row["timestamp"]).replace(tzinfo=dt.UTC), [row[name] for name in _HEADER[2:]])
            for row in csv.DictReader(file)
            if row["symbol"] == symbol
        ]
