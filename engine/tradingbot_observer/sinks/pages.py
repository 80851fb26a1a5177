"""The observer's pages: report, history, liveness and metrics.

`/livez` answers while the observer's own loop turns. It says nothing of the engine: a sick engine is no reason to restart its
observer.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

from tradingbot_contract.endpoints import HISTORY_PATH, LIVENESS_PATH, METRICS_PATH, REPORT_PATH
from tradingbot_contract.report import ObserverReport
from tradingbot_contract.serving import JSON, PROMETHEUS, TEXT, Answer, Page, QueryPage
from tradingbot_observer.history import Summary

HOURS: Final = "hours"
MOST_HOURS: Final = 1000.0
GENERATION: Final = "generation"
WAIT: Final = "wait"
MOST_WAIT_SECONDS: Final = 5.0
_MOST_DIGITS: Final = 19


class Patience(NamedTuple):
    """What somebody waits for, and for how long."""

    generation: int
    seconds: float


def build_pages(metrics: Callable[[], bytes]) -> dict[str, Page]:
    """Return the pages that take no question."""

    async def live() -> Answer:
        return Answer(HTTPStatus.OK, TEXT, b"ok\n")

    async def exposition() -> Answer:
        return Answer(HTTPStatus.OK, PROMETHEUS, metrics())

    return {LIVENESS_PATH: live, METRICS_PATH: exposition}


def build_query_pages(
    report: Callable[[], ObserverReport],
    acknowledgement: Callable[[int, float], Awaitable[ObserverReport]],
    summarise: Callable[[float], Summary],
) -> dict[str, QueryPage]:
    """Return the pages that may take a question: `/health?generation=7&wait=5`, `/history?hours=6`.

    The report comes at once, or as soon as the engine runs (or refuses) a document of that generation, at most so many seconds later.
    """

    async def health(query: Mapping[str, str]) -> Answer:
        try:
            patience = parse_patience(query)
        except ValueError as error:
            return Answer(HTTPStatus.BAD_REQUEST, TEXT, f"{error}\n".encode())
        answer = report() if patience is None else await acknowledgement(*patience)
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(answer))

    async def history(query: Mapping[str, str]) -> Answer:
        try:
            hours = parse_hours(query)
        except ValueError as error:
            return Answer(HTTPStatus.BAD_REQUEST, TEXT, f"{error}\n".encode())
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(summarise(hours)))

    return {REPORT_PATH: health, HISTORY_PATH: history}


def parse_patience(query: Mapping[str, str]) -> Patience | None:
    """Return what a query waits for; None: for nothing.

    Raises:
        ValueError: the query asks for something else, or for half of it.
    """
    if not query:
        return None
    how = f"ask as {REPORT_PATH}?{GENERATION}=7&{WAIT}=5"
    if set(query) != {GENERATION, WAIT}:
        raise ValueError(f"there is {' and '.join(sorted(query))}; {how}, or with neither")
    generation, seconds = query[GENERATION], _parse_number(query[WAIT])
    if not (generation.isascii() and generation.isdigit() and len(generation) <= _MOST_DIGITS):
        raise ValueError(f"{GENERATION} is {generation!r}, allowed is a whole number; {how}")
    if not 0 < seconds <= MOST_WAIT_SECONDS:
        raise ValueError(f"{WAIT} is {query[WAIT]!r}, allowed is a number of seconds above 0 and up to {MOST_WAIT_SECONDS:g}; {how}")
    return Patience(int(generation), seconds)


def parse_hours(query: Mapping[str, str]) -> float:
    """Return the hours that a query asks for, 1 if it doesn't say.

    Raises:
        ValueError: the query asks for something else, or for no span of time.
    """
    unknown = sorted(set(query) - {HOURS})
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; ask as {HISTORY_PATH}?{HOURS}=6")
    text = query.get(HOURS, "1")
    hours = _parse_number(text)
    if not 0 < hours <= MOST_HOURS:
        raise ValueError(f"hours is {text!r}, allowed is a number above 0 and up to {MOST_HOURS:g}")
    return hours


def _parse_number(text: str) -> float:
    """Return the number; NaN, which is within no bounds, if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
