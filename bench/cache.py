"""The engine's cache beside cachetools, cachebox, theine and functools.lru_cache: time of an operation, part found, stall of a resize.

Each runs in a process of its own on the same requests; the peers have an environment of their own. Rounds of all of them take turns, so
that a busy machine slows all. Part found is the same in each round. What each can be bounded by differs, and so does what it counts: the
engine's bounds entries, bytes and the age of each, and counts everything. With `--requests` it is shorter, for a try.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from peers.environment import make_peer_environment

ROOT: Final = Path(__file__).resolve().parents[1]
CANDIDATES: Final = ROOT / "bench" / "peers" / "cache_candidates.py"
ENGINE: Final = "engine"
PEERS: Final = (
    "theine W-TinyLFU",
    "cachebox VTTL",
    "cachebox LFU",
    "cachebox LRU",
    "cachetools TTL",
    "cachetools LFU",
    "functools.lru_cache",
)
REQUESTS: Final = 500_000
ROUNDS: Final = 3

Figures = dict[str, Any]


def run(python: Path | str, name: str, requests: int) -> Figures:
    """Run one candidate in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "bench"), str(ROOT / "engine"))), "PYTHONHASHSEED": "0"}
    command = [str(python), str(CANDIDATES), name, str(requests)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    figures: Figures = json.loads(answer.splitlines()[-1])
    return figures


def summarise(rounds: list[Figures]) -> Figures:
    """Return the medians of the times; parts found are those of the first round, a resize is that of the round with the median p99."""
    first = rounds[0]
    resizes = sorted((one["resize"] for one in rounds if one.get("resize")), key=lambda one: one["stall_ms"]["p99"])
    return {
        "hit_percent": first["hit_percent"],
        "get_or_put_ns": {kind: round(statistics.median(one["get_or_put_ns"][kind] for one in rounds)) for kind in first["get_or_put_ns"]},
        "mixed_ns": round(statistics.median(one["mixed_ns"] for one in rounds)) if "mixed_ns" in first else None,
        "mixed_ns_of_rounds": [one.get("mixed_ns") for one in rounds],
        "resize": resizes[len(resizes) // 2] if resizes else None,
        "max_rss_mib": round(statistics.median(one["max_rss_mib"] for one in rounds), 1),
    }


def show(results: dict[str, Figures]) -> None:
    kinds = list(results[ENGINE]["hit_percent"])
    print("\n".join((f"{'':22} {'found, %':^{8 * len(kinds)}}   mixed   ask  resize p99", " " * 23 + "  ".join(kinds))))
    for name, figures in results.items():
        found = " ".join(f"{figures['hit_percent'][kind]:7.2f}" for kind in kinds)
        mixed = f"{figures['mixed_ns']:5} ns" if figures["mixed_ns"] else f"{'':8}"
        stall = f"{figures['resize']['stall_ms']['p99']:.2f} ms" if figures["resize"] else ""
        print(f"{name:22} {found}  {mixed} {figures['get_or_put_ns']['zipf']:5} ns  {stall}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the engine's cache beside its peers.")
    parser.add_argument("--requests", type=int, default=REQUESTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    peers_python = make_peer_environment()
    pythons = {ENGINE: sys.executable, **dict.fromkeys(PEERS, str(peers_python))}
    rounds: dict[str, list[Figures]] = {name: [] for name in pythons}
    for _ in range(options.rounds):
        for name, python in pythons.items():
            rounds[name].append(run(python, name, options.requests))
    results = {name: summarise(figures) for name, figures in rounds.items()}
    show(results)
    ours, theine = results[ENGINE], results["theine W-TinyLFU"]
    print(
        json.dumps(
            {
                "benchmark": "cache",
                "requests": options.requests,
                "rounds": options.rounds,
                "python": platform.python_version(),
                "msgspec": version("msgspec"),
                "mixed_ns": ours["mixed_ns"],
                "hit_percent_above_theine": {
                    kind: round(found - theine["hit_percent"][kind], 2) for kind, found in ours["hit_percent"].items()
                },
                "resize": ours["resize"],
                "caches": results,
            }
        )
    )


if __name__ == "__main__":
    main()
