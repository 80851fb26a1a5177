"""Asks a Prometheus what a panel asks it, with the variables that Grafana would put in."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

_TIMEOUT_SECONDS: Final = 30.0
_LABEL_VALUES: Final = re.compile(r"label_values\((.+), *(\w+)\)\Z", re.DOTALL)
_LEGEND: Final = re.compile(r"\{\{ *(\w+) *\}\}")


class QueryRefusedError(Exception):
    """Prometheus can't answer this query; the message says which and why."""


class Series(Struct, frozen=True):
    """Points of time and value."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        return self.points[-1][1]


class Window(Struct, frozen=True):
    """The time that is shown."""

    start: float
    end: float
    scrape_seconds: float
    """What the data source says of Prometheus' interval."""

    def step(self, points: int, least: float) -> float:
        """Return the time between two points, of which there should be so many."""
        return max(round((self.end - self.start) / points), self.scrape_seconds, least, 1.0)

    def fill(self, expression: str, variables: Mapping[str, str], step: float) -> str:
        """Return the query as Prometheus gets it."""
        intervals = {
            "__rate_interval": f"{max(step + self.scrape_seconds, 4 * self.scrape_seconds):.0f}s",
            "__interval": f"{step:.0f}s",
            "__range": f"{self.end - self.start:.0f}s",
        }
        values = intervals | dict(variables)
        for name in sorted(values, key=len, reverse=True):
            expression = expression.replace(f"${name}", values[name])
        return expression


class PrometheusClient:
    """One Prometheus."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def over(self, query: str, window: Window, step: float) -> list[Series]:
        """Return the points of a query over the window."""
        asked = {"query": query, "start": f"{window.start:.3f}", "end": f"{window.end:.3f}", "step": f"{step:.0f}"}
        return [_series(each, each["values"]) for each in self._ask("query_range", asked)["result"]]

    def at(self, query: str, moment: float) -> list[Series]:
        """Return the values of a query at a moment."""
        return [_series(each, [each["value"]]) for each in self._ask("query", {"query": query, "time": f"{moment:.3f}"})["result"]]

    def values(self, query: str, window: Window) -> list[str]:
        """Return the choices of a variable, in order.

        Raises:
            QueryRefusedError: it is no query for the values of a label.
        """
        found = _LABEL_VALUES.match(query)
        if found is None:
            raise QueryRefusedError(f"{query} does not ask for the values of a label")
        asked = {"match[]": found[1], "start": f"{window.start:.3f}", "end": f"{window.end:.3f}"}
        return sorted(self._ask(f"label/{found[2]}/values", asked))

    def _ask(self, what: str, asked: Mapping[str, str]) -> Any:
        address = f"{self._url}/api/v1/{what}?{urllib.parse.urlencode(asked)}"
        try:
            with urllib.request.urlopen(address, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - the address that the person gave
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise QueryRefusedError(f"{asked}: {error.read().decode()}") from error


def legend(text: str, labels: Mapping[str, str]) -> str:
    """Return the name of a series."""
    if text:
        return _LEGEND.sub(lambda found: labels.get(found[1], ""), text).strip()
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}" if labels else "value"


def _series(found: Mapping[str, Any], points: list[Any]) -> Series:
    numbers = ((float(at), float(value)) for at, value in points)
    return Series(found["metric"], tuple((at, value) for at, value in numbers if value == value))  # noqa: PLR0124 - NaN is no point
