"""What the limits of a day and of a minute are measured against, and whether a limit of losses is passed now.

Days and minutes are those of the market's time, in UTC: a replay at any speed, and a bot that was restarted, count the same. What a later
process needs for that is a :class:`RiskState` in the checkpoint.

A day begins with the equity that the day before ended with, so that a loss over night counts. It is followed only while there is a limit
for it; one that is set during a day counts from then on.

For the path of a bar there are two figures to compare with: when the next day begins, and the equity at which everything is to be sold
(`risk.onBreach` Flatten). Both are such that nothing happens while no limit asks for it.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from msgspec import Struct

from tradingbot_contract.spec import OnBreach, Risk
from tradingbot_engine.risk.checks import ROUNDING_PERCENT, Losses, assess_losses

NEVER_MS: Final = 2**63 - 1
_AT_ONCE_MS: Final = -(2**63)
_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
_ROUNDING: Final = 2.0 * ROUNDING_PERCENT / 100.0
"""What multiplying in place of dividing may cost, and more: better a look too many than one too few."""

CONSEQUENCES: Final = {
    OnBreach.REDUCE: "only sales are sent",
    OnBreach.HALT: "no order is sent",
    OnBreach.FLATTEN: "everything is sold, and nothing is bought",
}


class Breach(NamedTuple):
    """A limit of losses that is passed, as the spec spells it, with the figure and what follows from it."""

    limit: str
    message: str

    def __str__(self) -> str:
        return f"{self.limit}: {self.message}"


class RiskState(Struct, frozen=True, kw_only=True):
    """What a process leaves to the next one."""

    day_end_ms: int | None = None
    """When the day ends whose loss is limited; None: no day has begun."""
    day_equity: float = 0.0
    """What it began with."""
    minute: int | None = None
    """Minutes since the epoch, of the last order."""
    orders_of_minute: int = 0


class RiskLedger:
    """See the module."""

    __slots__ = ("_day_equity", "_minute", "_orders_of_minute", "day_end_ms", "risk")

    def __init__(self, risk: Risk, state: RiskState) -> None:
        self.risk = risk
        """The limits that count now."""
        self._day_equity = state.day_equity
        self._minute = state.minute
        self._orders_of_minute = state.orders_of_minute
        self.day_end_ms = NEVER_MS
        """From this time of the market on it is another day."""
        if risk.max_daily_loss_percent is not None:
            self.day_end_ms = _AT_ONCE_MS if state.day_end_ms is None else state.day_end_ms

    def state(self) -> RiskState:
        """Return what the next process needs."""
        return RiskState(
            day_end_ms=self.day_end_ms if self._has_day else None,
            day_equity=self._day_equity if self._has_day else 0.0,
            minute=self._minute,
            orders_of_minute=self._orders_of_minute,
        )

    def set_risk(self, risk: Risk) -> None:
        """Go by these limits from now on."""
        self.risk = risk
        if risk.max_daily_loss_percent is None:
            self.day_end_ms = NEVER_MS
        elif self.day_end_ms == NEVER_MS:
            self.day_end_ms = _AT_ONCE_MS

    def begin_lap(self) -> None:
        """The market's time begins anew."""
        self._minute = None
        if self.day_end_ms != NEVER_MS:
            self.day_end_ms = _AT_ONCE_MS

    def begin_day(self, time_ms: int, equity: float) -> None:
        """A day of the market begins with this equity."""
        self.day_end_ms = (time_ms // _DAY_MS + 1) * _DAY_MS
        self._day_equity = equity

    def count_order(self, time_ms: int) -> None:
        """An order was sent."""
        self._orders_of_minute = self.orders_of_minute(time_ms) + 1
        self._minute = time_ms // _MINUTE_MS

    def orders_of_minute(self, time_ms: int) -> int:
        """Return how many orders were sent in this minute."""
        return self._orders_of_minute if self._minute == time_ms // _MINUTE_MS else 0

    def losses(self, equity: float, peak_equity: float) -> Losses:
        """Return what was lost until now; `peak_equity` is the highest before."""
        peak = max(peak_equity, equity)
        return Losses(
            drawdown=1.0 - equity / peak if peak > 0 else 0.0,
            of_day=1.0 - equity / self._day_equity if self._has_day and self._day_equity > 0 else 0.0,
        )

    def breach(self, equity: float, peak_equity: float) -> Breach | None:
        """Return the limit of losses that is passed, or None."""
        rejection = assess_losses(self.losses(equity, peak_equity), self.risk)
        return None if rejection is None else Breach(rejection.limit, f"{rejection.message}; {CONSEQUENCES[self.risk.on_breach]}")

    @property
    def flatten_share_of_peak(self) -> float:
        """Share of the highest equity at which everything is to be sold; below any equity if it never is."""
        return self._flatten_share(self.risk.max_drawdown_percent)

    @property
    def flatten_at_equity(self) -> float:
        """Equity at which everything is to be sold because of the day's loss; below any equity if it never is."""
        return self._day_equity * self._flatten_share(self.risk.max_daily_loss_percent) if self._has_day else -math.inf

    @property
    def _has_day(self) -> bool:
        return self.day_end_ms not in {NEVER_MS, _AT_ONCE_MS}

    def _flatten_share(self, limit_percent: float | None) -> float:
        if limit_percent is None or self.risk.on_breach is not OnBreach.FLATTEN:
            return -math.inf
        return 1.0 - limit_percent / 100.0 + _ROUNDING
