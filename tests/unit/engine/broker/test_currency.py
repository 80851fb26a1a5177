"""Which money pays for a symbol."""

from __future__ import annotations

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_engine.broker.currency import account_currency, quote_currency


@pytest.mark.parametrize(
    ("symbol", "currency"), [("AAPL", "USD"), ("BTC/USDT", "USDT"), ("BTC/USDT:USDT", "USDT"), ("ETH/BTC", "BTC"), ("BRK.B", "USD")]
)
def test_quote_currency(symbol: str, currency: str) -> None:
    assert quote_currency(symbol) == currency


def test_the_account_is_in_the_one_currency_of_all_symbols() -> None:
    assert account_currency(["BTC/USDT", "ETH/USDT"], {"USDT": 5.0, "EUR": 1.0}) == "USDT"


def test_two_currencies_are_refused() -> None:
    with pytest.raises(SpecError, match=r"market\.symbols: they are priced in USD and USDT"):
        account_currency(["AAPL", "BTC/USDT"], {"USD": 5.0, "USDT": 5.0})


@pytest.mark.parametrize("balances", [{"EUR": 5.0}, {"USD": 0.0}])
def test_no_money_is_refused(balances: dict[str, float]) -> None:
    with pytest.raises(SpecError, match=r"broker\.paper\.balances: no USD"):
        account_currency(["AAPL"], balances)
