"""Symbols move between shards: with the old one's word, one step at a time, and never to two engines at once."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from simulated_cluster import NONESUCH, Cluster

from tradingbot_contract.document import Activity
from tradingbot_operator.actions import ApplyChild
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.reasons import Reason

SHARED = {"urlSecretRef": {"name": "postgres"}}
SYMBOLS = ["AAPL", "GOOG", "IBM", "MSFT"]


def made(replicas: int = 1, policy: str = "Wait", symbols: list[str] | None = None) -> Cluster:
    cluster = Cluster(
        market={"symbols": symbols or SYMBOLS},
        database=SHARED,
        scaling={"replicas": replicas},
        lifecycle={"updatePolicy": policy},
    )
    cluster.rest()
    return cluster


def ownership(cluster: Cluster) -> set[str]:
    """Return the symbols that are traded, each by one."""
    owners = cluster.owners()
    assert all(len(pods) == 1 for pods in owners.values()), owners
    return set(owners)


def test_each_shard_gets_its_own_part_and_all_is_traded() -> None:
    cluster = made(replicas=3)
    assert ownership(cluster) == set(SYMBOLS)
    assert [shard.symbols for shard in cluster.status.shards] == [["AAPL"], ["GOOG", "IBM"], ["MSFT"]]
    assert cluster.restarts == []
    assert (cluster.status.replicas, cluster.status.message) == (3, "trades 4 symbols")
    assert cluster.status.selector == "app.kubernetes.io/name=tradingbot,app.kubernetes.io/instance=calm,app.kubernetes.io/component=engine"


def test_a_symbol_with_a_position_stays_where_it_is_until_that_is_closed() -> None:
    cluster = made()
    cluster.engines["calm-0"].buy()
    cluster.change(scaling={"replicas": 3})
    cluster.rest(seconds=1)
    assert [shard.symbols for shard in cluster.status.shards] == [SYMBOLS, [], []]
    assert cluster.status.shards[0].releasing == ["GOOG", "IBM", "MSFT"]
    assert {pod: engine.document.activity for pod, engine in cluster.engines.items()} == {
        "calm-0": Activity.TRADE,
        "calm-1": Activity.FENCE,
        "calm-2": Activity.FENCE,
    }
    cluster.journals["calm-0"].clear()
    cluster.rest(seconds=1)
    assert ownership(cluster) == set(SYMBOLS)
    assert [shard.symbols for shard in cluster.status.shards] == [["AAPL"], ["GOOG", "IBM"], ["MSFT"]]
    assert cluster.restarts == [("calm-0", Reason.SYMBOLS_MOVED)], "the new engines go on without a restart"


@pytest.mark.parametrize("policy", ["Flatten", "Proceed"])
def test_who_does_not_wait_sells_what_moves(policy: str) -> None:
    cluster = made(policy=policy)
    cluster.engines["calm-0"].buy()
    cluster.change(scaling={"replicas": 2})
    cluster.rest(seconds=1)
    assert ownership(cluster) == set(SYMBOLS)


def test_scaling_down_ends_pods_when_their_symbols_are_gone() -> None:
    cluster = made(replicas=3)
    cluster.engines["calm-2"].buy()
    cluster.change(scaling={"replicas": 1})
    cluster.rest(seconds=1)
    assert set(cluster.pods) == {"calm-0", "calm-1", "calm-2"}, "the last one has a position, and pods go from the end"
    cluster.journals["calm-2"].clear()
    cluster.rest(seconds=1)
    assert set(cluster.pods) == {"calm-0"}
    assert ownership(cluster) == set(SYMBOLS)
    assert [shard.name for shard in cluster.status.shards] == ["calm-0"]


def test_a_new_pod_has_its_document_before_it_is_made() -> None:
    cluster = made()
    cluster.change(scaling={"replicas": 2})
    cluster.rest()  # the cluster itself asserts it


def test_documents_change_only_when_no_pod_can_start_with_those_of_before() -> None:
    cluster = made()
    cluster.change(scaling={"replicas": 2})
    kinds = [action.manifest["kind"] for action in cluster.step().actions if isinstance(action, ApplyChild)]
    assert kinds == ["StatefulSet"]
    workload = cluster.children[ObjectKey("StatefulSet", "calm")]
    workload["status"]["observedGeneration"] -= 1
    assert not any(isinstance(action, ApplyChild) for action in cluster.step().actions), "its controller has not seen it yet"
    cluster.control()
    kinds = [action.manifest["kind"] for action in cluster.step().actions if isinstance(action, ApplyChild)]
    assert kinds == ["ConfigMap"]


@pytest.mark.parametrize("first", [[NONESUCH], ["AAPL", NONESUCH]])
def test_an_engine_that_refuses_a_symbol_is_not_asked_to_settle_it(first: list[str]) -> None:
    cluster = made(symbols=first)
    assert cluster.status.phase is Phase.REFUSED
    cluster.change(market={"symbols": ["AAPL", "MSFT"]})
    cluster.rest(seconds=1)
    assert ownership(cluster) == {"AAPL", "MSFT"}
    assert (cluster.status.shards[0].symbols, cluster.status.shards[0].releasing) == (["AAPL", "MSFT"], [])


def test_a_symbol_that_was_added_and_refused_is_taken_back() -> None:
    cluster = made(symbols=["AAPL"], policy="Proceed")
    cluster.change(market={"symbols": ["AAPL", NONESUCH]})
    cluster.rest(seconds=1)
    assert cluster.status.phase is Phase.REFUSED
    cluster.change(market={"symbols": ["AAPL"]})
    cluster.rest(seconds=1)
    assert ownership(cluster) == {"AAPL"}


def test_a_symbol_of_a_pod_that_may_be_there_is_given_to_nobody() -> None:
    cluster = made(replicas=2)
    cluster.change(scaling={"replicas": 1})
    taken = cluster.rest(seconds=1)
    assert taken
    assert ownership(cluster) == set(SYMBOLS)


EVENTS = st.sampled_from(["replicas", "symbols", "strategy", "policy", "buy", "sell", "mute", "speak", "lose", "stop", "run", "restart"])


@hypothesis_settings(deadline=None, max_examples=20)
@given(
    steps=st.lists(st.tuples(EVENTS, st.integers(0, 7)), max_size=8),
    replicas=st.integers(1, 4),
    policy=st.sampled_from(["Wait", "Flatten"]),
)
def test_whatever_happens_no_symbol_is_traded_by_two_and_the_plan_comes_to_rest(
    steps: list[tuple[str, int]], replicas: int, policy: str
) -> None:
    cluster = made(replicas=replicas, policy=policy)
    count = itertools.count()
    for event, number in steps:
        happen(cluster, event, number, next(count))
        for _ in range(6):
            restarts = len(cluster.restarts)
            cluster.step()
            ownership(cluster)
            assert len(cluster.restarts) <= restarts + 1, "one pod at a time"
            cluster.now += 1
    for engine in cluster.engines.values():
        engine.speaks = True
    cluster.change(lifecycle={"updatePolicy": policy, "state": "Running"})
    for _ in range(60):
        for journal in cluster.journals.values():
            journal.clear()
        made_now = cluster.step()
        ownership(cluster)
        for engine in cluster.engines.values():
            engine.speaks = True
        cluster.now += 1
    assert (made_now.actions, made_now.status) == ((), None)
    assert ownership(cluster) == set(cluster.bot.spec.market.symbols), "in the end all is traded"


def happen(cluster: Cluster, event: str, number: int, unique: int) -> None:  # noqa: C901 - one case for each event
    pods = sorted(cluster.pods)
    pod = pods[number % len(pods)] if pods else ""
    engine = cluster.engines.get(pod)
    match event:
        case "replicas":
            cluster.change(scaling={"replicas": 1 + number % len(cluster.bot.spec.market.symbols)})
        case "symbols":
            least = cluster.bot.spec.scaling.replicas
            cluster.change(market={"symbols": [*SYMBOLS, "NVDA", "TSLA"][number % 3 :][: max(least, 2 + number % 3)]})
        case "strategy":
            cluster.change(strategy={"name": "ema-cross", "parameters": {"fastPeriod": 3 + unique}})
        case "policy":
            cluster.change(lifecycle={"updatePolicy": ("Wait", "Proceed", "Flatten")[number % 3]})
        case "buy" if engine is not None:
            engine.buy()
        case "sell" if engine is not None:
            engine.positions.clear()
        case "mute" if engine is not None:
            engine.speaks = False
        case "speak" if engine is not None:
            engine.speaks = True
        case "lose" if pod:
            cluster.lose(pod)
        case "stop" | "run":
            cluster.change(lifecycle={"state": "Stopped" if event == "stop" else "Running"})
        case "restart":
            cluster.annotate("tradingbot.dev/restart", str(unique))
