"""What of a bot's spec its pod is told: the engine's document, with what the operator has to add for one shard."""

from __future__ import annotations

from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct

from tradingbot_contract.document import VERSION, Activity, BotIdentity, DatabaseAccess, EngineDocument
from tradingbot_contract.quantity import format_bytes, parse_bytes
from tradingbot_contract.resources import Cache, MemoryMode, Prediction, PredictionsCache, ViewsCache
from tradingbot_contract.spec import Health
from tradingbot_operator.bot_status import Adjustment
from tradingbot_operator.desired.revision import shard_revision
from tradingbot_operator.resource import TradingBot

_PERCENT: Final = 100
_KIB: Final = 1024

_Named = TypeVar("_Named", PredictionsCache, ViewsCache)


class Orders(Struct, frozen=True, kw_only=True):
    """What the operator tells one shard beside the spec."""

    symbols: tuple[str, ...]
    activity: Activity = Activity.TRADE
    releasing: tuple[str, ...] = ()
    settle: bool = False
    grant: int = 0
    """Number of the last change of any shard's grant (:func:`tradingbot_operator.handover.latest_number`)."""
    adjustment: Adjustment | None = None


def build_document(bot: TradingBot, *, shard: int = 0, orders: Orders | None = None) -> EngineDocument:
    """Return the document of one shard; without orders it trades everything, as the spec says."""
    spec = bot.spec
    database = spec.database
    told = orders or Orders(symbols=tuple(spec.market.symbols))
    adjustment = told.adjustment or Adjustment()
    return EngineDocument(
        api_version=VERSION,
        bot=BotIdentity(namespace=bot.metadata.namespace, name=bot.metadata.name, uid=bot.metadata.uid, shard=shard),
        generation=bot.metadata.generation,
        strategy=spec.strategy,
        market=msgspec.structs.replace(spec.market, symbols=list(told.symbols)),
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
        cache=shrunk(spec.cache, adjustment.cache_percent),
        memory_mode=MemoryMode(adjustment.memory_mode) if adjustment.memory_mode else spec.engine.memory_mode,
        # Where the volume of models comes from, and what to do about a sick engine, is the operator's business.
        prediction=Prediction(**_fields_of(Prediction, spec.prediction)),
        health=Health(**_fields_of(Health, spec.health)),
        observability=spec.observability,
        activity=told.activity,
        releasing=list(told.releasing),
        settle=told.settle,
        grant=told.grant,
        revision=shard_revision(bot, told.symbols),
    )


def shrunk(cache: Cache, percent: int) -> Cache:
    """Return the caches with limits of this share; what a spec may ask for at the least is left to them."""
    if percent == _PERCENT:
        return cache
    memory_bytes = parse_bytes(cache.memory_limit)
    return msgspec.structs.replace(
        cache,
        max_entries=_share(cache.max_entries, percent),
        memory_limit=format_bytes(max(min(memory_bytes, _KIB), memory_bytes * percent // _PERCENT // _KIB * _KIB)),
        predictions=_with_fewer(cache.predictions, percent),
        views=_with_fewer(cache.views, percent),
    )


def _with_fewer(cache: _Named, percent: int) -> _Named:
    return cache if cache.max_entries is None else msgspec.structs.replace(cache, max_entries=_share(cache.max_entries, percent))


def _share(entries: int, percent: int) -> int:
    return max(1, entries * percent // _PERCENT)


def _fields_of(model: type[Struct], section: Struct) -> dict[str, Any]:
    return {name: getattr(section, name) for name in model.__struct_fields__}
