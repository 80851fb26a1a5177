"""The interface of a strategy: a class with hooks, all of them optional but `on_bar`.

A strategy does no I/O and reads no clock; it decides on what it is given, so that a replay decides as the live bot did. What it
needs to go on after a restart it returns from `on_save`. An order that it places is checked by risk, recorded, and filled at the
next bar's opening.

When a hook raises, the orders of that call are dropped, since half a decision is none. After ten failed calls in a row the strategy is
halted: it isn't asked any more, its open purchases are canceled, positions stay as they are.
"""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

from msgspec import Struct

from tradingbot_engine.feed.prices import Bar
from tradingbot_engine.news.item import News
from tradingbot_engine.orders.order import Fill


class Parameters(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """Base of a strategy's parameters: frozen, camelCase in the spec, unknown names refused. Bounds go beside the field (msgspec.Meta)."""


class Desk(Protocol):
    """Where a strategy looks up what it owns and places orders."""

    def buy(self, symbol: str, notional: float) -> None:
        """Order what `notional` (in quote currency) pays for at the last price."""

    def sell(self, symbol: str, quantity: float | None = None) -> None:
        """Order the sale of `quantity`, or of all that is held; without a position this does nothing."""

    def position(self, symbol: str) -> float:
        """Return how much is held."""

    @property
    def cash(self) -> float: ...

    @property
    def equity(self) -> float: ...


class Strategy:
    """Base of all strategies: does nothing on every hook."""

    parameters_type: ClassVar[type[Parameters]] = Parameters

    def __init__(self, parameters: Any) -> None:
        """`parameters` is an instance of `parameters_type`."""
        self.parameters = parameters

    def on_start(self, desk: Desk) -> None:
        """Before the first bar, after each start of the process and of each lap of the feed."""
        self.desk = desk

    def on_bar(self, bar: Bar) -> None:
        """A bar has closed."""
        raise TypeError(f"{type(self).__name__} has no on_bar, so it can't judge {bar.symbol}")

    def on_news(self, news: News) -> None:
        """News was published since the step before, or at the time of the bars that follow. Its sentiment is judged already."""

    def on_fill(self, fill: Fill) -> None:
        """An order was filled, before the bars of the step that filled it."""

    def on_stop(self) -> None:
        """No more bars will come: the process stops, or the lap ends."""

    def on_save(self) -> dict[str, Any]:
        """Return all that the next process needs, as what JSON can hold. Called for each commit."""
        return {}

    def on_load(self, state: dict[str, Any]) -> None:
        """Go on from what `on_save` returned, after `on_start`."""
