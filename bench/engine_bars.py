"""Bars per second of the engine at full speed, beside backtesting.py, NautilusTrader and backtrader on the same prices and the same rule.

The engine is the real one: the process that `tradingbot run` and a pod start, with risk, broker, journal on disk, metrics and pages on,
and its metrics are fetched each second. Everybody trades an EMA 10/30 cross of one symbol, for 10,000 a trade, with a fee, and with money
for all of it; the fills of each are shown, since equal work has equal fills. Timed is the trading: for the engine from its first bar to the
last commit, for a peer its run; starting and reading the file is not, and stands beside it. Rounds take turns, so that a busy machine
slows all.

The engine also runs with telemetry off (`OTEL_SDK_DISABLED=true`, OpenTelemetry's own switch), in rounds between those with it.

    TRADINGBOT_MARKET_DATA=…/eurusd.zip make bench-engine_bars
    python bench/engine_bars.py …/eurusd.zip [BARS]

Which prices these are, and where they come from, is in bar_file.py; without an archive they are those that ship with the engine.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from bar_file import BarFile, write_bar_file
from peers.environment import make_peer_environment

from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument, render_document
from tradingbot_contract.resources import Cache
from tradingbot_contract.spec import Broker, Feed, Health, Market, Observability, Paper, Replay, Risk, Strategy

ROOT: Final = Path(__file__).resolve().parents[1]
PEERS: Final = ("backtesting", "nautilus", "backtrader")
PEER_FOLDER: Final = ROOT / "bench" / "peers"
BARS: Final = 500_000
PEER_ROUNDS: Final = 3
ROUNDS: Final = 9
"""Of the engine, with telemetry and without: what telemetry costs is less than one round differs from the next."""
SCRAPE_SECONDS: Final = 1.0
BALANCE: Final = 10_000_000.0

Figures = dict[str, Any]


def run_engine(prices: BarFile, folder: Path, *, telemetry: bool) -> Figures:
    """Run one engine over all prices."""
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    config = folder / "config.yaml"
    config.write_text(render_document(build_document(prices)))
    command = [
        sys.executable,
        "-m",
        "tradingbot_engine",
        "--config",
        str(config),
        "--data",
        str(data),
        "--host",
        "127.0.0.1",
        "--port",
        "0",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "engine"), "OTEL_SDK_DISABLED": str(not telemetry).lower()}
    started = time.perf_counter()
    process = subprocess.Popen([*command, "--exit-when-finished"], stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    lines: list[str] = []
    pages: list[int] = []
    ended = threading.Event()
    scraper: threading.Thread | None = None
    for line in process.stderr:
        lines.append(line)
        port = re.search(r" INFO serving .*port=(\d+)", line)
        if port:
            scraper = threading.Thread(target=scrape, args=(int(port[1]), ended, pages))
            scraper.start()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds_in_all = time.perf_counter() - started
    ended.set()
    if scraper is not None:
        scraper.join()
    log = "".join(lines)
    if status:
        raise SystemExit(f"the engine failed:\n{log}")
    begun = re.search(r"^(\S+) INFO first start", log, re.MULTILINE)
    finished = re.search(r"^(\S+) INFO finished bars=(\d+) .*fills=(\d+)", log, re.MULTILINE)
    assert begun
    assert finished
    assert any(pages) is telemetry, "a page of metrics has something exactly when telemetry is on"
    return {
        "bars": int(finished[2]),
        "fills": int(finished[3]),
        "seconds": (dt.datetime.fromisoformat(finished[1]) - dt.datetime.fromisoformat(begun[1])).total_seconds(),
        "seconds_in_all": seconds_in_all,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "max_rss_mib": usage.ru_maxrss / 1024,
    }


def build_document(prices: BarFile) -> EngineDocument:
    """Return what the engine is told; all that isn't named is as by default."""
    return EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace="bench", name="bars", uid="bench"),
        generation=1,
        strategy=Strategy(name="ema-cross"),
        market=Market(symbols=[prices.symbol], timeframe=prices.timeframe, feed=Feed(replay=Replay(data=str(prices.path), speed=0))),
        broker=Broker(paper=Paper(balances={"USD": BALANCE})),
        risk=Risk(),
        database=DatabaseAccess(),
        cache=Cache(),
        health=Health(),
        observability=Observability(),
    )


def scrape(port: int, ended: threading.Event, pages: list[int]) -> None:
    """Fetch the metrics until the engine has ended; keep how long each page was."""
    while not ended.wait(SCRAPE_SECONDS if pages else 0.0):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                pages.append(len(answer.read()))
        except OSError:  # it has ended
            return


def run_peer(python: Path, peer: str, prices: BarFile) -> Figures:
    """Run a peer over all prices."""
    started = time.perf_counter()
    command = [str(python), str(PEER_FOLDER / f"{peer}_ema_cross.py"), str(prices.path), prices.symbol, prices.timeframe]
    environment = os.environ | {"TQDM_DISABLE": "1"}  # no bar of progress
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return {**json.loads(answer.splitlines()[-1]), "seconds_in_all": time.perf_counter() - started}


def summarise(rounds: list[Figures]) -> Figures:
    """Return the medians of the rounds."""
    rates = [one["bars"] / one["seconds"] for one in rounds]
    return {
        "bars": rounds[0]["bars"],
        "fills": rounds[0]["fills"],
        "bars_per_second": round(statistics.median(rates)),
        "bars_per_second_of_rounds": [round(rate) for rate in rates],
        "bars_per_second_with_start_and_reading": round(statistics.median(one["bars"] / one["seconds_in_all"] for one in rounds)),
        "max_rss_mib": round(statistics.median(one["max_rss_mib"] for one in rounds), 1),
    }


def play_rounds(prices: BarFile, folder: Path, python: Path) -> dict[str, list[Figures]]:
    """Run everybody, in turns."""
    rounds: dict[str, list[Figures]] = {name: [] for name in ("engine", "engine_without_telemetry", *PEERS)}
    for number in range(ROUNDS):
        # Who comes second in a pair may find a warmer machine: they take turns at that, too.
        for telemetry in (number % 2 == 0, number % 2 == 1):
            rounds["engine" if telemetry else "engine_without_telemetry"].append(run_engine(prices, folder, telemetry=telemetry))
        if number < PEER_ROUNDS:
            for peer in PEERS:
                rounds[peer].append(run_peer(python, peer, prices))
        for name, figures in rounds.items():
            if len(figures) == number + 1:
                last = figures[-1]
                assert last["bars"] == prices.bars, name
                print(f"round {number + 1}: {name:<25} {last['bars'] / last['seconds']:>9,.0f} bars/s, {last['fills']} fills", flush=True)
    return rounds


def compare_telemetry(rounds: dict[str, list[Figures]], figure: str) -> float:
    """Return how much more of something telemetry takes, in percent: the median of the pairs of rounds."""
    pairs = zip(rounds["engine"], rounds["engine_without_telemetry"], strict=True)
    more: list[float] = [on[figure] / off[figure] - 1 for on, off in pairs]
    return round(100 * statistics.median(more), 1)


def main() -> None:
    archive = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("TRADINGBOT_MARKET_DATA")
    bars = int(sys.argv[2]) if len(sys.argv) > 2 else BARS
    python = make_peer_environment()
    with tempfile.TemporaryDirectory() as name:
        prices = write_bar_file(Path(name), Path(archive) if archive else None, bars)
        print(f"{prices.bars} bars: {prices.source}")
        rounds = play_rounds(prices, Path(name), python)
    figures = {name: summarise(own) for name, own in rounds.items()}
    rate = {name: own["bars_per_second"] for name, own in figures.items()}
    fastest = max(PEERS, key=lambda peer: rate[peer])
    print(
        json.dumps(
            {
                "name": "engine_bars",
                "prices": prices.source,
                "timeframe": prices.timeframe,
                "figures": figures,
                "fastest_peer": fastest,
                "ratio_fastest_peer": round(rate["engine"] / rate[fastest], 2),
                "ratios": {peer: round(rate["engine"] / rate[peer], 2) for peer in PEERS},
                "telemetry_overhead_percent": compare_telemetry(rounds, "seconds"),
                "telemetry_overhead_percent_of_all_cpu_time": compare_telemetry(rounds, "cpu_seconds"),
                "aims": {"ratio_fastest_peer": 3.0, "telemetry_overhead_percent": 3.0},
                "machine": {"cores": os.cpu_count(), "system": platform.platform(), "architecture": platform.machine()},
                "versions": {
                    "python": platform.python_version(),
                    **{name: version(name) for name in ("sqlalchemy", "opentelemetry-sdk")},
                    **{name: number for peer in PEERS for name, number in rounds[peer][0]["versions"].items()},
                },
            }
        )
    )


if __name__ == "__main__":
    main()
