"""The observer's pages: report, history, liveness and metrics, and the one for people.

`/livez` answers while the observer's own loop turns. It says nothing of the engine: a sick engine is no reason to restart its
observer.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

import msgspec

from tradingbot_contract.endpoints import (
    HISTORY_PATH,
    LIVENESS_PATH,
    METRICS_PATH,
    PAGE_PATH,
    PAGE_STATE_PATH,
    REPORT_PATH,
    SAMPLES_PATH,
)
from tradingbot_contract.report import ObserverReport
from tradingbot_contract.serving import HTML, JSON, PROMETHEUS, TEXT, Answer, Page, QueryPage
from tradingbot_observer.history import Summary
from tradingbot_observer.page.files import PageFiles
from tradingbot_observer.page.samples import MOST_POINTS, Points
from tradingbot_observer.page.state import PageState

HOURS: Final = "hours"
MOST_HOURS: Final = 1000.0
POINTS: Final = "points"
GENERATION: Final = "generation"
WAIT: Final = "wait"
MOST_WAIT_SECONDS: Final = 5.0
_MOST_DIGITS: Final = 19


class Patience(NamedTuple):
    """What somebody waits for, and for how long."""

    generation: int
    seconds: float


class Span(NamedTuple):
    """How much of the history somebody wants, in how many points."""

    hours: float
    points: int


def build_pages(metrics: Callable[[], bytes], state: Callable[[], PageState]) -> dict[str, Page]:
    """Return the pages that take no question."""
    files = PageFiles()

    async def live() -> Answer:
        return Answer(HTTPStatus.OK, TEXT, b"ok\n")

    async def exposition() -> Answer:
        return Answer(HTTPStatus.OK, PROMETHEUS, metrics())

    async def page() -> Answer:
        return Answer(HTTPStatus.OK, HTML, files.render(state()), files.fields)

    async def page_state() -> Answer:
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(state()))

    return {LIVENESS_PATH: live, METRICS_PATH: exposition, PAGE_PATH: page, PAGE_STATE_PATH: page_state}


def build_query_pages(
    report: Callable[[], ObserverReport],
    acknowledgement: Callable[[int, float], Awaitable[ObserverReport]],
    summarise: Callable[[float], Summary],
    thin: Callable[[float, int], Points],
) -> dict[str, QueryPage]:
    """Return the pages that may take a question.

    These are `/health?generation=7&wait=5`, `/history?hours=6` and `/history/samples?hours=6&points=200`. The report comes at
    once, or as soon as the engine runs (or refuses) a document of that generation, at most so many seconds later.
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

    async def samples(query: Mapping[str, str]) -> Answer:
        try:
            span = parse_span(query)
        except ValueError as error:
            return Answer(HTTPStatus.BAD_REQUEST, TEXT, f"{error}\n".encode())
        return Answer(HTTPStatus.OK, JSON, msgspec.json.encode(thin(*span)))

    return {REPORT_PATH: health, HISTORY_PATH: history, SAMPLES_PATH: samples}


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


def parse_span(query: Mapping[str, str]) -> Span:
    """Return the part of the history that a query asks for, 1 hour in 200 points if it doesn't say.

    Raises:
        ValueError: the query asks for something else, or for no number of points.
    """
    rest = {name: value for name, value in query.items() if name != POINTS}
    if not set(rest) <= {HOURS}:
        raise ValueError(f"unknown: {', '.join(sorted(set(rest) - {HOURS}))}; ask as {SAMPLES_PATH}?{HOURS}=6&{POINTS}=200")
    text = query.get(POINTS, "200")
    points = int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else 0
    if not 0 < points <= MOST_POINTS:
        raise ValueError(f"{POINTS} is {text!r}, allowed is a whole number from 1 to {MOST_POINTS}")
    return Span(parse_hours(rest), points)


def _parse_number(text: str) -> float:
    """Return the number; NaN, which is within no bounds, if it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
