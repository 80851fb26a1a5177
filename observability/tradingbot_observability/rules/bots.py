"""What alerts and dashboards need to know of each bot, under the labels that a bot's own series have: `namespace` and `bot`.

The operator's series about bots name them `bot_namespace` and `bot`, because `namespace` is the operator's there. Two operators never
have an opinion on one bot, but for a moment a former leader's may still be there: `max` makes one of them.

A bot is idle when a person wants it to be: paused, stopped, or being deleted. No alert about a single bot counts then. Only where no
operator says what is wanted does the engine's last word count, which its observer remembers.
"""

from __future__ import annotations

from typing import Final

from tradingbot_contract.document import Activity
from tradingbot_observability.rules.rule import Group, RecordingRule
from tradingbot_observability.rules.series import BOT_CONDITION, BOT_HELD, BOT_LIFECYCLE, BOT_PHASE, BOT_SHARDS, ENGINE_INFO, ENGINE_UP
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.operations import LifecycleState

PHASE: Final = "namespace_bot_phase:tradingbot_bot_phase:max"
LIFECYCLE: Final = "namespace_bot_state:tradingbot_bot_lifecycle:max"
CONDITION: Final = "namespace_bot_condition_status_reason:tradingbot_bot_condition:max"
SHARDS: Final = "namespace_bot_state:tradingbot_bot_shards:max"
HELD: Final = "namespace_bot_reason:tradingbot_bot_remediation_held:max"
IDLE: Final = "namespace_bot:tradingbot_bot_idle:max"
ENGINES_EXPECTED: Final = "namespace_bot:tradingbot_engines_expected:max"
ENGINES_SEEN: Final = "namespace_bot:tradingbot_engines_seen:count"
ENGINES_TRADING: Final = "namespace_bot:tradingbot_engines_trading:sum"

UNLESS_IDLE: Final = f"unless on (namespace, bot) {IDLE}"

_IDLE_STATES: Final = "|".join(state.value for state in (LifecycleState.PAUSED, LifecycleState.STOPPED))
_UNWANTED_PHASES: Final = (Phase.PAUSED, Phase.STOPPED, Phase.DELETING, Phase.FINISHED, Phase.REFUSED)


def of_bot(expression: str) -> str:
    """Return a vector of the operator's series about bots with the bot's namespace as `namespace`."""
    return f'label_replace({expression}, "namespace", "$1", "bot_namespace", "(.+)")'


def any_of(phases: tuple[Phase, ...]) -> str:
    return "|".join(phase.value for phase in phases)


BOTS: Final = Group(
    "tradingbot-bots",
    30,
    (
        RecordingRule(PHASE, f"max by (namespace, bot, phase) ({of_bot(f'{BOT_PHASE} == 1')})"),
        RecordingRule(LIFECYCLE, f"max by (namespace, bot, state) ({of_bot(f'{BOT_LIFECYCLE} == 1')})"),
        RecordingRule(CONDITION, f"max by (namespace, bot, condition, status, reason) ({of_bot(f'{BOT_CONDITION} == 1')})"),
        RecordingRule(SHARDS, f"max by (namespace, bot, state) ({of_bot(BOT_SHARDS)})"),
        RecordingRule(HELD, f"max by (namespace, bot, reason) ({of_bot(f'{BOT_HELD} == 1')})"),
        RecordingRule(
            IDLE,
            f"""
            max by (namespace, bot) (
              {LIFECYCLE}{{state=~"{_IDLE_STATES}"}}
              or {PHASE}{{phase="{Phase.DELETING.value}"}}
              or ({ENGINE_INFO}{{activity="{Activity.PAUSE.value}"}} unless on (namespace, bot) {LIFECYCLE})
            )
            """,
        ),
        RecordingRule(
            ENGINES_EXPECTED,
            f"""
            max by (namespace, bot) (
              ({SHARDS}{{state="desired"}} > 0)
              and on (namespace, bot) {PHASE}{{phase!~"{any_of(_UNWANTED_PHASES)}"}}
              {UNLESS_IDLE}
            )
            """,
        ),
        RecordingRule(ENGINES_SEEN, f"count by (namespace, bot) ({ENGINE_UP})"),
        RecordingRule(
            ENGINES_TRADING,
            f"""
            clamp_min(
              sum by (namespace, bot) ({ENGINE_UP})
              - on (namespace, bot) (
                max by (namespace, bot) ({SHARDS}{{state="quarantined"}})
                or on (namespace, bot) 0 * {ENGINES_SEEN}
              ),
              0
            )
            """,
        ),
    ),
)
