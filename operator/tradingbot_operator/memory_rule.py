"""The memory budget as the API server evaluates it: :func:`tradingbot_contract.budget.estimate_sections` written in CEL.

Both are made of the same constants, and a test on a real API server holds both against one table of specs.
"""

from __future__ import annotations

from typing import Final

from tradingbot_contract.budget import CONNECTION_MIB, ENGINE_MIB, MODEL_MIB, REMEDY
from tradingbot_contract.resources import POOL_SIZES, MemoryMode, PoolPreset, PoolSize
from tradingbot_contract.section import Rule

_MIB: Final = 2**20
_LIMIT: Final = "self.engine.resources.limits.memory"


def _pool_size(name: str, part: str) -> str:
    """Return the CEL of one size of the database pool: what is given, else what the preset says."""
    standard, throughput = (getattr(POOL_SIZES[preset], part) for preset in (PoolPreset.STANDARD, PoolPreset.THROUGHPUT))
    given = f"self.database.pool.{name}"
    preset = f"(self.database.pool.preset == '{PoolPreset.THROUGHPUT.value}' ? {throughput} : {standard})"
    return f"(has({given}) ? {given} : {preset})"


def _models() -> str:
    """Return the CEL of the number of models that the memory mode insists on; Auto insists on none."""
    full, one = (f"self.engine.memoryMode == '{mode.value}'" for mode in (MemoryMode.FULL, MemoryMode.FINBERT_ONLY))
    finbert, social = (f"has(self.prediction.{name})" for name in ("finbert", "social"))
    return f"((({full} || {one}) && {finbert} ? 1 : 0) + ({full} && {social} ? 1 : 0))"


assert set(POOL_SIZES) == {PoolPreset.STANDARD, PoolPreset.THROUGHPUT}
_SIZE, _MAX_OVERFLOW = PoolSize._fields
_REDIS: Final = "(has(self.redis) ? self.redis.pool.maxConnections : 0)"
_POOLS: Final = f"({_pool_size('size', _SIZE)} + {_pool_size('maxOverflow', _MAX_OVERFLOW)} + {_REDIS}) * {CONNECTION_MIB}"
_MODELS: Final = f"{_models()} * {MODEL_MIB}"

MEMORY_RULE: Final = Rule(
    f"quantity(self.cache.memoryLimit).add(({ENGINE_MIB} + {_POOLS} + {_MODELS}) * {_MIB}).compareTo(quantity({_LIMIT})) <= 0",
    f"memory: {ENGINE_MIB}Mi for the engine, cache.memoryLimit, {CONNECTION_MIB}Mi for each connection of database.pool and redis.pool, "
    f"and {MODEL_MIB}Mi for each model that engine.memoryMode insists on are more than engine.resources.limits.memory: {REMEDY}",
)
"""On the whole spec. CEL can't put the figures into its message within the API server's limit of cost, so it says how they are found."""
