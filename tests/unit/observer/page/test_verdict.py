from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tradingbot_contract.report import Finding, FindingReason, Severity
from tradingbot_contract.spec import Health
from tradingbot_observer.findings import POSSIBLE
from tradingbot_observer.page.meanings import MEANINGS, runbook
from tradingbot_observer.page.verdict import TONES, Tone, judge
from tradingbot_observer.sinks.prometheus import Facts
from tradingbot_operator.monitoring.settings import RUNBOOK_BASE_URL

RUNBOOKS = Path(__file__).parents[4] / "docs" / "runbooks"
SILENT = Finding(FindingReason.ENGINE_SILENT, Severity.CRITICAL, "no answer for 12 s", 1.0)
SLOW = Finding(FindingReason.RESPONSE_SLOW, Severity.WARNING, "3 s", 2.0)
COLD = Finding(FindingReason.CACHE_COLD, Severity.INFO, "12 %", 3.0)


@pytest.mark.parametrize(
    ("findings", "tone", "word"),
    [
        ((), Tone.GOOD, "Healthy"),
        ((COLD,), Tone.GOOD, "Healthy"),
        ((COLD, SLOW), Tone.WARNING, "Warning"),
        ((SLOW, SILENT), Tone.CRITICAL, "Critical"),
    ],
)
def test_the_worst_finding_decides(facts_with: Callable[..., Facts], findings: tuple[Finding, ...], tone: Tone, word: str) -> None:
    verdict = judge(facts_with(findings=findings).report, Health())
    assert (verdict.tone, verdict.word) == (tone, word)


def test_the_sentence_says_what_it_means_and_what_else_there_is(facts_with: Callable[..., Facts]) -> None:
    cold = Finding(FindingReason.ENGINE_GONE, Severity.CRITICAL, "gone", 2.0)
    said = judge(facts_with(findings=(SILENT, cold)).report, Health()).sentence
    assert said.startswith("EngineSilent. The process is there and does not answer")
    assert said.endswith("There is more: EngineGone.")
    assert judge(facts_with(findings=(COLD,)).report, Health()).sentence == "Worth knowing: CacheCold."


def test_a_low_score_is_unhealthy_without_a_finding(facts_with: Callable[..., Facts]) -> None:
    assert judge(facts_with(score=69.9).report, Health()).word == "Unhealthy"
    assert judge(facts_with(score=70.0).report, Health()).word == "Healthy"


def test_what_nobody_has_measured_is_unknown_and_not_good(facts_with: Callable[..., Facts]) -> None:
    assert judge(facts_with(engine=None, score=None).report, Health()).tone is Tone.UNKNOWN
    assert judge(facts_with(score=None).report, Health()).tone is Tone.UNKNOWN


def test_the_sentence_does_not_change_with_the_measured_figures(facts_with: Callable[..., Facts]) -> None:
    later = Finding(SILENT.reason, SILENT.severity, "no answer for 13 s", SILENT.since)
    assert judge(facts_with(findings=(SILENT,)).report, Health()) == judge(facts_with(findings=(later,)).report, Health())


def test_every_finding_has_a_meaning_and_every_severity_a_tone() -> None:
    assert set(MEANINGS) == set(FindingReason)
    assert set(TONES) == set(Severity)
    assert len({tone.mark for tone in Tone}) == len(Tone), "no tone is told by its colour alone"
    assert all((RUNBOOKS / runbook(reason).rpartition("/")[2]).is_file() for reason, _ in POSSIBLE)
    assert {runbook(reason).rpartition("/")[0] for reason, _ in POSSIBLE} == {RUNBOOK_BASE_URL}
