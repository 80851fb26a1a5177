"""The dashboards keep the rules of Grafana's own linter; what they break on purpose stands in a file with the reasons."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from built_programs import dashboard_linter

ROOT = Path(__file__).resolve().parents[3]
DASHBOARDS = ROOT / "operator/tradingbot_operator/monitoring/files/dashboards"
EXCEPTIONS = ROOT / "observability/.lint"


@pytest.fixture(scope="module")
def linter() -> Path:
    return dashboard_linter()


def lint(linter: Path, *paths: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([linter, EXCEPTIONS, *paths], capture_output=True, text=True, check=False)


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((DASHBOARDS / f"{name}.json").read_text())
    return found


def test_all_dashboards_are_clean(linter: Path) -> None:
    done = lint(linter, *sorted(DASHBOARDS.glob("*.json")))
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "❌" not in done.stdout
    assert done.stdout.count(".json") == 3


def test_every_exception_has_a_reason() -> None:
    for rule, entry in yaml.safe_load(EXCEPTIONS.read_text())["exclusions"].items():
        assert len(entry["reason"]) > 40, rule


@pytest.mark.parametrize(
    ("breaking", "said"),
    [
        (lambda target: target.update(expr="sum(rate(tradingbot_fills_total[5m]))"), "should use $__rate_interval"),
        (lambda target: target.update(expr="sum(tradingbot_fills_total)"), "is not aggregated"),
        (lambda target: target.update(expr="sum(tradingbot_fills_total"), "invalid PromQL"),
    ],
)
def test_a_query_that_breaks_a_rule_is_refused(linter: Path, tmp_path: Path, breaking: Any, said: str) -> None:
    broken = read("bot")
    breaking(next(panel for panel in broken["panels"] if panel["type"] == "timeseries")["targets"][0])
    path = tmp_path / "bot.json"
    path.write_text(json.dumps(broken))
    done = lint(linter, path)
    assert done.returncode == 1
    assert said in done.stdout


def test_what_the_linter_is_built_without_is_refused_and_not_passed(linter: Path, tmp_path: Path) -> None:
    newer = tmp_path / "newer.json"
    newer.write_text(json.dumps({"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "spec": {"title": "t"}}))
    done = lint(linter, newer)
    assert done.returncode == 1
    assert "schema v2" in done.stderr
    for_loki = read("bot")
    for_loki["templating"]["list"][0]["query"] = "loki"
    path = tmp_path / "loki.json"
    path.write_text(json.dumps(for_loki))
    done = lint(linter, path)
    assert done.returncode == 1
    assert "without Loki's parser" in done.stdout
