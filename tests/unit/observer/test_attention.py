"""When the engine is asked again at once, and when each second."""

from __future__ import annotations

import msgspec
import pytest

from tradingbot_contract.report import EngineState, EngineStatus
from tradingbot_observer.attention import (
    ATTENTIVE_PROBE_SECONDS,
    LEAST_SECONDS,
    MOST_SECONDS,
    PROBE_SECONDS,
    Attention,
    Subject,
    follow,
    has_acknowledged,
    pause_seconds,
)

AGREED = Subject(document=1, document_generation=1, engine_started_at=5.0, engine_generation=1)
WAITED_FOR = msgspec.structs.replace(AGREED, document=2, document_generation=2)
STATUS = EngineStatus(state=EngineState.RUNNING, generation=7, started_at=0.0, heartbeat_at=0.0)


@pytest.mark.parametrize(
    ("subject", "seconds", "pause"),
    [
        (AGREED, 0.0, ATTENTIVE_PROBE_SECONDS),
        (AGREED, LEAST_SECONDS, PROBE_SECONDS),
        (WAITED_FOR, LEAST_SECONDS, ATTENTIVE_PROBE_SECONDS),
        (WAITED_FOR, MOST_SECONDS - 0.01, ATTENTIVE_PROBE_SECONDS),
        (WAITED_FOR, MOST_SECONDS, PROBE_SECONDS),
        (msgspec.structs.replace(WAITED_FOR, refused_generation=2), LEAST_SECONDS, PROBE_SECONDS),
        (msgspec.structs.replace(WAITED_FOR, refused_generation=1), LEAST_SECONDS, ATTENTIVE_PROBE_SECONDS),
        (msgspec.structs.replace(WAITED_FOR, engine_generation=3), LEAST_SECONDS, ATTENTIVE_PROBE_SECONDS),
        (Subject(document=1, document_generation=1), LEAST_SECONDS, PROBE_SECONDS),
        (Subject(engine_started_at=5.0, engine_generation=1), LEAST_SECONDS, PROBE_SECONDS),
    ],
)
def test_attention_lasts_until_the_engine_has_answered_for_the_document_and_not_for_ever(
    subject: Subject, seconds: float, pause: float
) -> None:
    assert pause_seconds(Attention(subject, since=100.0), 100.0 + seconds) == pause


def test_attention_begins_anew_with_another_document_or_engine_and_with_nothing_else() -> None:
    first = Attention(AGREED, since=100.0)
    assert follow(first, AGREED, 200.0) is first
    for other in (WAITED_FOR, msgspec.structs.replace(AGREED, document=2), msgspec.structs.replace(AGREED, engine_started_at=6.0)):
        assert follow(first, other, 200.0) == Attention(other, 200.0)


@pytest.mark.parametrize(
    ("engine", "acknowledged"),
    [
        (None, False),
        (STATUS, True),
        (msgspec.structs.replace(STATUS, generation=8), True),
        (msgspec.structs.replace(STATUS, generation=6), False),
        (msgspec.structs.replace(STATUS, generation=5, document_refusal="risk: no", refused_generation=7), True),
        (msgspec.structs.replace(STATUS, generation=5, document_refusal="risk: no", refused_generation=6), False),
        (msgspec.structs.replace(STATUS, generation=5, document_refusal="can't be read"), False),
    ],
)
def test_a_generation_is_acknowledged_by_running_or_refusing_it_or_a_later_one(engine: EngineStatus | None, acknowledged: bool) -> None:
    assert has_acknowledged(engine, 7) is acknowledged
