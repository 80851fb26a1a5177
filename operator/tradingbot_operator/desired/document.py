"""What of a bot's spec its pod is told: the engine's document."""

from __future__ import annotations

from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument
from tradingbot_contract.spec import Health
from tradingbot_operator.resource import TradingBot


def build_document(bot: TradingBot, *, shard: int = 0) -> EngineDocument:
    """Return the document of one shard."""
    spec = bot.spec
    return EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace=bot.metadata.namespace, name=bot.metadata.name, uid=bot.metadata.uid, shard=shard),
        generation=bot.metadata.generation,
        strategy=spec.strategy,
        market=spec.market,
        broker=spec.broker,
        risk=spec.risk,
        database=DatabaseAccess(pool=spec.database.pool),
        cache=spec.cache,
        # What to do about a sick engine is the operator's business; the pod is told what counts as healthy.
        health=Health(**{name: getattr(spec.health, name) for name in Health.__struct_fields__}),
        observability=spec.observability,
    )
