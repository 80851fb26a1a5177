"""Which shard may trade which symbol, now: on the way from where the symbols are to where they should be, none has two owners.

A symbol that moves goes through three states of its old shard: *releasing* (still in its document; nothing is opened in it any more),
*leaving* (its document no longer has it, its engine may not have taken note), gone. Only then another shard's document gets it.
"""

from __future__ import annotations

from msgspec import Struct


class Grant(Struct, frozen=True, kw_only=True):
    """What one shard is given. It stands in the status before it stands in the shard's document."""

    symbols: tuple[str, ...] = ()
    """In its document, in the order of the spec."""
    releasing: tuple[str, ...] = ()
    """Of those, the ones that it gives up."""
    leaving: tuple[str, ...] = ()
    """No longer in its document, and perhaps still with its engine."""

    @property
    def held(self) -> frozenset[str]:
        """Symbols that nobody else may get."""
        return frozenset(self.symbols) | frozenset(self.leaving)


class ShardFacts(Struct, frozen=True, kw_only=True):
    """What is known of one shard's engine."""

    pod_exists: bool
    """Whether there is a pod of this shard, also one that is on its way out."""
    running: frozenset[str] | None = None
    """Symbols that its engine says it may trade; None: it doesn't say, or its word is not fresh."""
    busy: frozenset[str] | None = None
    """Of those with a position or an order; None: it doesn't say."""
