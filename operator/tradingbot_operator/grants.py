"""Which shard may trade what, from what the cluster shows: the evidence for :mod:`tradingbot_operator.handover`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from tradingbot_contract.endpoints import ENV_GRANT_FLOOR
from tradingbot_operator.bot_status import TradingBotStatus
from tradingbot_operator.handover import Grant, ShardFacts, count_pods, document_symbols, hand_over, latest_number
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.names import workload_name
from tradingbot_operator.placement import place
from tradingbot_operator.resource import TradingBot
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.world import World


class Grants(Struct, frozen=True, kw_only=True):
    """What every shard is given."""

    grants: tuple[Grant, ...]
    wanted: tuple[tuple[str, ...], ...]
    """What each should have in the end."""

    @property
    def pods(self) -> int:
        """How many pods there should be, for a bot that runs."""
        return count_pods(self.grants, len(self.wanted))

    @property
    def used(self) -> int:
        """How many of these have something to trade."""
        return max((number + 1 for number, grant in enumerate(self.grants) if grant.symbols), default=0)

    @property
    def number(self) -> int:
        """Of the last change of any grant; all documents carry it."""
        return latest_number(self.grants)

    def symbols(self, shard: int) -> tuple[str, ...]:
        """Return what the document of a shard names."""
        return document_symbols(self.grants, self.wanted, shard)

    @property
    def moving(self) -> tuple[int, ...]:
        """Shards that are giving something up."""
        return tuple(number for number, grant in enumerate(self.grants) if grant.releasing or grant.leaving)


def read_grants(status: TradingBotStatus, bot: TradingBot) -> Grants:
    """Return the grants as they are written down; a shard that never had one has nothing."""
    grants = [
        Grant(symbols=tuple(shard.symbols), releasing=tuple(shard.releasing), leaving=tuple(shard.leaving), number=shard.grant)
        for shard in status.shards
    ]
    wanted = place(bot.spec.market.symbols, bot.spec.scaling.replicas)
    return Grants(grants=(*grants, *(Grant() for _ in range(len(wanted) - len(grants)))), wanted=wanted)


def decide_grants(world: World, shards: tuple[ShardView, ...]) -> Grants:
    """Return the grants of this pass: one step on from those that are written down."""
    earlier = read_grants(world.status, world.bot)
    policy = world.bot.spec.lifecycle.update_policy
    workload = world.children.get(ObjectKey("StatefulSet", workload_name(world.bot)))
    facts = tuple(_facts(shard, earlier.grants[shard.number : shard.number + 1], workload, world) for shard in shards)
    return Grants(grants=hand_over(earlier.grants, earlier.wanted, facts, policy), wanted=earlier.wanted)


def _facts(shard: ShardView, grants: tuple[Grant, ...], workload: Mapping[str, Any] | None, world: World) -> ShardFacts:
    engine = shard.engine if shard.has_pod else None
    says = engine is not None and engine.symbols is not None
    is_leaving = any(grant.leaving for grant in grants)
    return ShardFacts(
        # Pods and StatefulSet come by two watches, which have no common order: a pod may be there that is not known yet.
        pod_exists=shard.pod is not None
        or not _pods_are_known(workload, len(world.pods))
        or (is_leaving and shard.name not in world.absent_pods),
        running=frozenset(engine.symbols or ()) if engine is not None and says else None,
        busy=frozenset(engine.busy_symbols) if engine is not None and engine.busy_symbols is not None else None,
        number=engine.grant if engine is not None else None,
        sealed=is_observed(workload) and all(stored_floor(workload) >= grant.number for grant in grants),
        dead=shard.never_came_up(world.now) or shard.refuses_for_good or shard.before.quarantine is not None,
    )


def is_observed(workload: Mapping[str, Any] | None) -> bool:
    """Return whether the StatefulSet's controller acts by the StatefulSet as it is."""
    if workload is None:
        return False
    observed: bool = (workload.get("status") or {}).get("observedGeneration") == workload["metadata"].get("generation")
    return observed


def stored_floor(workload: Mapping[str, Any] | None) -> int:
    """Return the lowest number of a document that a pod of this StatefulSet may start with; 0: any."""
    containers = workload["spec"]["template"]["spec"]["containers"] if workload is not None else ()
    for container in containers:
        for variable in container.get("env") or ():
            if variable["name"] == ENV_GRANT_FLOOR:
                text = variable.get("value") or ""
                return int(text) if text.isdecimal() else 0
    return 0


def _pods_are_known(workload: Mapping[str, Any] | None, pods: int) -> bool:
    if workload is None:
        return True
    return is_observed(workload) and (workload.get("status") or {}).get("replicas", 0) == pods
