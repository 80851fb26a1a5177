"""What of a bot's spec its pod is told: the engine's document."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from tradingbot_contract.document import VERSION, BotIdentity, DatabaseAccess, EngineDocument
from tradingbot_contract.resources import Prediction
from tradingbot_contract.spec import Health
from tradingbot_operator.resource import TradingBot


def build_document(bot: TradingBot, *, shard: int = 0) -> EngineDocument:
    """Return the document of one shard."""
    spec = bot.spec
    database = spec.database
    return EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace=bot.metadata.namespace, name=bot.metadata.name, uid=bot.metadata.uid, shard=shard),
        generation=bot.metadata.generation,
        strategy=spec.strategy,
        market=spec.market,
        broker=spec.broker,
        risk=spec.risk,
        # Addresses are secrets: the pod gets them from Secrets, and the document only tells that there are any.
        database=DatabaseAccess(
            pool=database.pool,
            retry=database.retry,
            health_interval_seconds=database.health_interval_seconds,
            retention=database.retention,
            external=database.url_secret_ref is not None,
        ),
        redis=spec.redis.pool if spec.redis else None,
        http=spec.http,
        cache=spec.cache,
        memory_mode=spec.engine.memory_mode,
        # Where the volume of models comes from, and what to do about a sick engine, is the operator's business.
        prediction=Prediction(**_fields_of(Prediction, spec.prediction)),
        health=Health(**_fields_of(Health, spec.health)),
        observability=spec.observability,
    )


def _fields_of(model: type[Struct], section: Struct) -> dict[str, Any]:
    return {name: getattr(section, name) for name in model.__struct_fields__}
