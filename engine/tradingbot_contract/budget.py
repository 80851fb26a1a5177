"""What an engine needs of memory, estimated before it runs: what its caches, pools and models may take, and the engine itself.

The API server refuses a bot whose estimate is beyond its limit (a CEL rule in the operator's model of the spec), and the engine checks
it again at its start and when a changed document comes: what can't fit is refused then, not ended by the kernel later.

The figures are measured (docs/benchmarks.md) and rounded up.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_contract.document import EngineDocument
from tradingbot_contract.quantity import format_bytes_rounded
from tradingbot_contract.resources import Cache, MemoryMode, Pool, Prediction, RedisPool

_MIB: Final = 2**20
ENGINE_MIB: Final = 64
"""Interpreter, libraries and headroom of an engine without caches, pools and models."""
CONNECTION_MIB: Final = 2
"""A connection to a database or to Redis, with SQLite's page cache or the driver's buffers."""
MODEL_MIB: Final = 320
"""A model of FinBERT's size with eight-bit weights at work."""

REMEDY: Final = "raise engine.resources.limits.memory, or lower cache.memoryLimit, database.pool, redis.pool or engine.memoryMode"
"""What the user can do about a budget that does not fit."""


class MemoryBudget(Struct, frozen=True):
    """The estimate, in bytes, by what needs it."""

    engine: int
    caches: int
    pools: int
    models: int

    @property
    def total(self) -> int:
        return self.engine + self.caches + self.pools + self.models

    def objection(self, limit_bytes: int) -> str:
        """Return why it does not fit and what to do about it; empty if it fits."""
        if self.total <= limit_bytes:
            return ""
        parts = ", ".join(
            f"{name} {format_bytes_rounded(count)}"
            for name, count in (("engine", self.engine), ("caches", self.caches), ("pools", self.pools), ("models", self.models))
            if count
        )
        needed, limit = format_bytes_rounded(self.total), format_bytes_rounded(limit_bytes)
        return f"memory: {needed} are needed ({parts}), the limit is {limit}: {REMEDY}"


def estimate_memory(document: EngineDocument) -> MemoryBudget:
    """Return what the document may need."""
    return estimate_sections(
        pool=document.database.pool,
        redis=document.redis,
        cache=document.cache,
        prediction=document.prediction,
        memory_mode=document.memory_mode,
    )


def estimate_sections(
    *, pool: Pool, redis: RedisPool | None, cache: Cache, prediction: Prediction, memory_mode: MemoryMode
) -> MemoryBudget:
    """Return what these sections of a spec may need. In mode Auto models take only what is left, so they count nothing."""
    connections = pool.max_connections + (redis.max_connections if redis else 0)
    wanted = {
        MemoryMode.FULL: (prediction.finbert, prediction.social),
        MemoryMode.FINBERT_ONLY: (prediction.finbert,),
    }.get(memory_mode, ())
    return MemoryBudget(
        engine=ENGINE_MIB * _MIB,
        caches=cache.memory_limit_bytes,
        pools=connections * CONNECTION_MIB * _MIB,
        models=sum(model is not None for model in wanted) * MODEL_MIB * _MIB,
    )
