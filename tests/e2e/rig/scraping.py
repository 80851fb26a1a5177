"""A Prometheus on this machine that scrapes pods of the cluster, under the labels that a PodMonitor gives their series.

The NetworkPolicies of bots let nobody in from outside, so each look goes through the API server, as ``kubectl port-forward`` does: a small
server here stands for each port of a pod, and follows the pod's name through its restarts.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from prometheus_server import PrometheusServer
from rig.bots import Bot
from rig.kube import Kube
from rig.operators import PORT, Operators
from rig.release import NAMESPACE, ROOT
from server_process import HOST
from tradingbot_contract.endpoints import ENGINE_CONTAINER, ENGINE_PORT, METRICS_PATH, OBSERVER_CONTAINER, OBSERVER_PORT
from tradingbot_contract.serving import PROMETHEUS

RULES: Final = ROOT / "operator/tradingbot_operator/monitoring/files/rules.yaml"
SCRAPE_SECONDS: Final = 2.0


@dataclass(frozen=True)
class PodPort:
    """What is scraped."""

    namespace: str
    pod: str
    port: int
    labels: Mapping[str, str]


def bot_ports(bot: Bot) -> list[PodPort]:
    """Return the two ports of the bot's first shard."""
    pod = f"{bot.name}-0"
    named = {"namespace": bot.namespace, "pod": pod, "bot": bot.name, "job": "tradingbot"}
    ports = ((ENGINE_CONTAINER, ENGINE_PORT), (OBSERVER_CONTAINER, OBSERVER_PORT))
    return [PodPort(bot.namespace, pod, port, named | {"container": container}) for container, port in ports]


def operator_ports(kube: Kube) -> list[PodPort]:
    """Return the ports of the operators that run now."""
    names = [pod["metadata"]["name"] for pod in Operators(kube).pods()]
    return [PodPort(NAMESPACE, name, PORT, {"namespace": NAMESPACE, "pod": name, "job": "tradingbot-operator"}) for name in names]


@contextlib.contextmanager
def scraping(kube: Kube, ports: Sequence[PodPort]) -> Iterator[PrometheusServer]:
    """Return a Prometheus that scrapes these ports and evaluates our rules as often, until the end of the block."""
    with contextlib.ExitStack() as stack:
        rules = Path(stack.enter_context(TemporaryDirectory(prefix="tradingbot-rules-"))) / "rules.yaml"
        rules.write_text(re.sub(r"(?m)^  interval: \w+$", f"  interval: {SCRAPE_SECONDS:.0f}s", RULES.read_text()))
        targets = {stack.enter_context(_stand_in(kube, port)): port.labels for port in ports}
        prometheus = stack.enter_context(PrometheusServer(scrape_seconds=SCRAPE_SECONDS, rules=rules))
        prometheus.set_targets(targets)
        yield prometheus


@contextlib.contextmanager
def _stand_in(kube: Kube, port: PodPort) -> Iterator[int]:
    """Return a port on loopback that has the pod's page of metrics."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                page = kube.page(port.namespace, port.pod, port.port, METRICS_PATH)
            except ConnectionError:
                page = None
            self.send_response(HTTPStatus.OK if page else HTTPStatus.BAD_GATEWAY)
            self.send_header("Content-Type", PROMETHEUS)
            self.send_header("Content-Length", str(len(page or b"")))
            self.end_headers()
            self.wfile.write(page or b"")

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
