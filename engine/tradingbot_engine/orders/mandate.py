"""What the bot may do now, as the document says it: which orders may be sent, which are taken back, which positions are sold at once.

Who was told to open nothing opens nothing: a symbol that a newer document gives up, or no longer names, is not bought in, although that
document may need a new process before the rest of it can be taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from tradingbot_contract.document import Activity, EngineDocument
from tradingbot_engine.orders.order import Side

_NO_ORDERS: Final = {
    Activity.CANCEL: "activity Cancel: no order is sent",
    Activity.FLATTEN: "activity Flatten: no order is sent",
    Activity.FENCE: "activity Fence: no order is sent",
}


class Mandate(Struct, frozen=True):
    """See the module. The default is to trade everything."""

    activity: Activity = Activity.TRADE
    releasing: frozenset[str] = frozenset()
    """Symbols in which nothing is opened, because they are about to go to another shard."""
    settling: frozenset[str] = frozenset()
    """Of these, the ones whose positions are sold at once."""
    grant: int = 0
    """Number of the operator's decision that this follows."""

    @property
    def restricts(self) -> bool:
        """Whether there is an order that it objects to."""
        return self.activity is not Activity.TRADE or bool(self.releasing)

    def objection(self, side: Side, symbol: str) -> str:
        """Return why such an order is not sent; empty if it may be."""
        if self.activity is not Activity.TRADE:
            everything = _NO_ORDERS.get(self.activity, "")
            if everything:
                return everything
            if side is Side.BUY:
                return "paused: nothing is bought"
        if side is Side.BUY and symbol in self.releasing:
            return f"{symbol} is being released: nothing is bought"
        return ""

    def cancellation(self, side: Side, symbol: str, before: Mandate) -> str:
        """Return why such an order, sent under the mandate `before`, is taken back; empty if it may wait on.

        A sale of a symbol that was released before was sent since, by a strategy that leaves: it stays.
        """
        reason = self.objection(side, symbol)
        if reason:
            return reason
        if symbol in self.settling or (symbol in self.releasing and symbol not in before.releasing):
            return f"{symbol} is being released"
        return ""

    def closing(self, symbol: str) -> str:
        """Return why a position is sold at once; empty if it stays."""
        if self.activity is Activity.FLATTEN:
            return "activity Flatten: every position is sold"
        if self.activity is not Activity.CANCEL and self.activity is not Activity.FENCE and symbol in self.settling:
            return f"{symbol} is being released: its position is sold"
        return ""


def build_mandate(document: EngineDocument, traded: Sequence[str]) -> Mandate:
    """Return what `document` allows an engine that trades these symbols; it need not be the document that the engine runs."""
    own = frozenset(traded)
    listed = own & frozenset(document.releasing)
    return Mandate(
        activity=document.activity,
        releasing=listed | (own - frozenset(document.market.symbols)),
        settling=listed if document.settle else frozenset(),
        grant=document.grant,
    )
