"""What the process was given, and what it has whatever the document says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tradingbot_contract.document import SpecError
from tradingbot_contract.endpoints import ENV_GRANT_FLOOR
from tradingbot_engine.loop_lag import LoopLag
from tradingbot_engine.memory.limit import ContainerMemory
from tradingbot_engine.telemetry.counts import Counts
from tradingbot_engine.telemetry.metrics import Telemetry


class Surroundings(NamedTuple):
    """See the module."""

    config: Path
    """The engine's document."""
    data: Path
    """The bot's own folder."""
    environment: Mapping[str, str]
    """Secrets among it: addresses of databases."""
    memory: ContainerMemory
    telemetry: Telemetry
    counts: Counts
    lag: LoopLag

    @property
    def grant_floor(self) -> int:
        """Number of the earliest document that trading may start with; 0: any.

        Raises:
            SpecError: the variable holds no number.
        """
        text = self.environment.get(ENV_GRANT_FLOOR, "").strip() or "0"
        if not text.isdecimal():
            raise SpecError(f"{ENV_GRANT_FLOOR} is {text!r}: give the number of a document, or leave it out")
        return int(text)
