from __future__ import annotations

import json

import pytest

from tradingbot_observability.coverage import (
    REFERENCES,
    ROOT,
    Coverage,
    find_coverage,
    read_coverage,
    render_coverage,
)
from tradingbot_observability.rules.series import exported_kinds, series_names

RULES = """
groups:
- name: one
  rules:
  - record: namespace:shown:sum
    expr: sum by (namespace) (tradingbot_equity)
  - alert: Something
    expr: namespace:shown:sum > 1
"""


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    return read_coverage()


def test_dashboards_and_rules_name_nothing_that_nobody_exports_or_records(coverage: Coverage) -> None:
    assert coverage.strangers() == {}


def test_every_recorded_series_is_read_by_something(coverage: Coverage) -> None:
    assert coverage.unrecorded_uses() == frozenset()


def test_every_metric_in_code_is_in_a_reference() -> None:
    pages = "\n".join(page.read_text() for page in REFERENCES)
    assert [name for name in exported_kinds() if f"`{name}`" not in pages] == []


def test_every_metric_in_code_is_on_a_panel_or_in_a_rule_or_read_by_the_operator(coverage: Coverage) -> None:
    assert coverage.unused() == ()


def test_the_table_is_that_of_the_shipped_files(coverage: Coverage) -> None:
    assert (ROOT / "docs/reference/coverage.md").read_text() == render_coverage(coverage), "run: make generate"


def test_a_histogram_is_used_by_any_of_its_series() -> None:
    assert {"tradingbot_order_duration_seconds_bucket", "tradingbot_order_duration_seconds_count"} <= series_names().keys()
    assert "tradingbot_order_duration_seconds" not in series_names()


def test_a_metric_is_used_by_an_alert_that_reads_what_was_recorded_of_it() -> None:
    uses = find_coverage(RULES, {}).uses_by_metric()["tradingbot_equity"]
    assert (uses.records, uses.alerts) == (("rule namespace:shown:sum",), ("alert Something",))


def test_queries_are_found_wherever_they_stand_in_a_dashboard() -> None:
    dashboard = {
        "panels": [
            {
                "title": "Row",
                "panels": [{"title": "Equity", "targets": [{"expr": "tradingbot_equity"}, {"expr": "nobodys_series"}]}],
            }
        ],
        "templating": {
            "list": [
                {"name": "datasource", "query": "prometheus"},
                {"name": "namespace", "query": {"query": "label_values(tradingbot_bot_phase, bot_namespace)"}},
            ]
        },
        "annotations": {"list": [{"name": "Restarts", "expr": "changes(tradingbot_bot_restarts_total[5m]) > 0"}]},
    }
    found = find_coverage(RULES, {"bot": json.dumps(dashboard)})
    assert found.strangers() == {"nobodys_series": "dashboard bot: Equity"}
    uses = found.uses_by_metric()
    assert uses["tradingbot_equity"].panels == ("dashboard bot: Equity",)
    assert uses["tradingbot_bot_phase"].panels == ("dashboard bot: namespace",)
    assert uses["tradingbot_bot_restarts_total"].panels == ("dashboard bot: Restarts",)
