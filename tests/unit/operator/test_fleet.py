from __future__ import annotations

from tradingbot_operator.cache import BotKey
from tradingbot_operator.fleet import FIRST_LOOK_SECONDS, Fleet
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.world import FleetFacts

CALM, LUCKY = BotKey("bots", "calm"), BotKey("bots", "lucky")


def test_before_something_is_known_a_bot_is_alone() -> None:
    assert Fleet(OperatorMetrics()).facts(CALM) == FleetFacts(judged=1, sick=1)


def test_one_that_falls_sick_counts_itself_at_once() -> None:
    """A shared cause strikes one after the other; each must see those before it, and itself."""
    fleet = Fleet(OperatorMetrics())
    seen = []
    for number in range(4):
        key = BotKey("bots", f"of-many-{number}")
        seen.append(fleet.facts(key))
        fleet.note(key, judged=True, sick=True)
        assert fleet.facts(key) == seen[-1], "and only once"
    assert [facts.sick for facts in seen] == [1, 2, 3, 4]


def test_each_bot_counts_as_its_last_pass_found_it() -> None:
    fleet = Fleet(OperatorMetrics())
    fleet.note(CALM, judged=True, sick=True)
    fleet.note(CALM, judged=True, sick=True)
    fleet.note(LUCKY, judged=True, sick=False)
    assert fleet.facts(CALM) == FleetFacts(judged=2, sick=1)
    assert fleet.facts(LUCKY) == FleetFacts(judged=2, sick=2)
    fleet.note(CALM, judged=True, sick=False)
    assert fleet.facts(LUCKY) == FleetFacts(judged=2, sick=1)
    fleet.note(CALM, judged=False, sick=True)
    assert fleet.facts(LUCKY) == FleetFacts(judged=1, sick=1), "what is not known is not sick"


def test_a_bot_that_is_gone_does_not_count() -> None:
    metrics = OperatorMetrics()
    fleet = Fleet(metrics)
    fleet.note(CALM, judged=True, sick=True)
    assert "tradingbot_operator_fleet_sick 1.0" in metrics.render().decode()
    fleet.forget(CALM)
    assert fleet.facts(LUCKY) == FleetFacts(judged=1, sick=1)
    assert "tradingbot_operator_fleet_sick 0.0" in metrics.render().decode()


def test_who_begins_says_how_many_bots_it_has_yet_to_look_at_for_some_seconds() -> None:
    now = 100.0
    fleet = Fleet(OperatorMetrics(), clock=lambda: now)
    fleet.begin([CALM, LUCKY])
    assert fleet.facts(CALM).unseen == 2
    fleet.note(CALM, judged=True, sick=True)
    assert fleet.facts(CALM) == FleetFacts(judged=1, sick=1, unseen=1)
    now += FIRST_LOOK_SECONDS
    assert fleet.facts(CALM).unseen == 0, "one whose pass fails again and again does not hold up the others"
    fleet.begin([CALM, LUCKY])
    fleet.forget(LUCKY)
    fleet.note(CALM, judged=False, sick=False)
    assert fleet.facts(CALM).unseen == 0
