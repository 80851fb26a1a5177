from __future__ import annotations

import math
import time

from tradingbot_operator.term import Term, endless_term


def test_a_process_leads_only_until_the_time_that_it_was_given() -> None:
    term = Term()
    assert not term.is_leading
    assert term.call_seconds() == 0.0
    now = time.monotonic()
    term.extend(acts_until=now + 100.0, calls_until=now + 140.0)
    assert term.is_leading
    assert 99.0 < term.seconds_left() <= 100.0
    assert 139.0 < term.call_seconds() <= 140.0


def test_nothing_begins_after_the_term_although_a_call_may_still_end() -> None:
    term, now = Term(), time.monotonic()
    term.extend(acts_until=now - 0.001, calls_until=now + 60.0)
    assert not term.is_leading
    assert term.call_seconds() == 0.0


def test_a_term_that_was_ended_is_over() -> None:
    term = endless_term()
    assert term.is_leading
    assert term.call_seconds() == math.inf
    term.end()
    assert not term.is_leading
