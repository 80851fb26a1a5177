"""What is done about a sick engine: causes, brakes, the ladder of steps, and whether the last one helped. All of it is pure."""

from tradingbot_operator.remediation.decide import (
    GRACE_SECONDS,
    RESTART,
    Outcome,
    Situation,
    add_to_history,
    decide,
    remaining_budget,
)

__all__ = ["GRACE_SECONDS", "RESTART", "Outcome", "Situation", "add_to_history", "decide", "remaining_budget"]
