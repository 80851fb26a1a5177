"""Gathers what one pass over a bot may look at. It reads the cache and the observers' last answers, and so waits for nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from tradingbot_operator.bot_status import TradingBotStatus, parse_status
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.memory import Memory
from tradingbot_operator.metrics_sources.direct import ReportPoller
from tradingbot_operator.resource import parse_bot
from tradingbot_operator.world import World

_logger = logging.getLogger(__name__)


def observe(body: Mapping[str, Any], key: BotKey, cache: Cache, poller: ReportPoller, memory: Memory, *, now: float) -> World:
    """Return the world of a bot.

    Raises:
        SpecError: the stored resource can't be read.
    """
    pods = cache.pods(key)
    return World(
        bot=parse_bot(body),
        status=read_status(body),
        children=cache.children(key),
        settled=memory.settled(key),
        applied=memory.applied(key),
        pods=pods,
        reports={pod.uid: poller.view(pod.uid) for pod in pods},
        problem=memory.problem(key),
        now=now,
    )


def read_status(body: Mapping[str, Any]) -> TradingBotStatus:
    """Return the status as last written; one that can't be read counts as none, and is written anew."""
    try:
        return parse_status(body.get("status"))
    except ValueError as error:
        _logger.warning("the status can't be read and is written anew", extra={"fields": {"bot": body["metadata"]["name"], "error": error}})
        return TradingBotStatus()
