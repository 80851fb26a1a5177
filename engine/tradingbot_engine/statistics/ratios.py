"""Return in proportion to risk.

Returns are simple returns of equal stretches of time; what money earns without risk is taken as 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from tradingbot_engine.statistics.finite import finite

_NOISE: Final = 1e-12
"""A deviation that is a smaller share of the largest return is that of rounding, and is none."""


def sharpe_ratio(returns: Sequence[float], per_year: float | None) -> float | None:
    """Return mean / standard deviation * √`per_year` of the returns, a number without unit.

    Sharpe, "The Sharpe Ratio" (Journal of Portfolio Management, 1994), with the sample's deviation (n - 1). None for fewer than two
    returns, for returns that do not differ, or where it isn't known how many returns a year has.
    """
    scaled = _scaled(returns)
    if per_year is None or len(scaled) < 2:
        return None
    mean = _mean(scaled)
    variance = math.fsum((value - mean) ** 2 for value in scaled) / (len(scaled) - 1)
    return _annualised(mean, math.sqrt(variance), per_year)


def sortino_ratio(returns: Sequence[float], per_year: float | None) -> float | None:
    """Return mean / downside deviation * √`per_year` of the returns, a number without unit.

    Sortino and Price, "Performance Measurement in a Downside Risk Framework" (Journal of Investing, 1994), for a target of 0: the downside
    deviation is the root of the mean, over all returns, of the squares of those below it. None for fewer than two returns, where none is
    below 0, or where it isn't known how many returns a year has.
    """
    scaled = _scaled(returns)
    if per_year is None or len(scaled) < 2:
        return None
    downside = math.sqrt(math.fsum(value * value for value in scaled if value < 0.0) / len(scaled))
    return _annualised(_mean(scaled), downside, per_year)


def calmar_ratio(annual_growth: float | None, deepest: float | None) -> float | None:
    """Return the compound annual growth rate / the deepest drawdown, a number without unit.

    Young, "Calmar Ratio: A Smoother Tool" (Futures, 1991), over the whole time instead of 36 months. None where either isn't known, or
    where there was no drawdown.
    """
    if annual_growth is None or not deepest:
        return None
    return finite(annual_growth / deepest)


def _scaled(returns: Sequence[float]) -> list[float]:
    """Return the returns as shares of the largest, which changes no ratio and overflows nowhere; none if there is nothing to compare."""
    largest = max(map(abs, returns), default=0.0)
    return [value / largest for value in returns] if 0.0 < largest < math.inf else []


def _mean(returns: Sequence[float]) -> float:
    return math.fsum(returns) / len(returns)


def _annualised(mean: float, deviation: float, per_year: float) -> float | None:
    return None if deviation <= _NOISE else finite(mean / deviation * math.sqrt(per_year))
