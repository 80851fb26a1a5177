"""A Prometheus of a test's own, which scrapes pages on loopback that the test serves."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import urllib3
import yaml

from server_binaries import PROMETHEUS, Binaries, find_binaries
from server_process import HOST, ServerProcess

_READY_SECONDS = 2.0
_ANSWER_SECONDS = 60.0
_PLAIN_JOBS: tuple[dict[str, Any], ...] = ({"job_name": "observers"},)


class PrometheusServer(ServerProcess):
    """Started by entering it, or by `start`. Its targets may be changed at any time; it looks for them each second."""

    name = "prometheus"
    stop_signal = signal.SIGTERM

    def __init__(
        self,
        *,
        scrape_seconds: float = 1.0,
        jobs: Sequence[Mapping[str, Any]] = _PLAIN_JOBS,
        rules: Path | None = None,
        binaries: Binaries | None = None,
    ) -> None:
        """`jobs` are scrape configurations, which all find the same targets; `rules` is a file of rules for it to evaluate."""
        super().__init__(binaries or find_binaries(PROMETHEUS))
        self._targets_path = self.folder / "targets.json"
        self.set_targets({})
        found_by = {
            "scrape_interval": f"{int(scrape_seconds * 1000)}ms",
            "scrape_timeout": f"{int(scrape_seconds * 1000)}ms",
            "file_sd_configs": [{"files": [str(self._targets_path)], "refresh_interval": "1s"}],
        }
        configs = [{name: value for name, value in job.items() if not name.endswith("_sd_configs")} | found_by for job in jobs]
        (self.folder / "prometheus.yml").write_text(
            yaml.safe_dump({"scrape_configs": configs, "rule_files": [str(rules)] if rules else []})
        )

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def set_targets(self, targets: Mapping[int, Mapping[str, str]]) -> None:
        """Scrape these ports of loopback and no others, each with labels of its own, as service discovery would give them."""
        listed = [{"targets": [f"{HOST}:{port}"], "labels": dict(labels)} for port, labels in targets.items()]
        new = Path(f"{self._targets_path}.new")
        new.write_text(json.dumps(listed))
        new.replace(self._targets_path)

    def query(self, expression: str) -> list[Any]:
        """Return the elements of an instant query's answer."""
        answer = urllib3.request("GET", f"{self.url}/api/v1/query", fields={"query": expression}, timeout=_ANSWER_SECONDS, retries=False)
        found: list[Any] = answer.json()["data"]["result"]
        return found

    def command(self) -> list[str]:
        return [
            str(self.binaries.folder / "prometheus"), "--config.file", str(self.folder / "prometheus.yml"),
            "--storage.tsdb.path", str(self.folder / "data"), "--web.listen-address", f"{HOST}:{self.port}", "--log.level", "warn",
        ]  # fmt: skip

    def answers(self) -> bool:
        try:
            return urllib3.request("GET", f"{self.url}/-/ready", timeout=_READY_SECONDS, retries=False).status == 200
        except urllib3.exceptions.HTTPError:
            return False
