from __future__ import annotations

from functools import partial

import pytest

from tradingbot_operator.cache import BotKey
from tradingbot_operator.drift import Difference
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.memory import GOING_SECONDS, Memory
from tradingbot_operator.reasons import Reason
from tradingbot_operator.world import Problem

NOON = 1_800_000_000.0
BOT = BotKey("bots", "calm")
CHILD = ObjectKey("Service", "calm")
LEFT = (Difference(("spec", "x"), "1"),)
OTHER = (Difference(("spec", "y"), "1"),)


def test_only_what_is_left_twice_in_a_row_is_given_up() -> None:
    memory = Memory()
    assert not memory.note_left(BOT, CHILD, LEFT)
    assert not memory.note_left(BOT, CHILD, OTHER)
    assert not memory.note_left(BOT, CHILD, ())
    assert not memory.note_left(BOT, CHILD, LEFT)
    assert memory.settled(BOT) == {}
    assert memory.note_left(BOT, CHILD, LEFT)
    assert memory.settled(BOT) == {CHILD: LEFT}


def test_applying_the_same_again_and_again_is_counted_until_it_was_quiet() -> None:
    memory = Memory()
    times = []
    for at, rendering in ((0.0, "a"), (1.0, "a"), (3.0, "a"), (4.0, "b"), (5.0, "b"), (300.0, "b")):
        memory.note_applied(BOT, CHILD, rendering, now=at)
        times.append(memory.applied(BOT)[CHILD].times)
    assert times == [1, 2, 3, 1, 2, 1]


def test_a_problem_is_news_when_it_comes_changes_or_goes() -> None:
    memory = Memory()
    problem = Problem(Reason.CHILD_REFUSED, "no")
    assert not memory.set_problem(BOT, None)
    assert memory.set_problem(BOT, problem)
    assert not memory.set_problem(BOT, problem)
    assert memory.set_problem(BOT, Problem(Reason.CHILD_REFUSED, "still no"))
    assert memory.set_problem(BOT, None)


def test_a_namespace_that_goes_is_remembered_for_a_while() -> None:
    memory, going = Memory(), partial(Memory.namespace_is_going, created_at=NOON - 60.0)
    assert not going(memory, "bots", now=NOON)
    memory.note_namespace_going("bots", now=NOON)
    assert going(memory, "bots", now=NOON + GOING_SECONDS)
    assert not going(memory, "desk", now=NOON + 1.0)
    assert not going(memory, "bots", now=NOON + GOING_SECONDS + 0.1), "it may be there again"
    memory.note_namespace_going("desk", now=NOON + GOING_SECONDS + 0.1)
    assert not going(memory, "bots", now=NOON), "it is forgotten"


@pytest.mark.parametrize(("created_at", "is_going"), [(NOON - 60.0, True), (NOON - 1.0, True), (NOON, False), (NOON + 5.0, False)])
def test_a_bot_that_was_created_since_is_in_another_namespace_of_that_name(created_at: float, *, is_going: bool) -> None:
    memory = Memory()
    memory.note_namespace_going("bots", now=NOON + 0.5)
    assert memory.namespace_is_going("bots", now=NOON + 6.0, created_at=created_at) is is_going


def test_a_bot_that_is_gone_is_forgotten() -> None:
    memory = Memory()
    memory.set_problem(BOT, Problem(Reason.CHILD_REFUSED, "no"))
    memory.note_applied(BOT, CHILD, "a", now=0.0)
    memory.note_left(BOT, CHILD, LEFT)
    memory.note_left(BOT, CHILD, LEFT)
    memory.forget(BOT)
    assert (memory.problem(BOT), memory.applied(BOT), memory.settled(BOT)) == (None, {}, {})
