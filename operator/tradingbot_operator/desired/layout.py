"""How a bot is spread over shards, and what differs from its spec: all that its children are made of beside the spec."""

from __future__ import annotations

from msgspec import Struct

from tradingbot_contract.document import EngineDocument
from tradingbot_operator.desired.document import Orders, build_document
from tradingbot_operator.placement import place
from tradingbot_operator.resource import TradingBot


class Layout(Struct, frozen=True, kw_only=True):
    """What the children are made of, beside the spec."""

    documents: tuple[EngineDocument, ...]
    """One for each shard, in the order of their pods."""
    replicas: int
    """Pods that there should be: all or none."""
    memory_limit: str = ""
    """Memory limit of a new pod in place of the spec's; empty: the spec's."""
    avoid_nodes: tuple[str, ...] = ()
    """Nodes that a new pod should keep away from if it can."""
    floor: int = 0
    """Lowest number of a document that a new pod may run (:func:`tradingbot_operator.handover.latest_number`)."""


def plain_layout(bot: TradingBot) -> Layout:
    """Return the layout of a bot that is new and well."""
    placed = place(bot.spec.market.symbols, bot.spec.scaling.replicas)
    documents = tuple(build_document(bot, shard=shard, orders=Orders(symbols=symbols)) for shard, symbols in enumerate(placed))
    return Layout(documents=documents, replicas=len(documents))
