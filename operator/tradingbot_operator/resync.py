"""Lists everything: once before the first bot is looked at, then every few minutes.

The first time, so that an operator that starts knows what is there before it judges; without that it would take every child for
missing. Later, because a watch that breaks can miss a deletion, and kopf does not tell when it lists anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final

from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.errors import ApiError
from tradingbot_operator.kinds import BOT, CHILD_KINDS, POD, Kind
from tradingbot_operator.kube import Kube
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.names import MANAGED_SELECTOR

RESYNC_SECONDS: Final = 300.0
SECOND_LOOK_SECONDS: Final = 10.0
"""After the start: what ended between our list and the first of kopf's."""
RETRY_SECONDS: Final = 1.0

_logger = logging.getLogger(__name__)


class Resync:
    """Keeps the cache complete."""

    def __init__(
        self, kube: Kube, cache: Cache, wake: Callable[[BotKey], None], metrics: OperatorMetrics, namespaces: tuple[str, ...]
    ) -> None:
        self._kube = kube
        self._cache = cache
        self._wake = wake
        self._metrics = metrics
        self._scopes: tuple[str | None, ...] = namespaces or (None,)
        self.complete = False
        """Whether everything has been listed once."""

    async def prime(self) -> None:
        """List everything; wait for the API server and for the CRD as long as it takes."""
        told = ""
        while not self.complete:
            try:
                self.complete = await self._list()
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

    async def run(self) -> None:
        """List everything again and again, until cancelled."""
        seconds = SECOND_LOOK_SECONDS
        while True:
            await asyncio.sleep(seconds)
            seconds = RESYNC_SECONDS
            try:
                await self._list()
            except ApiError as error:
                _logger.warning("not everything could be listed", extra={"fields": {"error": error}})

    async def _list(self) -> bool:
        for kind in (BOT, *CHILD_KINDS, POD):
            for namespace in self._scopes:
                if not await self._list_kind(kind, namespace):
                    return False
        self._metrics.resync_time.set(time.time())
        return True

    async def _list_kind(self, kind: Kind, namespace: str | None) -> bool:
        listing = await self._kube.list_all(kind, namespace, "" if kind is BOT else MANAGED_SELECTOR)
        if listing is None:
            return False
        for bot in self._cache.replace(kind.name, namespace, listing.items, listing.version):
            self._wake(bot)
        return True
