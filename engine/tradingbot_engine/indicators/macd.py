"""Moving average convergence and divergence: a fast average of the price less a slow one, and an average of that as its signal.

Both averages begin at the same bar, the fast one with the mean of the prices just before it, as in TA-Lib: so the fast one isn't
the EMA of that period from the beginning of the prices.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from tradingbot_engine.indicators.ema import EMA
from tradingbot_engine.indicators.period import check_period


class MACDValue(NamedTuple):
    """In the price's currency."""

    macd: float
    signal: float
    histogram: float
    """macd - signal."""


class MACD:
    """See the module. `value` is None until `slow + signal - 1` prices were seen."""

    __slots__ = ("_fast", "_signal", "_skip", "_slow", "value")

    def __init__(self, fast_period: int = 12, slow_period: int = 26, signal_period: int = 9) -> None:
        """Raise ValueError unless fast_period < slow_period."""
        check_period(slow_period, "slow_period", least=check_period(fast_period, "fast_period") + 1)
        self.value: MACDValue | None = None
        self._skip = slow_period - fast_period
        """How many prices the fast average still has to leave out."""
        self._fast = EMA(fast_period)
        self._slow = EMA(slow_period)
        self._signal = EMA(signal_period)

    def update(self, price: float) -> MACDValue | None:
        """Take the next price; return the new value."""
        slow = self._slow.update(price)
        if self._skip:
            self._skip -= 1
            return None
        fast = self._fast.update(price)
        if fast is None or slow is None:
            return None
        macd = fast - slow
        signal = self._signal.update(macd)
        if signal is not None:
            self.value = MACDValue(macd, signal, macd - signal)
        return self.value

    def save(self) -> dict[str, Any]:
        """Return the state, for :meth:`load`."""
        return {
            "value": self.value,
            "skip": self._skip,
            "fast": self._fast.save(),
            "slow": self._slow.save(),
            "signal": self._signal.save(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a saved state of the same periods."""
        self.value = None if state["value"] is None else MACDValue(*state["value"])
        self._skip = state["skip"]
        self._fast.load(state["fast"])
        self._slow.load(state["slow"])
        self._signal.load(state["signal"])
