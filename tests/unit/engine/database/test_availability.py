"""What ends trouble, and what doesn't."""

from __future__ import annotations

import pytest

from tradingbot_engine.database.adapter import Outage
from tradingbot_engine.database.availability import Availability, Proof, after_failure, after_success

UNKNOWN = Availability(since=1.0)


def test_before_anything_was_tried_nothing_is_known() -> None:
    assert UNKNOWN.up is None


@pytest.mark.parametrize("proof", list(Proof))
def test_the_first_success_says_that_it_is_up(proof: Proof) -> None:
    known = after_success(UNKNOWN, proof, 5.0, 0.1)
    assert (known.up, known.since, known.message, known.latency_seconds) == (True, 5.0, "", 0.1)


def test_further_successes_change_the_latency_only() -> None:
    known = after_success(UNKNOWN, Proof.READ, 5.0)
    assert after_success(known, Proof.WRITE, 6.0) is known
    later = after_success(known, Proof.CHECK, 7.0, 0.2)
    assert (later.since, later.latency_seconds) == (5.0, 0.2)


@pytest.mark.parametrize(
    ("outage", "proof", "ends"),
    [
        (Outage.GONE, Proof.READ, True),
        (Outage.GONE, Proof.WRITE, True),
        (Outage.GONE, Proof.CHECK, True),
        (Outage.UNWRITABLE, Proof.READ, False),
        (Outage.UNWRITABLE, Proof.CHECK, False),
        (Outage.UNWRITABLE, Proof.WRITE, True),
        (Outage.UNWRITABLE, Proof.WRITING_CHECK, True),
        (Outage.MISPLACED, Proof.READ, False),
        (Outage.MISPLACED, Proof.WRITE, False),
        (Outage.MISPLACED, Proof.CHECK, True),
        (Outage.MISPLACED, Proof.WRITING_CHECK, True),
    ],
)
def test_trouble_ends_by_what_it_would_have_prevented(outage: Outage, proof: Proof, *, ends: bool) -> None:
    down = after_failure(after_success(UNKNOWN, Proof.CHECK, 2.0, 0.3), outage, "why", 5.0)
    assert (down.up, down.since, down.message, down.latency_seconds) == (False, 5.0, "why", 0.3)
    after = after_success(down, proof, 9.0)
    assert (after.up, after.since, after.message) == ((True, 9.0, "") if ends else (False, 5.0, "why"))


def test_since_is_when_it_began_and_the_message_is_the_latest() -> None:
    down = after_failure(after_failure(UNKNOWN, Outage.GONE, "refused", 5.0), Outage.GONE, "timeout", 8.0)
    assert (down.since, down.message) == (5.0, "timeout")


def test_the_trouble_that_is_harder_to_end_stays() -> None:
    full = after_failure(UNKNOWN, Outage.UNWRITABLE, "disk full", 5.0)
    assert after_failure(full, Outage.GONE, "refused", 6.0).outage is Outage.UNWRITABLE
    gone = after_failure(UNKNOWN, Outage.GONE, "refused", 5.0)
    assert after_failure(gone, Outage.UNWRITABLE, "disk full", 6.0).outage is Outage.UNWRITABLE
