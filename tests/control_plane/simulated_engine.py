"""What an engine does as far as the operator can see it: it takes documents, may trade symbols, holds positions, and says all that.

It is a small state machine over the real documents and the real report, in the place of a process. What it may trade, and when, goes
into a :class:`Ledger` of the whole fleet, which notes each moment in which one symbol of a bot has two engines.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tradingbot_contract.document import Activity, EngineDocument, SpecError, parse_document, restart_hash
from tradingbot_contract.report import Dependency, EngineState, EngineStatus, Finding, PoolUse


@dataclass(frozen=True, order=True)
class BotName:
    """Which bot."""

    namespace: str
    name: str


@dataclass
class Conduct:
    """How the pods of one bot behave. A test changes it at any time; what is not changed is how a bot that is well behaves."""

    start_seconds: float = 0.05
    """From the start of the process to its first bar."""
    stop_seconds: float = 0.0
    """What the engine takes to leave; never more than the pod's grace."""
    sell_seconds: float = 0.1
    """What it takes to sell everything."""
    dies_at_start: str = ""
    """Reason of the kubelet's (`Error`, `OOMKilled`); empty: it lives."""
    dies_on_nodes: frozenset[str] = frozenset()
    """Where it dies at its start; empty: `dies_at_start` counts everywhere."""
    needs_memory: int = 0
    """Bytes of memory limit below which `dies_at_start` counts; 0: the limit does not matter."""
    backoff_seconds: float = 10.0
    """First of the kubelet's pauses, each twice the one before."""
    never_ready: bool = False
    stale_seconds: float = 0.0
    """How old the document is that the kubelet brings."""
    takes_documents: bool = True
    resize: str = ""
    """`Deferred` or `Infeasible`: what the kubelet says to other resources; empty: it sets them."""
    refusal: str = ""
    """Why the engine refuses its document."""
    opens: frozenset[str] = frozenset()
    """Symbols that the engine buys as soon as it may."""
    page: str = "answers"
    """What the observer does: `answers`, `refuses` connections, `hangs`, `garbage`, `error`, `frozen`, `stranger`, `empty`."""
    score: float | None = 95.0
    findings: tuple[Finding, ...] = ()
    """What the observer finds beside what follows from the engine's state."""
    memory_bytes: int = 64 * 2**20
    pools: tuple[PoolUse, ...] = ()
    dependencies: tuple[Dependency, ...] = ()


@dataclass
class Journal:
    """What of one shard outlives its processes."""

    positions: set[str] = field(default_factory=set)
    bars: int = 0
    sales: Counter[str] = field(default_factory=Counter)
    """How often a position was sold, by symbol."""
    purchases: Counter[str] = field(default_factory=Counter)


class Ledger:
    """Who may trade what, in the whole fleet."""

    def __init__(self) -> None:
        self._owners: dict[tuple[BotName, str], str] = {}
        self._held: dict[str, tuple[BotName, frozenset[str]]] = {}
        self._journals: defaultdict[tuple[BotName, str], Journal] = defaultdict(Journal)
        self.violations: list[str] = []
        """Each moment in which a symbol had two engines."""
        self.starts: Counter[tuple[BotName, str]] = Counter()
        """Engine processes that were started, by bot and shard."""

    def journal(self, bot: BotName, shard: str) -> Journal:
        return self._journals[bot, shard]

    def buy(self, namespace: str, bot: str, shard: str, symbol: str) -> None:
        """Let a shard hold a position, as if its engine had bought."""
        journal = self._journals[BotName(namespace, bot), shard]
        journal.positions.add(symbol)
        journal.purchases[symbol] += 1

    def trades(self, bot: BotName, engine: str, symbols: frozenset[str]) -> None:
        """Note what an engine may trade from now on."""
        _, before = self._held.get(engine, (bot, frozenset()))
        for symbol in before - symbols:
            if self._owners.get((bot, symbol)) == engine:
                del self._owners[bot, symbol]
        for symbol in symbols - before:
            owner = self._owners.get((bot, symbol))
            if owner is not None and owner != engine:
                self.violations.append(f"{bot.namespace}/{bot.name}: {symbol} is traded by {engine} while {owner} may trade it")
            self._owners[bot, symbol] = engine
        if symbols:
            self._held[engine] = (bot, symbols)
        else:
            self._held.pop(engine, None)

    def owners_in(self, namespace: str, bot: str) -> dict[str, str]:
        """Return which engine may trade each symbol of a bot."""
        return {symbol: engine for (owned, symbol), engine in self._owners.items() if owned == BotName(namespace, bot)}

    def journals_in(self, namespace: str, bot: str) -> dict[str, Any]:
        """Return what the shards of a bot hold, and what they have bought and sold."""
        return {
            shard: {"positions": sorted(journal.positions), "bought": dict(journal.purchases), "sold": dict(journal.sales)}
            for (owner, shard), journal in self._journals.items()
            if owner == BotName(namespace, bot)
        }

    def violations_of(self, namespace: str) -> list[str]:
        return [violation for violation in self.violations if violation.startswith(f"{namespace}/")]


class SimulatedEngine:
    """One process. It says by ``changed`` that something about it is otherwise than before."""

    def __init__(self, bot: BotName, shard: str, name: str, *, conduct: Conduct, ledger: Ledger, changed: Callable[[], None]) -> None:
        """`name` tells this process from every other."""
        self._bot = bot
        self._name = name
        self._conduct = conduct
        self._ledger = ledger
        self._changed = changed
        self._journal = ledger.journal(bot, shard)
        self._document: EngineDocument | None = None
        """What it runs whole."""
        self._newest: EngineDocument | None = None
        """What it was told last: `activity`, `releasing`, `settle` and `grant` of it are obeyed even where the rest is refused."""
        self._revision: str | None = None
        self._state = EngineState.STARTING
        self._message = ""
        self._refusal = ""
        self._refused_generation: int | None = None
        self._done: Activity | None = None
        self._grant: int | None = None
        self._work: asyncio.Task[None] | None = None
        self._selling: asyncio.Task[None] | None = None
        self._answered_at: float | None = None
        self._bars = 0
        self.started_at = time.time()
        self.hangs = False
        ledger.starts[bot, shard] += 1

    @property
    def is_ready(self) -> bool:
        up = {EngineState.RUNNING, EngineState.FINISHED}
        return self._state in up and not self.hangs and not self._conduct.never_ready

    @property
    def answered_at(self) -> float | None:
        """When it last answered its observer."""
        if not self.hangs:
            self._answered_at = time.time()
        return self._answered_at

    @property
    def acknowledged(self) -> int:
        """The newest generation that it has taken or refused."""
        return max(self._document.generation if self._document else -1, self._refused_generation or -1)

    def begin(self, text: str | None) -> None:
        """Start with a document."""
        self._work = asyncio.create_task(self._begin(text))

    def offer(self, text: str | None) -> None:
        """Take a changed document, or refuse it and go on with the last good one; what to do now is obeyed in any case."""
        if self.hangs or not self._conduct.takes_documents or self._state is EngineState.STARTING:
            return
        if self._state in {EngineState.REFUSED, EngineState.FENCED}:
            self.begin(text)
            return
        try:
            self._newest = _parse(text)
        except SpecError as error:
            self._refusal = str(error)
            self._changed()
            return
        assert self._document is not None
        if restart_hash(self._newest) != restart_hash(self._document):
            self._refusal, self._refused_generation = "the document needs a new process", self._newest.generation
        else:
            self._refusal, self._refused_generation, self._document = "", None, self._newest
        self._act()
        self._changed()

    def end(self) -> None:
        """Be gone at once, with nothing more done."""
        for task in (self._work, self._selling):
            if task is not None:
                task.cancel()
        self._ledger.trades(self._bot, self._name, frozenset())

    def status(self) -> EngineStatus:
        """Return its account of itself."""
        self._bars += 1
        running = self._state is EngineState.RUNNING
        if running:
            self._journal.bars += 1
        held = self._document is not None and self._state in {EngineState.RUNNING, EngineState.FINISHED}
        return EngineStatus(
            state=self._state,
            message=self._message,
            generation=self._document.generation if self._document else 0,
            started_at=self.started_at,
            heartbeat_at=time.time(),
            strategy=self._document.strategy.name if self._document else "",
            bars=self._journal.bars,
            bars_this_run=self._bars if running else 0,
            last_bar_at=time.time() if running else None,
            feed_due=running,
            equity=100_000.0 if held else None,
            initial_equity=100_000.0 if held else None,
            currency="USD" if held else "",
            open_positions=len(self._journal.positions),
            document_refusal=self._refusal,
            refused_generation=self._refused_generation,
            dependencies=self._conduct.dependencies,
            pools=self._conduct.pools,
            revision=self._revision,
            symbols=self._may_trade() if self._document is not None and self._state is not EngineState.STARTING else None,
            busy_symbols=tuple(sorted(self._journal.positions)) if held else None,
            activity=self._done.value if self._done else "",
            grant=self._grant,
        )

    # What it does

    async def _begin(self, text: str | None) -> None:
        self._state, self._message = EngineState.STARTING, ""
        try:
            document = _parse(text, self._conduct.refusal)
        except SpecError as error:
            self._state, self._message = EngineState.REFUSED, str(error)
            self._changed()
            return
        self._document = self._newest = document
        self._revision = document.revision
        if document.activity is not Activity.FENCE:
            # From now on its journal is open, and it may trade.
            self._ledger.trades(self._bot, self._name, frozenset(self._may_trade()))
            await asyncio.sleep(self._conduct.start_seconds)
            self._state = EngineState.RUNNING
        self._act()
        self._changed()

    def _may_trade(self) -> tuple[str, ...]:
        if self._document is None or self._newest is None or self._state in {EngineState.FENCED, EngineState.REFUSED}:
            return ()
        kept = set(self._newest.market.symbols) - set(self._newest.releasing)
        return tuple(symbol for symbol in self._document.market.symbols if symbol in kept or symbol in self._journal.positions)

    def _act(self) -> None:
        """Do what the newest document says of what to do now."""
        assert self._document is not None
        assert self._newest is not None
        newest = self._newest
        if newest.activity is Activity.FENCE:
            self._state = EngineState.FENCED
            self._say_done(Activity.FENCE)
            return
        going = set(self._document.market.symbols) - (set(newest.market.symbols) - set(newest.releasing))
        if newest.activity is Activity.FLATTEN:
            self._sell(set(self._journal.positions), Activity.FLATTEN)
            return
        if newest.activity is Activity.TRADE:
            for symbol in (set(self._conduct.opens) & set(self._document.market.symbols)) - going - self._journal.positions:
                self._journal.positions.add(symbol)
                self._journal.purchases[symbol] += 1
        self._sell(self._journal.positions & going if newest.settle else set(), newest.activity)

    def _sell(self, symbols: set[str], done: Activity) -> None:
        if self._selling is not None:
            self._selling.cancel()
            self._selling = None
        if symbols:
            self._selling = asyncio.create_task(self._sell_soon(symbols, done))
        else:
            self._say_done(done)

    async def _sell_soon(self, symbols: set[str], done: Activity) -> None:
        await asyncio.sleep(self._conduct.sell_seconds)
        for symbol in symbols & self._journal.positions:
            self._journal.positions.discard(symbol)
            self._journal.sales[symbol] += 1
        self._say_done(done)
        self._changed()

    def _say_done(self, done: Activity) -> None:
        """What it may trade, what it has done and of which grant are said in one step."""
        assert self._newest is not None
        self._done, self._grant = done, self._newest.grant
        self._ledger.trades(self._bot, self._name, frozenset(self._may_trade()))


def _parse(text: str | None, refusal: str = "") -> EngineDocument:
    if refusal:
        raise SpecError(refusal)
    if text is None:
        raise SpecError("there is no document")
    return parse_document(text)
