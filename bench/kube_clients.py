"""What a client of the API server costs the operator: memory after the import and after 1,000 calls, and calls a second.

The operator's own thin client beside the official one, its asyncio part, the older asyncio one, and lightkube, each in a process of its
own with kopf, against a real API server with its etcd on loopback. Rounds of all take turns; medians are shown. The last line is JSON.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / folder) for folder in ("control_plane", "servers", "cluster")]

from peers.environment import make_peer_environment  # noqa: E402
from peers.kube_client import NAMES  # noqa: E402

from control_plane import ApiServer, Etcd, find_programs  # noqa: E402 - a folder of programs, not a package

ROUNDS: Final = int(os.environ.get("BENCH_ROUNDS", "3"))
CALLS: Final = 1000
OBJECTS: Final = 500
NAMESPACE: Final = "bench"
OF_PEERS: Final = ("kubernetes_asyncio", "lightkube")
"""Those that are in the peers' environment; the others are in the checkout's own."""


def fill(api: ApiServer) -> None:
    """Make the objects that are read: of about a kilobyte, as the operator's are."""
    client = api.client("admin")
    client.create("namespaces", None, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    for number in range(OBJECTS):
        metadata = {"name": f"object-{number}", "labels": {"app.kubernetes.io/managed-by": "tradingbot-operator"}}
        client.create("configmaps", NAMESPACE, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": "x" * 800}})
    client.close()


def measure(name: str, python: Path, api: ApiServer) -> dict[str, Any]:
    """Return the figures of one process."""
    arguments = [api.url, str(api.certificate), api.tokens["admin"], NAMESPACE, str(CALLS), str(OBJECTS)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / folder) for folder in ("engine", "operator"))}
    program = str(ROOT / "bench" / "peers" / "kube_client.py")
    answer = subprocess.run([python, program, name, *arguments], check=True, stdout=subprocess.PIPE, text=True, env=environment)
    figures: dict[str, Any] = json.loads(answer.stdout.splitlines()[-1])
    return figures


def main() -> int:
    """Measure, print a table and the ratios."""
    peers = make_peer_environment()
    programs = find_programs()
    etcd = Etcd(programs.etcd)
    api = ApiServer(programs.kubernetes, etcd)
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in NAMES}
    try:
        etcd.start()
        api.start()
        fill(api)
        for number in range(ROUNDS):
            for name in NAMES if number % 2 == 0 else reversed(NAMES):
                found[name].append(measure(name, peers if name in OF_PEERS else Path(sys.executable), api))
    finally:
        api.close()
        etcd.close()
    medians = {name: {figure: statistics.median(each[figure] for each in rounds) for figure in rounds[0]} for name, rounds in found.items()}
    print(f"{'':22}{'import MiB':>12}{'after MiB':>12}{'GET/s':>10}{'PATCH/s':>10}{'listed/s':>12}{'watched/s':>12}")
    columns = ("import_rss_mib", "rss_mib", "get_per_second", "patch_per_second", "listed_objects_per_second", "watched_events_per_second")
    widths = (12, 12, 10, 10, 12, 12)
    for name, figures in medians.items():
        cells = [
            f"{figures[column]:>{width}.0f}" if column in figures else " " * width for column, width in zip(columns, widths, strict=True)
        ]
        print(f"{name:22}{''.join(cells)}")
    ours = medians["ours"]
    ratios = {
        name: {column: round(figures[column] / ours[column], 3) for column in columns}
        for name, figures in medians.items()
        if name not in {"ours", "kopf_alone"}
    }
    print(json.dumps({"rounds": ROUNDS, "kubernetes": version("kubernetes"), "medians": medians, "ratios_to_ours": ratios}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
