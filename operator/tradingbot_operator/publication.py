"""Is a new status worth a write?

Every write goes to etcd and to everybody who watches, so a fleet at rest writes nothing. What people and controllers act on is
written at once. What is not critical (warnings of the observer, which may come and go) is written at most every
:data:`WARNINGS_SECONDS`. Figures that move all the time (equity, score, memory, bars) travel with such a write; on their own they are
written at most every :data:`FIGURES_SECONDS`, and only if one that people look at moved notably. A figure inside a message ("silent for
12 s") is no news.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct, to_builtins

from tradingbot_contract.report import Severity
from tradingbot_operator.bot_status import TradingBotStatus
from tradingbot_operator.timestamp import parse_time

FIGURES_SECONDS: Final = 300.0
WARNINGS_SECONDS: Final = 60.0
EQUITY_SHARE: Final = 0.005
SCORE_POINTS: Final = 5.0
MEMORY_SHARE: Final = 0.1

_NUMBER: Final = re.compile(r"\d+(?:[.,]\d+)*")
_FIGURES: Final = frozenset({"at", "equity", "bars", "fills", "openPositions", "openOrders", "score", "memory"})
"""Fields that are left out when two statuses are compared for news; that one appears or goes is news."""


class Figures(Struct, frozen=True):
    """The figures that are worth a write of their own."""

    equity: float | None
    score: float | None
    memory_mebibytes: float | None


def is_worth_writing(before: TradingBotStatus, now: TradingBotStatus, *, at: float) -> bool:
    """Return whether the new status should be written over the one before."""
    old, new = _news(to_builtins(before)), _news(to_builtins(now))
    if _critical(old) != _critical(new):
        return True
    # Figures are taken anew with every write, so their time is that of the last one.
    age_seconds = at - parse_time(before.trading.at) if before.trading else FIGURES_SECONDS
    if old != new:
        return age_seconds >= WARNINGS_SECONDS
    return age_seconds >= FIGURES_SECONDS and _moved(_figures(before), _figures(now))


def plain(text: str) -> str:
    """Return a message without its figures."""
    return _NUMBER.sub("#", text)


def _critical(news: dict[str, Any]) -> dict[str, Any]:
    """Return the news without what is not critical."""
    findings = [finding for finding in news["health"]["findings"] if finding["severity"] == Severity.CRITICAL.value]
    # The message of a healthy bot lists its warnings.
    conditions = [condition | ({"message": ""} if condition["status"] == "True" else {}) for condition in news["conditions"]]
    return news | {"health": news["health"] | {"findings": findings}, "conditions": conditions}


def _news(value: Any, field: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _news(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_news(item, field) for item in value]
    if field == "fills":
        return bool(value)  # that it has begun to trade is news
    if field in _FIGURES:
        return value is None or value == ""
    if field in {"message", "inputs"} and isinstance(value, str):
        return plain(value)
    return value


def _figures(status: TradingBotStatus) -> Figures:
    memory = _NUMBER.match(status.memory)
    return Figures(
        equity=status.trading.equity if status.trading else None,
        score=status.health.score,
        memory_mebibytes=float(memory[0]) if memory else None,
    )


def _moved(before: Figures, now: Figures) -> bool:
    return (
        _by_share(before.equity, now.equity, EQUITY_SHARE)
        or _by_share(before.memory_mebibytes, now.memory_mebibytes, MEMORY_SHARE)
        or (before.score is not None and now.score is not None and abs(now.score - before.score) >= SCORE_POINTS)
    )


def _by_share(before: float | None, now: float | None, share: float) -> bool:
    return before is not None and now is not None and abs(now - before) >= share * max(abs(before), 1.0)
