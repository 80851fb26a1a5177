from __future__ import annotations

import pytest

from tradingbot_observer.sinks.pages import MOST_WAIT_SECONDS, Patience, parse_hours, parse_patience


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


@pytest.mark.parametrize(
    ("query", "patience"),
    [
        ({}, None),
        ({"generation": "7", "wait": "5"}, Patience(7, MOST_WAIT_SECONDS)),
        ({"generation": "0", "wait": "0.25"}, Patience(0, 0.25)),
    ],
)
def test_patience(query: dict[str, str], patience: Patience | None) -> None:
    assert parse_patience(query) == patience


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"generation": "7"}, "there is generation; ask as"),
        ({"wait": "5"}, "there is wait; ask as"),
        ({"generation": "7", "wait": "5", "shard": "1"}, "shard"),
        ({"generation": "seven", "wait": "5"}, "'seven'"),
        ({"generation": "-7", "wait": "5"}, "'-7'"),
        ({"generation": "7.5", "wait": "5"}, "'7.5'"),
        ({"generation": "", "wait": "5"}, "''"),
        ({"generation": "9" * 20, "wait": "5"}, "whole number"),
        ({"generation": "7", "wait": "0"}, "'0'"),
        ({"generation": "7", "wait": "5.1"}, "'5.1'"),
        ({"generation": "7", "wait": "nan"}, "'nan'"),
        ({"generation": "7", "wait": ""}, "''"),
    ],
)
def test_a_wait_that_is_none_is_refused_with_the_reason(query: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_patience(query)
