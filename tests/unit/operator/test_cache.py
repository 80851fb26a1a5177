from __future__ import annotations

from typing import Any

from tradingbot_operator.cache import BotKey, Cache, Unseen
from tradingbot_operator.kinds import ObjectKey

CALM = BotKey("bots", "calm")


def thing(
    kind: str, name: str, version: int, *, uid: str = "u", owner: str = "calm", namespace: str = "bots", **more: Any
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "uid": uid, "resourceVersion": str(version)}
    if kind != "TradingBot":
        metadata["ownerReferences"] = [{"name": "somebody"}, {"name": owner, "controller": True}]
    return {"kind": kind, "metadata": metadata} | more


def test_what_belongs_to_a_bot_is_found_by_its_controller() -> None:
    cache = Cache()
    assert cache.put(thing("TradingBot", "calm", 1)) == CALM
    assert cache.put(thing("Service", "calm", 2)) == CALM
    assert cache.put(thing("Pod", "calm-0", 3)) == CALM
    assert cache.bot(CALM) is not None
    assert set(cache.children(CALM)) == {ObjectKey("Service", "calm")}
    assert [pod.name for pod in cache.pods(CALM)] == ["calm-0"]
    assert [(bot, pod.name) for bot, pod in cache.all_pods()] == [(CALM, "calm-0")]


def test_an_orphan_is_found_by_its_label() -> None:
    cache = Cache()
    orphan = thing("Service", "calm", 2)
    del orphan["metadata"]["ownerReferences"]
    orphan["metadata"]["labels"] = {"app.kubernetes.io/instance": "calm"}
    assert cache.put(orphan) == CALM


def test_an_older_version_does_not_replace_a_newer_one() -> None:
    cache = Cache()
    cache.put(thing("Service", "calm", 5, spec="new"))
    assert cache.put(thing("Service", "calm", 4, spec="old")) is None
    assert cache.put(thing("Service", "calm", 5, spec="same")) is None
    assert cache.children(CALM)[ObjectKey("Service", "calm")]["spec"] == "new"


def test_the_end_of_an_earlier_object_does_not_take_the_new_one_away() -> None:
    cache = Cache()
    cache.put(thing("Pod", "calm-0", 9, uid="second"))
    assert cache.remove(thing("Pod", "calm-0", 8, uid="first")) is None
    assert [pod.uid for pod in cache.pods(CALM)] == ["second"]
    assert cache.remove(thing("Pod", "calm-0", 10, uid="second")) == CALM
    assert cache.pods(CALM) == ()
    assert cache.remove(thing("Pod", "calm-0", 10, uid="second")) is None


def test_a_list_takes_away_what_is_not_in_it_within_its_scope() -> None:
    cache = Cache()
    for namespace in ("bots", "desk"):
        for name in ("kept", "lost"):
            cache.put(thing("Service", name, 3, namespace=namespace))
    cache.put(thing("ConfigMap", "lost", 3))
    assert cache.replace("Service", "bots", [thing("Service", "kept", 3), thing("Service", "new", 4)], 9) == {CALM}
    assert {key.name for key in cache.children(CALM) if key.kind == "Service"} == {"kept", "new"}
    assert ObjectKey("ConfigMap", "lost") in cache.children(CALM)
    assert set(cache.children(BotKey("desk", "calm"))) == {ObjectKey("Service", "kept"), ObjectKey("Service", "lost")}
    assert cache.replace("Service", "bots", [thing("Service", "kept", 3), thing("Service", "new", 4)], 9) == set()


def test_a_list_of_bots_takes_away_bots() -> None:
    cache = Cache()
    cache.put(thing("TradingBot", "calm", 1))
    assert cache.replace("TradingBot", None, [], 9) == {CALM}
    assert cache.bots() == ()


def test_the_bulk_of_an_object_that_nobody_reads_is_not_kept() -> None:
    cache = Cache()
    service = thing("Service", "calm", 1)
    service["metadata"]["managedFields"] = [{"manager": "x"}]
    cache.put(service)
    assert "managedFields" not in cache.children(CALM)[ObjectKey("Service", "calm")]["metadata"]
    assert "managedFields" in service["metadata"], "the caller's object is the caller's"


def test_an_old_list_takes_nothing_young_away_and_brings_nothing_back() -> None:
    cache = Cache()
    cache.put(thing("Pod", "calm-0", 7, uid="ended"))
    cache.remove(thing("Pod", "calm-0", 8, uid="ended"))
    cache.put(thing("Pod", "calm-0", 11, uid="young"))
    other = thing("Pod", "other-0", 6, uid="ended")
    cache.replace("Pod", None, [other], 10)
    assert [pod.uid for pod in cache.pods(CALM)] == ["young"]


def test_what_a_list_shows_and_no_watch_has_brought_is_told() -> None:
    cache = Cache()
    cache.put(thing("Pod", "calm-0", 5))
    cache.put(thing("Pod", "calm-1", 5, uid="v"))
    cache.put(thing("Pod", "calm-2", 12, uid="w"))
    listed = [thing("Pod", "calm-0", 5), thing("Pod", "calm-1", 7, uid="v"), thing("Pod", "new-0", 8, uid="x", owner="new")]
    assert cache.unseen("Pod", None, listed, 10) == {Unseen("bots", "calm-1", 7), Unseen("bots", "new-0", 8)}
    assert cache.unseen("Pod", None, listed, 12) >= {Unseen("bots", "calm-2", None)}, "it is gone and is not younger than the list"
    assert cache.unseen("Pod", "desk", [], 99) == set()
    assert cache.bots() == ()
    assert cache.pods(BotKey("bots", "new")) == (), "a look changes nothing"
    cache.remove(thing("Pod", "calm-1", 9, uid="v"))
    assert Unseen("bots", "calm-1", 7) not in cache.unseen("Pod", None, listed, 10), "the watch has brought its end"


def test_the_list_of_one_namespace_does_not_bring_back_what_ended_in_another() -> None:
    cache = Cache()
    for namespace in ("bots", "desk"):
        cache.put(thing("Pod", "calm-0", 7, uid=namespace, namespace=namespace))
        cache.remove(thing("Pod", "calm-0", 8, uid=namespace, namespace=namespace))
    cache.replace("Pod", "bots", [], 9)
    cache.replace("Pod", "desk", [thing("Pod", "calm-0", 7, uid="desk", namespace="desk")], 7)
    assert cache.pods(BotKey("desk", "calm")) == ()
