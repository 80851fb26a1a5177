"""What was wrong, and in which state bot and engine were."""

from __future__ import annotations

from typing import Final

from tradingbot_contract import metrics
from tradingbot_contract.document import Activity
from tradingbot_contract.report import EngineState
from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import line, section
from tradingbot_observability.dashboards.panels import Query, plot, timeline
from tradingbot_observability.dashboards.series import BOT, ONE_BOT
from tradingbot_observability.dashboards.states import ACTIVITY_COLORS, HELD_BACK, PHASE_COLORS, STATE_COLORS, WRONG, mapped, numbered
from tradingbot_operator import bot_metrics
from tradingbot_operator.bot_status import Phase

_FINDINGS: Final = BOT.of(metrics.OBSERVER_FINDINGS)


HEALTH: Final = section(
    "Health",
    line(
        8,
        plot(
            "Score",
            "Health of each engine, 100 is well. The lines are the spec's defaults: unhealthy below the highest, a warning "
            "below the second, critical below the lowest.",
            "none",
            Query(f"min by (pod) ({BOT.of(metrics.OBSERVER_SCORE)})", "{{pod}}"),
            steps=(
                at.LINE,
                (at.HEALTH.score.critical, at.RED),
                (at.HEALTH.score.warning, at.ORANGE),
                (at.HEALTH.score.unhealthy, at.YELLOW),
            ),
            high=100.0,
        ),
        timeline(
            "Findings",
            "What the observer saw wrong in the time that is shown, by reason; each reason is explained in the reference of "
            "reasons and has a runbook.",
            Query(
                f"max by (reason) ({_FINDINGS}) and on (reason) max by (reason) (max_over_time({_FINDINGS}[$__range])) > 0",
                "{{reason}}",
            ),
            WRONG,
            nothing="Nothing was wrong in this time",
        ),
        timeline(
            "Engine state",
            "What each engine says it is in. Fenced: told to trade nothing. Refused: it can't run its document.",
            Query(numbered(BOT, metrics.ENGINE_STATE, "state", EngineState, "pod"), "{{pod}}"),
            mapped(STATE_COLORS),
        ),
    ),
    line(
        6,
        timeline(
            "Phase",
            "The bot's phase over time, in the operator's words.",
            Query(numbered(ONE_BOT, bot_metrics.PHASE, "phase", Phase, "bot"), "{{bot}}"),
            mapped(PHASE_COLORS),
        ),
        timeline(
            "What the engine may do",
            "Trade, or less: Pause opens nothing, Cancel sends no order, Flatten sells everything, Fence lets go of everything.",
            Query(numbered(BOT, metrics.ENGINE_ACTIVITY, "activity", Activity, "pod"), "{{pod}}"),
            mapped(ACTIVITY_COLORS),
        ),
        timeline(
            "Remediation held back",
            "While a step is due and not taken, and why: budget, open positions, an excluded period, or too many sick bots.",
            Query(f"max by (reason) ({ONE_BOT.of(bot_metrics.HELD)})", "{{reason}}"),
            HELD_BACK,
            nothing="Nothing was held back in this time",
        ),
    ),
)
