"""An OpenTelemetry collector of a test's own: it takes OTLP over HTTP on loopback, and what it took can be read."""

from __future__ import annotations

import json
import signal
from typing import Any, NamedTuple

import urllib3
import yaml

from built_programs import collector_folder
from server_binaries import Binaries
from server_process import HOST, ServerProcess

_ANSWER_SECONDS = 2.0


class Delivered(NamedTuple):
    """One metric of one delivery."""

    resource: dict[str, str]
    name: str
    unit: str
    kind: str
    """gauge, sum or histogram, as OTLP has it."""
    points: list[dict[str, Any]]


class CollectorServer(ServerProcess):
    """Started by entering it, or by `start`. What it took before it was stopped stays readable when it runs again."""

    name = "otelcol"
    stop_signal = signal.SIGTERM

    def __init__(self, *, binaries: Binaries | None = None) -> None:
        super().__init__(binaries or Binaries(collector_folder()))
        self._deliveries_path = self.folder / "deliveries.jsonl"

    @property
    def endpoint(self) -> str:
        return f"http://{HOST}:{self.port}"

    def deliveries(self) -> list[list[Delivered]]:
        """Return what it took, in order."""
        if not self._deliveries_path.exists():
            return []
        # The last line may be on its way.
        lines = self._deliveries_path.read_text().rpartition("\n")[0].splitlines()
        return [_parse(json.loads(line)) for line in lines if line]

    def names(self) -> set[str]:
        """Return the names of all metrics that it took."""
        return {metric.name for delivery in self.deliveries() for metric in delivery}

    def command(self) -> list[str]:
        # The port may have been chosen anew.
        (self.folder / "config.yaml").write_text(yaml.safe_dump(self._config()))
        return [str(self.binaries.folder / "otelcol"), "--config", f"file:{self.folder / 'config.yaml'}"]

    def answers(self) -> bool:
        try:
            # It takes POST alone, and says so.
            return urllib3.request("GET", f"{self.endpoint}/v1/metrics", timeout=_ANSWER_SECONDS, retries=False).status == 405
        except urllib3.exceptions.HTTPError:
            return False

    def _config(self) -> dict[str, Any]:
        return {
            "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"{HOST}:{self.port}"}}}},
            "exporters": {"file": {"path": str(self._deliveries_path), "append": True, "flush_interval": "50ms"}},
            "service": {
                "telemetry": {"logs": {"level": "warn"}, "metrics": {"level": "none"}},
                "pipelines": {"metrics": {"receivers": ["otlp"], "exporters": ["file"]}},
            },
        }


def _parse(delivery: dict[str, Any]) -> list[Delivered]:
    return [
        _metric(_attributes(of_resource["resource"].get("attributes", [])), metric)
        for of_resource in delivery["resourceMetrics"]
        for scope in of_resource["scopeMetrics"]
        for metric in scope["metrics"]
    ]


def _metric(resource: dict[str, str], metric: dict[str, Any]) -> Delivered:
    kind = next(name for name in ("gauge", "sum", "histogram") if name in metric)
    return Delivered(resource, metric["name"], metric.get("unit", ""), kind, metric[kind]["dataPoints"])


def _attributes(pairs: list[dict[str, Any]]) -> dict[str, str]:
    return {pair["key"]: pair["value"]["stringValue"] for pair in pairs}
