from __future__ import annotations

import pytest

from tradingbot_observability.coverage import ROOT
from tradingbot_observability.rules.burn_alerts import BURN_RATES, BurnRate
from tradingbot_observability.rules.objectives import LEAST_COUNTED, OBJECTIVES, Nature, Objective
from tradingbot_observability.rules.shares import QUICK_WINDOWS, SLOW_WINDOWS

PAGE = (ROOT / "docs/explanation/objectives.md").read_text()


@pytest.mark.parametrize("objective", OBJECTIVES, ids=lambda objective: objective.name)
def test_each_objective_is_explained_with_its_budget(objective: Objective) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{objective.name}` |"))
    assert row.endswith(f"| {100 * objective.budget:g} % |")


@pytest.mark.parametrize("rate", BURN_RATES, ids=lambda rate: f"{rate.factor:g}")
def test_each_burn_rate_is_explained_with_its_severities(rate: BurnRate) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {rate.factor:g} | {rate.long[:-1]} {rate.long[-1]} |"))
    assert row.endswith(f"| {rate.severities[Nature.FELT].value} | {rate.severities[Nature.STRAIN].value} |")


def test_every_window_that_an_alert_reads_is_recorded() -> None:
    recorded = [window.name for window in (*QUICK_WINDOWS, *SLOW_WINDOWS)]
    assert recorded == ["5m", "30m", "1h", "2h", "6h", "1d", "3d"]
    assert {window for rate in BURN_RATES for window in (rate.long, rate.short)} == set(recorded)


def test_a_share_of_too_little_is_no_share() -> None:
    assert f"fewer than {LEAST_COUNTED} orders" in PAGE
    assert all(window.least == f">= {LEAST_COUNTED}" for window in (*QUICK_WINDOWS, *SLOW_WINDOWS) if window.name not in {"5m", "30m"})
