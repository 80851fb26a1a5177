from __future__ import annotations

import pytest

from tradingbot_cli.books.statistics_table import build_statistics_rows, duration, ratio, share
from tradingbot_engine.statistics.summary import summarise

DAY = 86_400.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "none"),
        (30, "0.5 minutes"),
        (5400, "90.0 minutes"),
        (3 * 3600, "3.0 hours"),
        (40 * DAY, "40 days"),
        (700 * DAY, "700 days"),
        (800 * DAY, "2.2 years"),
    ],
)
def test_a_duration_is_told_in_the_unit_that_people_use(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_what_is_not_defined_is_a_dash() -> None:
    assert share(None) == ratio(None) == "-"
    rows = dict(build_statistics_rows(summarise([], []), "USD"))
    assert {rows[name] for name in ("return", "Sharpe ratio", "win rate", "profit factor", "exposure", "turnover a year")} == {"-"}
    assert (rows["round trips"], rows["fees"]) == ("0", "0.00 USD")
