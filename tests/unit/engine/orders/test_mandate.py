"""What the bot may do now: every activity by every order."""

from __future__ import annotations

from typing import Any

import pytest

from tradingbot_contract.document import Activity
from tradingbot_contract.spec import Market
from tradingbot_engine.orders.mandate import Mandate, build_mandate
from tradingbot_engine.orders.order import Side

EVERYTHING = Mandate()
RELEASING = Mandate(releasing=frozenset({"A"}))
SETTLING = Mandate(releasing=frozenset({"A"}), settling=frozenset({"A"}))


@pytest.mark.parametrize(
    ("mandate", "side", "symbol", "objection"),
    [
        (EVERYTHING, Side.BUY, "A", ""),
        (EVERYTHING, Side.SELL, "A", ""),
        (Mandate(Activity.PAUSE), Side.BUY, "A", "paused: nothing is bought"),
        (Mandate(Activity.PAUSE), Side.SELL, "A", ""),
        (Mandate(Activity.CANCEL), Side.BUY, "A", "activity Cancel: no order is sent"),
        (Mandate(Activity.CANCEL), Side.SELL, "A", "activity Cancel: no order is sent"),
        (Mandate(Activity.FLATTEN), Side.BUY, "A", "activity Flatten: no order is sent"),
        (Mandate(Activity.FLATTEN), Side.SELL, "A", "activity Flatten: no order is sent"),
        (Mandate(Activity.FENCE), Side.SELL, "A", "activity Fence: no order is sent"),
        (RELEASING, Side.BUY, "A", "A is being released: nothing is bought"),
        (RELEASING, Side.SELL, "A", ""),
        (RELEASING, Side.BUY, "B", ""),
        (SETTLING, Side.SELL, "A", ""),
        (Mandate(Activity.PAUSE, releasing=frozenset({"A"})), Side.BUY, "A", "paused: nothing is bought"),
        (Mandate(Activity.CANCEL, releasing=frozenset({"A"})), Side.SELL, "B", "activity Cancel: no order is sent"),
    ],
)
def test_what_may_be_sent(mandate: Mandate, side: Side, symbol: str, objection: str) -> None:
    assert mandate.objection(side, symbol) == objection


@pytest.mark.parametrize(
    ("mandate", "before", "side", "symbol", "canceled"),
    [
        (EVERYTHING, Mandate(Activity.PAUSE), Side.BUY, "A", False),
        (Mandate(Activity.PAUSE), EVERYTHING, Side.BUY, "A", True),
        (Mandate(Activity.PAUSE), EVERYTHING, Side.SELL, "A", False),
        (Mandate(Activity.CANCEL), Mandate(Activity.PAUSE), Side.SELL, "A", True),
        (Mandate(Activity.FLATTEN), EVERYTHING, Side.SELL, "A", True),
        (Mandate(Activity.FENCE), EVERYTHING, Side.SELL, "A", True),
        (RELEASING, EVERYTHING, Side.BUY, "A", True),
        (RELEASING, EVERYTHING, Side.SELL, "A", True),
        (RELEASING, EVERYTHING, Side.BUY, "B", False),
        (Mandate(releasing=frozenset({"A", "B"})), RELEASING, Side.SELL, "A", False),  # sent since, by a strategy that leaves
        (Mandate(releasing=frozenset({"A", "B"})), RELEASING, Side.SELL, "B", True),
        (SETTLING, RELEASING, Side.SELL, "A", True),  # what is sold at once is not sold twice
    ],
)
def test_what_is_taken_back(mandate: Mandate, before: Mandate, side: Side, symbol: str, canceled: bool) -> None:
    assert bool(mandate.cancellation(side, symbol, before)) is canceled


@pytest.mark.parametrize(
    ("mandate", "closed"),
    [
        (EVERYTHING, ""),
        (Mandate(Activity.PAUSE), ""),
        (Mandate(Activity.CANCEL), ""),
        (Mandate(Activity.FENCE), ""),
        (Mandate(Activity.FLATTEN), "AB"),
        (RELEASING, ""),
        (SETTLING, "A"),
        (Mandate(Activity.PAUSE, SETTLING.releasing, SETTLING.settling), "A"),
        (Mandate(Activity.CANCEL, SETTLING.releasing, SETTLING.settling), ""),
        (Mandate(Activity.FENCE, SETTLING.releasing, SETTLING.settling), ""),
        (Mandate(Activity.FLATTEN, SETTLING.releasing, SETTLING.settling), "AB"),
    ],
)
def test_what_is_sold_at_once(mandate: Mandate, closed: str) -> None:
    assert "".join(symbol for symbol in "AB" if mandate.closing(symbol)) == closed


@pytest.mark.parametrize(
    ("changes", "traded", "mandate"),
    [
        ({}, "AB", EVERYTHING),
        ({"activity": Activity.PAUSE, "grant": 7}, "AB", Mandate(Activity.PAUSE, grant=7)),
        ({"releasing": ["A"]}, "AB", RELEASING),
        ({"releasing": ["A"], "settle": True}, "AB", SETTLING),
        ({"settle": True}, "AB", EVERYTHING),
        ({"releasing": ["X"], "settle": True}, "AB", EVERYTHING),
        # A document that needs a new process: what it no longer names is not bought, and what it names anew is not this process's.
        ({"market": Market(symbols=["B", "C"])}, "AB", RELEASING),
        ({"market": Market(symbols=["B"]), "settle": True}, "AB", RELEASING),
    ],
)
def test_it_is_what_the_document_says_of_the_symbols_that_are_traded(
    workshop: Any, changes: dict[str, Any], traded: str, mandate: Mandate
) -> None:
    document = workshop.document(**{"market": Market(symbols=list(traded)), **changes})
    assert build_mandate(document, tuple(traded)) == mandate
