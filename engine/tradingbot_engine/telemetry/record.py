"""How a measurement reaches a histogram from wherever it is taken, without knowing what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

from tradingbot_contract.metrics import Instrument

Attributes = Mapping[str, str]
NO_ATTRIBUTES: Final[Attributes] = {}


class Record(Protocol):
    """Takes one measurement for a histogram, in the instrument's unit. Any thread may call it."""

    def __call__(self, instrument: Instrument, value: float, attributes: Attributes = ..., /) -> None: ...


def ignore_measurement(instrument: Instrument, value: float, attributes: Attributes = NO_ATTRIBUTES, /) -> None:
    """Record nothing."""
