from __future__ import annotations

import pytest

from tradingbot_cli.figures import change_percent, count, market_date, money, per_second, percent, score, size
from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Severity


def report(value: float | None, *findings: Finding) -> ObserverReport:
    return ObserverReport(
        namespace="",
        bot="",
        shard=0,
        pod_uid="",
        observed_at=0,
        generation=None,
        observer_started_at=0,
        interval_seconds=1,
        engine_pid=None,
        engine_restarts=0,
        last_answer_at=None,
        score=value,
        findings=findings,
        sample=None,
        engine=None,
    )


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (money(101_234.5, "USD"), "101,234.50 USD"),
        (money(-3.0), "-3.00"),
        (money(None, "USD"), "?"),
        (percent(12.345), "12.35 %"),
        (percent(0.5, sign=True), "+0.50 %"),
        (percent(-0.5, sign=True, digits=1), "-0.5 %"),
        (percent(None), "?"),
        (market_date(951_782_400.0), "2000-02-29"),
        (market_date(951_782_400.0 + 3660), "2000-02-29 01:01"),
        (market_date(None), "?"),
        (per_second(1234.4), "1,234/s"),
        (per_second(None), "?"),
        (size(54 * 2**20), "54Mi"),
        (size(None), "?"),
        (count(0, "fill"), "0 fills"),
        (count(1, "fill"), "1 fill"),
        (count(2000, "fill"), "2,000 fills"),
        (score(None), "?"),
        (score(report(None)), "?"),
        (score(report(85.0)), "85"),
        (score(report(None, Finding(FindingReason.ENGINE_SILENT, Severity.CRITICAL, "", 0.0))), "?, EngineSilent"),
        (score(report(40.0, Finding(FindingReason.SCORE_LOW, Severity.CRITICAL, "", 0.0))), "40, ScoreLow"),
    ],
)
def test_figures(shown: str, expected: str) -> None:
    assert shown == expected


@pytest.mark.parametrize(
    ("equity", "initial", "change"), [(110.0, 100.0, 10.0), (None, 100.0, None), (100.0, None, None), (100.0, 0.0, None)]
)
def test_change(equity: float | None, initial: float | None, change: float | None) -> None:
    engine = EngineStatus(state=EngineState.RUNNING, generation=0, started_at=0, heartbeat_at=0, equity=equity, initial_equity=initial)
    assert change_percent(engine) == (None if change is None else pytest.approx(change))
