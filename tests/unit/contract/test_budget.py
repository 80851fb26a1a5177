"""What a document may need of memory, by hand. The API server's own arithmetic is held against this one on a real cluster."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tradingbot_contract.budget import MemoryBudget, estimate_memory
from tradingbot_contract.document import VERSION, EngineDocument

MIB = 2**20
MODELS = {"finbert": {"source": "/models/one"}, "social": {"source": "/models/two"}}


def estimate(**changes: Any) -> MemoryBudget:
    smallest: dict[str, Any] = {
        "apiVersion": VERSION,
        "bot": {"namespace": "desk", "name": "first", "uid": "u-1"},
        "generation": 1,
        "strategy": {"name": "ema-cross"},
        "market": {"symbols": ["AAPL"]},
        "broker": {},
        "risk": {},
        "database": {},
        "cache": {},
        "health": {},
        "observability": {},
    }
    return estimate_memory(msgspec.convert(smallest | changes, EngineDocument))


@pytest.mark.parametrize(
    ("changes", "caches", "pools", "models"),
    [
        ({}, 100, 14, 0),
        ({"cache": {"memoryLimit": "1Gi"}}, 1024, 14, 0),
        ({"database": {"pool": {"preset": "throughput"}}}, 100, 60, 0),
        ({"database": {"pool": {"preset": "throughput", "maxOverflow": 0}}}, 100, 20, 0),
        ({"redis": {}}, 100, 54, 0),
        ({"redis": {"maxConnections": 3}}, 100, 20, 0),
        ({"prediction": MODELS}, 100, 14, 0),
        ({"prediction": MODELS, "memoryMode": "Full"}, 100, 14, 640),
        ({"prediction": MODELS, "memoryMode": "FinBERTOnly"}, 100, 14, 320),
        ({"prediction": MODELS, "memoryMode": "Minimal"}, 100, 14, 0),
    ],
)
def test_each_part_is_counted(changes: dict[str, Any], caches: int, pools: int, models: int) -> None:
    assert estimate(**changes) == MemoryBudget(engine=64 * MIB, caches=caches * MIB, pools=pools * MIB, models=models * MIB)


def test_what_fits_has_no_objection_and_what_does_not_says_what_to_do() -> None:
    budget = estimate()
    assert budget.objection(178 * MIB) == ""
    assert budget.objection(128 * MIB) == (
        "memory: 178Mi are needed (engine 64Mi, caches 100Mi, pools 14Mi), the limit is 128Mi: "
        "raise engine.resources.limits.memory, or lower cache.memoryLimit, database.pool, redis.pool or engine.memoryMode"
    )
