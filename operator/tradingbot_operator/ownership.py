"""Which symbols of an account a bot claims, whether it may give them to its engines, and who keeps it from that."""

from __future__ import annotations

from msgspec import Struct

from tradingbot_operator.accounts import Claim, find_rival, may_take, next_claimed
from tradingbot_operator.timestamp import parse_time
from tradingbot_operator.world import World


class Ownership(Struct, frozen=True, kw_only=True):
    """What a bot has of its account."""

    account: str = ""
    """That it claims something of; empty: none."""
    claimed: tuple[str, ...] = ()
    """Symbols that its status is to say that it claims."""
    rival: Claim | None = None
    """The bot because of which it can't have all of its symbols."""
    may_take: bool = True
    """Whether its engines may get symbols that they lack."""


def judge_ownership(world: World) -> Ownership:
    """Return what a bot has of its account; one that names none has it for itself."""
    metadata, status, account = world.bot.metadata, world.status, world.bot.spec.broker.account
    if account is None:
        return Ownership()
    own = Claim(
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        created_at=parse_time(metadata.creation_timestamp) if metadata.creation_timestamp else 0.0,
        account=account,
        symbols=frozenset(world.bot.spec.market.symbols),
        claimed=frozenset(status.claimed) if status.account == account else frozenset(),
        holding=frozenset(symbol for shard in status.shards for symbol in (*shard.symbols, *shard.leaving)),
    )
    claimed = tuple(sorted(next_claimed(own, world.claims)))
    return Ownership(
        account=account if claimed else "",
        claimed=claimed,
        rival=find_rival(own, world.claims),
        may_take=may_take(own, world.claims),
    )
