"""What may not be bought."""

from __future__ import annotations

import pytest

from tradingbot_contract.spec import Risk
from tradingbot_engine.risk.checks import Exposure, assess

LIMITS = Risk(max_order_notional=100.0, max_position_notional=250.0, max_drawdown_percent=20.0)


@pytest.mark.parametrize(
    ("exposure", "limit", "figures"),
    [
        (Exposure(100.0, 250.0, 0.199), None, ()),
        (Exposure(100.01, 100.01, 0.0), "risk.maxOrderNotional", ("100.01", "100.00")),
        (Exposure(100.0, 250.01, 0.0), "risk.maxPositionNotional", ("250.01", "250.00")),
        (Exposure(1.0, 1.0, 0.2), "risk.maxDrawdownPercent", ("20.00 %", "20 %")),
        (Exposure(500.0, 500.0, 0.5), "risk.maxOrderNotional", ()),
    ],
)
def test_the_first_limit_that_is_passed_is_named_with_its_figures(exposure: Exposure, limit: str | None, figures: tuple[str, ...]) -> None:
    rejection = assess(exposure, LIMITS)
    assert (rejection and rejection.limit) == limit
    assert all(rejection and figure in rejection.message for figure in figures)


def test_without_limits_all_passes() -> None:
    assert assess(Exposure(1e12, 1e12, 0.99), Risk()) is None
