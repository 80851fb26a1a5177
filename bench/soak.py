"""What grows in an engine that runs for long: memory, tables, files, connections. A day of minutes of ten symbols, again and again.

The engine is the real one, a process with its journal on disk, and everything is done to it that is done to one in a cluster: it trades,
its metrics are fetched each second, its status twice, people look at its figures, its document changes every few seconds. The day of
1,440 steps passes in under a second, so five minutes are more than a year. The retention is the smallest that the spec allows, so that
tables reach it early.

What is seen once a second after the warm-up, a fifth of the time, must stay: resident memory within 5 % (the line of least squares from
first to last), rows of each table within the retention and what comes between two runs of the job that removes them, file descriptors and
threads, connections of each pool, and none leaked.

Prices are random walks (seeded; the same each time), or with an archive of hourly EUR/USD ten stretches of it, taken as minutes.

    make bench-soak
    python bench/soak.py [SECONDS [STEPS_PER_SECOND]]     # 300 and 2000; 0 steps a second is full speed
"""

from __future__ import annotations

import contextlib
import csv
import datetime as dt
import json
import os
import platform
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, NamedTuple

from bar_file import write_bar_file
from msgspec import structs
from running_engine import RunningEngine

from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument
from tradingbot_contract.endpoints import PERFORMANCE_PATH
from tradingbot_contract.report import EngineState
from tradingbot_contract.resources import Cache, Pool, Retention
from tradingbot_contract.spec import Broker, Feed, Health, Market, Observability, Paper, Replay, Risk, Strategy

SECONDS: Final = 300.0
STEPS_PER_SECOND: Final = 2000.0
SYMBOLS: Final = 10
STEPS: Final = 1440
WARM_UP: Final = 0.2
LOOK_SECONDS: Final = 1.0
CHANGE_EVERY_LOOKS: Final = 5
VIEW_EVERY_LOOKS: Final = 3
BALANCE: Final = 1e12
"""Fees of years come out of it."""
RETENTION: Final = Retention(orders=1000, equity_points=100)
RETENTION_SECONDS: Final = 8.0
"""Between the ends of two runs of its job at most: 5 s, jitter, and the run."""
DRIFT_AIM_PERCENT: Final = 5.0
FIRST_DAY: Final = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)

Figures = dict[str, Any]


class Look(NamedTuple):
    """What is seen at one time."""

    at_seconds: float
    rss_bytes: int
    anonymous_bytes: int
    """Of it what is no page of a file: SQLite maps its journal."""
    descriptors: int
    threads: int
    rows: dict[str, int]
    journal_bytes: int
    """With its write-ahead log."""
    metrics: dict[str, float]


def write_prices(path: Path, archive: Path | None) -> str:
    """Write the day; return what it is."""
    series = [walk(symbol) for symbol in range(SYMBOLS)] if archive is None else list(stretches(path.parent, archive))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("timestamp", "symbol", "open", "high", "low", "close", "volume"))
        for step in range(STEPS):
            time_text = (FIRST_DAY + dt.timedelta(minutes=step)).isoformat()
            for symbol, bars in enumerate(series):
                writer.writerow((time_text, f"S{symbol}/USD", *bars[step]))
    return "random walks, seeded" if archive is None else f"stretches of {archive.name}, hours taken as minutes"


def walk(seed: int) -> list[tuple[str, ...]]:
    """Return a day of bars that go nowhere in particular."""
    draw = random.Random(seed)  # noqa: S311 - repeatable, not secret
    close, bars = 100.0, []
    for _ in range(STEPS):
        opening = close
        close *= 1.0 + draw.gauss(0.0, 0.0006)
        high, low = max(opening, close) * 1.0002, min(opening, close) * 0.9998
        bars.append((*(f"{price:.4f}" for price in (opening, high, low, close)), "1000"))
    return bars


def stretches(folder: Path, archive: Path) -> Iterator[list[tuple[str, ...]]]:
    """Yield for each symbol a day's number of bars from another place of the archive."""
    source = folder / "archive"
    source.mkdir()
    found = write_bar_file(source, archive, 70_000)
    with found.path.open(encoding="utf-8", newline="") as file:
        rows = [tuple(row[2:]) for row in csv.reader(file)][1:]
    for symbol in range(SYMBOLS):
        first = symbol * (len(rows) - STEPS) // SYMBOLS
        yield [(*row[:4], "1000") for row in rows[first : first + STEPS]]


def build_document(prices: Path, speed: float) -> EngineDocument:
    """Return what the engine is told at its start."""
    return EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace="bench", name="soak", uid="bench"),
        generation=1,
        strategy=Strategy(name="ema-cross"),
        market=Market(
            symbols=[f"S{symbol}/USD" for symbol in range(SYMBOLS)],
            timeframe="1m",
            feed=Feed(replay=Replay(data=str(prices), speed=speed, loop=True)),
        ),
        broker=Broker(paper=Paper(balances={"USD": BALANCE})),
        risk=Risk(),
        database=DatabaseAccess(retention=RETENTION),
        cache=Cache(),
        health=Health(),
        observability=Observability(),
    )


def change(engine: RunningEngine, document: EngineDocument, generation: int) -> None:
    """Give it another pool and other caches."""
    pool = Pool(size=2 + generation % 4, max_overflow=generation % 3)
    cache = Cache(max_entries=500 + generation % 100, memory_limit=f"{20 + generation % 50}Mi")
    database = structs.replace(document.database, pool=pool)
    engine.change(structs.replace(document, generation=generation, cache=cache, database=database))


def look(engine: RunningEngine, started_at: float) -> Look:
    """See how the process does, from outside."""
    process = Path(f"/proc/{engine.process.pid}")
    status = (process / "status").read_text()
    journal = engine.data / "journal.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=30)) as connection:
        rows = {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("orders", "fills", "equity")}  # noqa: S608 - names from here
    return Look(
        at_seconds=time.monotonic() - started_at,
        rss_bytes=1024 * int(re.findall(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)[0]),
        anonymous_bytes=1024 * int(re.findall(r"^RssAnon:\s+(\d+) kB", status, re.MULTILINE)[0]),
        descriptors=len(list((process / "fd").iterdir())),
        threads=int(re.findall(r"^Threads:\s+(\d+)", status, re.MULTILINE)[0]),
        rows=rows,
        journal_bytes=sum(path.stat().st_size for path in engine.data.glob("journal.sqlite*")),
        metrics=engine.metrics(),
    )


def soak(engine: RunningEngine, document: EngineDocument, seconds: float) -> list[Look]:
    """Do to it what is done in a cluster, for so long; return what was seen."""
    looks: list[Look] = []
    started_at = time.monotonic()
    generation = 1
    while time.monotonic() - started_at < seconds:
        looks.append(look(engine, started_at))
        for _ in range(2):
            engine.status()
        if len(looks) % VIEW_EVERY_LOOKS == 0:
            engine.page(PERFORMANCE_PATH)
        if len(looks) % CHANGE_EVERY_LOOKS == 0:
            generation += 1
            change(engine, document, generation)
        time.sleep(max(0.0, started_at + len(looks) * LOOK_SECONDS - time.monotonic()))
    return looks


def drift_percent(times: list[float], sizes: list[float]) -> float:
    """Return how much higher the line of least squares is at its end than at its beginning, in percent of the beginning."""
    time_mean, size_mean = sum(times) / len(times), sum(sizes) / len(sizes)
    slope = sum((at - time_mean) * (size - size_mean) for at, size in zip(times, sizes, strict=True)) / sum(
        (at - time_mean) ** 2 for at in times
    )
    first = size_mean + slope * (times[0] - time_mean)
    return 100.0 * slope * (times[-1] - times[0]) / first


def rows_allowed(looks: list[Look]) -> dict[str, float]:
    """Return how many rows of each table there may be: what is retained, the present lap, and what comes between two removals."""
    seconds = looks[-1].at_seconds - looks[0].at_seconds
    orders = orders_of(looks[-1]) - orders_of(looks[0])
    bars = sum_of(looks[-1], "tradingbot_bars_total") - sum_of(looks[0], "tradingbot_bars_total")
    laps = bars / (STEPS * SYMBOLS)
    between = RETENTION_SECONDS / seconds
    # A point of equity each 25 steps and at the end of each lap.
    points = laps * (STEPS // 25 + 2)
    return {
        "orders": RETENTION.orders + orders / max(1.0, laps) + orders * between,
        "fills": RETENTION.orders + orders / max(1.0, laps) + orders * between,
        "equity": RETENTION.equity_points + points * between,
    }


def sum_of(seen: Look, name: str) -> float:
    """Return a metric, whatever its labels."""
    return sum(value for key, value in seen.metrics.items() if key.partition("{")[0] == name)


def orders_of(seen: Look) -> float:
    """Return the orders so far: each was new or was rejected at once."""
    begun = re.compile(r'tradingbot_orders_total\{.*status="(new|rejected)"')
    return sum(value for key, value in seen.metrics.items() if begun.match(key))


def pools_of(seen: Look) -> dict[str, float]:
    """Return the open connections of each pool."""
    found: dict[str, float] = {}
    for key, value in seen.metrics.items():
        if key.startswith("db_client_connection_count{"):
            pool = re.findall(r'pool_name="([^"]+)"', key)[0]
            found[pool] = found.get(pool, 0.0) + value
    return found


def judge(looks: list[Look]) -> Figures:
    """Return the figures after the warm-up, and what of them is wrong."""
    warm = [one for one in looks if one.at_seconds >= WARM_UP * looks[-1].at_seconds]
    thirds = len(warm) // 3
    early, late = warm[:thirds], warm[-thirds:]
    allowed = rows_allowed(warm)
    most_rows = {name: max(one.rows[name] for one in warm) for name in warm[0].rows}
    times = [one.at_seconds for one in warm]
    drift = drift_percent(times, [float(one.rss_bytes) for one in warm])
    most = {
        what: (max(getattr(one, what) for one in early), max(getattr(one, what) for one in late))
        for what in ("descriptors", "threads", "journal_bytes")
    }
    connections = max(sum(pools_of(one).values()) for one in warm)
    leaks = sum_of(warm[-1], "tradingbot_database_leaks_total")
    wrong = [f"{name}: {most_rows[name]} rows, {allowed[name]:.0f} allowed" for name in most_rows if most_rows[name] > allowed[name]]
    if abs(drift) >= DRIFT_AIM_PERCENT:
        wrong.append(f"memory drifts by {drift:.1f} %")
    wrong += [f"{what}: {before} early, {after} late" for what, (before, after) in most.items() if after > before * 1.25 + 2]
    if leaks:
        wrong.append(f"{leaks:.0f} connections leaked")
    return {
        "seconds": round(looks[-1].at_seconds),
        "warm_up_seconds": round(warm[0].at_seconds),
        "rss_mib_after_warm_up": round(early[0].rss_bytes / 2**20, 1),
        "rss_mib_at_the_end": round(late[-1].rss_bytes / 2**20, 1),
        "rss_mib_peak": round(max(one.rss_bytes for one in looks) / 2**20, 1),
        "rss_drift_percent": round(drift, 2),
        "anonymous_mib_at_the_end": round(late[-1].anonymous_bytes / 2**20, 1),
        "anonymous_drift_percent": round(drift_percent(times, [float(one.anonymous_bytes) for one in warm]), 2),
        "rows_most": most_rows,
        "rows_allowed": {name: round(count) for name, count in allowed.items()},
        "journal_mib": [round(size / 2**20, 1) for size in most["journal_bytes"]],
        "descriptors": most["descriptors"],
        "threads": most["threads"],
        "connections_most": connections,
        "connections_opened": sum_of(warm[-1], "tradingbot_pool_created_total"),
        "connections_leaked": leaks,
        "documents_applied": looks[-1].metrics.get('tradingbot_config_changes_total{result="applied"}'),
        "rows_removed": sum_of(looks[-1], "tradingbot_retention_rows_total"),
        "wrong": wrong,
    }


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    speed = float(sys.argv[2]) if len(sys.argv) > 2 else STEPS_PER_SECOND
    archive = os.environ.get("TRADINGBOT_MARKET_DATA")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prices = folder / "prices.csv"
        source = write_prices(prices, Path(archive) if archive else None)
        document = build_document(prices, speed)
        engine = RunningEngine(folder / "engine", document)
        try:
            engine.until_state(EngineState.RUNNING)
            print(f"prices: {source}; {speed:g} steps/s for {seconds:g} s")
            looks = soak(engine, document, seconds)
            status = engine.status()
            engine.stop()
            log = engine.log
        finally:
            engine.kill()
    figures = judge(looks) | {
        "days": status.lap,
        "bars": status.bars,
        "fills": status.fills,
        "warnings": len(re.findall(r" (WARNING|ERROR) ", log)),
    }
    for what, figure in figures.items():
        print(f"{what.replace('_', ' '):24}{figure}")
    result: Figures = {
        "name": "soak",
        "prices": source,
        "steps_per_second": speed,
        "figures": figures,
        "aim_rss_drift_percent": DRIFT_AIM_PERCENT,
        "aim_met": not figures["wrong"],
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "architecture": platform.machine()},
        "versions": {
            "python": platform.python_version(),
            "sqlalchemy": version("SQLAlchemy"),
            "opentelemetry": version("opentelemetry-sdk"),
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
