"""Which shard may trade which symbol, now: on the way from where the symbols are to where they should be, none has two owners.

A symbol that moves goes through three states of its old shard: *releasing* (still in its document; nothing is opened in it any more),
*leaving* (its document no longer has it, its engine may not have taken note), gone. Only then another shard's document gets it.

What counts as evidence:

- *The engine's own word*, and only one that is about the grant as it stands. Each change of a shard's document gets a higher number
  (:attr:`Grant.number`), which the engine reports back with what it may trade. So a word that is late, or from the time before the symbol
  was given and taken back, is no evidence however fresh the report is.
- *No pod*, but only when none that is made from now on can run an older document (:attr:`ShardFacts.sealed`). That there is none right now
  says little: the next one is made at once, and its kubelet may mount a ConfigMap that it has had for a while, with the symbol in it. For
  the same reason a pod that is newer than the document is no evidence: its engine has to say what it has read.

A document has one symbol at least. So a shard within the wanted number that has to give up its last symbol is fenced for that time
(:attr:`Grant.fenced`), and two shards that swap their only symbols get past each other. A shard beyond the wanted number that has given up
all loses its pod instead (:func:`count_pods`).
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from tradingbot_operator.operations import UpdatePolicy


class Grant(Struct, frozen=True, kw_only=True):
    """What one shard is given. It stands in the status before it stands in the shard's document."""

    symbols: tuple[str, ...] = ()
    """In its document, in the order of the spec; those that it gives up come last."""
    releasing: tuple[str, ...] = ()
    """Of those, the ones that it gives up."""
    leaving: tuple[str, ...] = ()
    """No longer in its document, and perhaps still with its engine."""
    number: int = 0
    """Of its last change. It rises with each change of any shard's grant, and is never used twice in the life of the bot."""

    @property
    def held(self) -> frozenset[str]:
        """Symbols that nobody else may get."""
        return frozenset(self.symbols) | frozenset(self.leaving)

    @property
    def fenced(self) -> bool:
        """Whether it has nothing to trade for now. Its document, if it has one, names symbols all the same and tells it to trade none."""
        return not self.symbols


class ShardFacts(Struct, frozen=True, kw_only=True):
    """What is known of one shard's engine."""

    pod_exists: bool
    """Whether there is a pod of this shard, also one that is on its way out; True if that isn't known for certain."""
    running: frozenset[str] | None = None
    """Symbols that its engine says it may trade; None: it doesn't say, or its word is not fresh."""
    busy: frozenset[str] | None = None
    """Of those with a position or an order; None: it doesn't say."""
    number: int | None = None
    """Number (:func:`latest_number`) in the document that its engine has carried out; None: it doesn't say."""
    sealed: bool = False
    """Whether no pod of this shard that is made from now on can run a document older than its grant."""
    dead: bool = False
    """Whether its engine can't be waited for: it never got ready, or dies again and again."""


_UNKNOWN = ShardFacts(pod_exists=True)


def hand_over(
    before: tuple[Grant, ...], wanted: tuple[tuple[str, ...], ...], facts: tuple[ShardFacts, ...], policy: UpdatePolicy
) -> tuple[Grant, ...]:
    """Return the next grants, by number of the shard: one step from those that are written down to the wanted ones.

    It is level-based: it looks at nothing but its arguments, and changes nothing when it is asked again. A shard that `facts` doesn't
    reach to is one of which nothing is known.
    """
    goal = {symbol: shard for shard, symbols in enumerate(wanted) for symbol in symbols}
    padded = (*before, *(Grant() for _ in range(len(wanted) - len(before))))
    kept = [_keep(shard, grant, facts[shard] if shard < len(facts) else _UNKNOWN, goal, policy) for shard, grant in enumerate(padded)]
    held = frozenset[str]().union(*(grant.held for grant in kept))
    given = [_give(grant, wanted[shard] if shard < len(wanted) else (), held) for shard, grant in enumerate(kept)]
    numbered = _number(padded, given)
    while len(numbered) > len(wanted) and not numbered[-1].held:
        del numbered[-1]
    return tuple(numbered)


def settles(policy: UpdatePolicy) -> bool:
    """Return whether a shard sells what it holds of the symbols that it gives up, rather than leave that to its strategy."""
    return policy is not UpdatePolicy.WAIT


def count_pods(grants: tuple[Grant, ...], wanted: int) -> int:
    """Return how many pods there should be: those of the wanted shards, and of the ones beyond that have symbols to give up.

    A shard beyond that has none left in its document is to lose its pod; until that is gone, its grant keeps what it may still trade.
    """
    return max([wanted, *(shard + 1 for shard, grant in enumerate(grants) if grant.symbols)])


def latest_number(grants: tuple[Grant, ...]) -> int:
    """Return the number that the documents of all shards carry, and the lowest that a new pod may run; 0 before anything was granted.

    It is the same for all, because their pods are made from one template. A document with it follows all changes up to it, so an engine
    that reports it speaks of its own grant as it stands, whenever that was last changed.
    """
    return grants[0].number if grants else 0


def document_symbols(grants: tuple[Grant, ...], wanted: tuple[tuple[str, ...], ...], shard: int) -> tuple[str, ...]:
    """Return what a shard's document names: never nothing, because that is no document.

    For a fenced shard these are the symbols that it is giving up, as long as it may have them (so its engine can be fenced without a
    restart), then the ones that it waits for; and any at all for one that waits for its end, because it trades none of them.
    """
    grant = grants[shard]
    return grant.symbols or grant.leaving or wanted[min(shard, len(wanted) - 1)]


def _keep(shard: int, grant: Grant, facts: ShardFacts, goal: Mapping[str, int], policy: UpdatePolicy) -> Grant:
    """Return what a shard keeps of its grant: less where it has let go, more where it gets back what was on its way out."""
    unwanted = tuple(symbol for symbol in grant.symbols if goal.get(symbol) != shard)
    settled = frozenset(symbol for symbol in unwanted if symbol in grant.releasing and _is_settled(symbol, grant, facts, policy))
    returning = tuple(symbol for symbol in grant.leaving if goal.get(symbol) == shard)
    leaving = tuple(symbol for symbol in grant.leaving if symbol not in returning and not _is_gone(symbol, grant, facts))
    return replace(
        grant,
        symbols=(*(symbol for symbol in grant.symbols if symbol not in settled), *returning),
        releasing=tuple(symbol for symbol in unwanted if symbol not in settled),
        leaving=(*leaving, *(symbol for symbol in unwanted if symbol in settled)),
    )


def _is_settled(symbol: str, grant: Grant, facts: ShardFacts, policy: UpdatePolicy) -> bool:
    """Return whether a symbol that is being released may leave the shard's document."""
    if _speaks(grant, facts) and facts.busy is not None and symbol not in facts.busy:
        return True
    # Between two pods of a shard there is none for a moment. Who waits for positions to be closed waits for the next one's word.
    return facts.dead or (settles(policy) and not facts.pod_exists)


def _is_gone(symbol: str, grant: Grant, facts: ShardFacts) -> bool:
    """Return whether a symbol that is not in the shard's document any more can't be traded by its engine, now or later."""
    if _speaks(grant, facts) and facts.running is not None and symbol not in facts.running:
        return True
    return facts.sealed and not facts.pod_exists


def _speaks(grant: Grant, facts: ShardFacts) -> bool:
    """Return whether the engine's word is about the grant as it stands."""
    return facts.number is not None and facts.number >= grant.number


def _give(grant: Grant, wanted: tuple[str, ...], held: frozenset[str]) -> Grant:
    """Return the grant with the wanted symbols that nobody holds."""
    mine = frozenset(grant.symbols)
    own = tuple(symbol for symbol in wanted if symbol in mine or symbol not in held)
    return replace(grant, symbols=(*own, *(symbol for symbol in grant.symbols if symbol not in wanted)))


def _number(before: tuple[Grant, ...], after: list[Grant]) -> list[Grant]:
    """Return the grants with a new number for each whose document changes.

    The first shard gets it, too: it is always there, so it remembers the highest number when a shard that had that is dropped.
    """
    changed = [(old.symbols, old.releasing) != (new.symbols, new.releasing) for old, new in zip(before, after, strict=True)]
    if not any(changed):
        return after
    number = max(grant.number for grant in before) + 1
    return [replace(grant, number=number) if changed[shard] or shard == 0 else grant for shard, grant in enumerate(after)]
