"""Views: figures for people, computed from the journal when asked for. The arithmetic; who serves them is elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from tradingbot_engine.checkpoint import Totals
from tradingbot_engine.database.rows import TradeStatistics


class SymbolPerformance(Struct, frozen=True, rename="camel"):
    """One symbol's sales, as far as the journal still holds them."""

    symbol: str
    trades: int
    win_rate_percent: float | None
    realised: float
    """Profit after fees, in quote currency."""


class Performance(Struct, frozen=True, rename="camel", kw_only=True):
    """How the bot has done since its first start. Money is in `currency`; a figure that can't be had is null."""

    currency: str
    initial_equity: float
    equity: float
    return_percent: float
    max_drawdown_percent: float
    trades: int
    """Sales."""
    win_rate_percent: float | None
    realised: float
    fees: float
    symbols: list[SymbolPerformance]


def summarise_symbols(statistics: Sequence[TradeStatistics]) -> list[SymbolPerformance]:
    """Return the part of the view that the journal has to be read for."""
    return [
        SymbolPerformance(row.symbol, row.trades, _percent(row.winning_trades, row.trades), round(row.realised, 2)) for row in statistics
    ]


def build_performance(
    *,
    currency: str,
    initial_equity: float,
    equity: float,
    max_drawdown: float,
    totals: Totals,
    symbols: Sequence[SymbolPerformance],
) -> Performance:
    """Return the view; `max_drawdown` is 0 to 1."""
    return Performance(
        currency=currency,
        initial_equity=initial_equity,
        equity=round(equity, 2),
        return_percent=round((equity / initial_equity - 1.0) * 100.0, 4),
        max_drawdown_percent=round(max_drawdown * 100.0, 4),
        trades=totals.trades,
        win_rate_percent=_percent(totals.winning_trades, totals.trades),
        realised=round(totals.realised, 2),
        fees=round(totals.fees, 2),
        symbols=list(symbols),
    )


def _percent(part: int, whole: int) -> float | None:
    return round(part / whole * 100.0, 2) if whole else None
