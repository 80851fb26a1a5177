"""Lists everything: once before the first bot is looked at, then every few minutes.

The first time, so that an operator that starts knows what is there before it judges; without that it would take every child for
missing. Later, because a watch that breaks can miss a deletion, and kopf does not tell when it lists anew. Before a later list is taken in
it is compared with what the watches have brought, which is how a dead watch is found out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final

from tradingbot_operator.cache import BotKey, Cache, Unseen
from tradingbot_operator.errors import ApiError
from tradingbot_operator.kinds import BOT, CHILD_KINDS, POD, Kind
from tradingbot_operator.kube import Kube, Listing
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.names import MANAGED_SELECTOR
from tradingbot_operator.watch_health import SECOND_LOOK_SECONDS, WatchKey, WatchState, add_event, is_suspicious, judge_listing

RESYNC_SECONDS: Final = 300.0
SUSPICIOUS_SECONDS: Final = 60.0
"""How soon another list follows one that showed something that a watch had missed."""
FIRST_SECONDS: Final = 10.0
"""After the start: what ended between our list and the first of kopf's."""
RETRY_SECONDS: Final = 1.0

_KINDS: Final = (BOT, *CHILD_KINDS, POD)
_Take = Callable[[Kind, str | None, Listing], Coroutine[Any, Any, None]]
"""Takes in one list."""

_logger = logging.getLogger(__name__)


class Resync:
    """Keeps the cache complete, and an eye on the watches."""

    def __init__(
        self, kube: Kube, cache: Cache, wake: Callable[[BotKey], None], metrics: OperatorMetrics, namespaces: tuple[str, ...]
    ) -> None:
        self._kube = kube
        self._cache = cache
        self._wake = wake
        self._metrics = metrics
        self._scopes: tuple[str | None, ...] = namespaces or (None,)
        self._watches = {WatchKey(kind.name, scope): WatchState() for kind in _KINDS for scope in self._scopes}
        self.complete = False
        """Whether everything has been listed once."""
        self.listed_at: float | None = None
        """When everything was last listed, by the monotonic clock."""

    @property
    def watches(self) -> Mapping[WatchKey, WatchState]:
        return self._watches

    def note_event(self, kind: Kind, namespace: str) -> None:
        """Note that a watch has brought something."""
        key = WatchKey(kind.name, None if self._scopes == (None,) else namespace)
        if key in self._watches:
            self._watches[key] = add_event(self._watches[key])

    async def prime(self) -> None:
        """List everything; wait for the API server and for the CRD as long as it takes."""
        told = ""
        while not self.complete:
            try:
                self.complete = await self._list(self._take_in)
                reason = f"the API server does not know {BOT.plural} of {BOT.api_version}: install the CRD"
            except ApiError as error:
                reason = str(error)
            if not self.complete:
                if reason != told:
                    _logger.warning("waiting: %s", reason)
                    told = reason
                await asyncio.sleep(RETRY_SECONDS)
        for bot in self._cache.bots():
            self._wake(bot)

    async def catch_up(self) -> None:
        """List the bots; wait for the API server as long as it takes.

        What the operator that led before wrote last may not have come by the watch yet. Whoever begins to act must know which symbols
        of an account are taken.
        """
        while True:
            try:
                for namespace in self._scopes:
                    listing = await self._kube.list_all(BOT, namespace)
                    if listing is not None:
                        await self._take_in(BOT, namespace, listing)
            except ApiError as error:
                _logger.warning("the bots could not be listed", extra={"fields": {"error": error}})
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def run(self) -> None:
        """List everything again and again, until cancelled."""
        # The watches have only begun when the first of these lists comes, so it is not held against them.
        take: _Take = self._take_in
        seconds = FIRST_SECONDS
        while True:
            await asyncio.sleep(seconds)
            try:
                await self._list(take)
            except ApiError as error:
                _logger.warning("not everything could be listed", extra={"fields": {"error": error}})
            take = self._compare
            seconds = SUSPICIOUS_SECONDS if is_suspicious(self._watches) else RESYNC_SECONDS

    async def _list(self, take: _Take) -> bool:
        taken: list[asyncio.Task[None]] = []
        try:
            for kind in _KINDS:
                for namespace in self._scopes:
                    listing = await self._kube.list_all(kind, namespace, "" if kind is BOT else MANAGED_SELECTOR)
                    if listing is None:
                        return False
                    taken.append(asyncio.create_task(take(kind, namespace, listing)))
            await asyncio.gather(*taken)
        finally:
            for task in taken:
                task.cancel()
        self.listed_at = time.monotonic()
        self._metrics.resync_time.set(time.time())
        return True

    async def _take_in(self, kind: Kind, namespace: str | None, listing: Listing) -> None:
        for bot in self._cache.replace(kind.name, namespace, listing.items, listing.version):
            self._wake(bot)

    async def _compare(self, kind: Kind, namespace: str | None, listing: Listing) -> None:
        """Take a list in, after the watch has had some time to bring what it shows."""
        unseen = self._unseen(kind, namespace, listing)
        if unseen:
            await asyncio.sleep(SECOND_LOOK_SECONDS)
            unseen &= self._unseen(kind, namespace, listing)
        key = WatchKey(kind.name, namespace)
        self._watches[key] = judge_listing(self._watches[key], missed=_describe(unseen))
        if unseen:
            self._metrics.watch_missed.labels(kind.name).inc(len(unseen))
            fields = {"watch": key, "missed": self._watches[key].missed, "in_row": self._watches[key].missed_in_row}
            _logger.warning("a list shows what the watch has not brought", extra={"fields": fields})
        await self._take_in(kind, namespace, listing)

    def _unseen(self, kind: Kind, namespace: str | None, listing: Listing) -> set[Unseen]:
        return self._cache.unseen(kind.name, namespace, listing.items, listing.version)


def _describe(unseen: set[Unseen]) -> str:
    if not unseen:
        return ""
    first = min(unseen, key=lambda each: (each.namespace, each.name))
    what = f"{first.namespace}/{first.name}" + ("" if first.version is not None else ", which is gone")
    return what if len(unseen) == 1 else f"{what} and {len(unseen) - 1} more"
