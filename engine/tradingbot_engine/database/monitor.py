"""Knows whether the database can be used: from each transaction that ends, at once, and from a check now and then.

The check has a connection of its own, outside the pool and opened for it: a pool that is exhausted is not taken for a database that is
gone, and what a new connection would meet is met before one is needed. It works on a thread that nothing waits for: a disk that hangs
holds up neither the event loop nor the end of the process.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import Final

import sqlalchemy

from tradingbot_contract.report import Dependency
from tradingbot_engine.database.adapter import Adapter, Outage, Verdict
from tradingbot_engine.database.availability import Availability, Proof, after_failure, after_success
from tradingbot_engine.database.connections import Database

NAME: Final = "database"
_ANSWER_SECONDS: Final = 15.0
"""How long to wait for a check: more than a connection and two statements may take, so it is a disk that hangs."""
_logger = logging.getLogger(__name__)


class DatabaseMonitor:
    """See the module; `check` is the job. Any thread may tell it how a transaction ended."""

    def __init__(self, database: Database) -> None:
        """Begin to listen to `database`, which has one monitor at most."""
        self._database = database
        self._adapter: Adapter = database.adapter
        self._where = database.address.redacted
        self._known = Availability(since=time.time())
        self._changing = threading.Lock()
        self._check: _Check | None = None
        database.listener = self

    @property
    def dependency(self) -> Dependency:
        """What the engine reports."""
        known = self._known
        return Dependency(name=NAME, up=known.up, since=known.since, message=known.message, latency_seconds=known.latency_seconds)

    def succeeded(self, *, writes: bool) -> None:
        if not self._known.up:  # the usual case costs nothing
            self._change(lambda known, now: after_success(known, Proof.WRITE if writes else Proof.READ, now))

    def failed(self, error: sqlalchemy.exc.DBAPIError, *, writes: bool) -> None:
        original = error.orig
        outage = None if original is None else self._adapter.judge(original, writes=writes)
        if outage is None and error.connection_invalidated:
            outage = Outage.GONE
        if outage is not None:
            self._fail(outage, " ".join(str(original).split()))

    async def check(self) -> None:
        """Try the database, and look for connections that are leaked."""
        self._database.review_loans()
        if self._check is None or self._check.done.done():
            # Only a write proves that a database which could not take one can again.
            self._check = _Check(self._adapter, writes=self._known.outage is Outage.UNWRITABLE)
        check = self._check
        await asyncio.wait({check.done}, timeout=_ANSWER_SECONDS)
        if not check.done.done():
            self._fail(self._adapter.silence, f"no answer within {_ANSWER_SECONDS:g} s")
            return
        verdict, seconds = check.done.result()
        if verdict is None:
            return
        if verdict.outage is not None:
            self._fail(verdict.outage, verdict.message)
        else:
            proof = Proof.WRITING_CHECK if check.writes else Proof.CHECK
            self._change(lambda known, now: after_success(known, proof, now, seconds))

    def _fail(self, outage: Outage, message: str) -> None:
        self._change(lambda known, now: after_failure(known, outage, message, now))

    def _change(self, judge: Callable[[Availability, float], Availability]) -> None:
        with self._changing:
            before = self._known
            known = self._known = judge(before, time.time())
        if known.up is False and before.up is not False:
            _logger.error("the database can't be used", extra={"fields": {"database": self._where, "error": known.message}})
        elif known.up and before.up is False:
            fields = {"database": self._where, "seconds": round(known.since - before.since, 1)}
            _logger.info("the database can be used again", extra={"fields": fields})


class _Check:
    """One check, on a thread of its own."""

    def __init__(self, adapter: Adapter, *, writes: bool) -> None:
        self.writes = writes
        self.done: asyncio.Future[tuple[Verdict | None, float]] = asyncio.get_running_loop().create_future()
        """What was found, and how long it took in seconds."""
        self._adapter = adapter
        threading.Thread(target=self._run, name="database-check", daemon=True).start()

    def _run(self) -> None:
        started_at = time.perf_counter()
        verdict = self._adapter.check(writes=self.writes)
        seconds = time.perf_counter() - started_at
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile: nobody wants to know any more
            self.done.get_loop().call_soon_threadsafe(self._tell, (verdict, seconds))

    def _tell(self, result: tuple[Verdict | None, float]) -> None:
        if not self.done.done():
            self.done.set_result(result)
