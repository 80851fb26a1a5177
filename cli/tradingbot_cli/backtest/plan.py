"""From a bot's manifest to what is played: the same bot, once, at full speed, by itself, with all that it does kept."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from tradingbot_contract.document import Activity, EngineDocument
from tradingbot_contract.resources import Retention
from tradingbot_contract.spec import Broker, Market
from tradingbot_engine.broker.currency import quote_currency

_EVERYTHING: Final = 10_000_000


class Span(Struct, frozen=True):
    """Which prices are played, by the market's time in milliseconds; None: from the first, to the last."""

    first_ms: int | None = None
    end_ms: int | None = None
    """The first time that is not played any more."""

    @property
    def is_whole(self) -> bool:
        return self.first_ms is None and self.end_ms is None


def plan_backtest(document: EngineDocument, *, cash: float | None) -> EngineDocument:
    """Return the document to play: with nothing outside the data folder, at no pace but the machine's, and with other cash if asked for."""
    replay = structs.replace(document.market.feed.replay, speed=0.0, loop=False)
    market = structs.replace(document.market, feed=structs.replace(document.market.feed, replay=replay))
    database = structs.replace(
        document.database, external=False, retention=Retention(orders=_EVERYTHING, equity_points=_EVERYTHING, predictions=_EVERYTHING)
    )
    return structs.replace(
        document,
        market=market,
        broker=_with_cash(document.broker, document.market, cash),
        database=database,
        redis=None,
        observability=structs.replace(document.observability, otlp_endpoint=None),
        activity=Activity.TRADE,
    )


def with_prices(document: EngineDocument, path: str) -> EngineDocument:
    """Return the document with the prices of a file."""
    feed = document.market.feed
    replay = structs.replace(feed.replay, data=path)
    return structs.replace(document, market=structs.replace(document.market, feed=structs.replace(feed, replay=replay)))


def _with_cash(broker: Broker, market: Market, cash: float | None) -> Broker:
    if cash is None:
        return broker
    balances = {**broker.paper.balances, quote_currency(market.symbols[0]): cash}
    return structs.replace(broker, paper=structs.replace(broker.paper, balances=balances))
