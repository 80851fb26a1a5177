"""What operator, engine and observer weigh: time to import them, and resident memory, beside what one would use in their place.

Memory is the system's own figure (VmRSS): after the import of everything that a program runs with, and for engine and observer also
while they run the first sample, as the processes that a pod starts. The operator runs only on a cluster, so here it is its import that
counts. Peers: kopf with the official Kubernetes client for the operator, with the client's classes for the kinds that the operator makes
(they are loaded when they are first named); backtesting.py for the engine. The import of each is timed in turns, in a process of its own,
from its start to its end; an empty Python stands beside them.
"""

from __future__ import annotations

import json
import os
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import yaml
from peers.environment import make_peer_environment

from tradingbot_contract.document import render_document
from tradingbot_operator.desired import build_document
from tradingbot_operator.resource import parse_bot

ROOT: Final = Path(__file__).resolve().parents[1]
SAMPLE: Final = ROOT / "manifests" / "samples" / "first-bot.yaml"
ROUNDS: Final = 5
RUN_SECONDS: Final = 10.0
START_SECONDS: Final = 60.0

AIMS_MIB: Final = {"operator": 100, "engine": 70, "observer": 40}
PEERS: Final = {"operator": "kopf_and_kubernetes_client", "engine": "backtesting"}
IMPORTS: Final = {
    "python": "pass",
    # kopf takes the official client along where it is installed. The tests need it here; in the operator's image it isn't.
    "operator": "import sys; sys.modules['kubernetes'] = None; import tradingbot_operator.__main__",
    "engine": "import tradingbot_engine.__main__",
    "observer": "import tradingbot_observer.__main__",
    "kopf_and_kubernetes_client": (
        "import kopf, kubernetes.config, kubernetes.watch; "
        "from kubernetes.client import AppsV1Api, CoreV1Api, CustomObjectsApi, NetworkingV1Api, PolicyV1Api"
    ),
    "backtesting": "import backtesting",
}
ENVIRONMENT: Final = os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("engine", "operator"))}

Figures = dict[str, Any]


def read_rss_mib(pid: int) -> float:
    """Return the resident memory of a process, as the system has it."""
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def measure_import(python: Path, statement: str) -> tuple[float, float]:
    """Return the seconds that a process with this import takes, and its memory in MiB after it."""
    script = f"{statement}\nprint(open('/proc/self/status').read())"
    started = time.perf_counter()
    answer = subprocess.run([python, "-c", script], check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout
    seconds = time.perf_counter() - started
    found = re.search(r"^VmRSS:\s+(\d+) kB", answer, re.MULTILINE)
    assert found
    return seconds, int(found[1]) / 1024


def measure_imports(peer_python: Path) -> dict[str, Figures]:
    """Return the medians of each import; rounds of all take turns."""
    pythons = {name: peer_python if name == "backtesting" else Path(sys.executable) for name in IMPORTS}
    seconds: dict[str, list[float]] = {name: [] for name in IMPORTS}
    rss_mib: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for number in range(ROUNDS + 1):
        for name, statement in IMPORTS.items():
            took, weighs = measure_import(pythons[name], statement)
            if number:  # the round before the first compiles what isn't compiled yet
                seconds[name].append(took)
                rss_mib[name].append(weighs)
    return {
        name: {
            "import_seconds": round(statistics.median(seconds[name]), 3),
            "import_rss_mib": round(statistics.median(rss_mib[name]), 1),
        }
        for name in IMPORTS
    }


def measure_running() -> dict[str, float]:
    """Return the memory of engine and observer, in MiB, after they have run the sample for a while."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = folder / "config.yaml"
        config.write_text(render_document(build_document(parse_bot(yaml.safe_load(SAMPLE.read_text())))))
        engine_port, observer_port = free_port(), free_port()
        local = ("--config", str(config), "--host", "127.0.0.1", "--port")
        with (folder / "log").open("w") as log:
            engine = start("tradingbot_engine", *local, str(engine_port), "--data", name, log=log)
            processes = {"engine": engine}
            try:
                address = ("--engine-url", f"http://127.0.0.1:{engine_port}", "--engine-pid", str(engine.pid))
                processes["observer"] = start("tradingbot_observer", *local, str(observer_port), *address, log=log)
                log_path = folder / "log"
                wait_until(lambda: "first start" in log_path.read_text() and "engine answered" in log_path.read_text(), log_path)
                time.sleep(RUN_SECONDS)
                return {name: round(read_rss_mib(process.pid), 1) for name, process in processes.items()}
            finally:
                for process in processes.values():
                    process.send_signal(signal.SIGTERM)
                for process in processes.values():
                    process.wait()


def start(module: str, *arguments: str, log: Any) -> subprocess.Popen[bytes]:
    """Start one of the programs."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], env=ENVIRONMENT, stderr=log)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(holds: Callable[[], bool], log: Path) -> None:
    """Return when it holds."""
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"engine and observer did not start:\n{log.read_text()}")
        time.sleep(0.1)


def print_table(figures: dict[str, Figures]) -> None:
    """Print the figures for people."""
    print(f"{'':28}{'import s':>10}{'RSS, MiB':>10}{'running':>10}{'aim':>7}")
    for name, one in figures.items():
        running, aim = one.get("running_rss_mib", ""), AIMS_MIB.get(name, "")
        print(f"{name:28}{one['import_seconds']:>10.3f}{one['import_rss_mib']:>10.1f}{running:>10}{aim:>7}")


def main() -> None:
    peer_python = make_peer_environment()
    figures = measure_imports(peer_python)
    for name, rss_mib in measure_running().items():
        figures[name]["running_rss_mib"] = rss_mib
    print_table(figures)
    # Ours divided by the peer's: below 1 is less.
    ratios = {
        f"ratio_{what}_{ours}_to_{peer}": round(figures[ours][f"import_{unit}"] / figures[peer][f"import_{unit}"], 2)
        for ours, peer in PEERS.items()
        for what, unit in (("import", "seconds"), ("rss", "rss_mib"))
    }
    command: list[str | Path] = [peer_python, "-c", "from importlib.metadata import version; print(version('backtesting'))"]
    backtesting = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    result: Figures = {
        "name": "footprint",
        "figures": figures,
        "aims_rss_mib": AIMS_MIB,
        **ratios,
        "machine": {"cores": os.cpu_count(), "system": platform.platform(), "architecture": platform.machine()},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("kopf", "kubernetes", "SQLAlchemy", "opentelemetry-sdk", "psutil", "prometheus-client")},
            "backtesting": backtesting,
        },
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
