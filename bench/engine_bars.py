"""Bars per second of the engine at full speed, beside backtesting.py on the same prices and the same rule.

The engine is the real one: the process that `tradingbot run` and a pod start, with risk, broker, journal on disk, metrics and pages on.
Prices are those that ship with it, lap after lap with later dates, until there are half a million bars. Timed is the trading: for the
engine from its first bar to the last commit, for the peer its `run()`; starting and reading the file is not, and stands beside it.
Rounds of the two take turns, so that a busy machine slows both.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import hashlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
SHIPPED: Final = ROOT / "engine" / "tradingbot_engine" / "feed" / "data" / "wiki-daily.csv.gz"
REQUIREMENTS: Final = ROOT / "requirements" / "bench.txt"
PEER: Final = ROOT / "bench" / "peers" / "backtesting_ema_cross.py"
PEER_ENVIRONMENT: Final = ROOT / "build" / "bench-env"
SYMBOLS: Final = ("AAPL", "GOOG", "IBM", "MSFT")
BARS: Final = 500_000
ROUNDS: Final = 3

Figures = dict[str, Any]


def make_peer_environment() -> Path:
    """Return the Python of an environment with the peers, made anew when their pins have changed."""
    python = PEER_ENVIRONMENT / "bin" / "python"
    stamp = PEER_ENVIRONMENT / "requirements.sha256"
    wanted = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not (stamp.exists() and stamp.read_text() == wanted):
        uv = os.environ.get("UV") or shutil.which("uv")
        if uv is None:
            raise SystemExit("the peers need uv: run this as `make bench-engine_bars`, or set UV")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(PEER_ENVIRONMENT)], check=True)
        command = [uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(python), "-r", str(REQUIREMENTS)]
        subprocess.run(command, check=True)
        stamp.write_text(wanted)
    return python


def write_prices(path: Path) -> int:
    """Write the shipped prices lap after lap; return how many bars."""
    with gzip.open(SHIPPED, "rt", encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    first, last = dt.date.fromisoformat(rows[0][0]), dt.date.fromisoformat(rows[-1][0])
    weeks = (last - first).days // 7 + 1
    laps = -(-BARS // len(rows))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for lap in range(laps):
            shift = dt.timedelta(weeks=weeks * lap)
            writer.writerows([(dt.date.fromisoformat(date) + shift).isoformat(), *rest] for date, *rest in rows)
    return laps * len(rows)


def run_engine(prices: Path, folder: Path) -> Figures:
    """Run one engine over all prices."""
    data = folder / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    config = folder / "config.yaml"
    document = {
        "apiVersion": "tradingbot.dev/v1alpha1",
        "bot": {"namespace": "bench", "name": "bars", "uid": "bench"},
        "generation": 1,
        "strategy": {"name": "ema-cross"},
        "market": {"symbols": list(SYMBOLS), "feed": {"replay": {"data": str(prices), "speed": 0}}},
        **{section: {} for section in ("broker", "risk", "cache", "health", "observability")},
        "database": {"pool": {}},
    }
    config.write_text(json.dumps(document))  # JSON is YAML
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "tradingbot_engine",
        "--config",
        config,
        "--data",
        data,
        "--host",
        "127.0.0.1",
        "--port",
        "0",
    ]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--exit-when-finished"], stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT / "engine")}
    )
    assert process.stderr is not None
    log = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds_in_all = time.perf_counter() - started
    if status:
        raise SystemExit(f"the engine failed:\n{log}")
    finished = re.search(r"^(\S+) INFO finished bars=(\d+) .*fills=(\d+)", log, re.MULTILINE)
    begun = re.search(r"^(\S+) INFO first start", log, re.MULTILINE)
    assert finished
    assert begun
    return {
        "bars": int(finished[2]),
        "fills": int(finished[3]),
        "seconds": (dt.datetime.fromisoformat(finished[1]) - dt.datetime.fromisoformat(begun[1])).total_seconds(),
        "seconds_in_all": seconds_in_all,
        "max_rss_mib": usage.ru_maxrss / 1024,
    }


def run_peer(python: Path, prices: Path) -> Figures:
    """Run backtesting.py over all prices."""
    started = time.perf_counter()
    answer = subprocess.run([python, PEER, prices, *SYMBOLS], check=True, capture_output=True, text=True).stdout
    return {**json.loads(answer.splitlines()[-1]), "seconds_in_all": time.perf_counter() - started}


def summarise(rounds: list[Figures]) -> Figures:
    """Return the medians of the rounds."""
    rates = [one["bars"] / one["seconds"] for one in rounds]
    return {
        "bars": rounds[0]["bars"],
        "bars_per_second": round(statistics.median(rates)),
        "bars_per_second_of_rounds": [round(rate) for rate in rates],
        "bars_per_second_with_start_and_reading": round(statistics.median(one["bars"] / one["seconds_in_all"] for one in rounds)),
        "max_rss_mib": round(statistics.median(one["max_rss_mib"] for one in rounds), 1),
    }


def main() -> None:
    python = make_peer_environment()
    engine_rounds, peer_rounds = [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prices = folder / "prices.csv"
        bars = write_prices(prices)
        print(f"{bars} bars of {', '.join(SYMBOLS)}")
        for number in range(ROUNDS):
            engine_rounds.append(run_engine(prices, folder))
            peer_rounds.append(run_peer(python, prices))
            assert engine_rounds[-1]["bars"] == peer_rounds[-1]["bars"] == bars
            print(
                f"round {number + 1}: engine {bars / engine_rounds[-1]['seconds']:>9,.0f} bars/s, {engine_rounds[-1]['fills']} fills;"
                f" backtesting.py {bars / peer_rounds[-1]['seconds']:>9,.0f} bars/s, {peer_rounds[-1]['trades']} trades"
            )
    figures = {"engine": summarise(engine_rounds), "backtesting": summarise(peer_rounds)}
    ratio = figures["engine"]["bars_per_second"] / figures["backtesting"]["bars_per_second"]
    print(
        json.dumps(
            {
                "name": "engine_bars",
                "figures": figures,
                "ratio_backtesting": round(ratio, 2),
                "machine": {"cores": os.cpu_count(), "system": platform.platform(), "architecture": platform.machine()},
                "versions": {
                    "python": platform.python_version(),
                    "sqlalchemy": version("SQLAlchemy"),
                    "opentelemetry": version("opentelemetry-sdk"),
                    "backtesting": peer_rounds[0]["version"],
                    "pandas": peer_rounds[0]["pandas"],
                    "numpy": peer_rounds[0]["numpy"],
                },
            }
        )
    )


if __name__ == "__main__":
    main()
