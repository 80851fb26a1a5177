from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.document import Activity
from tradingbot_operator.deletion import (
    TIMEOUT_SECONDS,
    DeletionFacts,
    DeletionPlan,
    EngineWord,
    plan_deletion,
    wanted_finalizers,
    without_finalizer,
)
from tradingbot_operator.names import FINALIZER
from tradingbot_operator.operations import OnDelete

SEEN_AT = 1_000.0


def shard(word: EngineWord | None = None, *, name: str = "momentum-0", **facts: bool) -> DeletionFacts:
    return DeletionFacts(name=name, word=word, pod_exists=facts.pop("pod_exists", True), **facts)


def says(activity: str, *, open_orders: int | None = 0, busy: str | None = "", idle: bool = False) -> EngineWord:
    return EngineWord(activity=activity, open_orders=open_orders, busy=None if busy is None else frozenset(busy.split()), idle=idle)


def judge(
    *shards: DeletionFacts,
    on_delete: OnDelete = OnDelete.FLATTEN,
    after: float = 1.0,
    namespace_terminating: bool = False,
    finalizers: tuple[str, ...] = (FINALIZER,),
) -> DeletionPlan:
    return plan_deletion(
        on_delete,
        seen_at=SEEN_AT,
        now=SEEN_AT + after,
        finalizers=finalizers,
        shards=shards,
        namespace_terminating=namespace_terminating,
    )


@pytest.mark.parametrize(("on_delete", "activity"), [(OnDelete.CANCEL, Activity.CANCEL), (OnDelete.FLATTEN, Activity.FLATTEN)])
def test_engines_are_told_what_the_spec_asks_for_and_waited_for(on_delete: OnDelete, activity: Activity) -> None:
    told = judge(shard(says("Trade", busy="BTC")), on_delete=on_delete)
    assert (told.activity, told.done, told.timed_out) == (activity, False, False)
    assert "momentum-0" in told.message
    assert told.recheck_seconds == 1.0


@pytest.mark.parametrize(
    ("on_delete", "word", "done"),
    [
        pytest.param(OnDelete.CANCEL, says("Cancel", busy="BTC"), True, id="cancelled, and positions stay"),
        pytest.param(OnDelete.CANCEL, says("Cancel", busy=None), True, id="cancelled, positions not known"),
        pytest.param(OnDelete.CANCEL, says("Cancel", open_orders=1), False, id="an order is still open"),
        pytest.param(OnDelete.CANCEL, says("Cancel", open_orders=None), False, id="orders not known"),
        pytest.param(OnDelete.CANCEL, says("Trade"), False, id="nothing open, but it still trades"),
        pytest.param(OnDelete.CANCEL, None, False, id="it says nothing"),
        pytest.param(OnDelete.FLATTEN, says("Flatten"), True, id="sold"),
        pytest.param(OnDelete.FLATTEN, says("Flatten", busy="BTC"), False, id="not all is sold"),
        pytest.param(OnDelete.FLATTEN, says("Flatten", busy=None), False, id="positions not known"),
        pytest.param(OnDelete.FLATTEN, says("Flatten", open_orders=2), False, id="sales are on their way"),
        pytest.param(OnDelete.FLATTEN, says("Cancel"), False, id="it does something else"),
        pytest.param(OnDelete.FLATTEN, says("", busy=None, open_orders=None, idle=True), True, id="fenced or refused"),
    ],
)
def test_a_shard_is_waited_for_until_its_engine_says_that_it_is_done(on_delete: OnDelete, word: EngineWord | None, *, done: bool) -> None:
    assert judge(shard(word), on_delete=on_delete).done == done


@pytest.mark.parametrize(
    ("facts", "done"),
    [
        pytest.param(shard(pod_exists=False), True, id="no pod, and none comes"),
        pytest.param(shard(pod_exists=False, pod_expected=True), False, id="no pod for a moment"),
        pytest.param(shard(terminating=True), False, id="its pod is being replaced"),
        pytest.param(shard(quarantined=True), True, id="in quarantine"),
    ],
)
def test_only_an_engine_that_can_do_it_is_waited_for(facts: DeletionFacts, *, done: bool) -> None:
    assert judge(facts).done == done


def test_what_was_not_seen_to_is_said() -> None:
    told = judge(shard(quarantined=True), shard(says("Flatten"), name="momentum-1"))
    assert told.done
    assert "momentum-0" in told.message
    assert "momentum-1" not in told.message


def test_all_shards_are_waited_for() -> None:
    told = judge(shard(says("Flatten")), shard(says("Flatten", busy="ETH"), name="momentum-1"))
    assert not told.done
    assert "momentum-0" not in told.message


@pytest.mark.parametrize(
    ("facts", "done"),
    [
        pytest.param(shard(terminating=True), True, id="its pod goes"),
        pytest.param(shard(pod_exists=False, pod_expected=True), True, id="no pod can be made"),
        pytest.param(shard(), False, id="its pod is there and may do it yet"),
    ],
)
def test_in_a_namespace_that_goes_a_pod_that_goes_is_not_waited_for(facts: DeletionFacts, *, done: bool) -> None:
    assert judge(facts, namespace_terminating=True).done == done


def test_after_a_minute_it_goes_and_says_what_was_not_done() -> None:
    told = judge(shard(), after=TIMEOUT_SECONDS)
    assert (told.done, told.timed_out, told.recheck_seconds) == (True, True, None)
    assert told.message == "momentum-0: orders or positions not seen to within 60 s"


def test_the_last_look_is_at_the_minute() -> None:
    assert judge(shard(), after=TIMEOUT_SECONDS - 0.25).recheck_seconds == 0.25


@pytest.mark.parametrize(
    ("on_delete", "finalizers"), [(OnDelete.KEEP, (FINALIZER,)), (OnDelete.FLATTEN, ("other/one",)), (OnDelete.CANCEL, ())]
)
def test_a_bot_that_nothing_holds_goes_at_once(on_delete: OnDelete, finalizers: tuple[str, ...]) -> None:
    assert judge(shard(says("Trade", busy="BTC")), on_delete=on_delete, finalizers=finalizers) == DeletionPlan(activity=None, done=True)


_WORDS = st.none() | st.builds(
    EngineWord,
    activity=st.sampled_from(["", *(activity.value for activity in Activity)]),
    open_orders=st.none() | st.integers(0, 3),
    busy=st.none() | st.frozensets(st.sampled_from(["BTC", "ETH"])),
    idle=st.booleans(),
)
_FACTS = st.builds(
    DeletionFacts,
    name=st.just("momentum-0"),
    pod_exists=st.booleans(),
    pod_expected=st.booleans(),
    terminating=st.booleans(),
    quarantined=st.booleans(),
    word=_WORDS,
)


@given(
    st.sampled_from(OnDelete),
    st.lists(_FACTS, max_size=4),
    st.booleans(),
    st.one_of(st.floats(TIMEOUT_SECONDS, 1e7), st.floats(-1e7, -TIMEOUT_SECONDS)),
)
def test_no_bot_stays_longer_than_a_minute_whatever_its_engines_say(
    on_delete: OnDelete, shards: list[DeletionFacts], namespace_terminating: bool, after: float
) -> None:
    assert judge(*shards, on_delete=on_delete, after=after, namespace_terminating=namespace_terminating).done


@given(st.sampled_from(OnDelete), st.lists(_FACTS, max_size=4), st.floats(-59, 59))
def test_whoever_waits_looks_again_soon_and_says_for_whom(on_delete: OnDelete, shards: list[DeletionFacts], after: float) -> None:
    told = judge(*shards, on_delete=on_delete, after=after)
    assert told.done or (told.message and told.recheck_seconds is not None and 0 < told.recheck_seconds <= 1)


@pytest.mark.parametrize(
    ("on_delete", "present", "wanted"),
    [
        (OnDelete.KEEP, (), ()),
        (OnDelete.KEEP, ("a/b", FINALIZER, "c/d"), ("a/b", "c/d")),
        (OnDelete.CANCEL, ("a/b",), ("a/b", FINALIZER)),
        (OnDelete.FLATTEN, ("a/b", FINALIZER, "c/d"), ("a/b", FINALIZER, "c/d")),
    ],
)
def test_a_bot_has_the_finalizer_while_something_is_to_be_done_on_deletion(
    on_delete: OnDelete, present: tuple[str, ...], wanted: tuple[str, ...]
) -> None:
    assert wanted_finalizers(on_delete, present) == wanted
    assert FINALIZER not in without_finalizer(present)
