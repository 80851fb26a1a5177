from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, Sample, Severity
from tradingbot_contract.spec import Health, Limits, ScoreLimits
from tradingbot_observer.findings import CHECKS, POSSIBLE, STARTUP_GRACE_SECONDS, Situation, assess

NOW = 10_000.0
WELL_STATUS = EngineStatus(
    state=EngineState.RUNNING, generation=3, started_at=NOW - 500, heartbeat_at=NOW - 1, last_bar_at=NOW - 1, feed_due=True
)
WELL_SAMPLE = Sample(
    at=NOW - 5,
    cpu_percent=10.0,
    memory_percent=20.0,
    error_percent=0.0,
    response_p95_seconds=0.01,
    cache_hit_percent=90.0,
    score=100.0,
)
WELL = Situation(
    at=NOW,
    health=Health(),
    observer_started_at=NOW - 600,
    process_started_at=NOW - 500,
    process_was_seen=True,
    process_has_answered=True,
    last_answer_at=NOW - 1,
    engine=WELL_STATUS,
    sample=WELL_SAMPLE,
)
NOTHING_YET = Situation(
    at=NOW,
    health=Health(),
    observer_started_at=NOW - 5,
    process_started_at=None,
    process_was_seen=False,
    process_has_answered=False,
    last_answer_at=None,
    engine=None,
    sample=None,
)


def but(situation: Situation, **changes: Any) -> Situation:
    return msgspec.structs.replace(situation, **changes)


def engine(**changes: Any) -> EngineStatus:
    return msgspec.structs.replace(WELL_STATUS, **changes)


def sample(**changes: Any) -> Sample:
    return msgspec.structs.replace(WELL_SAMPLE, **changes)


GONE = (FindingReason.ENGINE_GONE, Severity.CRITICAL)
SILENT = (FindingReason.ENGINE_SILENT, Severity.CRITICAL)
REFUSED = (FindingReason.DOCUMENT_REFUSED, Severity.CRITICAL)
NOT_TAKEN = (FindingReason.DOCUMENT_REFUSED, Severity.WARNING)
STALE = (FindingReason.FEED_STALE, Severity.CRITICAL)
LOW_CRITICAL = (FindingReason.SCORE_LOW, Severity.CRITICAL)
LOW = (FindingReason.SCORE_LOW, Severity.WARNING)
SLOW = (FindingReason.RESPONSE_SLOW, Severity.WARNING)
CPU = (FindingReason.CPU_HIGH, Severity.WARNING)
MEMORY = (FindingReason.MEMORY_HIGH, Severity.WARNING)
ERRORS = (FindingReason.ERRORS_HIGH, Severity.WARNING)
COLD = (FindingReason.CACHE_COLD, Severity.INFO)

CASES: list[tuple[str, Situation, list[tuple[FindingReason, Severity]]]] = [
    ("all well", WELL, []),
    ("nothing known yet", NOTHING_YET, []),
    # The process
    ("gone", but(WELL, process_started_at=None, process_has_answered=False), [GONE]),
    (
        "gone, and silent for long: one cause, one finding",
        but(WELL, process_started_at=None, process_has_answered=False, last_answer_at=NOW - 300),
        [GONE],
    ),
    ("never there, within the grace", but(NOTHING_YET, observer_started_at=NOW - STARTUP_GRACE_SECONDS), []),
    ("never there, past the grace", but(NOTHING_YET, observer_started_at=NOW - STARTUP_GRACE_SECONDS - 1), [GONE]),
    ("processes can't be seen, it answers", but(WELL, process_started_at=None, process_was_seen=False), []),
    # Silence
    ("late, within the limit", but(WELL, last_answer_at=NOW - 10), []),
    ("silent", but(WELL, last_answer_at=NOW - 10.1), [SILENT]),
    ("silent, by the spec's own limit", but(WELL, last_answer_at=NOW - 4, health=Health(silent_after_seconds=3)), [SILENT]),
    ("silent, processes can't be seen", but(WELL, process_started_at=None, process_was_seen=False, last_answer_at=NOW - 11), [SILENT]),
    ("starting, not yet an answer", but(NOTHING_YET, process_started_at=NOW - STARTUP_GRACE_SECONDS, process_was_seen=True), []),
    ("never answered since its start", but(NOTHING_YET, process_started_at=NOW - 31, process_was_seen=True), [SILENT]),
    (
        "restarted, the last answer was of the one before",
        but(WELL, last_answer_at=NOW - 20, process_has_answered=False, process_started_at=NOW - 15),
        [],
    ),
    ("restarted, and silent since", but(WELL, last_answer_at=NOW - 60, process_has_answered=False, process_started_at=NOW - 31), [SILENT]),
    # The document
    ("refused", but(WELL, engine=engine(state=EngineState.REFUSED, feed_due=False, message="strategy.name: no such")), [REFUSED]),
    ("a changed document is not taken", but(WELL, document_error="config.yaml is refused: risk"), [NOT_TAKEN]),
    (
        "refused by both: the engine's words count",
        but(WELL, document_error="bad", engine=engine(state=EngineState.REFUSED, feed_due=False)),
        [REFUSED],
    ),
    (
        "an old word of refusal proves nothing",
        but(WELL, last_answer_at=NOW - 100, engine=engine(state=EngineState.REFUSED, feed_due=False)),
        [SILENT],
    ),
    # The feed
    ("bar at the limit of its age", but(WELL, engine=engine(last_bar_at=NOW - 60)), []),
    ("stale", but(WELL, engine=engine(last_bar_at=NOW - 60.1)), [STALE]),
    ("never a bar, past the limit", but(WELL, engine=engine(last_bar_at=None)), [STALE]),
    ("never a bar, within the limit", but(WELL, engine=engine(last_bar_at=None, started_at=NOW - 60)), []),
    ("no bar is due", but(WELL, engine=engine(last_bar_at=NOW - 600, feed_due=False, state=EngineState.FINISHED)), []),
    ("stale by an old answer: only silence is known", but(WELL, last_answer_at=NOW - 80, engine=engine(last_bar_at=NOW - 80)), [SILENT]),
    # The sample
    ("score at warning", but(WELL, sample=sample(score=60.0)), []),
    ("score below warning", but(WELL, sample=sample(score=59.9)), [LOW]),
    ("score at critical", but(WELL, sample=sample(score=50.0)), [LOW]),
    ("score below critical", but(WELL, sample=sample(score=49.9)), [LOW_CRITICAL]),
    (
        "score by the spec's own limits",
        but(WELL, sample=sample(score=85.0), health=Health(score=ScoreLimits(critical=80, warning=90, unhealthy=95))),
        [LOW],
    ),
    ("response at its limit", but(WELL, sample=sample(response_p95_seconds=2.0)), []),
    ("response slow", but(WELL, sample=sample(response_p95_seconds=2.1)), [SLOW]),
    ("cpu at its limit", but(WELL, sample=sample(cpu_percent=80.0)), []),
    ("cpu high", but(WELL, sample=sample(cpu_percent=80.1)), [CPU]),
    ("memory at its limit", but(WELL, sample=sample(memory_percent=85.0)), []),
    ("memory high", but(WELL, sample=sample(memory_percent=85.1)), [MEMORY]),
    ("errors at their limit", but(WELL, sample=sample(error_percent=5.0)), []),
    ("errors high", but(WELL, sample=sample(error_percent=5.1)), [ERRORS]),
    ("hit ratio at its limit", but(WELL, sample=sample(cache_hit_percent=70.0)), []),
    ("cache cold", but(WELL, sample=sample(cache_hit_percent=69.9)), [COLD]),
    ("nothing measured", but(WELL, sample=Sample(at=NOW)), []),
    (
        "everything wrong, in the order of the checks",
        but(
            WELL,
            engine=engine(last_bar_at=NOW - 600),
            document_error="bad",
            sample=sample(
                score=10.0, response_p95_seconds=9.0, cpu_percent=99.0, memory_percent=99.0, error_percent=50.0, cache_hit_percent=1.0
            ),
        ),
        [NOT_TAKEN, STALE, LOW_CRITICAL, SLOW, CPU, MEMORY, ERRORS, COLD],
    ),
]


@pytest.mark.parametrize(("situation", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_findings(situation: Situation, expected: list[tuple[FindingReason, Severity]]) -> None:
    found = assess(situation, ())
    assert [(finding.reason, finding.severity) for finding in found] == expected
    assert all(finding.message for finding in found if finding.reason is not FindingReason.DOCUMENT_REFUSED)
    assert all(finding.since == NOW for finding in found)


def test_the_list_of_what_is_possible_is_what_the_checks_find() -> None:
    assert {pair for _, _, expected in CASES for pair in expected} == set(POSSIBLE)
    assert {reason for reason, _ in POSSIBLE} == set(FindingReason)
    assert len(CHECKS) == len(FindingReason)


def test_since_lasts_as_long_as_the_finding_without_a_break() -> None:
    first = assess(but(WELL, sample=sample(score=55.0)), ())
    second = assess(but(WELL, at=NOW + 5, sample=sample(score=45.0), last_answer_at=NOW + 5), first)
    assert [(finding.severity, finding.since) for finding in second] == [(Severity.CRITICAL, NOW)], "a worse one of the same reason"
    third = assess(but(WELL, at=NOW + 6, last_answer_at=NOW + 6), second)
    assert third == ()
    fourth = assess(but(WELL, at=NOW + 7, sample=sample(score=45.0), last_answer_at=NOW + 7), third)
    assert [finding.since for finding in fourth] == [NOW + 7]


def test_a_message_has_the_value_and_the_limit() -> None:
    situation = but(WELL, sample=sample(cpu_percent=91.26), health=Health(cpu_percent=Limits(elevated=50, high=87.5)))
    (finding,) = assess(situation, ())
    assert finding == Finding(FindingReason.CPU_HIGH, Severity.WARNING, "CPU is 91.3 % of a core (limit 87.5 %)", since=NOW)
