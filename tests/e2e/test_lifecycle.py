"""Paused, stopped, deleted: what a person says with ``spec.lifecycle`` is done, also to what is open, and a bot always goes in the end.

The scenarios run side by side, each with a bot of its own; all journals but one are in one Postgres, where they outlive their bots.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from rig.bots import Bot, manifest
from rig.kube import Kube, Object
from rig.ledger import read_ledger
from rig.operator_log import OperatorLog
from rig.server_image import load_server_image
from rig.servers import POSTGRES, Servers
from rig.side_by_side import Running, Scenario, begin, bot_name
from rig.waiting import eventually

StartBots = Callable[..., list[Bot]]
Fills = list[tuple[str, str]]

_READ_FILLS: Final = """
import json, os, psycopg
from psycopg import sql
with psycopg.connect(os.environ["TRADINGBOT_DATABASE_URL"], connect_timeout=5) as connection:
    rows = connection.execute(sql.SQL("SELECT symbol, side FROM {{}} ORDER BY sequence").format(sql.Identifier({schema!r}, "fills")))
    print(json.dumps(rows.fetchall()))
"""
_DATABASE: Final = {"urlSecretRef": {"name": POSTGRES}, "healthIntervalSeconds": 1}


def read_fills(bot: Bot, *, by: Bot) -> Fills:
    """Return symbol and side of all fills in a bot's journal, which another bot that shares the database can read."""
    return [(symbol, side) for symbol, side in json.loads(by.python(_READ_FILLS.format(schema=bot.schema())))]


def wait_gone(bot: Bot) -> None:
    label = f"app.kubernetes.io/instance={bot.name}"
    eventually(
        f"{bot.name} and its pod are gone",
        lambda: (
            bot.kube.get("tradingbots", bot.name, bot.namespace) is None and not bot.kube.items("pods", bot.namespace, labelSelector=label)
        ),
        within_seconds=120.0,
    )


def holds(bot: Bot) -> bool:
    status = bot.engine()
    return status is not None and status.open_positions == 2


def a_paused_bot_opens_nothing_and_goes_on_when_it_may(bot: Bot, _: Bot) -> None:
    bot.change(lifecycle={"state": "Paused"})
    bot.wait_phase("Paused")
    eventually("its engine says so", lambda: (status := bot.engine()) is not None and status.activity == "Pause", explain=bot.explain)
    eventually("its strategy has sold", lambda: (status := bot.engine()) is not None and not status.open_positions, explain=bot.explain)
    before = bot.wait_trading()
    after = bot.wait_trading(beyond_bars=before.bars + 100)
    assert after.fills == before.fills
    assert after.open_orders == 0
    bot.change(lifecycle={"state": "Running"})
    bot.wait_phase("Running")
    eventually("it buys again", lambda: (status := bot.engine()) is not None and status.fills > after.fills, explain=bot.explain)
    assert bot.wait_trading().started_at == before.started_at, "no process was replaced for it"


def a_stopped_bot_has_no_pod_and_goes_on_where_it_was(bot: Bot, _: Bot) -> None:
    eventually("it holds something", lambda: holds(bot), explain=bot.explain)
    before = bot.wait_trading(beyond_bars=100)
    bot.change(lifecycle={"state": "Stopped"})
    bot.wait_phase("Stopped")
    eventually("it has no pod", lambda: bot.pod() is None, explain=bot.explain)
    assert any(name.startswith("persistentvolumeclaims/") for name in bot.children())
    bot.change(lifecycle={"state": "Running"})
    after = bot.wait_trading(beyond_bars=before.bars)
    assert after.open_positions == 2, "positions stay"
    bot.wait_phase("Running")
    assert len(read_ledger(bot)["fills"]) == 2
    assert not bot.history()


def a_bot_that_is_deleted_sells_what_it_holds_first(bot: Bot, by: Bot) -> None:
    eventually("it holds something", lambda: holds(bot), explain=bot.explain)
    bot.delete()
    wait_gone(bot)
    fills = read_fills(bot, by=by)
    assert sorted(symbol for symbol, side in fills if side == "buy") == ["AAPL", "MSFT"]
    assert sorted(symbol for symbol, side in fills if side == "sell") == ["AAPL", "MSFT"]


def a_bot_that_is_deleted_cancels_its_orders_and_keeps_what_it_holds(bot: Bot, by: Bot) -> None:
    eventually("it holds something", lambda: holds(bot), explain=bot.explain)
    bot.delete()
    wait_gone(bot)
    assert all(side == "buy" for _, side in read_fills(bot, by=by))


def a_stopped_bot_that_is_deleted_has_nobody_to_wait_for(bot: Bot, by: Bot) -> None:
    eventually("it holds something", lambda: holds(bot), explain=bot.explain)
    bot.change(lifecycle={"state": "Stopped"})
    eventually("it has no pod", lambda: bot.pod() is None, explain=bot.explain)
    bot.delete()
    wait_gone(bot)
    assert all(side == "buy" for _, side in read_fills(bot, by=by))


def two_bots_do_not_trade_one_account(bot: Bot, _: Bot) -> None:
    (second,) = (
        manifest(
            "claims-it-too", broker={"account": "shared"}, market={"symbols": ["MSFT"], "feed": {"replay": {"speed": 20, "loop": True}}}
        ),
    )
    bot.wait_condition("Accepted", "True")
    bot.kube.apply(second, namespace=bot.namespace)
    other = Bot(bot.kube, bot.namespace, "claims-it-too")
    told = other.wait_condition("Accepted", "False", reason="AccountConflict")
    assert bot.name in told["message"]
    other.wait_event("AccountConflict")
    assert other.pod() is None
    # Other symbols of the same account are nobody else's.
    other.change(market={"symbols": ["GOOG"]})
    other.wait_trading()
    other.wait_condition("Accepted", "True")
    # And once the first is gone, so is the conflict.
    uid = other.pod_uid()
    other.change(market={"symbols": ["MSFT"]}, lifecycle={"updatePolicy": "Proceed"})
    other.wait_condition("Accepted", "False", reason="AccountConflict")
    bot.delete()
    other.wait_replaced(uid)
    other.wait_condition("Accepted", "True")


SCENARIOS: Final[tuple[Scenario, ...]] = (
    a_paused_bot_opens_nothing_and_goes_on_when_it_may,
    a_stopped_bot_has_no_pod_and_goes_on_where_it_was,
    a_bot_that_is_deleted_sells_what_it_holds_first,
    a_bot_that_is_deleted_cancels_its_orders_and_keeps_what_it_holds,
    a_stopped_bot_that_is_deleted_has_nobody_to_wait_for,
    two_bots_do_not_trade_one_account,
)
_SPECIAL: Final[dict[Scenario, dict[str, Any]]] = {
    a_paused_bot_opens_nothing_and_goes_on_when_it_may: {"strategy": "rehearsal:Alternate"},
    a_stopped_bot_has_no_pod_and_goes_on_where_it_was: {"database": {}},  # on its own volume
    a_bot_that_is_deleted_sells_what_it_holds_first: {"lifecycle": {"onDelete": "Flatten"}},
    a_bot_that_is_deleted_cancels_its_orders_and_keeps_what_it_holds: {"lifecycle": {"onDelete": "Cancel"}},
    a_stopped_bot_that_is_deleted_has_nobody_to_wait_for: {"lifecycle": {"onDelete": "Flatten"}},
    two_bots_do_not_trade_one_account: {"broker": {"account": "shared"}},
}


@pytest.fixture(scope="module")
def running(kube: Kube, namespace: str, start: StartBots, rehearsal: str) -> Iterator[Running]:
    """Return all scenarios, begun at once, each with a bot that is ready; one more bot reads what is in the database."""
    Servers(kube, namespace, load_server_image()).start()
    usual: dict[str, Any] = {"database": _DATABASE, "engine": {"image": rehearsal}, "strategy": "rehearsal:Hold"}
    reader, *bots = start(
        manifest("reader", **usual),
        *(manifest(bot_name(scenario), **(usual | _SPECIAL.get(scenario, {}))) for scenario in SCENARIOS),
    )
    for bot in (reader, *bots):
        bot.wait_trading()
        bot.wait_condition("Ready", "True")
    with begin(SCENARIOS, bots, [reader] * len(bots)) as running:
        yield running


@pytest.mark.parametrize("scenario", [scenario.__name__ for scenario in SCENARIOS])
def test_lifecycle(running: Running, scenario: str) -> None:
    running[scenario].result()


def test_without_an_operator_a_person_takes_the_finalizer_away(start: StartBots, operator_log: OperatorLog) -> None:
    (bot,) = start(manifest("stays", lifecycle={"onDelete": "Flatten"}))
    eventually("it has a finalizer", lambda: bot.read()["metadata"].get("finalizers"))
    with operator_log.taken_away():
        bot.delete(wait=False)
        eventually("it is being deleted", lambda: "deletionTimestamp" in bot.read()["metadata"])
        # As docs/how-to/delete-a-bot.md says.
        remove: list[Object] = [{"op": "remove", "path": "/metadata/finalizers"}]
        bot.kube.patch("tradingbots", bot.name, bot.namespace, remove)
        wait_gone(bot)


def test_a_namespace_goes_with_its_bots(kube: Kube, namespace: str, leaving: list[str]) -> None:
    name = f"{namespace}-goes"
    kube.make_namespace(name)
    kube.apply(manifest("keeps"), manifest("sells", lifecycle={"onDelete": "Flatten"}), namespace=name)
    for bot in (Bot(kube, name, "keeps"), Bot(kube, name, "sells")):
        bot.wait_trading()
    leaving.append(name)
    kube.kubectl("delete", "namespace", name, "--timeout=120s")
    assert kube.get("namespaces", name, None) is None
