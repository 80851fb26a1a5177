"""Is anything wrong: one row of tiles, then since when, and which alerts fire."""

from __future__ import annotations

from typing import Final

from tradingbot_observability.dashboards import thresholds as at
from tradingbot_observability.dashboards.frame import bot_link, line, section
from tradingbot_observability.dashboards.panels import Query, list_table, number, plot
from tradingbot_observability.dashboards.series import ALERTS, FLEET_BOTS, OPERATOR, OPERATORS
from tradingbot_observability.dashboards.states import PHASE_COLORS
from tradingbot_operator import bot_metrics
from tradingbot_operator.bot_status import ConditionStatus, Phase
from tradingbot_operator.monitoring.settings import RUNBOOK_BASE_URL
from tradingbot_operator.settings import OperatorSettings

_BREAKER: Final = OperatorSettings(engine_image="").max_unhealthy_percent / 100
_PHASES: Final = FLEET_BOTS.of(bot_metrics.PHASE)
_ALERTS: Final = f'max by (alertname, alertstate, severity, namespace, bot) ({ALERTS}{{alertname=~"TradingBot.+"}})'


def _bots(*phases: Phase) -> str:
    """Count bots; 0 only where the operator tells of bots at all."""
    wanted = "|".join(phase.value for phase in phases)
    return _count(FLEET_BOTS.of(bot_metrics.PHASE, f'phase=~"{wanted}"'), FLEET_BOTS.of(bot_metrics.PHASE))


def _count(wanted: str, all_of_it: str) -> str:
    return f"sum({wanted}) or 0 * sum({all_of_it})"


HEALTH: Final = section(
    "Health: green is well, red wants somebody",
    line(
        4,
        number(
            "Trading",
            "Bots whose engine is up and trades, is paused on purpose, or has come to the end of its prices.",
            "none",
            Query(_bots(Phase.RUNNING, Phase.PAUSED, Phase.FINISHED)),
            steps=at.SOME_ARE_WELL,
        ),
        number(
            "Unhealthy",
            "Bots with something wrong: Unhealthy is being seen to by the operator, Refused and Failed wait for you.",
            "none",
            Query(_bots(Phase.UNHEALTHY, Phase.REFUSED, Phase.FAILED)),
            steps=at.NONE_IS_WELL,
        ),
        number(
            "Health unknown",
            "Bots of which the operator knows nothing now, so it does nothing to them. A bot that is starting is one of them; "
            "many at once mean a cut between operator and pods.",
            "none",
            Query(
                _count(
                    FLEET_BOTS.of(bot_metrics.CONDITION, condition="Healthy", status=ConditionStatus.UNKNOWN.value),
                    FLEET_BOTS.of(bot_metrics.PHASE),
                )
            ),
            steps=at.NONE_IS_BEST,
        ),
        number(
            "Quarantined",
            "Engines that were fenced because restarts did not help: up, not trading, waiting for a person. "
            "Give the annotation tradingbot.dev/restart a new value, or change the spec.",
            "none",
            Query(f"sum({FLEET_BOTS.of(bot_metrics.SHARDS, state='quarantined')})"),
            steps=at.NONE_IS_WELL,
        ),
        number(
            "Held back",
            "Bots for which a step of remediation is due and not taken, because something forbids it: budget, open positions, "
            "an excluded period, or too many sick bots at once.",
            "none",
            Query(_count(FLEET_BOTS.of(bot_metrics.HELD), FLEET_BOTS.of(bot_metrics.PHASE))),
            steps=at.NONE_IS_BEST,
        ),
        number(
            "Sick share",
            f"Sick bots of those whose health is known. Above {_BREAKER:.0%} the operator holds everything back, because the "
            "cause must be one that they share.",
            "percentunit",
            Query(
                f"max({OPERATORS.of(OPERATOR.fleet_sick)}) / (max({OPERATORS.of(OPERATOR.fleet_judged)}) > 0)"
                f" or 0 * max({OPERATORS.of(OPERATOR.fleet_judged)})"
            ),
            steps=((None, at.GREEN), (_BREAKER / 2, at.YELLOW), (_BREAKER, at.RED)),
            decimals=0,
        ),
    ),
    line(
        8,
        plot(
            "Bots by phase",
            "How many bots there are in each phase. A band of red or orange that grows is the moment at which it began.",
            "none",
            Query(
                # A phase that no bot is in any more is 0, so that its band ends where the next begins; one that none was in is left out.
                f"(sum by (phase) ({_PHASES}) or 0 * max by (phase) ({OPERATORS.of(OPERATOR.bots)}))"
                f" and on (phase) max by (phase) (max_over_time({_PHASES}[$__range]))",
                "{{phase}}",
            ),
            colors={phase.value: color for phase, color in PHASE_COLORS.items()},
            stacked=True,
            stepped=True,
        ),
        list_table(
            "Alerts",
            "Alerts that fire or are about to (pending). A click on the name opens its runbook.",
            Query(_ALERTS),
            {
                "alertname": "Alert",
                "severity": "Severity",
                "alertstate": "State",
                "namespace": "Namespace",
                "bot": "Bot",
            },
            links={"Alert": ("Open the runbook", f"{RUNBOOK_BASE_URL}/${{__value.raw}}.md"), "Bot": bot_link()},
            nothing="No alert",
        ),
    ),
)
