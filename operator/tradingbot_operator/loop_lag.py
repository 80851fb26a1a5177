"""How late the event loop is: the difference between when a sleep should end and when it does.

A loop that does not turn at all answers no probe, which the kubelet sees by itself; this tells of one that is merely overworked.
"""

from __future__ import annotations

import asyncio
from typing import Final

from tradingbot_operator.metrics import OperatorMetrics

INTERVAL_SECONDS: Final = 1.0


class LoopLag:
    """Measures, as long as it runs."""

    def __init__(self, metrics: OperatorMetrics) -> None:
        self._metrics = metrics
        self.seconds = 0.0
        """As last measured."""

    async def run(self) -> None:
        """Measure every second, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + INTERVAL_SECONDS
            await asyncio.sleep(INTERVAL_SECONDS)
            self.seconds = max(0.0, loop.time() - due)
            self._metrics.loop_lag.set(self.seconds)
