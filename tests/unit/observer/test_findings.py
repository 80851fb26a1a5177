from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tradingbot_contract.report import Dependency, EngineState, EngineStatus, Finding, FindingReason, PoolUse, Sample, Severity
from tradingbot_contract.spec import Health, Limits, ScoreLimits
from tradingbot_observer.findings import CHECKS, POSSIBLE, assess
from tradingbot_observer.process_checks import STARTUP_GRACE_SECONDS
from tradingbot_observer.resource_checks import EXHAUSTED_SECONDS
from tradingbot_observer.symptoms import Situation

NOW = 10_000.0
WELL_STATUS = EngineStatus(
    state=EngineState.RUNNING,
    generation=3,
    started_at=NOW - 500,
    heartbeat_at=NOW - 1,
    last_bar_at=NOW - 1,
    feed_due=True,
    dependencies=(
        Dependency(name="database", up=True, since=NOW - 500, latency_seconds=0.001),
        Dependency(name="redis", up=True, since=NOW - 500),
        Dependency(name="news", up=None, since=NOW - 500),
        Dependency(name="otlp", up=True, since=NOW - 500),
    ),
    pools=(PoolUse(name="journal", used=1, max_connections=7, pending=0, timeouts=0),),
    memory_mode="Full",
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
    process_started_at=NOW - 500,
    process_was_seen=True,
    process_has_answered=True,
    silent_seconds=1.0,
    watched_seconds=500.0,
    engine=WELL_STATUS,
    samples=(WELL_SAMPLE,) * 5,
)
NOTHING_YET = Situation(
    at=NOW,
    health=Health(),
    process_started_at=None,
    process_was_seen=False,
    process_has_answered=False,
    silent_seconds=None,
    watched_seconds=5.0,
    engine=None,
)


def but(situation: Situation, **changes: Any) -> Situation:
    return msgspec.structs.replace(situation, **changes)


def engine(**changes: Any) -> EngineStatus:
    return msgspec.structs.replace(WELL_STATUS, **changes)


def without(*names: str) -> EngineStatus:
    """Return the status of an engine that can't reach these dependencies."""
    found = {each.name: each for each in WELL_STATUS.dependencies}
    gone = {name: Dependency(name=name, up=False, since=NOW - 12, message="connection refused") for name in names}
    return engine(dependencies=tuple((found | gone).values()))


def exhausted(since: float | None) -> EngineStatus:
    return engine(pools=(PoolUse(name="journal", used=7, max_connections=7, pending=2, timeouts=0, exhausted_since=since),))


def measured(**changes: Any) -> tuple[Sample, ...]:
    """Return a window of samples that are all alike."""
    return (msgspec.structs.replace(WELL_SAMPLE, **changes),) * 5


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
NO_DATABASE = (FindingReason.DATABASE_DOWN, Severity.CRITICAL)
NO_REDIS = (FindingReason.REDIS_DOWN, Severity.WARNING)
NO_NEWS = (FindingReason.DEPENDENCY_DOWN, Severity.WARNING)
NO_COLLECTOR = (FindingReason.DEPENDENCY_DOWN, Severity.INFO)
EXHAUSTED = (FindingReason.POOL_EXHAUSTED, Severity.WARNING)
BEHIND = (FindingReason.JOURNAL_BEHIND, Severity.WARNING)
LOWERED = (FindingReason.MEMORY_MODE_LOWERED, Severity.INFO)

CASES: list[tuple[str, Situation, list[tuple[FindingReason, Severity]]]] = [
    ("all well", WELL, []),
    ("nothing known yet", NOTHING_YET, []),
    # The process
    ("gone", but(WELL, process_started_at=None, process_has_answered=False), [GONE]),
    (
        "gone, and silent for long: one cause, one finding",
        but(WELL, process_started_at=None, process_has_answered=False, silent_seconds=300.0),
        [GONE],
    ),
    ("never there, within the grace", but(NOTHING_YET, watched_seconds=STARTUP_GRACE_SECONDS), []),
    ("never there, past the grace", but(NOTHING_YET, watched_seconds=STARTUP_GRACE_SECONDS + 1), [GONE]),
    ("processes can't be seen, it answers", but(WELL, process_started_at=None, process_was_seen=False), []),
    # Silence
    ("late, within the limit", but(WELL, silent_seconds=10.0), []),
    ("silent", but(WELL, silent_seconds=10.1), [SILENT]),
    ("silent, by the spec's own limit", but(WELL, silent_seconds=4.0, health=Health(silent_after_seconds=3)), [SILENT]),
    ("silent, processes can't be seen", but(WELL, process_started_at=None, process_was_seen=False, silent_seconds=11.0), [SILENT]),
    ("starting, not yet an answer", but(NOTHING_YET, process_started_at=NOW - STARTUP_GRACE_SECONDS, process_was_seen=True), []),
    (
        "never answered since its start",
        but(NOTHING_YET, process_started_at=NOW - 31, process_was_seen=True, watched_seconds=31.0),
        [SILENT],
    ),
    (
        "restarted, the last answer was of the one before",
        but(WELL, silent_seconds=20.0, process_has_answered=False, process_started_at=NOW - 15, watched_seconds=15.0),
        [],
    ),
    (
        "restarted, and silent since",
        but(WELL, silent_seconds=60.0, process_has_answered=False, process_started_at=NOW - 31, watched_seconds=31.0),
        [SILENT],
    ),
    ("up for long, and new to its observer", but(WELL, silent_seconds=None, process_has_answered=False, watched_seconds=0.0), []),
    (
        "up for long, without an answer to a new observer",
        but(WELL, silent_seconds=None, process_has_answered=False, watched_seconds=10.1),
        [SILENT],
    ),
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
        but(WELL, silent_seconds=100.0, engine=engine(state=EngineState.REFUSED, feed_due=False)),
        [SILENT],
    ),
    ("a changed document is not taken by the engine", but(WELL, engine=engine(document_refusal="memory: too much")), [NOT_TAKEN]),
    (
        "not taken, by an old answer: only silence is known",
        but(WELL, silent_seconds=100.0, engine=engine(document_refusal="memory: too much")),
        [SILENT],
    ),
    # What the engine needs
    ("no database", but(WELL, engine=without("database")), [NO_DATABASE]),
    ("no Redis", but(WELL, engine=without("redis")), [NO_REDIS]),
    ("no news", but(WELL, engine=without("news")), [NO_NEWS]),
    ("no collector of metrics", but(WELL, engine=without("otlp")), [NO_COLLECTOR]),
    ("neither news nor collector: the worse one counts", but(WELL, engine=without("news", "otlp")), [NO_NEWS]),
    ("nothing tried yet", but(WELL, engine=engine(dependencies=(Dependency(name="database", up=None, since=NOW),))), []),
    ("an engine that says nothing of what it needs", but(WELL, engine=engine(dependencies=(), pools=(), memory_mode="")), []),
    ("no database, by an old answer: only silence is known", but(WELL, silent_seconds=100.0, engine=without("database")), [SILENT]),
    ("all connections in use, nobody waits", but(WELL, engine=exhausted(None)), []),
    ("pool exhausted by a burst", but(WELL, engine=exhausted(NOW - EXHAUSTED_SECONDS)), []),
    ("pool exhausted", but(WELL, engine=exhausted(NOW - EXHAUSTED_SECONDS - 0.1)), [EXHAUSTED]),
    ("journal behind", but(WELL, engine=engine(journal_behind_seconds=31.0)), [BEHIND]),
    ("memory mode lowered", but(WELL, engine=engine(memory_mode="Minimal", memory_mode_reason="memory is short")), [LOWERED]),
    # The feed
    ("bar at the limit of its age", but(WELL, engine=engine(last_bar_at=NOW - 60)), []),
    ("stale", but(WELL, engine=engine(last_bar_at=NOW - 60.1)), [STALE]),
    ("never a bar, past the limit", but(WELL, engine=engine(last_bar_at=None)), [STALE]),
    ("never a bar, within the limit", but(WELL, engine=engine(last_bar_at=None, started_at=NOW - 60)), []),
    ("no bar yet of a long start", but(WELL, engine=engine(last_bar_at=None, started_at=NOW - 600, trading_since=NOW - 60)), []),
    ("no bar since it was let trade again", but(WELL, engine=engine(last_bar_at=NOW - 600, trading_since=NOW - 60.1)), [STALE]),
    ("no bar is due", but(WELL, engine=engine(last_bar_at=NOW - 600, feed_due=False, state=EngineState.FINISHED)), []),
    ("stale by an old answer: only silence is known", but(WELL, silent_seconds=80.0, engine=engine(last_bar_at=NOW - 80)), [SILENT]),
    # The sample
    ("score at warning", but(WELL, samples=measured(score=60.0)), []),
    ("score below warning", but(WELL, samples=measured(score=59.9)), [LOW]),
    ("score at critical", but(WELL, samples=measured(score=50.0)), [LOW]),
    ("score below critical", but(WELL, samples=measured(score=49.9)), [LOW_CRITICAL]),
    (
        "score by the spec's own limits",
        but(WELL, samples=measured(score=85.0), health=Health(score=ScoreLimits(critical=80, warning=90, unhealthy=95))),
        [LOW],
    ),
    ("response at its limit", but(WELL, samples=measured(response_p95_seconds=2.0)), []),
    ("response slow", but(WELL, samples=measured(response_p95_seconds=2.1)), [SLOW]),
    ("cpu at its limit", but(WELL, samples=measured(cpu_percent=80.0)), []),
    ("cpu high", but(WELL, samples=measured(cpu_percent=80.1)), [CPU]),
    ("memory at its limit", but(WELL, samples=measured(memory_percent=85.0)), []),
    ("memory high", but(WELL, samples=measured(memory_percent=85.1)), [MEMORY]),
    ("errors at their limit", but(WELL, samples=measured(error_percent=5.0)), []),
    ("errors high", but(WELL, samples=measured(error_percent=5.1)), [ERRORS]),
    ("hit ratio at its limit", but(WELL, samples=measured(cache_hit_percent=70.0)), []),
    ("cache cold", but(WELL, samples=measured(cache_hit_percent=69.9)), [COLD]),
    ("nothing measured", but(WELL, samples=(Sample(at=NOW),) * 5), []),
    (
        "everything wrong, in the order of the checks",
        but(
            WELL,
            engine=msgspec.structs.replace(
                without("database", "redis", "news", "otlp"),
                last_bar_at=NOW - 600,
                pools=exhausted(NOW - 60).pools,
                journal_behind_seconds=60.0,
                memory_mode_reason="memory is short",
            ),
            document_error="bad",
            samples=measured(
                score=10.0, response_p95_seconds=9.0, cpu_percent=99.0, memory_percent=99.0, error_percent=50.0, cache_hit_percent=1.0
            ),
        ),
        [
            NOT_TAKEN,
            NO_DATABASE,
            STALE,
            LOW_CRITICAL,
            SLOW,
            CPU,
            MEMORY,
            ERRORS,
            NO_REDIS,
            NO_NEWS,
            EXHAUSTED,
            BEHIND,
            COLD,
            LOWERED,
        ],
    ),
]


@pytest.mark.parametrize(("situation", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_findings(situation: Situation, expected: list[tuple[FindingReason, Severity]]) -> None:
    found = assess(situation, ())
    assert [(finding.reason, finding.severity) for finding in found] == expected
    assert all(finding.message for finding in found if finding.reason is not FindingReason.DOCUMENT_REFUSED)
    assert all(finding.since == NOW for finding in found if finding.reason is not FindingReason.POOL_EXHAUSTED)


def test_the_list_of_what_is_possible_is_what_the_checks_find() -> None:
    assert {pair for _, _, expected in CASES for pair in expected} == set(POSSIBLE)
    assert {reason for reason, _ in POSSIBLE} == set(FindingReason)
    assert len(CHECKS) == len(FindingReason)


def test_since_lasts_as_long_as_the_finding_without_a_break() -> None:
    first = assess(but(WELL, samples=measured(score=55.0)), ())
    second = assess(but(WELL, at=NOW + 5, samples=measured(score=45.0), silent_seconds=0.0), first)
    assert [(finding.severity, finding.since) for finding in second] == [(Severity.CRITICAL, NOW)], "a worse one of the same reason"
    third = assess(but(WELL, at=NOW + 6, silent_seconds=0.0), second)
    assert third == ()
    fourth = assess(but(WELL, at=NOW + 7, samples=measured(score=45.0), silent_seconds=0.0), third)
    assert [finding.since for finding in fourth] == [NOW + 7]


def test_an_exhausted_pool_has_been_so_since_the_engine_says_so() -> None:
    (finding,) = assess(but(WELL, engine=exhausted(NOW - 42)), ())
    assert finding.since == NOW - 42


def test_a_message_has_the_value_and_the_limit() -> None:
    situation = but(WELL, samples=measured(cpu_percent=91.26), health=Health(cpu_percent=Limits(elevated=50, high=87.5)))
    (finding,) = assess(situation, ())
    assert finding == Finding(
        FindingReason.CPU_HIGH, Severity.WARNING, "CPU is 91.3 % of a core (limit 87.5 %), in 5 of the last 5 samples", since=NOW
    )


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (without("database"), "database can't be reached for 12 s: connection refused"),
        (without("news", "otlp"), "news can't be reached for 12 s: connection refused; otlp can't be reached for 12 s: connection refused"),
        (exhausted(NOW - 8), "all 7 connections of the pool journal have been borrowed for 8 s, and 2 wait"),
        (engine(journal_behind_seconds=31.2), "the oldest step of the feed that isn't in the journal has waited for 31 s"),
        (engine(memory_mode="Minimal", memory_mode_reason="no model"), "news is judged in mode Minimal: no model"),
        (engine(document_refusal="memory: too much"), "memory: too much; the engine goes on with generation 3"),
    ],
)
def test_a_message_says_what_the_engine_said(status: EngineStatus, message: str) -> None:
    (finding,) = assess(but(WELL, engine=status), ())
    assert finding.message == message
