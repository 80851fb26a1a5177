"""One bot: what it is doing, whether it is well, and what stands in its way."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.bot.connections import CONNECTIONS
from tradingbot_observability.dashboards.bot.detail import DETAIL
from tradingbot_observability.dashboards.bot.health import HEALTH
from tradingbot_observability.dashboards.bot.news import NEWS
from tradingbot_observability.dashboards.bot.now import NOW
from tradingbot_observability.dashboards.bot.resources import RESOURCES
from tradingbot_observability.dashboards.bot.speed import SPEED
from tradingbot_observability.dashboards.bot.trading import TRADING
from tradingbot_observability.dashboards.frame import Mark, Page, Variable
from tradingbot_observability.dashboards.series import BOT, ONE_BOT, series_name
from tradingbot_operator import bot_metrics

PAGE: Final = Page(
    name="bot",
    title="TradingBot / Bot",
    description="One bot: state, health, money, speed, connections, caches and memory; restarts and decisions are marked in every panel.",
    variables=(
        Variable("namespace", "Namespace", f'label_values({series_name(bot_metrics.PHASE)}{{job="tradingbot-operator"}}, bot_namespace)'),
        Variable(
            "bot",
            "Bot",
            f'label_values({series_name(bot_metrics.PHASE)}{{job="tradingbot-operator", bot_namespace="$namespace"}}, bot)',
        ),
    ),
    sections=(NOW, HEALTH, TRADING, SPEED, CONNECTIONS, RESOURCES, NEWS, DETAIL),
    marks=(
        Mark("Engine started", BOT.of(metrics.OBSERVER_ENGINE_START_TIME), at.ORANGE, "Engine started", "{{pod}}"),
        Mark("Decisions", ONE_BOT.of(bot_metrics.LAST_DECISION), at.RED, "{{action}}", "{{reason}}"),
    ),
)
