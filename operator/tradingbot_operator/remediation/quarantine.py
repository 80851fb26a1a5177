"""The end of the ladder: an engine that no restart helped is fenced, and stays so until a person changes something.

The quarantine remembers the generation of the resource and the value of the annotation tradingbot.dev/restart. Another generation, or
another value, ends it, and everything counts anew.
"""

from __future__ import annotations

from tradingbot_operator.bot_status import Quarantine
from tradingbot_operator.names import RESTART_REQUEST
from tradingbot_operator.remediation.situation import Case, Cause
from tradingbot_operator.resource import Metadata
from tradingbot_operator.timestamp import format_time


def has_ended(quarantine: Quarantine, bot: Metadata) -> bool:
    """Return whether a person has changed something since."""
    return (quarantine.generation, quarantine.restart) != (bot.generation, _request(bot))


def begin(case: Case, cause: Cause) -> Quarantine:
    """Return the quarantine of an engine that is given up."""
    bot = case.now.bot.metadata
    message = (
        f"{case.effort.restarts} restarts in a row did not help ({', '.join(case.effort.steps)}): {cause.message}. "
        "Change the spec, or give the annotation tradingbot.dev/restart another value, to have it tried again"
    )
    return Quarantine(
        reason=cause.reason.value,
        message=message[:1024],
        since=format_time(case.now.now),
        generation=bot.generation,
        restart=_request(bot),
    )


def _request(bot: Metadata) -> str:
    return bot.annotations.get(RESTART_REQUEST, "")[:1024]
