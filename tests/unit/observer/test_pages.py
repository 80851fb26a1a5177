from __future__ import annotations

import pytest

from tradingbot_observer.sinks.pages import parse_hours


@pytest.mark.parametrize(("query", "hours"), [({}, 1.0), ({"hours": "6"}, 6.0), ({"hours": "0.25"}, 0.25)])
def test_hours(query: dict[str, str], hours: float) -> None:
    assert parse_hours(query) == hours


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"hours": "0"}, "'0'"),
        ({"hours": "-1"}, "'-1'"),
        ({"hours": "nan"}, "'nan'"),
        ({"hours": "inf"}, "'inf'"),
        ({"hours": "six"}, "'six'"),
        ({"hours": ""}, "''"),
        ({"minutes": "5"}, "minutes"),
    ],
)
def test_a_span_that_is_none_is_refused_with_the_reason(query: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_hours(query)
