"""Elects the one operator that acts, by a Lease in the operator's own namespace.

Invariant: whoever leads has written its name over the record within the last :data:`~tradingbot_operator.lease.RENEW_SECONDS`, counted
from before the call was sent; everybody else leaves the record alone for longer than that. One that can't renew in time ends.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
import time
from typing import Final, NoReturn, Protocol

from tradingbot_operator.errors import ApiError, ConflictError
from tradingbot_operator.kinds import LEASE, Kind
from tradingbot_operator.kube import Object
from tradingbot_operator.lease import (
    LEASE_SECONDS,
    LOOK_SECONDS,
    RENEW_SECONDS,
    RETRY_SECONDS,
    Record,
    Sighting,
    build_lease,
    next_record,
    released_record,
    seconds_until_free,
    see,
)
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.term import Term

CALL_SECONDS: Final = 3.0
"""How long one call about the lease may take: several must fit into the time for renewal."""
MARGIN_SECONDS: Final = 1.0
"""What a call that changes something must end before the lease can run out for others."""

_logger = logging.getLogger(__name__)


class LeadershipLostError(Exception):
    """Another operator leads, or may soon: this one has to end, and starts anew as one that waits."""


class LeaseApi(Protocol):
    """What an election needs of the API server."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None: ...

    async def create(self, kind: Kind, namespace: str, manifest: Object, *, vital: bool = False) -> Object: ...

    async def update(self, kind: Kind, namespace: str, name: str, manifest: Object, *, vital: bool = False) -> Object | None: ...


def new_identity(pod: str) -> str:
    """Return a name for this process that no other has, also none of the same pod."""
    return f"{pod}_{secrets.token_hex(6)}"


class Elector:
    """One candidate."""

    def __init__(self, api: LeaseApi, term: Term, metrics: OperatorMetrics, *, namespace: str, name: str, identity: str) -> None:
        self._api = api
        self._term = term
        self._metrics = metrics
        self._namespace = namespace
        self._name = name
        self._identity = identity
        self._sighting: Sighting | None = None
        self._told = ""
        self.leader = ""
        """Who leads, as far as this candidate knows."""

    async def acquire(self) -> None:
        """Return when this process leads."""
        waits_for: str | None = None
        while not await self._attempt():
            if self.leader and self.leader != waits_for:
                waits_for = self.leader
                _logger.info("this operator waits", extra={"fields": {"identity": self._identity, "leader": self.leader}})
            seconds = LOOK_SECONDS
            if self._sighting is not None:
                free = seconds_until_free(self._sighting, self._identity, now=time.monotonic())
                seconds = min(seconds, free) if free > 0.0 else seconds
            # Spread, so that several who wait do not always collide.
            await asyncio.sleep(seconds * random.uniform(1.0, 1.2))  # noqa: S311 - it spreads load, it hides nothing
        self._metrics.leader.set(1)
        self._metrics.leader_transitions.inc()
        _logger.info("this operator leads", extra={"fields": {"identity": self._identity, "lease": f"{self._namespace}/{self._name}"}})

    async def hold(self) -> NoReturn:
        """Renew the lease until cancelled.

        Raises:
            LeadershipLostError: it could not be renewed in time, or is another's.
        """
        while True:
            await asyncio.sleep(min(RETRY_SECONDS, self._term.seconds_left()))
            renewed = await self._attempt(self._term.seconds_left())
            lost = "" if renewed else self._why_lost()
            if lost:
                self._term.end()
                self._metrics.leader.set(0)
                raise LeadershipLostError(f"the lease {self._namespace}/{self._name} {lost}")

    async def release(self) -> None:
        """Give the lease back, if it is this process's, so that another takes it at once."""
        led, sighting = self._term.is_leading, self._sighting
        self._term.end()
        self._metrics.leader.set(0)
        if not led or sighting is None or sighting.record.holder != self._identity:
            return
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await self._give_back(sighting)
        except (ApiError, TimeoutError) as error:
            # The others then wait until it has run out.
            _logger.warning("the lease could not be given back", extra={"fields": {"error": error}})

    async def _give_back(self, sighting: Sighting) -> None:
        manifest = self._build(released_record(sighting.record, at_seconds=time.time()), sighting.version)
        try:
            await self._api.update(LEASE, self._namespace, self._name, manifest, vital=True)
        except ConflictError:
            # A renewal that was cut short by the end of this process may have been written all the same.
            found = await self._api.get(LEASE, self._namespace, self._name)
            if found is None:
                return
            now = see(sighting, found, now=time.monotonic())
            if now.record.holder != self._identity or now.version == sighting.version:
                raise
            await self._give_back(now)
        else:
            _logger.info("the lease is given back", extra={"fields": {"identity": self._identity}})

    def _why_lost(self) -> str:
        """Return why a lease that was not renewed is lost; empty: there is time for another try."""
        # A call that failed says nothing; a record that was read names its holder.
        if self._sighting is not None and self._sighting.record.holder not in {"", self._identity}:
            return f"is now {self._sighting.record.holder}'s"
        return "" if self._term.is_leading else f"could not be renewed for {RENEW_SECONDS:g} s: {self._told}"

    async def _attempt(self, limit_seconds: float = CALL_SECONDS) -> bool:
        """Take or renew the lease; return whether that was done."""
        seconds = min(CALL_SECONDS, limit_seconds)
        try:
            async with asyncio.timeout(seconds):
                return await self._take()
        except ConflictError:
            return False  # somebody was faster; the next look says who
        except (ApiError, TimeoutError) as error:
            # The last try before the end has hardly any time: what kept the ones before from it says more.
            earlier = self._told if seconds < CALL_SECONDS else ""
            problem = str(error) or earlier or f"no answer within {seconds:.1f} s"
            if problem != self._told:
                _logger.warning("the lease could not be read or written", extra={"fields": {"error": problem}})
                self._told = problem
            return False

    async def _take(self) -> bool:
        found = await self._api.get(LEASE, self._namespace, self._name)
        if found is None:
            self._sighting = None
            record = next_record(Record(transitions=-1), self._identity, at_seconds=time.time())
            return await self._write(record, "")
        self._sighting = see(self._sighting, found, now=time.monotonic())
        self.leader = self._sighting.record.holder
        if seconds_until_free(self._sighting, self._identity, now=time.monotonic()) > 0.0:
            return False
        return await self._write(next_record(self._sighting.record, self._identity, at_seconds=time.time()), self._sighting.version)

    async def _write(self, record: Record, version: str) -> bool:
        sent_at = time.monotonic()
        manifest = self._build(record, version)
        if version:
            written = await self._api.update(LEASE, self._namespace, self._name, manifest, vital=True)
        else:
            written = await self._api.create(LEASE, self._namespace, manifest, vital=True)
        if written is None:
            return False  # it was deleted in between
        # From when it was sent: others can have seen it no earlier, so they wait longer than this process acts.
        self._term.extend(acts_until=sent_at + RENEW_SECONDS, calls_until=sent_at + LEASE_SECONDS - MARGIN_SECONDS)
        self._sighting = see(self._sighting, written, now=sent_at)
        self.leader, self._told = self._identity, ""
        return True

    def _build(self, record: Record, version: str) -> Object:
        return build_lease(self._namespace, self._name, record, version)
