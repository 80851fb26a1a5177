"""From the query of an address (`?limit=50&symbol=AAPL`) to what is asked of the journal, with words for whatever can't be meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from tradingbot_contract.books import DEFAULT_POINTS, DEFAULT_ROWS, FEWEST_POINTS, MOST_POINTS, MOST_ROWS
from tradingbot_contract.document import SpecError
from tradingbot_contract.section import Symbol
from tradingbot_engine.database.book_reader import Choice, Thinning
from tradingbot_engine.orders.order import OrderStatus

_LARGEST = 2**62
"""A number beyond it is none of a row, and none that a database takes."""
_MILLISECONDS = 1000


class CurveChoice(NamedTuple):
    """Which part of the equity curve is asked for, and how finely."""

    points: int
    since_ms: int | None
    """Market time; None: from the oldest point."""
    thinning: Thinning


def parse_orders_query(query: Mapping[str, str]) -> Choice:
    """Return which orders are meant.

    Raises:
        SpecError: an unknown name, or a value out of bounds.
    """
    _check_names(query, ("limit", "before", "symbol", "status"))
    return _parse_rows(query)._replace(status=_parse_status(query.get("status")))


def parse_fills_query(query: Mapping[str, str]) -> Choice:
    """Return which fills are meant.

    Raises:
        SpecError: an unknown name, or a value out of bounds.
    """
    _check_names(query, ("limit", "before", "symbol"))
    return _parse_rows(query)


def parse_equity_query(query: Mapping[str, str]) -> CurveChoice:
    """Return which points are meant.

    Raises:
        SpecError: an unknown name, or a value out of bounds.
    """
    _check_names(query, ("points", "since", "thin"))
    since = _parse_number(query, "since", 0, _LARGEST // _MILLISECONDS)
    points = _parse_number(query, "points", FEWEST_POINTS, MOST_POINTS)
    return CurveChoice(
        points=DEFAULT_POINTS if points is None else points,
        since_ms=None if since is None else since * _MILLISECONDS,
        thinning=_parse_thinning(query.get("thin", Thinning.EXTREMES.value)),
    )


def _parse_rows(query: Mapping[str, str]) -> Choice:
    limit = _parse_number(query, "limit", 1, MOST_ROWS)
    return Choice(
        limit=DEFAULT_ROWS if limit is None else limit,
        before=_parse_number(query, "before", 1, _LARGEST),
        symbol=_parse_symbol(query.get("symbol")),
    )


def _parse_symbol(text: str | None) -> str | None:
    """Return the symbol; what no journal can have is not asked for, since not every database takes every character."""
    if text is None:
        return None
    if not text:
        raise SpecError("symbol is empty: name one, or leave it out for all")
    try:
        return msgspec.convert(text, Symbol)
    except msgspec.ValidationError:
        raise SpecError(f"symbol {text[:40]!r} is none that a spec may name: write it as in market.symbols") from None


def _parse_status(text: str | None) -> OrderStatus | None:
    if text is None:
        return None
    try:
        return OrderStatus(text)
    except ValueError:
        raise SpecError(f"status {text[:40]!r} is none: use {', '.join(status.value for status in OrderStatus)}") from None


def _parse_thinning(text: str) -> Thinning:
    try:
        return Thinning(text)
    except ValueError:
        raise SpecError(f"thin {text[:40]!r} is none: use {', '.join(thinning.value for thinning in Thinning)}") from None


def _parse_number(query: Mapping[str, str], name: str, lowest: int, highest: int) -> int | None:
    text = query.get(name)
    if text is None:
        return None
    # Python reads other alphabets' digits, too, and gives up on a number of thousands of them.
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(highest)) and lowest <= int(text) <= highest):
        bounds = f"from {lowest:,} to {highest:,}" if highest < _LARGEST // _MILLISECONDS else f"from {lowest}"
        raise SpecError(f"{name} is {text[:40]!r}: give a whole number {bounds}")
    return int(text)


def _check_names(query: Mapping[str, str], known: tuple[str, ...]) -> None:
    unknown = sorted(set(query) - set(known))
    if unknown:
        raise SpecError(f"there is no parameter {unknown[0][:40]!r}: use {', '.join(known)}")
