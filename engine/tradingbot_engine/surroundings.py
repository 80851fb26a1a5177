"""What the process was given, and what it has whatever the document says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

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
