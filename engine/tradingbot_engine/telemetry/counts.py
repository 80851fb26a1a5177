"""Counts that the trading path keeps as plain numbers; the metrics are read from them when somebody asks.

One `add` of an OpenTelemetry counter costs more than all the rest that happens to a bar.
"""

from __future__ import annotations

import enum
from collections import Counter


class Component(enum.Enum):
    """Parts whose operations and errors are counted."""

    FEED = "feed"
    STRATEGY = "strategy"
    ORDERS = "orders"
    DATABASE = "database"

    __hash__ = object.__hash__  # the one of an enum is written in Python, and counts are found by it while bars wait


class Counts:
    """Of this process, since it started. `bars` are per symbol."""

    __slots__ = ("bars", "commits", "errors", "fills", "operations", "orders", "rejections")

    def __init__(self) -> None:
        self.bars: Counter[str] = Counter()
        self.orders: Counter[tuple[str, str]] = Counter()
        """By side and status."""
        self.fills: Counter[str] = Counter()
        """By side."""
        self.rejections: Counter[str] = Counter()
        """Of orders by a limit of risk, as the spec spells it."""
        self.operations: Counter[Component] = Counter()
        self.errors: Counter[Component] = Counter()
        self.commits = 0

    @property
    def bars_total(self) -> int:
        return self.bars.total()
