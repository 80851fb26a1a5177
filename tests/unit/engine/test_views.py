"""The arithmetic of views."""

from __future__ import annotations

from tradingbot_engine.checkpoint import Totals
from tradingbot_engine.database.rows import TradeStatistics
from tradingbot_engine.views import build_performance, summarise_symbols


def test_performance() -> None:
    symbols = summarise_symbols([TradeStatistics("A", 3, 1, -5.125), TradeStatistics("B", 0, 0, 0.0)])
    view = build_performance(
        currency="USD",
        initial_equity=1000.0,
        equity=1100.0,
        max_drawdown=0.25,
        totals=Totals(trades=3, winning_trades=1, realised=-5.125, fees=2.0),
        symbols=symbols,
    )
    assert (view.return_percent, view.max_drawdown_percent, view.win_rate_percent, view.fees) == (10.0, 25.0, 33.33, 2.0)
    assert [(symbol.symbol, symbol.trades, symbol.win_rate_percent) for symbol in view.symbols] == [("A", 3, 33.33), ("B", 0, None)]
