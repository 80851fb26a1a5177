"""Tells people what happened to a bot, as Events beside it: one for each reason, counted up, so that nothing can flood the API server.

An Event that can't be written is a pity, never a reason for anything else to fail.
"""

from __future__ import annotations

import hashlib
import logging
import time
from typing import Any

from tradingbot_operator.actions import Notice
from tradingbot_operator.cache import BotKey
from tradingbot_operator.errors import ApiError, ConflictError, NamespaceGoingError
from tradingbot_operator.kinds import EVENT
from tradingbot_operator.kube import Kube
from tradingbot_operator.names import FIELD_MANAGER
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import Metadata
from tradingbot_operator.timestamp import format_time

_logger = logging.getLogger(__name__)


class EventRecorder:
    """Writes Events. It counts those of its own life only."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._counts: dict[tuple[BotKey, Reason], int] = {}
        """How often something happened to a bot."""
        # Another process's Events are other Events: it can't know how far that one has counted.
        self._mark = str(time.time_ns())

    async def tell(self, owner: dict[str, Any], metadata: Metadata, notice: Notice) -> None:
        """Write an Event about a bot.

        Args:
            owner: reference to the bot.
            metadata: of the bot.
            notice: what happened.
        """
        fields = {"reason": notice.reason.value, "bot": f"{metadata.namespace}/{metadata.name}"}
        _logger.log(logging.WARNING if notice.warning else logging.INFO, notice.message, extra={"fields": fields})
        digest = hashlib.sha256(f"{metadata.uid}/{notice.reason.value}/{self._mark}".encode()).hexdigest()[:16]
        name = f"{metadata.name}.{digest}"
        counted = (BotKey(metadata.namespace, metadata.name), notice.reason)
        count = self._counts[counted] = self._counts.get(counted, 0) + 1
        now = format_time(time.time())
        try:
            if count > 1:
                change = {"count": count, "lastTimestamp": now, "message": notice.message[:1024]}
                if await self._kube.patch(EVENT, metadata.namespace, name, change) is not None:
                    return
                self._counts[counted] = 1  # it has expired
            await self._kube.create(EVENT, metadata.namespace, _event(owner, metadata, notice, name, now))
        except ConflictError:
            _logger.debug("there is such an Event already", extra={"fields": fields})
        except NamespaceGoingError:
            _logger.debug("the namespace is being deleted, and takes no Events", extra={"fields": fields})
        except ApiError as error:
            _logger.warning("an Event could not be written", extra={"fields": {**fields, "error": error}})

    def forget(self, bot: BotKey) -> None:
        """Forget the Events of a bot that is gone."""
        for counted in [counted for counted in self._counts if counted[0] == bot]:
            del self._counts[counted]


def _event(owner: dict[str, Any], metadata: Metadata, notice: Notice, name: str, now: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": EVENT.name,
        "metadata": {"name": name, "namespace": metadata.namespace},
        "involvedObject": {key: owner[key] for key in ("apiVersion", "kind", "name", "uid")} | {"namespace": metadata.namespace},
        "reason": notice.reason.value,
        "message": notice.message[:1024],
        "type": "Warning" if notice.warning else "Normal",
        "source": {"component": FIELD_MANAGER},
        "reportingComponent": FIELD_MANAGER,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
