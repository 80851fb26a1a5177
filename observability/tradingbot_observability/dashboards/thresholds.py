"""Where a colour changes, and where a line is drawn: the defaults of the spec, so that a panel turns red where a finding begins."""

from __future__ import annotations

from typing import Final

from tradingbot_contract.spec import Health, Limits
from tradingbot_operator.operations import Remediation

Step = tuple[float | None, str]
"""From this value on, this colour; None is the lowest of all."""

GREEN: Final = "green"
YELLOW: Final = "yellow"
ORANGE: Final = "orange"
RED: Final = "red"
BLUE: Final = "blue"
PURPLE: Final = "purple"
GREY: Final = "text"

LINE: Final[Step] = (None, "transparent")
"""Where lines are drawn and nothing is coloured below the first."""

HEALTH: Final = Health()


def _of_limits(limits: Limits, *, scale: float = 1.0) -> tuple[Step, ...]:
    return ((None, GREEN), (limits.elevated * scale, YELLOW), (limits.high * scale, RED))


PLAIN: Final[tuple[Step, ...]] = ((None, BLUE),)
NONE_IS_WELL: Final[tuple[Step, ...]] = ((None, GREEN), (1.0, RED))
NONE_IS_BEST: Final[tuple[Step, ...]] = ((None, GREEN), (1.0, YELLOW))
ONE_IS_WELL: Final[tuple[Step, ...]] = ((None, RED), (1.0, GREEN), (2.0, RED))
SOME_ARE_WELL: Final[tuple[Step, ...]] = ((None, RED), (1.0, GREEN))
SCORE: Final[tuple[Step, ...]] = (
    (None, RED),
    (HEALTH.score.critical, ORANGE),
    (HEALTH.score.warning, YELLOW),
    (HEALTH.score.unhealthy, GREEN),
)
CPU: Final = _of_limits(HEALTH.cpu_percent, scale=0.01)
MEMORY: Final[tuple[Step, ...]] = (
    (None, GREEN),
    (HEALTH.memory_percent.elevated / 100, YELLOW),
    (HEALTH.memory_warning_percent / 100, ORANGE),
    (HEALTH.memory_percent.high / 100, RED),
)
ERRORS: Final = _of_limits(HEALTH.error_percent, scale=0.01)
RESPONSE: Final = _of_limits(HEALTH.response_seconds)
HIT_RATIO: Final[tuple[Step, ...]] = (
    (None, ORANGE),
    (HEALTH.cache_hit_percent.low / 100, YELLOW),
    (HEALTH.cache_hit_percent.good / 100, GREEN),
)
FEED_AGE: Final[tuple[Step, ...]] = ((None, GREEN), (HEALTH.stale_after_seconds / 2, YELLOW), (HEALTH.stale_after_seconds, RED))
ANSWER_AGE: Final[tuple[Step, ...]] = ((None, GREEN), (HEALTH.silent_after_seconds, RED))
LOOP_LAG: Final[tuple[Step, ...]] = ((None, GREEN), (0.5, YELLOW), (2.0, RED))
POOL_USE: Final[tuple[Step, ...]] = ((None, GREEN), (0.8, YELLOW), (1.0, RED))
BUDGET_FULL: Final = Remediation().max_actions
BUDGET: Final[tuple[Step, ...]] = ((None, RED), (1.0, YELLOW), (3.0, GREEN))
DRAWDOWN: Final[tuple[Step, ...]] = ((None, GREEN), (0.1, YELLOW), (0.25, RED))
