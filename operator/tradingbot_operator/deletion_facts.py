"""What a deletion is judged by, from what is known of each shard."""

from __future__ import annotations

from tradingbot_operator.deletion import DeletionFacts, DeletionPlan, EngineWord, plan_deletion
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.names import workload_name
from tradingbot_operator.shard_view import ShardView
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import World


def judge_deletion(world: World, shards: tuple[ShardView, ...]) -> DeletionPlan | None:
    """Return how far the deletion of a bot is; None for one that is not being deleted."""
    metadata = world.bot.metadata
    if metadata.deletion_timestamp is None:
        return None
    workload = world.children.get(ObjectKey("StatefulSet", workload_name(world.bot)))
    is_going = workload is None or "deletionTimestamp" in workload["metadata"]
    expected = 0 if workload is None or is_going else workload["spec"]["replicas"]
    seen_at = world.deletion_seen_at
    return plan_deletion(
        world.bot.spec.lifecycle.on_delete,
        seen_at=parse_time(metadata.deletion_timestamp) if seen_at is None else seen_at,
        now=world.now,
        finalizers=tuple(metadata.finalizers),
        shards=tuple(_facts(shard, expected) for shard in shards if shard.pod is not None or shard.number < expected),
        namespace_terminating=world.namespace_terminating,
    )


def _facts(shard: ShardView, expected: int) -> DeletionFacts:
    engine = shard.engine if shard.pod is not None else None
    word = None
    if engine is not None:
        word = EngineWord(
            activity=engine.activity,
            open_orders=engine.open_orders + engine.unknown_orders,
            busy=frozenset(engine.busy_symbols) if engine.busy_symbols is not None else None,
            idle=shard.is_idle,
        )
    return DeletionFacts(
        name=shard.name,
        pod_exists=shard.pod is not None,
        pod_expected=shard.number < expected,
        terminating=shard.pod is not None and shard.pod.terminating,
        quarantined=shard.before.quarantine is not None,
        word=word,
    )
