"""What a bot is measured against: its cash in equal parts in its symbols, bought at their first opening price and held to the end.

It pays what the bot's broker takes, fee and slippage. A symbol that has no price yet is bought when it has its first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tradingbot_contract.spec import Paper
from tradingbot_engine.feed.prices import Prices
from tradingbot_engine.statistics.curve import CurvePoint

_BASIS_POINT: Final = 1e-4
_MILLISECONDS: Final = 1000
_STEPS_AT_ONCE: Final = 2048


def hold(prices: Prices, paper: Paper, cash: float, steps: Sequence[int]) -> list[CurvePoint]:
    """Return the equity after each of these steps (rising numbers, the first is 0), after the first purchase's cost."""
    share = cash / len(prices.symbols)
    cost_of_one = (1.0 + paper.slippage_basis_points * _BASIS_POINT) * (1.0 + paper.fee_basis_points * _BASIS_POINT)
    held: dict[str, float] = {}
    closes: dict[str, float] = {}
    curve: list[CurvePoint] = []
    wanted = iter(steps)
    next_step = next(wanted, None)
    for first in range(0, prices.steps, _STEPS_AT_ONCE):
        for step, bars in enumerate(prices.bars(first, min(first + _STEPS_AT_ONCE, prices.steps)), start=first):
            for bar in bars:
                if bar.symbol not in held:
                    held[bar.symbol] = share / (bar.open * cost_of_one)
                closes[bar.symbol] = bar.close
            if step == next_step:
                idle = cash - share * len(held)
                equity = idle + sum(amount * closes[symbol] for symbol, amount in held.items())
                curve.append(CurvePoint(bars[0].time_ms / _MILLISECONDS, equity))
                next_step = next(wanted, None)
    return curve
