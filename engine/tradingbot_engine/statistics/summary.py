"""All figures of a bot in one struct, from its equity curve and its fills."""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from tradingbot_engine.statistics.curve import (
    YEAR_SECONDS,
    CurvePoint,
    compound_annual_growth,
    deepest_drawdown,
    longest_drawdown,
    measure_returns,
    returns_per_year,
    total_return,
)
from tradingbot_engine.statistics.finite import finite
from tradingbot_engine.statistics.ratios import calmar_ratio, sharpe_ratio, sortino_ratio
from tradingbot_engine.statistics.round_trips import Ledger, RoundTrip, Trade, held_seconds, match_round_trips


class Statistics(Struct, frozen=True, rename="camel", kw_only=True):
    """See the package. Shares are fractions, money is in the quote currency, durations are in seconds."""

    first_at: float | None
    last_at: float | None
    initial_equity: float | None
    final_equity: float | None
    total_return: float | None
    annual_growth: float | None
    """:func:`tradingbot_engine.statistics.curve.compound_annual_growth`."""
    max_drawdown: float | None
    """0 to 1; 0 when the equity never fell."""
    max_drawdown_seconds: float | None
    """From the highest equity before the deepest drawdown until it was reached again, or until the end."""
    longest_drawdown_seconds: float | None
    sharpe: float | None
    sortino: float | None
    calmar: float | None
    returns_per_year: float | None
    """With what Sharpe and Sortino are annualised."""
    trades: int
    """Round trips: positions that were opened and closed."""
    win_rate: float | None
    """Share of the round trips with a profit after fees."""
    profit_factor: float | None
    """:func:`profit_factor`."""
    average_win: float | None
    average_loss: float | None
    """Below 0."""
    expectancy: float | None
    """:func:`expectancy`."""
    average_seconds: float | None
    """How long a position was held."""
    exposure: float | None
    """Share of the time in which at least one position was open."""
    fees: float
    turnover_per_year: float | None
    """:func:`turnover_per_year`."""
    unmatched: int
    """Sales of positions that were opened before the first fill that is known; they are in no round trip."""


def summarise(
    curve: Sequence[CurvePoint],
    trades: Sequence[Trade],
    *,
    even: Sequence[CurvePoint] | None = None,
    max_drawdown: float | None = None,
) -> Statistics:
    """Return the figures.

    `even` is the curve at even distances of time, for the ratios, where `curve` is at others. `max_drawdown` is a deeper one than the
    points show, 0 to 1, from who has seen every step; the points decide if it isn't deeper.
    """
    ledger = match_round_trips(trades)
    deepest, longest = deepest_drawdown(curve), longest_drawdown(curve)
    depth = max(deepest.depth if deepest else 0.0, max_drawdown or 0.0) if curve else None
    growth = compound_annual_growth(curve)
    even = curve if even is None else even
    returns, per_year = measure_returns(even), returns_per_year(even)
    wins = [trip.profit for trip in ledger.closed if trip.profit > 0.0]
    losses = [trip.profit for trip in ledger.closed if trip.profit < 0.0]
    held = [trip.seconds for trip in ledger.closed if trip.seconds is not None]
    return Statistics(
        first_at=curve[0].time if curve else None,
        last_at=curve[-1].time if curve else None,
        initial_equity=curve[0].equity if curve else None,
        final_equity=curve[-1].equity if curve else None,
        total_return=total_return(curve),
        annual_growth=growth,
        max_drawdown=depth,
        max_drawdown_seconds=(deepest.seconds if deepest else 0.0) if curve else None,
        longest_drawdown_seconds=(longest.seconds if longest else 0.0) if curve else None,
        sharpe=sharpe_ratio(returns, per_year),
        sortino=sortino_ratio(returns, per_year),
        calmar=calmar_ratio(growth, depth),
        returns_per_year=per_year,
        trades=len(ledger.closed),
        win_rate=len(wins) / len(ledger.closed) if ledger.closed else None,
        profit_factor=profit_factor(ledger.closed),
        average_win=_mean(wins),
        average_loss=_mean(losses),
        expectancy=expectancy(ledger.closed),
        average_seconds=_mean(held),
        exposure=_exposure(ledger, curve),
        fees=math.fsum(trade.fee for trade in trades),
        turnover_per_year=turnover_per_year(curve, trades),
        unmatched=ledger.unmatched,
    )


def profit_factor(trips: Sequence[RoundTrip]) -> float | None:
    """Return the sum of all profits / the sum of all losses, a number without unit; None where nothing was lost."""
    won = math.fsum(trip.profit for trip in trips if trip.profit > 0.0)
    lost = -math.fsum(trip.profit for trip in trips if trip.profit < 0.0)
    return finite(won / lost) if lost > 0.0 else None


def expectancy(trips: Sequence[RoundTrip]) -> float | None:
    """Return the mean profit of a round trip after fees, in quote currency: win rate * average win + loss rate * average loss."""
    return _mean([trip.profit for trip in trips])


def turnover_per_year(curve: Sequence[CurvePoint], trades: Sequence[Trade]) -> float | None:
    """Return how often a year the account is bought and sold: the lesser of purchases and sales / mean equity / years.

    As the U.S. Securities and Exchange Commission defines it for funds (Form N-1A, item 13), annualised. None without time or equity.
    """
    if len(curve) < 2:
        return None
    years = (curve[-1].time - curve[0].time) / YEAR_SECONDS
    mean = math.fsum(point.equity for point in curve) / len(curve)
    if years <= 0.0 or mean <= 0.0:
        return None
    bought = math.fsum(trade.amount * trade.price for trade in trades if trade.side == "buy")
    sold = math.fsum(trade.amount * trade.price for trade in trades if trade.side != "buy")
    return finite(min(bought, sold) / mean / years)


def _exposure(ledger: Ledger, curve: Sequence[CurvePoint]) -> float | None:
    if len(curve) < 2:
        return None
    first, last = curve[0].time, curve[-1].time
    return held_seconds(ledger.closed, ledger.open, first, last) / (last - first) if last > first else None


def _mean(values: Sequence[float]) -> float | None:
    return finite(math.fsum(values) / len(values)) if values else None
