"""Whether the database can be used, judged by what has been seen of it: transactions that ended, and checks.

Invariant: trouble ends only by something that it would have prevented. A file that can still be read does not say that its disk has
room again; a transaction on a file that is open does not say that the file is still in its folder.
"""

from __future__ import annotations

import enum
from typing import Final

from msgspec import Struct, structs

from tradingbot_engine.database.adapter import Outage


class Proof(enum.Enum):
    """What has succeeded."""

    READ = "read"
    WRITE = "write"
    CHECK = "check"
    """A check that only read."""
    WRITING_CHECK = "writing check"


_ENDS: Final = {
    Outage.GONE: frozenset(Proof),
    Outage.UNWRITABLE: frozenset({Proof.WRITE, Proof.WRITING_CHECK}),
    Outage.MISPLACED: frozenset({Proof.CHECK, Proof.WRITING_CHECK}),
}


class Availability(Struct, frozen=True, kw_only=True):
    """What is known at one time."""

    outage: Outage | None = None
    """What is wrong; None while nothing is, or nothing is known."""
    known: bool = False
    since: float
    """When it went up or down, or was first asked about, in seconds since the epoch."""
    message: str = ""
    latency_seconds: float | None = None
    """What the last successful check took."""

    @property
    def up(self) -> bool | None:
        """None: nobody has tried yet."""
        return self.outage is None if self.known else None


def after_success(before: Availability, proof: Proof, now: float, latency_seconds: float | None = None) -> Availability:
    """Return what is known when something has succeeded; `latency_seconds` is that of a check."""
    latency_seconds = before.latency_seconds if latency_seconds is None else latency_seconds
    if before.outage is not None and proof not in _ENDS[before.outage]:
        return structs.replace(before, latency_seconds=latency_seconds)
    if before.up:
        return before if latency_seconds == before.latency_seconds else structs.replace(before, latency_seconds=latency_seconds)
    return Availability(known=True, since=now, latency_seconds=latency_seconds)


def after_failure(before: Availability, outage: Outage, message: str, now: float) -> Availability:
    """Return what is known when something has failed; of two kinds of trouble the one that is harder to end stays."""
    if before.outage is not None and len(_ENDS[before.outage]) < len(_ENDS[outage]):
        return structs.replace(before, message=message)
    since = now if before.outage is None else before.since
    return Availability(known=True, outage=outage, since=since, message=message, latency_seconds=before.latency_seconds)
