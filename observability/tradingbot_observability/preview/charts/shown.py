"""What a chart gets: the series of a panel with their names and looks, and the time that is shown."""

from __future__ import annotations

from msgspec import Struct

from tradingbot_observability.preview.panel import Box, PanelModel
from tradingbot_observability.preview.queries import Series, Window

Moment = tuple[float, str, str]
"""A time that is marked, its colour and what happened."""


class Shown(Struct, frozen=True):
    """One series."""

    reference: str
    name: str
    series: Series


class Chart(Struct, frozen=True):
    """One panel with its data."""

    panel: PanelModel
    shown: tuple[Shown, ...]
    window: Window
    step: float
    box: Box
    """The room for the chart, in pixels."""
    moments: tuple[Moment, ...] = ()
