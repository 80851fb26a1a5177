"""The steps of a handover, one by one. That no history of them goes wrong is in `test_handover_histories.py`."""

from __future__ import annotations

import pytest

from tradingbot_operator.handover import Grant, ShardFacts, count_pods, document_symbols, hand_over, latest_number, settles
from tradingbot_operator.operations import UpdatePolicy

UNKNOWN = ShardFacts(pod_exists=True)
NO_POD = ShardFacts(pod_exists=False)
GONE = ShardFacts(pod_exists=False, sealed=True)
DEAD = ShardFacts(pod_exists=True, dead=True)


def says(running: str, *, busy: str = "", number: int = 1) -> ShardFacts:
    return ShardFacts(pod_exists=True, running=frozenset(running), busy=frozenset(busy), number=number)


def grant(symbols: str, releasing: str = "", leaving: str = "", number: int = 1) -> Grant:
    return Grant(symbols=tuple(symbols), releasing=tuple(releasing), leaving=tuple(leaving), number=number)


def step(
    before: list[Grant], wanted: list[str], *facts: ShardFacts, policy: UpdatePolicy = UpdatePolicy.WAIT
) -> tuple[tuple[str, str, str], ...]:
    """Return symbols, releasing and leaving of each shard after one step."""
    goal = tuple(tuple(symbols) for symbols in wanted)
    after = hand_over(tuple(before), goal, facts, policy)
    return tuple(("".join(one.symbols), "".join(one.releasing), "".join(one.leaving)) for one in after)


def test_a_new_bot_gets_all_at_once() -> None:
    assert step([], ["AB", "C"]) == (("AB", "", ""), ("C", "", ""))


def test_a_symbol_that_moves_is_released_first() -> None:
    assert step([grant("AB")], ["A", "B"], UNKNOWN) == (("AB", "B", ""), ("", "", ""))


@pytest.mark.parametrize("policy", list(UpdatePolicy))
@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(UNKNOWN, id="the engine says nothing"),
        pytest.param(says("AB", busy="B"), id="it has a position"),
        pytest.param(says("AB", number=0), id="it has not read that it gives it up"),
        pytest.param(ShardFacts(pod_exists=True, running=frozenset("AB"), number=1), id="it does not know what it has"),
    ],
)
def test_a_symbol_stays_in_the_document_until_its_engine_says_that_it_is_done_with_it(facts: ShardFacts, policy: UpdatePolicy) -> None:
    assert step([grant("AB", "B"), grant("")], ["A", "B"], facts, UNKNOWN, policy=policy) == (("AB", "B", ""), ("", "", ""))


@pytest.mark.parametrize("facts", [says("AB"), says("AB", busy="A"), DEAD])
def test_a_symbol_leaves_the_document_when_nothing_of_it_is_open_or_the_engine_is_dead(facts: ShardFacts) -> None:
    assert step([grant("AB", "B"), grant("")], ["A", "B"], facts, UNKNOWN) == (("A", "", "B"), ("", "", ""))


@pytest.mark.parametrize(("policy", "leaves"), [(UpdatePolicy.WAIT, False), (UpdatePolicy.PROCEED, True), (UpdatePolicy.FLATTEN, True)])
def test_without_a_pod_only_a_policy_that_does_not_wait_lets_a_symbol_leave(policy: UpdatePolicy, *, leaves: bool) -> None:
    first = step([grant("AB", "B"), grant("")], ["A", "B"], NO_POD, UNKNOWN, policy=policy)[0]
    assert first == (("A", "", "B") if leaves else ("AB", "B", ""))
    assert settles(policy) == leaves


@pytest.mark.parametrize(
    "facts",
    [
        pytest.param(UNKNOWN, id="the engine says nothing"),
        pytest.param(says("AB", number=1), id="it has not read the document without it"),
        pytest.param(says("A", number=1), id="its word is of an earlier time"),
        pytest.param(says("AB", number=2), id="it runs it still"),
        pytest.param(NO_POD, id="a pod may be made of an old template"),
        pytest.param(ShardFacts(pod_exists=True, sealed=True), id="a pod is there"),
        pytest.param(DEAD, id="a dead engine may come up again"),
    ],
)
def test_nobody_gets_a_symbol_that_an_engine_may_still_trade(facts: ShardFacts) -> None:
    before = [grant("A", "", "B", 2), grant("", number=2)]
    assert step(before, ["A", "B"], facts, UNKNOWN, policy=UpdatePolicy.PROCEED) == (("A", "", "B"), ("", "", ""))


@pytest.mark.parametrize("facts", [says("A", number=2), GONE])
def test_a_symbol_is_given_in_the_step_in_which_its_old_shard_is_done_with_it(facts: ShardFacts) -> None:
    assert step([grant("A", "", "B", 2), grant("", number=2)], ["A", "B"], facts, UNKNOWN) == (("A", "", ""), ("B", "", ""))


@pytest.mark.parametrize("before", [grant("AB", "B"), grant("A", "", "B")])
def test_a_symbol_that_is_wanted_back_stays(before: Grant) -> None:
    assert step([before], ["AB"], UNKNOWN) == (("AB", "", ""),)


def test_what_nobody_wants_any_more_goes_the_same_way_and_what_is_new_comes_at_once() -> None:
    assert step([grant("AB")], ["AC"], says("AB")) == (("ACB", "B", ""),)
    assert step([grant("ACB", "B")], ["AC"], says("ACB")) == (("AC", "", "B"),)
    assert step([grant("AC", "", "B", 2)], ["AC"], says("AC", number=2)) == (("AC", "", ""),)


def test_two_shards_that_swap_their_only_symbols_are_fenced_for_that_time() -> None:
    before = [grant("A", "A"), grant("B", "B")]
    assert step(before, ["B", "A"], says("A"), says("B")) == (("", "", "A"), ("", "", "B"))
    fenced = (grant("", "", "A", 2), grant("", "", "B", 2))
    assert all(one.fenced for one in fenced)
    assert document_symbols(fenced, (("B",), ("A",)), 0) == ("A",), "its engine is fenced without a restart"
    assert step(list(fenced), ["B", "A"], says("", number=2), says("", number=2)) == (("B", "", ""), ("A", "", ""))


def test_a_shard_beyond_the_wanted_ones_keeps_its_pod_until_it_has_given_up_all_and_its_grant_until_the_pod_is_gone() -> None:
    wanted = (("A", "B"),)
    releasing = hand_over((grant("A"), grant("B")), wanted, (UNKNOWN, UNKNOWN), UpdatePolicy.WAIT)
    assert count_pods(releasing, 1) == 2
    number = latest_number(releasing)
    leaving = hand_over(releasing, wanted, (UNKNOWN, says("B", number=number)), UpdatePolicy.WAIT)
    assert leaving[1].leaving == ("B",)
    assert count_pods(leaving, 1) == 1
    assert hand_over(leaving, wanted, (UNKNOWN, UNKNOWN), UpdatePolicy.WAIT) == leaving
    after = hand_over(leaving, wanted, (UNKNOWN, GONE), UpdatePolicy.WAIT)
    assert [one.symbols for one in after] == [("A", "B")]


def test_a_shard_below_one_that_still_has_symbols_keeps_its_pod_and_a_document() -> None:
    grants = (grant("A"), grant(""), grant("C", "C"))
    assert count_pods(grants, 1) == 3
    assert document_symbols(grants, (("A", "C"),), 1) == ("A", "C")
    assert grants[1].fenced


def test_numbers_rise_with_each_change_and_outlast_the_shard_that_had_the_highest() -> None:
    before = (grant("A", number=3), grant("", "", "B", number=7))
    after = hand_over(before, (("A", "B"),), (UNKNOWN, GONE), UpdatePolicy.WAIT)
    assert latest_number(after) == 8
    again = hand_over(after, (("A",), ("B",)), (UNKNOWN,), UpdatePolicy.WAIT)
    assert latest_number(again) == 9


def test_a_step_over_what_a_step_has_made_changes_nothing() -> None:
    before = (grant("AB"), grant("C"))
    wanted = (("C",), ("A",), ("B",))
    facts = (says("AB"), says("C"))
    after = hand_over(before, wanted, facts, UpdatePolicy.WAIT)
    assert hand_over(after, wanted, facts, UpdatePolicy.WAIT) == after


def test_nothing_is_granted_before_anything_was() -> None:
    assert latest_number(()) == 0
