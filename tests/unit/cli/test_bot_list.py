from __future__ import annotations

from typing import Any

import pytest

from tradingbot_cli.bot_list import build_list, build_row
from tradingbot_cli.bot_report import build_head, build_sections, build_structure
from tradingbot_cli.bot_view import BotView, read_view
from tradingbot_cli.output import Tone
from tradingbot_operator.timestamp import format_time

NOW = 1_800_000_000.0


def view(status: dict[str, Any] | None = None, **spec: Any) -> BotView:
    metadata = {"name": "trend", "namespace": "prod", "generation": 2, "creationTimestamp": format_time(NOW - 7200)}
    return read_view({"metadata": metadata, "spec": {"market": {"symbols": ["AAPL"]}} | spec, "status": status or {}})


def texts(bot: BotView) -> dict[str, str]:
    table = build_list([bot], NOW, with_namespace=True)
    return {column.title: cell.text for column, cell in zip(table.columns, table.rows[0], strict=True)}


def test_a_bot_that_nobody_has_looked_at_yet_is_unseen() -> None:
    row = texts(view())
    assert (row["PHASE"], row["READY"], row["HEALTH"], row["WORST"], row["BUDGET"]) == ("Unseen", "0/1", "?", "-", "-")
    assert "no operator has looked at it yet" in build_head(view(), NOW)[0]


def test_a_status_of_another_release_does_not_end_the_list() -> None:
    row = texts(view({"phase": "Dancing"}))
    assert row["PHASE"] == "Unseen"
    assert "another release" in row["MESSAGE"]


@pytest.mark.parametrize(
    ("status", "worst"),
    [
        (
            {"health": {"findings": [{"reason": "CacheCold", "severity": "info"}, {"reason": "FeedStale", "severity": "critical"}]}},
            "FeedStale",
        ),
        ({"conditions": [{"type": "Healthy", "status": "False", "reason": "CrashLooping"}]}, "CrashLooping"),
        ({"phase": "Failed", "conditions": [{"type": "Ready", "status": "False", "reason": "ImagePullFailed"}]}, "ImagePullFailed"),
        ({"phase": "Starting", "conditions": [{"type": "Ready", "status": "False", "reason": "EngineStarting"}]}, "-"),
    ],
)
def test_the_worst_is_what_is_most_severe_or_else_what_the_conditions_say(status: dict[str, Any], worst: str) -> None:
    assert texts(view(status))["WORST"] == worst


def test_a_stopped_bot_wants_no_engine_and_has_no_score() -> None:
    row = texts(view({"phase": "Stopped"}, lifecycle={"state": "Stopped"}))
    assert (row["READY"], row["HEALTH"]) == ("0/0", "-")


def test_the_budget_is_what_it_has_refilled_to_by_now() -> None:
    budget = {"maxActions": 12, "perSeconds": 3600, "remaining": 0, "level": 0.5, "asOf": format_time(NOW - 600)}
    row = build_row(view({"remediation": {"budget": budget}}), NOW)
    assert (row.budget_remaining, row.budget_limit) == (2, 12)
    assert view({"remediation": {"budget": budget | {"asOf": format_time(NOW)}}}).next_step_seconds(NOW) == 150.0


def test_the_report_tells_of_what_was_changed_for_an_engine() -> None:
    shard = {
        "name": "trend-0",
        "symbols": ["AAPL", "MSFT"],
        "releasing": ["MSFT"],
        "adjustment": {"cachePercent": 50, "memoryLimit": "600Mi", "since": format_time(NOW - 60)},
        "quarantine": {"reason": "CrashLooping", "message": "5 restarts did not help", "since": format_time(NOW - 90)},
    }
    sections = {section.title: section for section in build_sections(view({"shards": [shard]}), NOW)}
    engines = sections["Engines"]
    assert "trend-0 has by remediation caches at 50 %, memory limit 600Mi, for 1m" in engines.note
    assert "trend-0 is in quarantine for 1m30s: 5 restarts did not help" in engines.note
    assert engines.table is not None
    assert engines.table.rows[0][-1].text == "AAPL,MSFT (leaving)"


def test_the_structure_has_the_status_in_its_own_words() -> None:
    bot = view({"observedGeneration": 1, "phase": "Running", "conditions": [{"type": "Ready", "status": "True", "reason": "EngineReady"}]})
    structure = build_structure(bot, NOW)
    assert structure["observed"] is False
    assert structure["conditions"][0]["reason"] == "EngineReady"
    assert "the operator has not looked at generation 2 yet" in build_head(bot, NOW)[0]


def test_how_the_last_change_arrived_is_told() -> None:
    sections = {section.title: section.note for section in build_sections(view({"tuning": {"rung": "LiveDocument", "generation": 2}}), NOW)}
    assert sections["Tuning"] == "generation 2 live, without a restart: applied"


def test_a_bad_phase_is_red() -> None:
    table = build_list([view({"phase": "Quarantined"})], NOW, with_namespace=False)
    assert table.rows[0][1].tone is Tone.BAD
