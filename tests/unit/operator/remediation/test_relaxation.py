"""How adjustments go back to the spec, and what keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_operator.bot_status import Adjustment
from tradingbot_operator.remediation.relaxation import relax, relaxes_in
from tradingbot_operator.world import ContainerFacts

MODELS = {"finbert": {"source": "/models/finbert"}, "social": {"source": "/models/social"}}
HOUR = 3600.0


def relaxed(moment: Any, adjustment: Adjustment | None, *, bot: Any = None, **shard: Any) -> Adjustment | None:
    findings = shard.pop("findings", ())
    situation = moment.situation(moment.shard(*findings, adjustment=adjustment, **shard), bot=bot)
    return relax(situation, situation.shards[0])


def test_without_an_adjustment_there_is_none(moment: Any) -> None:
    assert relaxed(moment, None) is None
    assert relaxes_in(None, moment.now) == float("inf")


@pytest.mark.parametrize(("ago", "goes_back"), [(HOUR - 1.0, False), (HOUR, True)])
def test_an_hour_after_the_last_change_everything_goes_back_a_step(moment: Any, ago: float, goes_back: bool) -> None:
    before = Adjustment(cache_percent=25, memory_mode="Minimal", avoid_node="worker", since=moment.ago(ago))
    after = Adjustment(cache_percent=50, memory_mode="FinBERTOnly", since=moment.ago(0))
    found = relaxed(moment, before, bot=moment.bot(prediction=MODELS))
    assert found == (after if goes_back else before)
    assert relaxes_in(before, moment.now) == (float("inf") if goes_back else 1.0)


@pytest.mark.parametrize(
    ("adjustment", "models", "expected"),
    [
        ({"cache_percent": 50}, {}, None),
        ({"avoid_node": "worker"}, {}, None),
        ({"memory_mode": "FinBERTOnly"}, MODELS, None),
        ({"memory_mode": "Minimal"}, {"finbert": MODELS["finbert"]}, None),
        ({"memory_mode": "Minimal"}, MODELS, "FinBERTOnly"),
    ],
)
def test_what_is_as_in_the_spec_again_is_no_adjustment(
    moment: Any, adjustment: dict[str, Any], models: dict[str, Any], expected: str | None
) -> None:
    before = Adjustment(**adjustment, since=moment.ago(HOUR))
    found = relaxed(moment, before, bot=moment.bot(prediction=models))
    assert (found.memory_mode if found else None) == expected


def test_nothing_of_the_memory_goes_back_while_it_is_or_may_be_trouble(moment: Any) -> None:
    before = Adjustment(cache_percent=50, memory_mode="Minimal", since=moment.ago(2 * HOUR))
    killed = ContainerFacts(running_since=moment.now - 60.0, exit=moment.exit(-1, finished_at=moment.now - HOUR + 1.0))
    for trouble in (
        {"findings": (moment.finding("MemoryHigh", "warning"),)},
        {"unheard": True},
        {"pod": moment.pod(engine=killed)},
    ):
        assert relaxed(moment, before, **trouble) is before
    # The node may be used again in any case.
    with_node = Adjustment(cache_percent=50, avoid_node="worker", since=moment.ago(HOUR))
    assert relaxed(moment, with_node, unheard=True) == Adjustment(cache_percent=50, since=moment.ago(0))


@pytest.mark.parametrize(
    ("limit", "ceiling", "used", "expected"),
    [
        pytest.param("512Mi", "1Gi", "64Mi", "800Mi", id="it stays, however little is used"),
        pytest.param("800Mi", "1Gi", "700Mi", "", id="the user has taken it over"),
        pytest.param("900Mi", "1Gi", "700Mi", "", id="the user has given more"),
        pytest.param("512Mi", None, "300Mi", "", id="there is no ceiling any more, and it is not needed"),
        pytest.param("512Mi", None, "400Mi", "800Mi", id="there is no ceiling any more, and it is needed"),
        pytest.param("512Mi", "600Mi", "300Mi", "600Mi", id="the ceiling is lower, and that is enough"),
        pytest.param("512Mi", "600Mi", "500Mi", "800Mi", id="the ceiling is lower, and that is not enough"),
    ],
)
def test_a_memory_limit_that_was_raised_goes_when_the_user_wants_it_and_it_is_not_needed(
    moment: Any, limit: str, ceiling: str | None, used: str, expected: str
) -> None:
    remediation = {"memoryCeiling": ceiling} if ceiling else {}
    bot = moment.bot(engine={"resources": {"limits": {"memory": limit}}}, remediation=remediation)
    before = Adjustment(memory_limit="800Mi", since=moment.ago(10 * HOUR))
    found = relaxed(moment, before, bot=bot, report=moment.report(memory=used))
    assert (found.memory_limit if found else "") == expected
    assert found is before or found is None or found.since == moment.ago(0)


def test_a_memory_limit_is_not_lowered_while_its_use_is_not_known(moment: Any) -> None:
    before = Adjustment(memory_limit="800Mi", since=moment.ago(10 * HOUR))
    assert relaxed(moment, before, unheard=True) is before
