"""Figures from a page in Prometheus' text format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def read_series(page: str, name: str) -> Iterator[tuple[dict[str, str], float]]:
    """Yield labels and value of every series of a metric."""
    for labels, value in re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", page, re.MULTILINE):
        yield dict(_LABEL.findall(labels)), float(value)


def read_total(page: str, name: str, **wanted: str) -> float | None:
    """Return the sum over all series of a metric that have these labels; None when there is none."""
    values = [value for labels, value in read_series(page, name) if wanted.items() <= labels.items()]
    return sum(values) if values else None
