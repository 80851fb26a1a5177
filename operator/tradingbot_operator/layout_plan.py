"""From what was decided for each shard to what the children are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from tradingbot_contract.document import Activity
from tradingbot_contract.quantity import parse_bytes
from tradingbot_operator.activity import Circumstances, choose_activity
from tradingbot_operator.bot_status import Adjustment, Quarantine
from tradingbot_operator.desired.document import Orders, build_document
from tradingbot_operator.desired.layout import Layout
from tradingbot_operator.desired.revision import shard_revision
from tradingbot_operator.grants import Grants
from tradingbot_operator.handover import settles
from tradingbot_operator.names import pod_name
from tradingbot_operator.operations import LifecycleState
from tradingbot_operator.resource import TradingBot

_NOTHING: Final[Mapping[str, None]] = {}


class Care(Struct, frozen=True, kw_only=True):
    """What remediation has decided for the shards, by name."""

    adjustments: Mapping[str, Adjustment | None] = _NOTHING
    quarantines: Mapping[str, Quarantine | None] = _NOTHING


def plan_revisions(bot: TradingBot, grants: Grants) -> tuple[str, ...]:
    """Return the revisions of the shards' documents."""
    return tuple(shard_revision(bot, grants.symbols(shard)) for shard in range(grants.pods))


def plan_layout(
    bot: TradingBot, grants: Grants, care: Care, *, replicas: int, deletion: Activity | None = None, flatten: int | None = None
) -> Layout:
    """Return the layout.

    Args:
        bot: The bot.
        grants: What every shard is given.
        care: What remediation changed.
        replicas: Pods that there should be.
        deletion: What a deletion asks the engines for.
        flatten: The shard that has to sell its positions before its pod is replaced.
    """
    granted = [adjustment for adjustment in care.adjustments.values() if adjustment is not None]
    limits = [adjustment.memory_limit for adjustment in granted if adjustment.memory_limit]
    return Layout(
        documents=tuple(
            build_document(bot, shard=shard, orders=_orders(bot, grants, care, shard, deletion=deletion, flatten=flatten))
            for shard in range(grants.pods)
        ),
        replicas=replicas,
        # One template for all: the others' pods are brought to less in place.
        memory_limit=max(limits, key=parse_bytes, default=""),
        avoid_nodes=tuple(sorted({adjustment.avoid_node for adjustment in granted if adjustment.avoid_node})),
        floor=grants.number,
    )


def _orders(bot: TradingBot, grants: Grants, care: Care, shard: int, *, deletion: Activity | None, flatten: int | None) -> Orders:
    grant, name = grants.grants[shard], pod_name(bot, shard)
    state = bot.spec.lifecycle.state
    circumstances = Circumstances(
        quarantined=care.quarantines.get(name) is not None,
        has_nothing=grant.fenced,
        deletion=deletion,
        flatten=flatten == shard,
        state=LifecycleState.RUNNING if deletion is not None else state,
    )
    return Orders(
        symbols=grants.symbols(shard),
        activity=choose_activity(circumstances),
        releasing=grant.releasing,
        settle=bool(grant.releasing) and settles(bot.spec.lifecycle.update_policy),
        grant=grants.number,
        adjustment=care.adjustments.get(name),
    )
