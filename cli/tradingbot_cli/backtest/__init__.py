"""``tradingbot backtest``: the engine's own code over a manifest's prices, as fast as it can, and what comes of it.

Nothing here trades, fills or checks a risk: that is the engine's. What is here gets it ready, takes it through the prices step by step, and
writes down the equity after each.
"""
