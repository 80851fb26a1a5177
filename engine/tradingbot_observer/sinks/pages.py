"""The observer's pages: report, history, liveness and metrics.

`/livez` answers while the observer's own loop turns. It says nothing of the engine: a sick engine is no reason to restart its
observer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Final

import msgspec

from tradingbot_contract.endpoints import HISTORY_PATH, LIVENESS_PATH, METRICS_PATH, REPORT_PATH
from tradingbot_contract.report import ObserverReport
from tradingbot_contract.serving import JSON, PROMETHEUS, TEXT, Answer, Page, QueryPage
from tradingbot_observer.history import Summary

HOURS: Final = "hours"
MOST_HOURS: Final = 1000.0


def build_pages(report: Callable[[], ObserverReport], metrics: Callable[[], bytes]) -> dict[str, Page]:
    """Return the pages that take no question."""

    async def health() -> Answer:
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(report()))

    async def live() -> Answer:
        return Answer(HTTPStatus.OK, TEXT, b"ok\n")

    async def exposition() -> Answer:
        return Answer(HTTPStatus.OK, PROMETHEUS, metrics())

    return {REPORT_PATH: health, LIVENESS_PATH: live, METRICS_PATH: exposition}


def build_query_pages(summarise: Callable[[float], Summary]) -> dict[str, QueryPage]:
    """Return the pages that take a question: `/history?hours=6`."""

    async def history(query: Mapping[str, str]) -> Answer:
        try:
            hours = parse_hours(query)
        except ValueError as error:
            return Answer(HTTPStatus.BAD_REQUEST, TEXT, f"{error}\n".encode())
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(summarise(hours)))

    return {HISTORY_PATH: history}


def parse_hours(query: Mapping[str, str]) -> float:
    """Return the hours that a query asks for, 1 if it doesn't say.

    Raises:
        ValueError: the query asks for something else, or for no span of time.
    """
    unknown = sorted(set(query) - {HOURS})
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; ask as {HISTORY_PATH}?{HOURS}=6")
    text = query.get(HOURS, "1")
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= MOST_HOURS:
        raise ValueError(f"hours is {text!r}, allowed is a number above 0 and up to {MOST_HOURS:g}")
    return hours
