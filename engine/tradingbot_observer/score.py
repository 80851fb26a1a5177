"""The health score: 100, less what each measure of a sample takes. The measures and their weights stand in one table.

A measure takes only when it is *above* a limit, and takes for the higher limit or the lower one, never for both. One that is not
known takes nothing and gives nothing. When none is known, the score isn't either.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_contract.report import Sample
from tradingbot_contract.spec import Health, Limits


class Weight(Struct, frozen=True):
    """How a measure takes from the score."""

    measure: str
    """Field of :class:`~tradingbot_contract.report.Sample`."""
    limits: str
    """Field of :class:`~tradingbot_contract.spec.Health`."""
    above_high: float
    above_elevated: float


WEIGHTS: Final = (
    Weight("cpu_percent", "cpu_percent", above_high=20.0, above_elevated=10.0),
    Weight("memory_percent", "memory_percent", above_high=25.0, above_elevated=15.0),
    Weight("error_percent", "error_percent", above_high=20.0, above_elevated=10.0),
    Weight("response_p95_seconds", "response_seconds", above_high=15.0, above_elevated=5.0),
)
CACHE_BONUS: Final = 5.0
"""What a cache hit ratio above its good limit gives."""


def compute_score(sample: Sample, health: Health) -> float | None:
    """Return the score of a sample, 0 to 100, or None when nothing of the engine could be measured."""
    values = [getattr(sample, weight.measure) for weight in WEIGHTS]
    if sample.cache_hit_percent is None and all(value is None for value in values):
        return None
    score = 100.0 - sum(_taken(value, weight, health) for value, weight in zip(values, WEIGHTS, strict=True))
    if sample.cache_hit_percent is not None and sample.cache_hit_percent > health.cache_hit_percent.good:
        score += CACHE_BONUS
    return min(100.0, max(0.0, score))


def _taken(value: float | None, weight: Weight, health: Health) -> float:
    limits: Limits = getattr(health, weight.limits)
    if value is None:
        return 0.0
    if value > limits.high:
        return weight.above_high
    return weight.above_elevated if value > limits.elevated else 0.0
