"""Days and minutes of the market's time, and from which equity on everything is sold."""

from __future__ import annotations

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_contract.spec import OnBreach, Risk
from tradingbot_engine.risk.ledger import NEVER_MS, RiskLedger, RiskState

DAY_MS = 86_400_000
MINUTE_MS = 60_000
DAILY = Risk(max_daily_loss_percent=10.0)


def ledger(risk: Risk = DAILY, state: RiskState | None = None) -> RiskLedger:
    return RiskLedger(risk, state or RiskState())


def test_orders_are_counted_by_the_minute_of_the_market() -> None:
    counting = ledger()
    for time_ms in (5 * MINUTE_MS, 5 * MINUTE_MS + 1, 6 * MINUTE_MS - 1):
        counting.count_order(time_ms)
    assert counting.orders_of_minute(5 * MINUTE_MS) == 3
    assert counting.orders_of_minute(6 * MINUTE_MS) == 0
    counting.count_order(6 * MINUTE_MS)
    assert counting.orders_of_minute(6 * MINUTE_MS) == 1


def test_a_minute_of_the_lap_before_is_another_minute() -> None:
    counting = ledger()
    counting.count_order(5 * MINUTE_MS)
    counting.begin_lap()
    assert counting.orders_of_minute(5 * MINUTE_MS) == 0
    assert ledger(state=counting.state()).orders_of_minute(5 * MINUTE_MS) == 0
    counting.count_order(5 * MINUTE_MS)
    assert counting.orders_of_minute(5 * MINUTE_MS) == 1


def test_a_day_is_followed_only_while_its_loss_is_limited() -> None:
    following = ledger(Risk())
    assert following.day_end_ms == NEVER_MS
    following.set_risk(DAILY)
    assert following.day_end_ms < 0, "it begins with the next step"
    assert following.losses(50.0, 100.0).of_day == 0.0, "nothing is known of it yet"
    following.begin_day(3 * DAY_MS + 5, 100.0)
    assert following.day_end_ms == 4 * DAY_MS
    assert following.losses(95.0, 200.0).of_day == pytest.approx(0.05)
    following.set_risk(Risk(max_daily_loss_percent=2.0))
    assert following.losses(95.0, 200.0).of_day == pytest.approx(0.05), "another limit, the same day"
    following.set_risk(Risk())
    assert following.day_end_ms == NEVER_MS
    assert following.state() == RiskState()


def test_a_new_lap_begins_a_new_day_whatever_the_time_was() -> None:
    following = ledger()
    following.begin_day(9 * DAY_MS, 100.0)
    following.begin_lap()
    assert following.day_end_ms < 0
    unlimited = ledger(Risk())
    unlimited.begin_lap()
    assert unlimited.day_end_ms == NEVER_MS


def test_a_new_process_goes_on_with_the_day_and_the_minute() -> None:
    before = ledger()
    before.begin_day(9 * DAY_MS, 100.0)
    before.count_order(9 * DAY_MS + 1)
    state = msgspec.json.decode(msgspec.json.encode(before.state()), type=RiskState)
    after = ledger(state=state)
    assert (after.day_end_ms, after.orders_of_minute(9 * DAY_MS)) == (10 * DAY_MS, 1)
    assert after.losses(90.0, 100.0) == before.losses(90.0, 100.0)
    assert after.state() == before.state()


@pytest.mark.parametrize(
    ("on_breach", "says"),
    [
        (OnBreach.REDUCE, "only sales are sent"),
        (OnBreach.HALT, "no order is sent"),
        (OnBreach.FLATTEN, "everything is sold, and nothing is bought"),
    ],
)
def test_a_breach_says_which_limit_and_what_follows(on_breach: OnBreach, says: str) -> None:
    judging = ledger(Risk(max_drawdown_percent=20.0, on_breach=on_breach))
    assert judging.breach(80.1, 100.0) is None
    breach = judging.breach(80.0, 100.0)
    assert str(breach) == f"risk.maxDrawdownPercent: drawdown is 20.00 %, the limit 20 %; {says}"


equities = st.floats(0.01, 1e9)
percents = st.floats(0.001, 100.0)


@given(equities, equities, percents, percents)
def test_no_equity_that_is_to_be_sold_at_is_above_what_the_path_of_a_bar_compares_with(
    equity: float, peak: float, drawdown: float, daily: float
) -> None:
    judging = ledger(Risk(max_drawdown_percent=drawdown, max_daily_loss_percent=daily, on_breach=OnBreach.FLATTEN))
    judging.begin_day(0, peak)
    floor = max(peak * judging.flatten_share_of_peak, judging.flatten_at_equity)
    if judging.breach(equity, peak) is not None:
        assert equity <= floor


@pytest.mark.parametrize("on_breach", [OnBreach.REDUCE, OnBreach.HALT])
def test_nothing_is_compared_unless_everything_is_to_be_sold(on_breach: OnBreach) -> None:
    judging = ledger(Risk(max_drawdown_percent=20.0, max_daily_loss_percent=5.0, on_breach=on_breach))
    judging.begin_day(0, 100.0)
    assert judging.flatten_share_of_peak == -math.inf
    assert judging.flatten_at_equity == -math.inf
