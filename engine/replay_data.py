#!/usr/bin/env python3
"""Make ``tradingbot_engine/feed/data/wiki-daily.csv.gz`` from the table of stock prices that bokeh_sampledata carries.

The source holds prices as they were quoted on the day, so a 2-for-1 split looks like a loss of half. Its column ``Adj Close``
is adjusted for splits *and* dividends, also for those after the period. The ratio ``Adj Close / Close`` jumps at each of them:
by the factor of the split, or by the little that a dividend is worth. A jump of 1.5 or more is a split; prices before it
are divided by its factor and volumes multiplied, so that a share then is the same thing as a share on the last day of the file.

The output depends on the input only: no time stamp, no file name inside the archive.

    python engine/replay_data.py PATH/bokeh_sampledata/_data/stocks.csv.gz
"""

from __future__ import annotations

import csv
import gzip
import sys
from pathlib import Path
from typing import Final

SYMBOLS: Final = ("AAPL", "GOOG", "IBM", "MSFT")
SPLIT_FROM: Final = 1.5
OUTPUT: Final = Path(__file__).parent / "tradingbot_engine" / "feed" / "data" / "wiki-daily.csv.gz"


def read_rows(path: Path) -> dict[str, list[dict[str, str]]]:
    """Return the rows of each wanted symbol in the order of the file, which is the order of time."""
    rows: dict[str, list[dict[str, str]]] = {symbol: [] for symbol in SYMBOLS}
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["Ticker"] in rows:
                rows[row["Ticker"]].append(row)
    return rows


def split_factors(rows: list[dict[str, str]]) -> list[int]:
    """Return for each row how many shares of the last day one share of that day has become."""
    ratios = [float(row["Adj Close"]) / float(row["Close"]) for row in rows]
    factors = [1] * len(rows)
    factor = 1
    for index in range(len(rows) - 1, 0, -1):
        jump = ratios[index] / ratios[index - 1]
        if jump >= SPLIT_FROM:
            if abs(jump - round(jump)) > 0.01:
                raise SystemExit(
                    f"{rows[index]['Ticker']} {rows[index]['Date']}: a jump of {jump:.4f} is no whole split; look at it by hand"
                )
            sys.stderr.write(f"{rows[index]['Ticker']} {rows[index]['Date']}: split {round(jump)}:1\n")
            factor *= round(jump)
        factors[index - 1] = factor
    return factors


def adjusted(price: str, factor: int) -> str:
    """Return a price of two decimals, divided exactly by 1, 2 or 4 and written without trailing zeros."""
    return f"{float(price) / factor:.4f}".rstrip("0").rstrip(".")


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: {sys.argv[0]} PATH/bokeh_sampledata/_data/stocks.csv.gz")
    lines: list[tuple[str, str, str]] = []
    for symbol, rows in read_rows(Path(sys.argv[1])).items():
        for row, factor in zip(rows, split_factors(rows), strict=True):
            prices = ",".join(adjusted(row[column], factor) for column in ("Open", "High", "Low", "Close"))
            lines.append((row["Date"], symbol, f"{row['Date']},{symbol},{prices},{int(row['Volume']) * factor}\n"))
    text = "timestamp,symbol,open,high,low,close,volume\n" + "".join(line for _, _, line in sorted(lines))
    with OUTPUT.open("wb") as raw, gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=9, mtime=0) as archive:
        archive.write(text.encode())
    sys.stderr.write(f"{OUTPUT}: {len(lines)} bars, {OUTPUT.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
