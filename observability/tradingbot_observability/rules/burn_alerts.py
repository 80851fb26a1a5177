"""Alerts on objectives: a budget burns so fast that it will not last, and it still does.

The long window says that it matters, the short one that it is not over. One alert name for each objective; the pair of windows gives the
severity, and an objective that trading does not feel yet never wakes anybody.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tradingbot_observability.rules.bots import UNLESS_IDLE
from tradingbot_observability.rules.objectives import OBJECTIVES, Nature, Objective
from tradingbot_observability.rules.rule import Alert, Group, Severity
from tradingbot_observability.rules.shares import bot_share


class BurnRate(Struct, frozen=True):
    """How many times too fast a budget must burn, over a long window and still over a short one."""

    factor: float
    long: str
    short: str
    for_minutes: int
    severities: dict[Nature, Severity]


_URGENT: Final = {Nature.FELT: Severity.CRITICAL, Nature.STRAIN: Severity.WARNING}
_PATIENT: Final = {Nature.FELT: Severity.WARNING, Nature.STRAIN: Severity.INFO}
BURN_RATES: Final = (
    BurnRate(14.4, "1h", "5m", 2, _URGENT),
    BurnRate(6.0, "6h", "30m", 15, _URGENT),
    BurnRate(3.0, "1d", "2h", 60, _PATIENT),
    BurnRate(1.0, "3d", "6h", 180, _PATIENT),
)
"""The table of the SRE workbook for a budget of thirty days: 2 % of it in an hour, 5 % in six, 10 % in a day, 10 % in three."""


def _burn_alert(objective: Objective, rate: BurnRate) -> Alert:
    selector, limit = f'{{objective="{objective.name}"}}', f"> {rate.factor:g} * {objective.budget:g}"
    return Alert(
        name=objective.alert,
        expr=f"""
        {bot_share(rate.long)}{selector} {limit}
        and on (namespace, bot) {bot_share(rate.short)}{selector} {limit}
        {UNLESS_IDLE}
        """,
        for_minutes=rate.for_minutes,
        severity=rate.severities[objective.nature],
        labels={"long": rate.long, "short": rate.short},
        summary=(
            f"Bot {{{{ $labels.namespace }}}}/{{{{ $labels.bot }}}} uses up its {objective.title} budget {rate.factor:g} times too fast"
        ),
        description=(
            f"Promised: {objective.target}. Of the last {rate.long}, {{{{ $value | humanizePercentage }}}} was bad: "
            f"{objective.is_bad}. The budget is {100 * objective.budget:g} %."
        ),
    )


BURN: Final = Group("tradingbot-budgets", 60, tuple(_burn_alert(objective, rate) for objective in OBJECTIVES for rate in BURN_RATES))
