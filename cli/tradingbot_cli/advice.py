"""What a person can do about a reason, as a command where there is one. A reason that only time or the operator mends has none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tradingbot_operator.reasons import Reason

_LOGS: Final = "read how it ended: {tradingbot} logs {name} --previous"
_TUNE: Final = "{tradingbot} tune {name}"

ADVICE: Final = {
    Reason.BUDGET_SPENT: "restart by hand, which costs no budget: {tradingbot} restart {name}; or allow more: "
    + _TUNE
    + " health.remediation.maxActions=N",
    Reason.QUARANTINED: "mend the cause, then {tradingbot} restart {name} ends the quarantine (so does a change of the spec)",
    Reason.CRASH_LOOPING: _LOGS,
    Reason.ENGINE_EXITED: _LOGS,
    Reason.ENGINE_KILLED: _LOGS,
    Reason.EXIT_UNKNOWN: "read what its observer saw: {tradingbot} logs {name} --container observer",
    Reason.OOM_KILLED: "give it more memory, live: "
    + _TUNE
    + " engine.resources.limits.memory=1Gi (or let the operator: health.remediation.memoryCeiling=1Gi)",
    Reason.MEMORY_HIGH: "give it more memory, live: "
    + _TUNE
    + " engine.resources.limits.memory=1Gi; or smaller caches: cache.memoryLimit=50Mi",
    Reason.POOL_EXHAUSTED: "give it more connections, live: " + _TUNE + " database.pool.size=10 --dry-run",
    Reason.DOCUMENT_REFUSED: "correct the field that the message names: kubectl -n {namespace} edit tb {name}",
    Reason.SPEC_INVALID: "correct the field that the message names: kubectl -n {namespace} edit tb {name}",
    Reason.ACCOUNT_CONFLICT: "delete one of the two bots, or give it other symbols",
    Reason.UNSCHEDULABLE: "make room on a node, or ask for less: " + _TUNE + " engine.resources.requests.memory=128Mi",
    Reason.IMAGE_PULL_FAILED: "check spec.engine.image and its pull secrets: kubectl -n {namespace} describe tb {name}",
    Reason.ROLLOUT_STALLED: "apply the spec of before; until then: {tradingbot} logs {name}",
    Reason.WAITING_FOR_POSITIONS: "let it go ahead: " + _TUNE + " lifecycle.updatePolicy=Proceed (or Flatten, which sells first)",
    Reason.FLEET_SICK: "look for what the bots share (network, database, venue, nodes): {tradingbot} list -A",
    Reason.DATABASE_DOWN: "check the database and its Secret; a restart would not help",
    Reason.REDIS_DOWN: "check Redis; the engine does without meanwhile",
    Reason.FEED_STALE: "check the venue and the way to it; a restart would not help",
    Reason.RECONCILE_PAUSED: "let the operator in again: kubectl -n {namespace} annotate tb {name} tradingbot.dev/paused-",
    Reason.REMEDIATION_SKIPPED: "let the operator act again: kubectl -n {namespace} annotate tb {name} tradingbot.dev/skip-remediation-",
    Reason.PAUSED: "{tradingbot} resume {name}",
    Reason.STOPPED: "{tradingbot} resume {name}",
    Reason.RESIZE_INFEASIBLE: "ask for less memory, or let another node take the pod",
    Reason.OBSERVER_UNREACHABLE: "see whether the observer runs: {tradingbot} logs {name} --container observer",
}
"""By reason. `{tradingbot}` stands for the command with the bot's namespace."""
MOST: Final = 4


def build_advice(name: str, namespace: str, reasons: Iterable[str]) -> tuple[str, ...]:
    """Return what can be done, for the first few reasons that have something."""
    known = {reason.value: text for reason, text in ADVICE.items()}
    found = [known[reason] for reason in reasons if reason in known]
    return tuple(
        text.format(tradingbot="tradingbot", name=f"{name} -n {namespace}", namespace=namespace)
        for text in list(dict.fromkeys(found))[:MOST]
    )
