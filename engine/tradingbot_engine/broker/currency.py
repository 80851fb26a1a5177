"""Which money pays for a symbol: "BTC/USDT" is paid in USDT, "AAPL" in USD. A bot's account is in one currency."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tradingbot_contract.document import SpecError

DEFAULT_CURRENCY: Final = "USD"


def quote_currency(symbol: str) -> str:
    """Return the currency that `symbol` is priced in; what follows a colon (a settlement currency) is not part of it."""
    _, slash, rest = symbol.partition("/")
    return rest.partition(":")[0] if slash else DEFAULT_CURRENCY


def account_currency(symbols: Sequence[str], balances: Mapping[str, float]) -> str:
    """Return the one currency that all `symbols` are priced in.

    Raises:
        SpecError: they differ, or there is no money in it.
    """
    currencies = sorted({quote_currency(symbol) for symbol in symbols})
    if len(currencies) > 1:
        raise SpecError(
            f"market.symbols: they are priced in {' and '.join(currencies)}, but a bot has one account: "
            "use symbols of one quote currency, and one bot for each currency"
        )
    currency = currencies[0]
    if balances.get(currency, 0.0) <= 0:
        there = ", ".join(sorted(balances))
        raise SpecError(f"broker.paper.balances: no {currency}, which the symbols are priced in (there is {there}): add {currency}: 100000")
    return currency
