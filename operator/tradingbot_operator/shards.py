"""One engine of the bot in the status: its pod, its restarts over the life of the bot, and how it last ended.

The kubelet counts restarts per pod, so the sum is carried on from the status before. An exit is told apart from the next by the
container that ended.
"""

from __future__ import annotations

from tradingbot_operator.bot_status import ConditionStatus, Decision, Shard, TradingBotStatus
from tradingbot_operator.conditions import Evidence
from tradingbot_operator.names import pod_name
from tradingbot_operator.remediation import RESTART
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.world import PodFacts


def build_shard(bot: TradingBot, before: TradingBotStatus, evidence: Evidence, history: tuple[Decision, ...]) -> Shard:
    """Return what the status says of the bot's engine and pod."""
    pod, verdict, engine = evidence.pod, evidence.verdict, evidence.engine
    name = pod_name(bot)
    earlier = next((shard for shard in before.shards if shard.name == name), Shard(name=name, symbols=[]))
    health = "Healthy" if verdict.status is ConditionStatus.TRUE else f"{verdict.status.value}: {verdict.reason.value}"
    return Shard(
        name=name,
        symbols=list(bot.spec.market.symbols),
        pod=pod.name if pod else "",
        pod_uid=pod.uid if pod else earlier.pod_uid,
        pod_restarts=_pod_restarts(pod, earlier),
        node=pod.node if pod else "",
        health=health,
        restarts=_restarts(pod, earlier, history),
        last_restart_reason=_last_restart_reason(pod, earlier, history),
        last_exit=pod.engine.exit if pod and pod.engine.exit and not pod.terminating else earlier.last_exit,
        memory_mode=engine.memory_mode if engine else earlier.memory_mode,
        config_generation=engine.generation if engine else earlier.config_generation,
    )


def _pod_restarts(pod: PodFacts | None, earlier: Shard) -> int:
    if pod is None:
        return earlier.pod_restarts
    return max(earlier.pod_restarts, pod.engine.restarts) if pod.uid == earlier.pod_uid else pod.engine.restarts


def _restarts(pod: PodFacts | None, earlier: Shard, history: tuple[Decision, ...]) -> int:
    """Return all restarts: the kubelet's in every pod, and the operator's, each of which began a new pod."""
    if pod is None:
        return earlier.restarts
    if pod.uid == earlier.pod_uid:
        return earlier.restarts + max(0, pod.engine.restarts - earlier.pod_restarts)
    recreated = any(decision.action == RESTART and decision.pod_uid == earlier.pod_uid for decision in history)
    return earlier.restarts + pod.engine.restarts + (1 if recreated and earlier.pod_uid else 0)


def _last_restart_reason(pod: PodFacts | None, earlier: Shard, history: tuple[Decision, ...]) -> str:
    if pod is None or pod.terminating:
        return earlier.last_restart_reason
    if pod.uid != earlier.pod_uid:
        for decision in reversed(history):
            if decision.action == RESTART and decision.pod_uid == earlier.pod_uid:
                return decision.reason
    if pod.engine.exit and (earlier.last_exit is None or pod.engine.exit.container_id != earlier.last_exit.container_id):
        return pod.engine.exit.reason
    return earlier.last_restart_reason
