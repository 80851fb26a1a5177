"""Whether an order may be sent: an ordered tuple of checks, the first that objects wins.

All of them judge orders that open or enlarge a position. A sale in a cash account only makes the risk smaller, and a limit must
never keep a bot from leaving a position: a sale always passes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from tradingbot_contract.spec import Risk


class Exposure(NamedTuple):
    """What a purchase would lead to, in quote currency; drawdown is 0 to 1."""

    order_notional: float
    position_notional: float
    """Of the symbol, with orders that are open and this one."""
    drawdown: float


class Rejection(NamedTuple):
    """The limit that an order would pass, as the spec spells it, and the figure that passes it."""

    limit: str
    message: str


Check = Callable[[Exposure, Risk], Rejection | None]


def order_too_large(exposure: Exposure, risk: Risk) -> Rejection | None:
    limit = risk.max_order_notional
    if limit is not None and exposure.order_notional > limit:
        return Rejection("risk.maxOrderNotional", f"order of {exposure.order_notional:.2f} is above {limit:.2f}")
    return None


def position_too_large(exposure: Exposure, risk: Risk) -> Rejection | None:
    limit = risk.max_position_notional
    if limit is not None and exposure.position_notional > limit:
        return Rejection("risk.maxPositionNotional", f"position would be {exposure.position_notional:.2f}, above {limit:.2f}")
    return None


def drawdown_too_deep(exposure: Exposure, risk: Risk) -> Rejection | None:
    limit = risk.max_drawdown_percent
    if limit is not None and exposure.drawdown * 100.0 >= limit:
        return Rejection("risk.maxDrawdownPercent", f"drawdown is {exposure.drawdown * 100.0:.2f} %, the limit {limit:g} %")
    return None


CHECKS: Final[tuple[Check, ...]] = (order_too_large, position_too_large, drawdown_too_deep)


def assess(exposure: Exposure, risk: Risk) -> Rejection | None:
    """Return the first objection to a purchase, or None."""
    for check in CHECKS:
        rejection = check(exposure, risk)
        if rejection is not None:
            return rejection
    return None
