"""Reads what a stored bot claims of accounts: the one that it names, and the one that it still holds.

It is read from the object as it is, because the cache holds objects and because a claim counts also while a bot can't be parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tradingbot_operator.accounts import Claim
from tradingbot_operator.timestamp import parse_time


def read_claims(body: Mapping[str, Any]) -> dict[str, Claim]:
    """Return the claims of a bot by account; one that names none and holds none has none."""
    metadata, spec, status = body["metadata"], body.get("spec") or {}, body.get("status") or {}
    named, held = (spec.get("broker") or {}).get("account") or "", status.get("account") or ""
    nothing: frozenset[str] = frozenset()
    wanted = frozenset((spec.get("market") or {}).get("symbols") or ())
    claimed = frozenset(status["claimed"]) if "claimed" in status else wanted
    holding = frozenset(_shard_symbols(status.get("shards") or ()))
    created = metadata.get("creationTimestamp")
    return {
        account: Claim(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            created_at=parse_time(created) if created else 0.0,
            account=account,
            symbols=wanted if account == named else nothing,
            claimed=claimed if account == held else nothing,
            # Engines trade for the account that they were started for: the one of the status, or else the one of the spec.
            holding=holding if account == (held or named) else nothing,
        )
        for account in (named, held)
        if account
    }


def _shard_symbols(shards: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for shard in shards:
        yield from shard.get("symbols") or ()
        yield from shard.get("leaving") or ()
