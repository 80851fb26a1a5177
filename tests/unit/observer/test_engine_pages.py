from __future__ import annotations

import pytest

from tradingbot_contract.metrics import CACHE_LOOKUPS, ERRORS, MEMORY_LIMIT, OPERATIONS, prometheus_name
from tradingbot_observer.sampler import Counters
from tradingbot_observer.sources.engine_pages import parse_metrics

PAGE = f"""\
# HELP {prometheus_name(OPERATIONS)} tried
# TYPE {prometheus_name(OPERATIONS)} counter
{prometheus_name(OPERATIONS)}{{component="feed"}} 100.0
{prometheus_name(OPERATIONS)}{{component="database"}} 20.0
# TYPE {prometheus_name(ERRORS)} counter
{prometheus_name(ERRORS)}{{component="feed"}} 1.0
{prometheus_name(ERRORS)}{{component="database"}} 2.0
# TYPE {prometheus_name(CACHE_LOOKUPS)} counter
{prometheus_name(CACHE_LOOKUPS)}{{cache="views",result="hit"}} 30.0
{prometheus_name(CACHE_LOOKUPS)}{{cache="views",result="miss"}} 10.0
# TYPE something_else gauge
something_else 5.0
"""


def test_sums_over_components_and_caches() -> None:
    found = parse_metrics(PAGE)
    assert found.counters == Counters(operations=120, errors=3, cache_hits=30, cache_lookups=40)
    assert found.memory_limit_bytes is None


def test_the_limit_that_the_engine_reports() -> None:
    found = parse_metrics(f"{PAGE}{prometheus_name(MEMORY_LIMIT)} 5.36870912e+08\n")
    assert found.memory_limit_bytes == 536_870_912


def test_a_page_without_our_metrics_counts_nothing() -> None:
    assert parse_metrics("").counters == Counters(0, 0, 0, 0)


@pytest.mark.parametrize("text", ["<html>", 'a{b="c} 1', "a b c d"])
def test_no_page_of_metrics(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever the parser says
        parse_metrics(text)
