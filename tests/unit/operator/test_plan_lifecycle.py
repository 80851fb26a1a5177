"""A bot that is paused, stopped, held off, deleted, or that another one keeps from its account."""

from __future__ import annotations

from typing import Any

import pytest
from simulated_cluster import BEGIN, Cluster

from tradingbot_contract.document import Activity
from tradingbot_operator.accounts import Claim
from tradingbot_operator.actions import ApplyChild, RestartPod, SetFinalizers
from tradingbot_operator.bot_status import Phase
from tradingbot_operator.names import FINALIZER
from tradingbot_operator.reasons import Reason


def made(**spec: Any) -> Cluster:
    cluster = Cluster(**spec)
    cluster.rest()
    return cluster


def condition(cluster: Cluster, kind: str) -> tuple[str, str]:
    found = cluster.status.condition(kind)
    assert found is not None
    return found.status.value, found.reason


def test_a_paused_bot_opens_nothing_and_is_not_restarted() -> None:
    cluster = made()
    cluster.change(lifecycle={"state": "Paused"})
    cluster.rest()
    assert cluster.engines["calm-0"].document.activity is Activity.PAUSE
    assert (cluster.status.phase, cluster.restarts) == (Phase.PAUSED, [])
    cluster.change(lifecycle={"state": "Running"})
    cluster.rest()
    assert cluster.engines["calm-0"].document.activity is Activity.TRADE


def test_a_stopped_bot_has_no_pod_and_keeps_everything_else() -> None:
    cluster = made()
    children = set(cluster.children)
    cluster.change(lifecycle={"state": "Stopped"})
    cluster.rest()
    assert (cluster.pods, set(cluster.children)) == ({}, children)
    assert (cluster.status.phase, cluster.status.replicas) == (Phase.STOPPED, 0)
    assert condition(cluster, "Ready") == ("False", "Stopped")
    assert condition(cluster, "Healthy") == ("Unknown", "Stopped")
    assert cluster.status.shards[0].symbols == ["AAPL"], "its positions stay its own"
    cluster.change(lifecycle={"state": "Running"})
    cluster.rest()
    assert condition(cluster, "Ready") == ("True", "EngineReady")


def test_who_is_held_off_only_says_how_it_is() -> None:
    cluster = made()
    cluster.annotate("tradingbot.dev/paused", "true")
    cluster.change(strategy={"name": "ema-cross", "parameters": {"fastPeriod": 3}}, lifecycle={"onDelete": "Flatten"})
    assert cluster.rest() == []
    assert condition(cluster, "Progressing") == ("False", "ReconcilePaused")
    cluster.annotate("tradingbot.dev/paused", "false")
    cluster.rest()
    assert cluster.restarts == [("calm-0", Reason.SPEC_CHANGED)]


def test_only_a_bot_that_has_something_to_do_before_it_goes_has_a_finalizer() -> None:
    cluster = made()
    assert cluster.finalizers == []
    cluster.change(lifecycle={"onDelete": "Cancel"})
    cluster.rest()
    assert cluster.finalizers == [FINALIZER]
    cluster.change(lifecycle={"onDelete": "Keep"})
    cluster.rest()
    assert cluster.finalizers == []


@pytest.mark.parametrize(("on_delete", "activity"), [("Cancel", Activity.CANCEL), ("Flatten", Activity.FLATTEN)])
def test_a_deleted_bot_goes_when_its_engine_has_done_what_is_asked(on_delete: str, activity: Activity) -> None:
    cluster = made(lifecycle={"onDelete": on_delete})
    cluster.engines["calm-0"].buy()
    cluster.delete()
    first = cluster.step()
    assert [action.manifest["kind"] for action in first.actions if isinstance(action, ApplyChild)] == ["ConfigMap"]
    assert (cluster.status.phase, cluster.gone) == (Phase.DELETING, False)
    assert cluster.engines["calm-0"].document.activity is activity
    assert cluster.step().actions == (SetFinalizers(present=False, reason=Reason.DELETING),)
    assert cluster.gone


def test_a_deleted_bot_whose_engine_does_not_answer_goes_after_a_minute() -> None:
    cluster = made(lifecycle={"onDelete": "Flatten"})
    cluster.engines["calm-0"].speaks = False
    cluster.delete()
    cluster.step()
    cluster.step()
    assert not cluster.gone
    cluster.now += 61
    assert cluster.step().actions == (SetFinalizers(present=False, reason=Reason.DELETE_TIMEOUT),)
    assert cluster.gone


def test_nothing_is_made_for_a_bot_that_goes() -> None:
    cluster = made(lifecycle={"onDelete": "Flatten"})
    cluster.delete()
    kept = [key for key in cluster.children if key.kind == "StatefulSet"]
    cluster.children = {key: child for key, child in cluster.children.items() if key in kept}
    assert not any(isinstance(action, ApplyChild | RestartPod) for action in cluster.step().actions)


def test_in_a_namespace_that_goes_nothing_is_made_or_told_and_nothing_is_held_up() -> None:
    cluster = made(lifecycle={"onDelete": "Flatten"})
    cluster.namespace_terminating = True
    cluster.children = {}
    first = cluster.step()
    assert (first.actions, first.notices) == ((), ())
    cluster.delete()
    cluster.pods, cluster.engines = {}, {}
    cluster.step()
    assert cluster.gone


def rival(symbols: set[str]) -> Claim:
    return Claim(
        namespace="others",
        name="elder",
        uid="elder-uid",
        created_at=BEGIN - 1000,
        account="main",
        symbols=frozenset(symbols),
        claimed=frozenset(symbols),
        holding=frozenset(symbols),
    )


def test_an_account_that_another_bot_trades_gives_no_pod() -> None:
    cluster = Cluster(broker={"account": "main"})
    cluster.claims = (rival({"AAPL"}),)
    cluster.rest()
    assert (cluster.pods, cluster.status.account) == ({}, "")
    assert condition(cluster, "Accepted") == ("False", "AccountConflict")
    assert "others/elder" in cluster.status.message
    assert cluster.status.phase is Phase.REFUSED
    cluster.claims = ()
    cluster.rest()
    assert condition(cluster, "Accepted") == ("True", "Accepted")
    assert (cluster.status.account, cluster.status.claimed) == ("main", ["AAPL"])


def test_a_claim_stands_in_the_status_before_an_engine_trades_for_it() -> None:
    cluster = Cluster(broker={"account": "main"})
    cluster.step()
    assert (cluster.status.claimed, cluster.pods) == (["AAPL"], {})
    cluster.rest()
    assert set(cluster.owners()) == {"AAPL"}


def test_a_bot_that_trades_keeps_what_it_has_when_it_asks_for_what_it_cannot_have() -> None:
    cluster = made(broker={"account": "main"})
    cluster.claims = (rival({"MSFT"}),)
    cluster.change(market={"symbols": ["AAPL", "MSFT"]})
    cluster.rest()
    assert set(cluster.owners()) == {"AAPL"}
    assert condition(cluster, "Accepted") == ("False", "AccountConflict")
