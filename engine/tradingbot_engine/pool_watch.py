"""Since when a pool has had no connection left for those who wait: where the pool itself knows only what is so now, it is known here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from tradingbot_contract.report import PoolUse
from tradingbot_engine.pool_stats import PoolStats

INTERVAL_SECONDS: Final = 1.0


class PoolWatch:
    """See the module. Times are seconds since the epoch."""

    def __init__(self, read: Callable[[], Iterable[PoolStats]]) -> None:
        self._read = read
        self._exhausted_since: dict[str, float] = {}

    def look(self, now: float) -> None:
        """Take a look at all pools. To be called about each second."""
        exhausted = {stats.name for stats in self._read() if stats.pending and stats.used >= stats.max_connections}
        self._exhausted_since = {name: self._exhausted_since.get(name, now) for name in exhausted}

    def uses(self) -> tuple[PoolUse, ...]:
        """Return what the status says of each pool."""
        return tuple(
            PoolUse(
                name=stats.name,
                used=stats.used,
                max_connections=stats.max_connections,
                pending=stats.pending,
                timeouts=stats.timeouts,
                exhausted_since=stats.exhausted_since or self._exhausted_since.get(stats.name),
            )
            for stats in self._read()
        )
