from __future__ import annotations

from typing import Any

import pytest

from tradingbot_operator.liveness import Vitals, judge, render_checks
from tradingbot_operator.watch_health import WatchKey, WatchState

NOW = 10_000.0
PODS = WatchKey("Pod", None)


def vitals(**changes: Any) -> Vitals:
    well: dict[str, Any] = {
        "watches": {PODS: WatchState()},
        "longest_pass": None,
        "reports_turned_at": NOW - 0.1,
        "listed_at": NOW - 20.0,
        "loop_lag_seconds": 0.001,
        "is_leading": True,
        "now": NOW,
    }
    return Vitals(**(well | changes))


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, ""),
        ({"watches": {PODS: WatchState(missed_in_row=1, missed="bots/calm-0")}}, ""),
        ({"watches": {PODS: WatchState(missed_in_row=2, missed="bots/calm-0")}}, "dead: Pod missed bots/calm-0"),
        ({"longest_pass": ("bots/calm", 119.0)}, ""),
        ({"longest_pass": ("bots/calm", 121.0)}, "the pass over bots/calm has been going on for 121 s"),
        ({"reports_turned_at": NOW - 59.0}, ""),
        ({"reports_turned_at": NOW - 61.0}, "last turned 61 s ago"),
        ({"reports_turned_at": None, "is_leading": False}, ""),
        ({"loop_lag_seconds": 11.0}, "it was 11.0 s late"),
        # An API server that does not answer is no reason to start anew: it would not answer the new process, either.
        ({"listed_at": NOW - 86_400.0}, ""),
        ({"listed_at": None}, ""),
    ],
)
def test_only_what_a_new_start_would_mend_fails(changes: dict[str, Any], failed: str) -> None:
    checks = judge(vitals(**changes))
    assert [check.passed for check in checks].count(False) == (1 if failed else 0)
    page = render_checks(checks)
    assert failed in page
    assert page.endswith(f"healthz check {'failed' if failed else 'passed'}\n")


def test_the_page_has_a_line_for_each_check() -> None:
    assert render_checks(judge(vitals())).splitlines() == [
        "[+]watches ok",
        "[+]passes ok",
        "[+]reports ok",
        "[+]event-loop ok",
        "[+]list ok: everything was last listed 20 s ago",
        "[+]leader ok: this operator leads",
        "healthz check passed",
    ]
