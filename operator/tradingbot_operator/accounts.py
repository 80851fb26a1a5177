"""Who may trade an account: two bots that name the same one can't hold the same symbol.

Who holds it stays; of two that do not hold it yet, the older comes first. So both sides come to the same answer without asking each
other, and a bot that is changed to name another's account never takes it over.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Claim(Struct, frozen=True, kw_only=True):
    """What one bot claims."""

    namespace: str
    name: str
    uid: str
    created_at: float
    """Seconds since the epoch."""
    account: str
    symbols: frozenset[str]
    """Those of its spec, and those that its engines may still trade."""
    held: bool
    """Whether its status says that it holds the account."""


def find_rival(own: Claim, others: Iterable[Claim]) -> Claim | None:
    """Return the bot that keeps this one from trading, or None."""
    before = [other for other in others if other.uid != own.uid and other.account == own.account and other.symbols & own.symbols]
    return min((other for other in before if _rank(other) < _rank(own)), key=_rank, default=None)


def _rank(claim: Claim) -> tuple[bool, float, str]:
    return (not claim.held, claim.created_at, claim.uid)
