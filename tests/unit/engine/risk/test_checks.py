"""What may not be bought."""

from __future__ import annotations

import pytest

from tradingbot_contract.spec import Risk
from tradingbot_engine.risk.checks import Exposure, Losses, assess, assess_losses

LIMITS = Risk(
    max_order_notional=100.0,
    max_position_notional=250.0,
    max_drawdown_percent=20.0,
    max_daily_loss_percent=5.0,
    max_open_orders=3,
    max_orders_per_minute=10,
)
NO_LOSSES = Losses(0.0, 0.0)
SMALL = Exposure(1.0, 1.0, 0, 0, NO_LOSSES)


@pytest.mark.parametrize(
    ("exposure", "limit", "figures"),
    [
        (Exposure(100.0, 250.0, 2, 9, Losses(0.199, 0.049)), None, ()),
        (SMALL._replace(order_notional=100.01), "risk.maxOrderNotional", ("100.01", "100.00")),
        (SMALL._replace(position_notional=250.01), "risk.maxPositionNotional", ("250.01", "250.00")),
        (SMALL._replace(open_orders=3), "risk.maxOpenOrders", ("3 orders wait", "limit is 3")),
        (SMALL._replace(orders_of_minute=10), "risk.maxOrdersPerMinute", ("10 orders", "limit is 10")),
        (SMALL._replace(losses=Losses(0.2, 0.0)), "risk.maxDrawdownPercent", ("20.00 %", "20 %")),
        (SMALL._replace(losses=Losses(0.0, 0.05)), "risk.maxDailyLossPercent", ("5.00 %", "limit 5 %")),
        (SMALL._replace(losses=Losses(-0.5, -0.5)), None, ()),
        (Exposure(500.0, 500.0, 9, 99, Losses(0.5, 0.5)), "risk.maxOrderNotional", ()),
    ],
)
def test_the_first_limit_that_is_passed_is_named_with_its_figures(exposure: Exposure, limit: str | None, figures: tuple[str, ...]) -> None:
    rejection = assess(exposure, LIMITS)
    assert (rejection and rejection.limit) == limit
    assert all(rejection and figure in rejection.message for figure in figures)


def test_without_limits_all_passes() -> None:
    assert assess(Exposure(1e12, 1e12, 10**6, 10**6, Losses(0.99, 0.99)), Risk()) is None


def test_limits_of_losses_can_be_judged_by_themselves() -> None:
    assert assess_losses(Losses(0.1, 0.0), LIMITS) is None
    rejection = assess_losses(Losses(0.3, 0.3), LIMITS)
    assert rejection is not None
    assert rejection.limit == "risk.maxDrawdownPercent"
