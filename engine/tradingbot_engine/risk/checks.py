"""Whether an order may be sent: an ordered tuple of checks, the first that objects wins.

They judge orders that open or enlarge a position. A sale in a cash account only makes the risk smaller, and a limit must not keep a bot
from leaving a position: a sale always passes, but for a limit of losses whose `risk.onBreach` is Halt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from tradingbot_contract.spec import Risk

MAX_DRAWDOWN: Final = "risk.maxDrawdownPercent"
MAX_DAILY_LOSS: Final = "risk.maxDailyLossPercent"
LOSS_LIMITS: Final = (MAX_DRAWDOWN, MAX_DAILY_LOSS)
"""Those that `risk.onBreach` is for."""
ROUNDING_PERCENT: Final = 1e-9
"""A loss that is less than its limit only by the rounding of a division has reached it."""


class Losses(NamedTuple):
    """What was lost until now, each as a share, 0 to 1; below 0 it is a gain."""

    drawdown: float
    """From the highest equity."""
    of_day: float
    """From the equity that the day began with."""


class Exposure(NamedTuple):
    """What a purchase would lead to, in quote currency."""

    order_notional: float
    position_notional: float
    """Of the symbol, with orders that are open and this one."""
    open_orders: int
    """Without this one."""
    orders_of_minute: int
    """Without this one."""
    losses: Losses


class Rejection(NamedTuple):
    """The limit that an order would pass, as the spec spells it, and the figure that passes it."""

    limit: str
    message: str


Check = Callable[[Exposure, Risk], Rejection | None]
LossCheck = Callable[[Losses, Risk], Rejection | None]


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


def too_many_open_orders(exposure: Exposure, risk: Risk) -> Rejection | None:
    limit = risk.max_open_orders
    if limit is not None and exposure.open_orders >= limit:
        return Rejection("risk.maxOpenOrders", f"{exposure.open_orders} orders wait for their fill, the limit is {limit}")
    return None


def too_many_orders_of_minute(exposure: Exposure, risk: Risk) -> Rejection | None:
    limit = risk.max_orders_per_minute
    if limit is not None and exposure.orders_of_minute >= limit:
        return Rejection("risk.maxOrdersPerMinute", f"{exposure.orders_of_minute} orders were sent in this minute, the limit is {limit}")
    return None


def drawdown_too_deep(losses: Losses, risk: Risk) -> Rejection | None:
    limit = risk.max_drawdown_percent
    if limit is not None and losses.drawdown * 100.0 >= limit - ROUNDING_PERCENT:
        return Rejection(MAX_DRAWDOWN, f"drawdown is {losses.drawdown * 100.0:.2f} %, the limit {limit:g} %")
    return None


def loss_of_day_too_large(losses: Losses, risk: Risk) -> Rejection | None:
    limit = risk.max_daily_loss_percent
    if limit is not None and losses.of_day * 100.0 >= limit - ROUNDING_PERCENT:
        return Rejection(MAX_DAILY_LOSS, f"loss of the day is {losses.of_day * 100.0:.2f} %, the limit {limit:g} %")
    return None


CHECKS: Final[tuple[Check, ...]] = (order_too_large, position_too_large, too_many_open_orders, too_many_orders_of_minute)
LOSS_CHECKS: Final[tuple[LossCheck, ...]] = (drawdown_too_deep, loss_of_day_too_large)


def assess(exposure: Exposure, risk: Risk) -> Rejection | None:
    """Return the first objection to a purchase, or None."""
    for check in CHECKS:
        rejection = check(exposure, risk)
        if rejection is not None:
            return rejection
    return assess_losses(exposure.losses, risk)


def assess_losses(losses: Losses, risk: Risk) -> Rejection | None:
    """Return the first limit of losses that is passed, or None."""
    for check in LOSS_CHECKS:
        rejection = check(losses, risk)
        if rejection is not None:
            return rejection
    return None
