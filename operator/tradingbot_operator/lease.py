"""A Lease of the API server as candidates for the lead see it, and when it may be taken. The rules are those of client-go.

A candidate never compares the times that are written in a record with its own clock. It notes when *it* saw the record change; a lease
that has not changed for its whole duration, by the candidate's own clock, has run out. So no two clocks have to agree, only to run at
about the same speed. Who writes does it over the version that it has read, so of two who take a lease at once one fails.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import Struct

from tradingbot_operator.kinds import LEASE

LEASE_SECONDS: Final = 15.0
"""How long others leave a record alone that does not change."""
RENEW_SECONDS: Final = 10.0
"""How long a leader acts on without a renewal; it ends well before others may begin."""
RETRY_SECONDS: Final = 2.0
"""How often a leader renews."""
LOOK_SECONDS: Final = 0.8
"""How often one that waits looks at the record: what it sees late, it takes over late."""
RELEASED_SECONDS: Final = 1
"""Duration in the record of a lease that was given back."""


class Record(Struct, frozen=True, kw_only=True):
    """What is written in a lease."""

    holder: str = ""
    """Empty: nobody's."""
    duration_seconds: float = LEASE_SECONDS
    acquired_at: str = ""
    renewed_at: str = ""
    """Another text tells of a renewal; nothing else is read from it."""
    transitions: int = 0


class Sighting(Struct, frozen=True, kw_only=True):
    """A record, and since when it has been as it is."""

    record: Record
    version: str
    """Of the object, for writing over it."""
    changed_at: float
    """When this process saw it change, by its own monotonic clock."""


def read_record(lease: Mapping[str, Any]) -> Record:
    """Return what is written in a lease; what is missing or makes no sense counts as the default."""
    spec = lease.get("spec") or {}
    duration = spec.get("leaseDurationSeconds")
    return Record(
        holder=spec.get("holderIdentity") or "",
        duration_seconds=float(duration) if duration and duration > 0 else LEASE_SECONDS,
        acquired_at=spec.get("acquireTime") or "",
        renewed_at=spec.get("renewTime") or "",
        transitions=spec.get("leaseTransitions") or 0,
    )


def see(before: Sighting | None, lease: Mapping[str, Any], *, now: float) -> Sighting:
    """Return what is known of a lease after it was read."""
    record = read_record(lease)
    unchanged = before is not None and before.record == record
    changed_at = before.changed_at if before is not None and unchanged else now
    return Sighting(record=record, version=lease["metadata"]["resourceVersion"], changed_at=changed_at)


def seconds_until_free(sighting: Sighting, identity: str, *, now: float) -> float:
    """Return when a lease may be taken, 0 for now; one's own may be at once."""
    if sighting.record.holder in {"", identity}:
        return 0.0
    return max(0.0, sighting.changed_at + sighting.record.duration_seconds - now)


def next_record(before: Record, identity: str, *, at_seconds: float) -> Record:
    """Return the record that takes or renews a lease; the time is for people."""
    now = _micro_time(at_seconds)
    if before.holder == identity:
        return Record(holder=identity, acquired_at=before.acquired_at, renewed_at=now, transitions=before.transitions)
    return Record(holder=identity, acquired_at=now, renewed_at=now, transitions=before.transitions + 1)


def released_record(before: Record, *, at_seconds: float) -> Record:
    """Return the record that gives a lease back."""
    now = _micro_time(at_seconds)
    return Record(holder="", duration_seconds=RELEASED_SECONDS, acquired_at=now, renewed_at=now, transitions=before.transitions)


def build_lease(namespace: str, name: str, record: Record, version: str = "") -> dict[str, Any]:
    """Return the lease with this record; with a version it can only be written over that."""
    return {
        "apiVersion": LEASE.api_version,
        "kind": LEASE.name,
        "metadata": {"namespace": namespace, "name": name} | ({"resourceVersion": version} if version else {}),
        "spec": {
            "holderIdentity": record.holder,
            "leaseDurationSeconds": int(record.duration_seconds),
            "acquireTime": record.acquired_at,
            "renewTime": record.renewed_at,
            "leaseTransitions": record.transitions,
        },
    }


def _micro_time(at_seconds: float) -> str:
    return datetime.fromtimestamp(at_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
