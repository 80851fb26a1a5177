"""How long from a changed document to an engine that runs it, while it trades; and what trading has noticed of it.

The engine is the real one, a process with its journal on disk. Its document is replaced atomically, as the kubelet does, 50 times: each
changes the pool of database connections and the caches. Timed is from the replacement to the engine's line in its log that all of the
document is at work, on the same clock. Once the engine takes 2,000 steps a second, once it is at full speed.

- *No tick lost*: at 2,000 steps a second, the journal at the end equals, row by row, that of an engine that nobody has touched. At full
  speed the feed begins anew again and again: each whole lap must have the orders and fills of every other.
- *Longest stall*: all the while somebody asks `/livez` over one connection, a few hundred times a second, since every answer waits for
  the event loop. The slowest answer while documents change stands beside the slowest of five seconds without changes.

    make bench-live_tuning
    python bench/live_tuning.py [CHANGES]
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import platform
import random
import re
import sqlite3
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final, Self

from bar_file import BarFile, write_bar_file
from msgspec import structs
from running_engine import RunningEngine, read_page

from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument
from tradingbot_contract.endpoints import LIVENESS_PATH
from tradingbot_contract.report import EngineState
from tradingbot_contract.resources import Cache, Pool
from tradingbot_contract.spec import Broker, Feed, Health, Market, Observability, Paper, Replay, Risk, Strategy

CHANGES: Final = 50
PACED_STEPS_PER_SECOND: Final = 2000.0
SECONDS_PER_CHANGE: Final = 0.3
"""Room for each in the paced run: a pause of up to 0.15 s, and the change."""
LAP_BARS: Final = 20_000
BASELINE_SECONDS: Final = 5.0
ASK_SECONDS: Final = 0.003
AIM_MS: Final = 100.0
BALANCE: Final = 10_000_000.0

Figures = dict[str, Any]


class Stalls:
    """Asks an engine again and again, on a thread, how it is; keeps how long the answers took."""

    def __init__(self, engine: RunningEngine) -> None:
        self._engine = engine
        self._ended = threading.Event()
        self._answers_seconds: list[float] = []
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def figures(self) -> Figures:
        ordered = sorted(self._answers_seconds)
        return {"answers": len(ordered), "answer_p50_ms": milliseconds(ordered, 0.5), "answer_max_ms": milliseconds(ordered, 1.0)}

    def _ask(self) -> None:
        with self._engine.connection() as connection:
            while not self._ended.wait(ASK_SECONDS):
                started_at = time.perf_counter()
                read_page(connection, LIVENESS_PATH)
                self._answers_seconds.append(time.perf_counter() - started_at)


def milliseconds(ordered_seconds: list[float], share: float) -> float:
    """Return this quantile of ordered figures."""
    return round(1000 * ordered_seconds[min(len(ordered_seconds) - 1, int(share * len(ordered_seconds)))], 2)


def build_document(prices: BarFile, *, speed: float, loop: bool) -> EngineDocument:
    """Return what the engine is told at its start."""
    replay = Replay(data=str(prices.path), speed=speed, loop=loop)
    currency = prices.symbol.partition("/")[2] or "USD"
    return EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace="bench", name="tuning", uid="bench"),
        generation=1,
        strategy=Strategy(name="ema-cross"),
        market=Market(symbols=[prices.symbol], timeframe=prices.timeframe, feed=Feed(replay=replay)),
        broker=Broker(paper=Paper(balances={currency: BALANCE})),
        risk=Risk(),
        database=DatabaseAccess(),
        cache=Cache(),
        health=Health(),
        observability=Observability(),
    )


def changed(document: EngineDocument, generation: int) -> EngineDocument:
    """Return the document with another pool and other caches than the generation before."""
    pool = Pool(size=2 + generation % 7, max_overflow=generation % 5, recycle_seconds=600 + generation)
    cache = Cache(max_entries=500 + generation, memory_limit=f"{20 + generation % 50}Mi")
    return structs.replace(document, generation=generation, cache=cache, database=structs.replace(document.database, pool=pool))


def tune(engine: RunningEngine, document: EngineDocument, changes: int) -> Figures:
    """Change the document so often; return how long it took until each was at work."""
    whole_seconds, own_seconds = [], []
    pauses = random.Random(1)  # noqa: S311 - repeatable, not secret
    with Stalls(engine) as stalls:
        for generation in range(2, 2 + changes):
            time.sleep(pauses.uniform(0.02, 0.15))
            replaced_at = engine.change(changed(document, generation))
            line = rf"^(\S+) INFO document applied generation={generation} .*seconds=(\S+)$"
            found = engine.until(lambda line=line: re.search(line, engine.log, re.MULTILINE), f"generation {generation}")  # type: ignore[misc]  # mypy can't infer a lambda with a default
            whole_seconds.append(dt.datetime.fromisoformat(found[1]).timestamp() - replaced_at)
            own_seconds.append(float(found[2]))
    whole, own = sorted(whole_seconds), sorted(own_seconds)
    return {
        "changes": changes,
        "applied_p50_ms": milliseconds(whole, 0.5),
        "applied_p99_ms": milliseconds(whole, 0.99),
        "applied_max_ms": milliseconds(whole, 1.0),
        "seen_to_applied_p50_ms": milliseconds(own, 0.5),
        "seen_to_applied_max_ms": milliseconds(own, 1.0),
        "while_changing": stalls.figures(),
    }


def watch(engine: RunningEngine) -> Figures:
    """Leave it alone for a while; return how fast it answers and trades."""
    bars, started_at = engine.status().bars, time.perf_counter()
    with Stalls(engine) as stalls:
        time.sleep(BASELINE_SECONDS)
    return {"bars_per_second": round((engine.status().bars - bars) / (time.perf_counter() - started_at)), "untouched": stalls.figures()}


def run(folder: Path, document: EngineDocument, changes: int) -> tuple[Figures, Path]:
    """Run one engine, touched and untouched; return the figures and where its journal is."""
    engine = RunningEngine(folder, document)
    try:
        engine.until_state(EngineState.RUNNING)
        figures = watch(engine)
        bars, started_at = engine.status().bars, time.perf_counter()
        figures |= tune(engine, document, changes)
        figures["bars_per_second_while_changing"] = round((engine.status().bars - bars) / (time.perf_counter() - started_at))
        if engine.status().state is not EngineState.RUNNING:
            raise SystemExit("the feed has ended before the last change: raise SECONDS_PER_CHANGE")
        metrics = engine.metrics()
        if not document.market.feed.replay.loop:
            engine.until_state(EngineState.FINISHED, 600.0)
        engine.stop()
    finally:
        engine.kill()
    if 'tradingbot_config_changes_total{result="applied"}' in metrics:  # off when telemetry is
        assert metrics['tradingbot_config_changes_total{result="applied"}'] == changes
        assert metrics["tradingbot_database_leaks_total"] == 0
    return figures, engine.data / "journal.sqlite"


def read_journal(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows that say what happened."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in ("orders", "fills", "equity")}  # noqa: S608 - names from here
        tables["checkpoint"] = connection.execute("SELECT lap, step, bars, equity, state FROM checkpoint").fetchall()
        return tables


def count_laps(path: Path) -> Figures:
    """Return how many whole laps are in the journal, having checked that each has the orders and fills of every other."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        last, first = connection.execute("SELECT (SELECT lap FROM checkpoint), (SELECT min(lap) FROM orders)").fetchone()
        laps = connection.execute(
            "SELECT lap, count(*), sum(status = 'filled') FROM orders WHERE lap > ? AND lap < ? GROUP BY lap", (first, last)
        ).fetchall()
    kinds = {(orders, filled) for _, orders, filled in laps}
    assert len(kinds) == 1, f"laps differ in (orders, filled): {sorted(kinds)}"
    assert [lap for lap, _, _ in laps] == list(range(first + 1, last)), "a lap is missing"
    orders, filled = kinds.pop()
    return {"whole_laps": len(laps), "orders_of_each": orders, "filled_of_each": filled}


def measure_paced(folder: Path, prices: BarFile, changes: int) -> Figures:
    """Return the figures at 2,000 steps a second, having compared the journal with an untouched engine's."""
    figures, journal = run(folder / "paced", build_document(prices, speed=PACED_STEPS_PER_SECOND, loop=False), changes)
    twin = RunningEngine(folder / "twin", build_document(prices, speed=0.0, loop=False))
    try:
        twin.until_state(EngineState.FINISHED, 600.0)
        twin.stop()
    finally:
        twin.kill()
    ours, theirs = read_journal(journal), read_journal(twin.data / "journal.sqlite")
    assert ours == theirs, "the journal differs from that of an engine that nobody has touched"
    assert ours["checkpoint"][0][2] == prices.bars
    return figures | {"bars": prices.bars, "fills": len(ours["fills"])}


def main() -> None:
    changes = int(sys.argv[1]) if len(sys.argv) > 1 else CHANGES
    archive = os.environ.get("TRADINGBOT_MARKET_DATA")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind in ("paced", "lap"):
            (folder / f"{kind}-prices").mkdir()
        seconds = BASELINE_SECONDS + changes * SECONDS_PER_CHANGE
        long = write_bar_file(folder / "paced-prices", Path(archive) if archive else None, int(seconds * PACED_STEPS_PER_SECOND))
        lap = write_bar_file(folder / "lap-prices", Path(archive) if archive else None, LAP_BARS)
        print(f"prices: {long.source}")
        figures = {f"at {PACED_STEPS_PER_SECOND:.0f} steps/s": measure_paced(folder, long, changes)}
        full, journal = run(folder / "full", build_document(lap, speed=0.0, loop=True), changes)
        figures["at full speed"] = full | count_laps(journal)
    for pace, one in figures.items():
        print(
            f"{pace}: applied p50 {one['applied_p50_ms']:.0f} ms, p99 {one['applied_p99_ms']:.0f} ms, max {one['applied_max_ms']:.0f} ms;"
            f" slowest answer {one['while_changing']['answer_max_ms']:.1f} ms, untouched {one['untouched']['answer_max_ms']:.1f} ms;"
            f" {one['bars_per_second_while_changing']:,} bars/s, untouched {one['bars_per_second']:,}; no tick lost"
        )
    result: Figures = {
        "name": "live_tuning",
        "figures": figures,
        "aim_applied_ms": AIM_MS,
        "aim_met": all(one["applied_p99_ms"] <= AIM_MS for one in figures.values()),
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
