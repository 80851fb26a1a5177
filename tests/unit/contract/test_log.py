"""Log lines."""

from __future__ import annotations

import logging
import re
import sys

from tradingbot_contract.log import LineFormatter


def render(message: str, exc_info: object = None, **fields: object) -> str:
    record = logging.LogRecord("engine", logging.INFO, __file__, 1, message, (), exc_info)  # type: ignore[arg-type]  # as logging itself fills it
    record.fields = fields
    return LineFormatter().format(record)


def test_a_line() -> None:
    line = render("goes on", bot="trading/first", equity=100000.123456, note="two words", empty="", quote='a "b"', bars=5)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO goes on bot=trading/first equity=100000 "
        r'note="two words" empty="" quote="a \\"b\\"" bars=5',
        line,
    )


def test_a_value_never_breaks_the_line() -> None:
    assert render("x", text="a\nb").endswith(r'text="a\nb"')


def test_an_exception_follows() -> None:
    try:
        [].pop()
    except IndexError:
        assert render("x", sys.exc_info()).splitlines()[-1] == "IndexError: pop from empty list"
