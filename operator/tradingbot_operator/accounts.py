"""Who may trade an account: two bots that name the same one can't trade the same symbol.

A bot takes symbols of an account in two steps. It writes into its status that it *claims* them, and in a later pass, when it has read that
back and sees nobody else's claim, it *holds* them: it gives them to its engines. Each judges by a cache that may be late. But of two
claims one was written first, and whoever wrote the second can't have read it back without seeing the first. So never do both hold a symbol,
even with two operators at work for a moment. It needs that a status is written only over the version that was judged, and that the cache
shows changes of bots in the order in which they were made.

What a bot holds stays with it: neither an older bot nor one whose spec is changed takes it over. A bot gets all of its symbols or none:
one that can't have all keeps those that it holds. Of bots that want the same free symbols the older comes first.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct


class Claim(Struct, frozen=True, kw_only=True):
    """What one bot has to do with an account."""

    namespace: str
    name: str
    uid: str
    created_at: float
    """Seconds since the epoch."""
    account: str
    symbols: frozenset[str]
    """Those of its spec, if that names the account."""
    claimed: frozenset[str] = frozenset()
    """Those that its status says that it claims."""
    holding: frozenset[str] = frozenset()
    """Those that its engines may trade, as its status says: more than its spec has, as long as it gives some up."""

    @property
    def lacking(self) -> frozenset[str]:
        """Symbols that it wants and does not hold."""
        return self.symbols - self.holding

    @property
    def taken(self) -> frozenset[str]:
        """Symbols that are not free for others."""
        return self.claimed | self.holding


def find_rival(own: Claim, others: Iterable[Claim]) -> Claim | None:
    """Return the bot that this one can't have all its symbols for, or None.

    It is one that has taken a symbol which this one lacks; or an older one that wants such a symbol and is kept from it by nobody.
    """
    rivals = _rivals(own, others)
    takers = (other for other in rivals if _precedes(other, own))
    rival = min(takers, key=_rank, default=None)
    if rival is not None or own.lacking <= own.claimed:
        return rival
    older = (other for other in rivals if other.lacking & own.lacking and _rank(other) < _rank(own))
    return min((other for other in older if not _is_kept_off(other, (own, *rivals))), key=_rank, default=None)


def next_claimed(own: Claim, others: Iterable[Claim]) -> frozenset[str]:
    """Return what the bot's status is to say that it claims."""
    return own.holding if find_rival(own, others) is not None else own.symbols | own.holding


def may_take(own: Claim, others: Iterable[Claim]) -> bool:
    """Return whether the bot may give its engines the symbols that it lacks.

    Where it may not though it has no rival, its claim isn't written yet, or a younger bot's claim is about to be withdrawn.
    """
    return own.lacking <= own.claimed and not any(other.taken & own.lacking for other in _rivals(own, others))


def _rivals(own: Claim, others: Iterable[Claim]) -> tuple[Claim, ...]:
    return tuple(other for other in others if other.uid != own.uid and other.account == own.account)


def _precedes(other: Claim, own: Claim) -> bool:
    """Return whether another bot has taken what this one lacks; of two that only claim it, the older keeps its claim."""
    if other.holding & own.lacking:
        return True
    disputed = other.claimed & own.lacking
    return bool(disputed) and (not disputed <= own.claimed or _rank(other) < _rank(own))


def _is_kept_off(own: Claim, others: Iterable[Claim]) -> bool:
    return any(other.uid != own.uid and _precedes(other, own) for other in others)


def _rank(claim: Claim) -> tuple[float, str]:
    return (claim.created_at, claim.uid)
