"""The fleet: is anything wrong, with whom, and what is being done about it."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.dashboards.fleet.bots import BOTS
from tradingbot_observability.dashboards.fleet.health import HEALTH
from tradingbot_observability.dashboards.fleet.money import MONEY
from tradingbot_observability.dashboards.fleet.objectives import OBJECTIVES
from tradingbot_observability.dashboards.fleet.remediation import REMEDIATION
from tradingbot_observability.dashboards.fleet.resources import RESOURCES
from tradingbot_observability.dashboards.frame import Page, Variable
from tradingbot_observability.dashboards.series import series_name
from tradingbot_operator import bot_metrics

PAGE: Final = Page(
    name="fleet",
    title="TradingBot / Fleet",
    description="All bots: health first, then the worst ones, what the operator does about them, money and resources.",
    variables=(
        Variable(
            "namespace",
            "Namespace",
            f'label_values({series_name(bot_metrics.PHASE)}{{job="tradingbot-operator"}}, bot_namespace)',
            several=True,
        ),
    ),
    sections=(HEALTH, BOTS, REMEDIATION, OBJECTIVES, MONEY, RESOURCES),
)
