"""Histories of handovers: operators that die, engines that lag, pods that come with old documents. One symbol is never traded twice.

The cluster is modelled as bad as it can be. A cache shows the past. A word of an engine may be any that it ever gave. A new pod may mount
any version of the ConfigMap that ever was. An operator may end, or be held up, between any two writes, while another one goes on. What
is relied on, and what the rest of the operator and the engine have to keep:

- a write names the version of what it changes (status, StatefulSet, ConfigMap), and is refused when that has changed;
- the pod's template carries the number of the newest grants, and an engine runs no document with a lower one than its pod's;
- a ConfigMap is changed only when the StatefulSet's controller has taken note of that template;
- that a pod doesn't exist is read from the API server itself, after the controller was seen to have taken note;
- the file in a pod only ever becomes newer.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from tradingbot_operator import handover
from tradingbot_operator.handover import Grant, ShardFacts, count_pods, document_symbols, latest_number, settles
from tradingbot_operator.operations import UpdatePolicy
from tradingbot_operator.placement import place

SYMBOLS = ("ADA", "BTC", "ETH", "SOL", "XRP")


@dataclass(frozen=True)
class Document:
    symbols: frozenset[str]
    releasing: frozenset[str]
    settle: bool
    fenced: bool
    number: int


@dataclass(frozen=True)
class Workload:
    """A StatefulSet: what it wants, and what its controller has taken note of."""

    replicas: int = 0
    floor: int = 0
    version: int = 0


@dataclass
class Engine:
    names: frozenset[str]
    """Symbols in the document that its process started with; another set needs a new process."""
    document: Document

    @property
    def tradable(self) -> frozenset[str]:
        return frozenset() if self.document.fenced else self.document.symbols


@dataclass
class Pod:
    floor: int
    mounted: int
    engine: Engine | None = None
    terminating: bool = False


@dataclass(frozen=True)
class Word:
    running: frozenset[str]
    busy: frozenset[str]
    number: int


@dataclass
class Operator:
    """One process of the operator, with the writes that it has still to make."""

    writes: list[Callable[[], bool]] = field(default_factory=list)


@dataclass(frozen=True)
class Pass:
    """What an operator has decided, from what it saw then; each write is refused where that has changed since."""

    cluster: Cluster
    before: tuple[Grant, ...]
    grants: tuple[Grant, ...]
    facts: tuple[ShardFacts, ...]
    policy: UpdatePolicy
    documents: dict[int, Document]
    replicas: int
    known_floor: int
    versions: tuple[int, int, int]

    def write_status(self) -> bool:
        cluster = self.cluster
        if cluster.status_version != self.versions[0] and cluster.without != "version of the status":
            return False
        if self.grants != self.before:
            cluster.note(self)
            cluster.grants = self.grants
            cluster.status_version += 1
        return True

    def write_workload(self) -> bool:
        live, floor = self.cluster.workload, latest_number(self.grants)
        if live.version != self.versions[1] and self.cluster.without != "version of the StatefulSet":
            return False
        if (live.replicas, live.floor) != (self.replicas, floor):
            self.cluster.workload = Workload(replicas=self.replicas, floor=floor, version=live.version + 1)
        return True

    def write_config(self) -> bool:
        configs, without = self.cluster.configs, self.cluster.without
        if len(configs) != self.versions[2] and without != "version of the ConfigMap":
            return False
        if configs and self.known_floor < latest_number(self.grants) and without != "order of template and ConfigMap":
            return False
        if not configs or configs[-1] != self.documents:
            configs.append(self.documents)
        return True


class Cluster:
    def __init__(self, *, without: str = "") -> None:
        self.without = without
        """What is relied on and is not so, for tests of these tests."""
        self.symbols: tuple[str, ...] = SYMBOLS[:3]
        self.replicas = 1
        self.stopped = False
        self.policy = UpdatePolicy.WAIT
        self.grants: tuple[Grant, ...] = ()
        self.status_version = 0
        self.workload = Workload()
        self.observed = Workload()
        self.configs: list[dict[int, Document]] = []
        self.pods: dict[int, Pod] = {}
        self.positions: set[tuple[int, str]] = set()
        """What each shard's journal holds open; it outlives pods."""
        self.abandoned: set[tuple[int, str]] = set()
        """Positions in symbols that were taken from a shard without its word, which only a dead engine or the policy allows."""
        self.cached_pods: frozenset[int] = frozenset()
        self.words: dict[int, list[Word]] = {}
        self.operators = (Operator(), Operator())
        self.leader = 0
        self.moves = 0

    @property
    def wanted(self) -> tuple[tuple[str, ...], ...]:
        return place(self.symbols, min(self.replicas, len(self.symbols)))

    # What the operator does. Each pass looks, decides, and leaves its writes to be made one by one.

    def begin(self, operator: Operator, *, word: Callable[[list[Word]], Word | None], dead: Callable[[int], bool]) -> None:
        seen = self.observed
        facts = tuple(self._facts(shard, seen, word, dead) for shard in range(max(len(self.grants), len(self.wanted))))
        grants = handover.hand_over(self.grants, self.wanted, facts, self.policy)
        decided = Pass(
            cluster=self,
            before=self.grants,
            grants=grants,
            facts=facts,
            policy=self.policy,
            documents=_documents(grants, self.wanted, self.policy),
            replicas=0 if self.stopped else count_pods(grants, len(self.wanted)),
            known_floor=seen.floor,
            versions=(self.status_version, self.workload.version, len(self.configs)),
        )
        operator.writes = [decided.write_status, decided.write_workload, decided.write_config]

    def write(self, operator: Operator) -> None:
        if operator.writes and not operator.writes.pop(0)():
            operator.writes = []

    def _facts(self, shard: int, seen: Workload, word: Callable[[list[Word]], Word | None], dead: Callable[[int], bool]) -> ShardFacts:
        said = word(self.words.get(shard, []))
        return ShardFacts(
            pod_exists=shard in (self.cached_pods if self.without == "pods read from the API server" else self.pods),
            running=said.running if said else None,
            busy=said.busy if said else None,
            number=said.number if said else None,
            sealed=shard < len(self.grants) and seen.floor >= self.grants[shard].number,
            dead=dead(shard),
        )

    def note(self, decided: Pass) -> None:
        """Keep account of symbols that leave a shard, and of positions that nobody waits for."""
        for shard, grant in enumerate(decided.before):
            facts = decided.facts[shard]
            later = decided.grants[shard].symbols if shard < len(decided.grants) else ()
            left = {(shard, symbol) for symbol in grant.symbols if symbol not in later}
            self.moves += len(left)
            if facts.dead or (settles(decided.policy) and not facts.pod_exists):
                self.abandoned |= left
            self.abandoned -= {(shard, symbol) for symbol in later}

    def change_leader(self) -> None:
        """The other operator goes on, while this one is held up in the midst of its writes, or is dead."""
        self.leader = 1 - self.leader

    def refresh_cache(self) -> None:
        self.cached_pods = frozenset(self.pods)

    # What the cluster does.

    def control(self) -> None:
        """The StatefulSet's controller takes note of what is wanted, and makes or removes pods."""
        self.observed = self.workload
        for shard in range(self.observed.replicas):
            if shard not in self.pods:
                self.pods[shard] = Pod(floor=self.observed.floor, mounted=-1)
        for shard, pod in self.pods.items():
            pod.terminating = pod.terminating or shard >= self.observed.replicas

    def make_pod_of_old_template(self) -> None:
        """The controller makes missing pods before it takes note of a change."""
        for shard in range(self.observed.replicas):
            if shard not in self.pods:
                self.pods[shard] = Pod(floor=self.observed.floor, mounted=-1)

    def mount(self, shard: int, version: int) -> None:
        """The kubelet brings a version of the ConfigMap; in a pod it only goes forward."""
        pod = self.pods.get(shard)
        if pod is not None and (pod.mounted < version or self.without == "file that only becomes newer") and version < len(self.configs):
            pod.mounted = version

    def run_engine(self, shard: int) -> None:
        """The engine starts, or looks at its file."""
        pod = self.pods.get(shard)
        if pod is None or pod.mounted < 0 or pod.terminating:
            return
        document = self.configs[pod.mounted].get(shard)
        if document is None or (document.number < pod.floor and self.without != "floor of the pod"):
            return
        if pod.engine is None:
            pod.engine = Engine(names=document.symbols, document=document)
        elif document.symbols == pod.engine.names:
            pod.engine.document = document
        if document.fenced or pod.engine.document is not document:
            return
        if document.settle:
            self.positions -= {(shard, symbol) for symbol in document.releasing}

    def kill_engine(self, shard: int) -> None:
        if shard in self.pods:
            self.pods[shard].engine = None

    def delete_pod(self, shard: int) -> None:
        """A pod goes; its engine trades until its end."""
        if shard in self.pods:
            self.pods[shard].terminating = True

    def remove_pod(self, shard: int) -> None:
        if shard in self.pods and self.pods[shard].terminating:
            del self.pods[shard]

    def speak(self, shard: int) -> None:
        pod = self.pods.get(shard)
        if pod is None or pod.engine is None:
            return
        busy = frozenset(symbol for owner, symbol in self.positions if owner == shard)
        self.words.setdefault(shard, []).append(Word(pod.engine.tradable, busy, pod.engine.document.number))

    def buy(self, shard: int, symbol: str) -> None:
        pod = self.pods.get(shard)
        if pod and pod.engine and symbol in pod.engine.tradable - pod.engine.document.releasing:
            self.positions.add((shard, symbol))

    def sell(self, shard: int) -> None:
        pod = self.pods.get(shard)
        if pod and pod.engine:
            self.positions -= {(shard, symbol) for symbol in pod.engine.tradable}

    def roll(self, shard: int) -> None:
        """The operator replaces a pod whose engine runs other symbols than its document names, when nothing is open."""
        pod = self.pods.get(shard)
        if pod is None or pod.engine is None or not self.configs or shard not in self.configs[-1]:
            return
        busy = {symbol for owner, symbol in self.positions if owner == shard} & pod.engine.tradable
        if self.configs[-1][shard].symbols != pod.engine.names and not busy:
            pod.terminating = True

    # What must hold.

    def check(self) -> None:
        traders: dict[str, int] = {}
        for shard, pod in self.pods.items():
            for symbol in pod.engine.tradable if pod.engine else ():
                assert symbol not in traders, f"{symbol} is traded by shards {traders[symbol]} and {shard}: {self.grants}"
                traders[symbol] = shard
        holders: dict[str, int] = {}
        for shard, grant in enumerate(self.grants):
            assert set(grant.releasing) <= set(grant.symbols)
            assert not set(grant.symbols) & set(grant.leaving)
            for symbol in grant.held:
                assert symbol not in holders, f"{symbol} is held by {holders[symbol]} and {shard}"
                holders[symbol] = shard
        for symbol, shard in traders.items():
            assert holders.get(symbol) == shard, f"{symbol} is traded by {shard}, which does not hold it"
        for shard, symbol in self.positions - self.abandoned:
            held = self.grants[shard].symbols if shard < len(self.grants) else ()
            assert symbol in held, f"a position in {symbol} was left behind in shard {shard}"
        for config in self.configs[-1:]:
            assert all(document.symbols for document in config.values())

    def settle_down(self) -> None:
        """Everybody does their part in turn, until nothing moves any more."""
        for _ in range(60):
            state = (self.grants, self.workload, len(self.configs), sorted(self.pods))
            operator = self.operators[0]
            self.begin(operator, word=lambda words: words[-1] if words else None, dead=lambda _: False)
            while operator.writes:
                self.write(operator)
            self.control()
            for shard in list(self.pods):
                self.mount(shard, len(self.configs) - 1)
                self.run_engine(shard)
                self.sell(shard)
                self.speak(shard)
                self.roll(shard)
                self.remove_pod(shard)
                self.check()
            if state == (self.grants, self.workload, len(self.configs), sorted(self.pods)) and self.is_where_it_should_be():
                return
        raise AssertionError(f"it did not get there: {self.grants}, wanted {self.wanted}")

    def is_where_it_should_be(self) -> bool:
        if tuple(grant.symbols for grant in self.grants) != self.wanted or any(grant.leaving for grant in self.grants):
            return False
        tradable = {shard: pod.engine.tradable if pod.engine else None for shard, pod in self.pods.items()}
        return tradable == {shard: frozenset(symbols) for shard, symbols in enumerate(self.wanted)}


def _documents(grants: tuple[Grant, ...], wanted: tuple[tuple[str, ...], ...], policy: UpdatePolicy) -> dict[int, Document]:
    return {
        shard: Document(
            symbols=frozenset(document_symbols(grants, wanted, shard)),
            releasing=frozenset(grants[shard].releasing),
            settle=settles(policy),
            fenced=grants[shard].fenced,
            number=latest_number(grants),
        )
        for shard in range(count_pods(grants, len(wanted)))
    }


@dataclass
class Chance:
    """One of the things that can happen next; those that bring a handover on happen more often than those that start one."""

    cluster: Cluster
    choose: random.Random

    def take_step(self) -> None:
        steps = self.steps()
        self.choose.choices([step for _, step in steps], weights=[weight for weight, _ in steps])[0]()

    def steps(self) -> tuple[tuple[int, Callable[[], Any]], ...]:
        cluster, choose = self.cluster, self.choose
        shard = choose.randrange(max([2, *(number + 1 for number in cluster.pods)]))
        operator = cluster.operators[cluster.leader]
        return (
            (12, lambda: self.lead(operator)),
            (6, lambda: self.begin(operator)),
            (6, lambda: cluster.write(operator)),
            (4, lambda: self.finish(operator)),
            (3, cluster.change_leader),
            (6, cluster.control),
            (2, cluster.make_pod_of_old_template),
            (12, lambda: self.follow(shard)),
            (6, lambda: cluster.mount(shard, self.any_version())),
            (6, lambda: cluster.run_engine(shard)),
            (2, lambda: cluster.kill_engine(shard)),
            (2, lambda: cluster.delete_pod(shard)),
            (5, lambda: cluster.remove_pod(shard)),
            (4, lambda: cluster.speak(shard)),
            (2, lambda: cluster.buy(shard, choose.choice(SYMBOLS))),
            (6, lambda: cluster.sell(shard)),
            (10, lambda: self.replace_pod(shard)),
            (1, cluster.refresh_cache),
            (5, self.change_spec),
        )

    def any_version(self) -> int:
        return self.choose.randint(0, max(0, len(self.cluster.configs) - 1))

    def begin(self, operator: Operator) -> None:
        dead = self.choose.random() < 0.05
        kind = self.choose.choice((0, 1, 1, 1, 2))
        self.cluster.begin(
            operator, word=lambda said: (None, said[-1], self.choose.choice(said))[kind] if said else None, dead=lambda _: dead
        )

    def finish(self, operator: Operator) -> None:
        while operator.writes:
            self.cluster.write(operator)

    def lead(self, operator: Operator) -> None:
        self.begin(operator)
        self.finish(operator)

    def follow(self, shard: int) -> None:
        self.cluster.mount(shard, len(self.cluster.configs) - 1)
        self.cluster.run_engine(shard)
        self.cluster.speak(shard)

    def replace_pod(self, shard: int) -> None:
        self.cluster.roll(shard)
        self.cluster.remove_pod(shard)
        self.choose.choice((self.cluster.control, self.cluster.make_pod_of_old_template))()
        self.cluster.mount(shard, self.choose.choice((len(self.cluster.configs) - 1, self.any_version())))
        self.cluster.run_engine(shard)

    def change_spec(self) -> None:
        cluster, choose = self.cluster, self.choose
        field_name = choose.choice(("symbols", "replicas", "replicas", "stopped", "policy"))
        if field_name == "symbols":
            cluster.symbols = tuple(choose.sample(SYMBOLS, choose.randint(1, len(SYMBOLS))))
        elif field_name == "replicas":
            cluster.replicas = choose.randint(1, 4)
        elif field_name == "stopped":
            cluster.stopped = not cluster.stopped and choose.random() < 0.4
        else:
            cluster.policy = choose.choice(list(UpdatePolicy))


def walk(seed: int, steps: int, *, without: str = "") -> Cluster:
    """Return a cluster after so many things have happened to it, with all that must hold checked after each, and peace at the end."""
    cluster = Cluster(without=without)
    chance = Chance(cluster, random.Random(seed))  # noqa: S311 - a history that can be told again
    for _ in range(steps):
        chance.take_step()
        cluster.check()
    cluster.stopped = False
    cluster.settle_down()
    return cluster


class Histories(RuleBasedStateMachine):
    """The same cluster, with hypothesis to choose what happens: it looks for the shortest history that breaks something."""

    def __init__(self) -> None:
        super().__init__()
        self.cluster = Cluster()

    @rule(replicas=st.integers(1, 4), symbols=st.lists(st.sampled_from(SYMBOLS), min_size=1, unique=True))
    def change_spec(self, replicas: int, symbols: list[str]) -> None:
        self.cluster.replicas, self.cluster.symbols = replicas, tuple(symbols)

    @rule(policy=st.sampled_from(UpdatePolicy), stopped=st.booleans())
    def change_lifecycle(self, policy: UpdatePolicy, *, stopped: bool) -> None:
        self.cluster.policy, self.cluster.stopped = policy, stopped

    @rule(operator=st.integers(0, 1), age=st.integers(0, 3), dead=st.integers(-4, 3))
    def look(self, operator: int, age: int, dead: int) -> None:
        self.cluster.begin(
            self.cluster.operators[operator],
            word=lambda said: said[-1 - age] if len(said) > age else None,
            dead=lambda shard: shard == dead,
        )

    @rule(operator=st.integers(0, 1), count=st.integers(1, 3))
    def write(self, operator: int, count: int) -> None:
        for _ in range(count):
            self.cluster.write(self.cluster.operators[operator])

    @rule()
    def lead(self) -> None:
        self.look(0, 0, -1)
        self.write(0, 3)

    @rule(observe=st.booleans())
    def control(self, *, observe: bool) -> None:
        if observe:
            self.cluster.control()
        else:
            self.cluster.make_pod_of_old_template()

    @rule(shard=st.integers(0, 3), age=st.integers(0, 3))
    def bring(self, shard: int, age: int) -> None:
        self.cluster.mount(shard, len(self.cluster.configs) - 1 - age)
        self.cluster.run_engine(shard)
        self.cluster.speak(shard)

    @rule(shard=st.integers(0, 3), symbol=st.sampled_from(SYMBOLS), sells=st.booleans())
    def trade(self, shard: int, symbol: str, *, sells: bool) -> None:
        if sells:
            self.cluster.sell(shard)
        else:
            self.cluster.buy(shard, symbol)
        self.cluster.speak(shard)

    @rule(shard=st.integers(0, 3))
    def roll(self, shard: int) -> None:
        self.cluster.roll(shard)
        self.cluster.remove_pod(shard)

    @rule(shard=st.integers(0, 3), removed=st.booleans())
    def delete(self, shard: int, *, removed: bool) -> None:
        self.cluster.delete_pod(shard)
        if removed:
            self.cluster.remove_pod(shard)

    @rule(shard=st.integers(0, 3))
    def kill(self, shard: int) -> None:
        self.cluster.kill_engine(shard)

    @rule()
    def everybody_does_their_part(self) -> None:
        self.cluster.stopped = False
        self.cluster.settle_down()

    @invariant()
    def nothing_is_traded_twice_and_nothing_left_behind(self) -> None:
        self.cluster.check()


Histories.TestCase.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)
TestHistories = Histories.TestCase


@pytest.mark.parametrize("seed", range(0, 160, 20))
def test_no_history_makes_two_engines_trade_one_symbol_and_each_comes_to_rest_where_it_should(seed: int) -> None:
    moves = sum(walk(number, 500).moves for number in range(seed, seed + 20))
    assert moves > 50, "these histories show nothing: hardly a symbol moved"


def _finds_fault(*, without: str = "") -> str:
    for seed in range(400):
        try:
            walk(seed, 400, without=without)
        except AssertionError as error:
            return str(error)
    return ""


@pytest.mark.parametrize(
    "without", ["version of the status", "floor of the pod", "file that only becomes newer", "pods read from the API server"]
)
def test_each_thing_that_is_relied_on_is_needed(without: str) -> None:
    assert _finds_fault(without=without)


def _scaled_out(without: str) -> Cluster:
    """Return a cluster that has to move a symbol from shard 0 to shard 1."""
    cluster = Cluster(without=without)
    cluster.settle_down()
    cluster.replicas = 2
    return cluster


def _lead(cluster: Cluster, leader: int = 0, *, writes: int = 3, age: int = 0) -> None:
    operator = cluster.operators[leader]
    cluster.begin(operator, word=lambda said: said[-1 - age] if len(said) > age else None, dead=lambda _: False)
    for _ in range(writes):
        cluster.write(operator)
    cluster.check()


def _follow(cluster: Cluster, shard: int) -> None:
    cluster.mount(shard, len(cluster.configs) - 1)
    cluster.run_engine(shard)
    cluster.speak(shard)
    cluster.check()


def _restart(cluster: Cluster, shard: int) -> None:
    cluster.kill_engine(shard)
    _follow(cluster, shard)


def _remake(cluster: Cluster, shard: int, version: int) -> None:
    """Make a pod anew from the template that the controller knows, with this version of the ConfigMap in it."""
    cluster.delete_pod(shard)
    cluster.remove_pod(shard)
    cluster.make_pod_of_old_template()
    cluster.mount(shard, version)
    cluster.run_engine(shard)
    cluster.speak(shard)
    cluster.check()


def _go_all_the_way(cluster: Cluster) -> None:
    """The other operator goes on until all is where it should be; engines that need it are restarted in their pods."""
    for _ in range(10):
        _lead(cluster)
        cluster.control()
        for shard in sorted(cluster.pods):
            _restart(cluster, shard)
    assert cluster.is_where_it_should_be()


def _let_go_before_the_template_is_known(without: str) -> None:
    cluster = _scaled_out(without)
    for _ in range(2):
        _lead(cluster)
        cluster.control()
    for shard in (0, 1):
        _follow(cluster, shard)
    _lead(cluster)
    newest = len(cluster.configs) - 1
    _remake(cluster, 0, newest)
    _remake(cluster, 0, newest - 1)
    _lead(cluster, age=1)
    _follow(cluster, 1)


def _put_an_old_template_back(without: str) -> None:
    cluster = _scaled_out(without)
    _lead(cluster, 1, writes=1)
    _go_all_the_way(cluster)
    cluster.write(cluster.operators[1])
    cluster.control()
    releasing = next(version for version, documents in enumerate(cluster.configs) if documents[0].releasing)
    _remake(cluster, 0, releasing)


def _put_an_old_document_back(without: str) -> None:
    cluster = _scaled_out(without)
    _lead(cluster)
    cluster.control()
    _lead(cluster, 1, writes=2)
    _go_all_the_way(cluster)
    cluster.write(cluster.operators[1])
    _restart(cluster, 0)


@pytest.mark.parametrize(
    ("history", "without"),
    [
        (_let_go_before_the_template_is_known, "order of template and ConfigMap"),
        (_put_an_old_template_back, "version of the StatefulSet"),
        (_put_an_old_document_back, "version of the ConfigMap"),
    ],
)
def test_a_rare_history_ends_well_only_with_what_is_relied_on(history: Callable[[str], None], without: str) -> None:
    history("")
    with pytest.raises(AssertionError, match="traded"):
        history(without)


def _leave_at_once(keep: Any) -> Any:
    return lambda *args: replace(keep(*args), leaving=())


def _or(rule_: Any, other: Callable[[ShardFacts], bool]) -> Any:
    """Return the rule made laxer: what `other` says is enough, too."""
    return lambda symbol, grant, facts, *more: rule_(symbol, grant, facts, *more) or other(facts)


def _changed_only(before: tuple[Grant, ...], after: list[Grant]) -> list[Grant]:
    number = max(grant.number for grant in before) + 1
    changed = [(old.symbols, old.releasing) != (new.symbols, new.releasing) for old, new in zip(before, after, strict=True)]
    return [replace(grant, number=number) if is_changed else grant for grant, is_changed in zip(after, changed, strict=True)]


@pytest.mark.parametrize(
    ("name", "make_weaker"),
    [
        pytest.param("_keep", _leave_at_once, id="a symbol that left the document is free at once"),
        pytest.param("_speaks", lambda _: lambda _grant, facts: facts.number is not None, id="any word will do, however old"),
        pytest.param(
            "_is_gone", lambda gone: _or(gone, lambda facts: not facts.pod_exists), id="no pod is enough, though one is made at once"
        ),
        pytest.param("_is_gone", lambda gone: _or(gone, lambda facts: facts.sealed), id="the pod that is there is forgotten"),
        pytest.param("_is_gone", lambda gone: _or(gone, lambda facts: facts.dead), id="a dead engine is taken for no engine"),
        pytest.param("_is_settled", lambda _: lambda *_facts: True, id="positions are not waited for"),
        pytest.param(
            "_is_settled", lambda done: _or(done, lambda facts: not facts.pod_exists), id="a pod that is away for a moment has none open"
        ),
        pytest.param("_give", lambda give: lambda grant, wanted, _: give(grant, wanted, frozenset()), id="what another holds is given"),
        pytest.param("_number", lambda _: _changed_only, id="a number is used twice"),
    ],
)
def test_each_rule_of_the_protocol_is_needed(name: str, make_weaker: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handover, name, make_weaker(getattr(handover, name)))
    assert _finds_fault()
