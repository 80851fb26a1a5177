"""Gathers what one pass over a bot may look at. It reads the cache and the observers' last answers, and so waits for nothing."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from tradingbot_operator.bot_status import TradingBotStatus, parse_status
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.memory import Memory
from tradingbot_operator.metrics_sources import ReportSource
from tradingbot_operator.names import shard_of
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation.ladder import Step
from tradingbot_operator.resource import parse_bot
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import FleetFacts, World

_REASONS: Final = frozenset(reason.value for reason in Reason)
_ACTIONS: Final = frozenset({Reason.DRY_RUN.value, *(step.value for step in Step)})

_logger = logging.getLogger(__name__)


def observe(
    body: Mapping[str, Any], key: BotKey, cache: Cache, poller: ReportSource, memory: Memory, *, fleet: FleetFacts, now: float
) -> World:
    """Return the world of a bot.

    Raises:
        SpecError: the stored resource can't be read.
    """
    bot = parse_bot(body)
    # A copy of a pod, made by hand with its labels, is no engine of the bot's.
    pods = tuple(pod for pod in cache.pods(key) if shard_of(bot, pod.name) is not None)
    account, created = bot.spec.broker.account, bot.metadata.creation_timestamp
    is_deleted = bot.metadata.deletion_timestamp is not None
    return World(
        bot=bot,
        status=read_status(body),
        children=cache.children(key),
        settled=memory.settled(key),
        applied=memory.applied(key),
        pods=pods,
        reports={pod.uid: poller.view(pod.uid) for pod in pods},
        problem=memory.problem(key),
        refused_resizes=memory.refused_resizes(key),
        fleet=fleet,
        claims=cache.claims(account) if account else (),
        namespace_terminating=memory.namespace_is_going(key.namespace, now=now, created_at=parse_time(created) if created else 0.0),
        deletion_seen_at=memory.deletion_seen_at(key, bot.metadata.uid, now=now) if is_deleted else None,
        now=now,
    )


def read_status(body: Mapping[str, Any]) -> TradingBotStatus:
    """Return the status as last written; one that can't be read counts as none, and is written anew.

    A later version may have written reasons and steps that this one has no words for. What it said by them is left out, so that who goes
    back to this version has an operator that works.
    """
    try:
        return _without_later_words(parse_status(body.get("status")))
    except ValueError as error:
        _logger.warning("the status can't be read and is written anew", extra={"fields": {"bot": body["metadata"]["name"], "error": error}})
        return TradingBotStatus()


def _without_later_words(status: TradingBotStatus) -> TradingBotStatus:
    conditions = [condition for condition in status.conditions if condition.reason in _REASONS]
    history = [decision for decision in status.remediation.history if decision.reason in _REASONS and decision.action in _ACTIONS]
    if len(conditions) == len(status.conditions) and len(history) == len(status.remediation.history):
        return status
    remediation = msgspec.structs.replace(status.remediation, history=history)
    return msgspec.structs.replace(status, conditions=conditions, remediation=remediation)
