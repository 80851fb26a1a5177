"""The rules of the lease, and what follows: whatever clocks candidates have and however late their calls arrive, no two lead at once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_operator.lease import (
    LEASE_SECONDS,
    LOOK_SECONDS,
    RENEW_SECONDS,
    RETRY_SECONDS,
    Record,
    Sighting,
    build_lease,
    next_record,
    read_record,
    released_record,
    seconds_until_free,
    see,
)

NOON = 1_800_000_000.0


def stored(record: Record, version: int = 1) -> dict[str, Any]:
    return build_lease("ops", "lease", record, str(version))


def test_what_is_written_is_read_again() -> None:
    record = next_record(Record(transitions=2), "a", at_seconds=NOON)
    assert record == Record(holder="a", acquired_at="2027-01-15T08:00:00.000000Z", renewed_at="2027-01-15T08:00:00.000000Z", transitions=3)
    assert read_record(stored(record)) == record


def test_a_renewal_keeps_since_when_it_leads_and_another_holder_counts_as_a_transition() -> None:
    first = next_record(Record(transitions=-1), "a", at_seconds=NOON)
    renewed = next_record(first, "a", at_seconds=NOON + 2.0)
    assert (renewed.acquired_at, renewed.transitions) == (first.acquired_at, 0)
    assert renewed.renewed_at != first.renewed_at
    taken = next_record(renewed, "b", at_seconds=NOON + 30.0)
    assert (taken.holder, taken.transitions) == ("b", 1)
    assert taken.acquired_at == taken.renewed_at


@pytest.mark.parametrize("spec", [{}, {"leaseDurationSeconds": None}, {"leaseDurationSeconds": 0}, {"leaseDurationSeconds": -4}])
def test_a_record_without_a_duration_has_the_usual_one(spec: dict[str, Any]) -> None:
    assert read_record({"metadata": {}, "spec": spec}).duration_seconds == LEASE_SECONDS
    assert read_record({"metadata": {}}).holder == ""


def test_a_lease_runs_out_by_when_it_was_seen_to_change_not_by_what_is_written_in_it() -> None:
    long_ago = Record(holder="a", renewed_at="1999-01-01T00:00:00.000000Z")
    sighting = see(None, stored(long_ago), now=100.0)
    assert seconds_until_free(sighting, "b", now=100.0) == LEASE_SECONDS
    sighting = see(sighting, stored(long_ago, 2), now=110.0)
    assert seconds_until_free(sighting, "b", now=110.0) == LEASE_SECONDS - 10.0, "another version is no renewal"
    renewed = next_record(long_ago, "a", at_seconds=NOON)
    assert seconds_until_free(see(sighting, stored(renewed, 3), now=112.0), "b", now=112.0) == LEASE_SECONDS
    assert seconds_until_free(sighting, "b", now=115.0) == 0.0


def test_a_lease_is_free_at_once_for_its_holder_and_when_it_was_given_back() -> None:
    held = next_record(Record(), "a", at_seconds=NOON)
    assert seconds_until_free(see(None, stored(held), now=0.0), "a", now=0.0) == 0.0
    given_back = released_record(held, at_seconds=NOON)
    assert seconds_until_free(see(None, stored(given_back), now=0.0), "b", now=0.0) == 0.0
    assert read_record(stored(given_back)).duration_seconds == 1.0


def test_one_that_waits_takes_over_within_seventeen_seconds() -> None:
    # It sees the last renewal at the latest one look late, and wakes when the lease has run out; looks are up to a fifth longer.
    assert 1.2 * LOOK_SECONDS + LEASE_SECONDS + 0.2 * LOOK_SECONDS < 16.5
    assert 2 * RETRY_SECONDS < RENEW_SECONDS < LEASE_SECONDS


class Candidate:
    """The elector's rules, with a clock that it alone knows and calls that a scenario lets through or not."""

    def __init__(self, name: str, offset: float) -> None:
        self.name = name
        self.offset = offset
        self.sighting: Sighting | None = None
        self.acts_until = float("-inf")

    def leads(self, now: float) -> bool:
        return now + self.offset < self.acts_until

    def look(self, store: Store, now: float) -> None:
        self.sighting = see(self.sighting, stored(store.record, store.version), now=now + self.offset)

    def prepare(self, now: float) -> tuple[Record, str] | None:
        """Return what it would write, over which version."""
        if self.sighting is None or seconds_until_free(self.sighting, self.name, now=now + self.offset) > 0.0:
            return None
        return next_record(self.sighting.record, self.name, at_seconds=NOON + now), self.sighting.version


class Store:
    """The API server: it takes what was made over the version that it has."""

    def __init__(self) -> None:
        self.record = Record()
        self.version = 1

    def write(self, record: Record, version: str) -> bool:
        if version != str(self.version):
            return False
        self.record, self.version = record, self.version + 1
        return True


STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),  # who
        st.sampled_from(["look", "send", "arrive", "answer", "all"]),
        st.floats(0.0, 6.0),  # how long after the step before
    ),
    max_size=200,
)


@given(STEPS, st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_no_two_lead_at_once_however_late_calls_and_answers_are(steps: list[tuple[int, str, float]], offsets: list[float]) -> None:
    store, now = Store(), 0.0
    candidates = [Candidate(name, offset) for name, offset in zip("abc", offsets, strict=True)]
    sent: dict[str, tuple[Record, str, float]] = {}
    arrived: dict[str, tuple[bool, float]] = {}
    for who, step, pause in steps:
        now += pause
        candidate = candidates[who]
        if step in {"look", "all"}:
            candidate.look(store, now)
        if step in {"send", "all"} and (prepared := candidate.prepare(now)) is not None:
            sent[candidate.name] = (*prepared, now)
        if step in {"arrive", "all"} and candidate.name in sent:
            record, version, at = sent.pop(candidate.name)
            arrived[candidate.name] = (store.write(record, version), at)
        if step in {"answer", "all"} and candidate.name in arrived:
            taken, at = arrived.pop(candidate.name)
            if taken:
                candidate.acts_until = at + candidate.offset + RENEW_SECONDS
        assert sum(each.leads(now) for each in candidates) <= 1
