"""The engine's own account of itself, from its two pages: status (each second) and metrics (each sample)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from tradingbot_contract import metrics
from tradingbot_contract.endpoints import METRICS_PATH, STATUS_PATH
from tradingbot_contract.metrics import Instrument, prometheus_label, prometheus_name
from tradingbot_contract.report import EngineStatus
from tradingbot_observer.sampler import Counters
from tradingbot_observer.sources.http import EngineAddress, NoAnswer, ProbeResult, read_page

_STATUS_LIMIT_BYTES: Final = 64 * 1024
_METRICS_LIMIT_BYTES: Final = 2 * 1024 * 1024

_RESULT_LABEL: Final = prometheus_label("result")
_HIT: Final = "hit"


class EngineMetrics(Struct, frozen=True):
    """What the observer takes from the engine's metrics. None: the engine doesn't export it."""

    counters: Counters
    memory_limit_bytes: int | None


async def read_status(address: EngineAddress, *, timeout_seconds: float) -> tuple[EngineStatus, float]:
    """Return the engine's status, and the seconds that the answer took.

    Raises:
        NoAnswer: there was none in time, or none that can be read.
    """
    page = await read_page(address, STATUS_PATH, timeout_seconds=timeout_seconds, limit_bytes=_STATUS_LIMIT_BYTES)
    try:
        return parse_status(page.body), page.seconds
    except ValueError as error:
        raise NoAnswer(ProbeResult.MALFORMED, f"the status can't be read: {error}", page.seconds) from error


async def read_metrics(address: EngineAddress, *, timeout_seconds: float) -> EngineMetrics:
    """Return the engine's counters.

    Raises:
        NoAnswer: there were none in time, or none that can be read.
    """
    page = await read_page(address, METRICS_PATH, timeout_seconds=timeout_seconds, limit_bytes=_METRICS_LIMIT_BYTES)
    try:
        return parse_metrics(page.body.decode())
    except ValueError as error:
        raise NoAnswer(ProbeResult.MALFORMED, f"the metrics can't be read: {error}", page.seconds) from error


def parse_status(body: bytes) -> EngineStatus:
    """Return the status that a page holds.

    Raises:
        ValueError: it is no such page.
    """
    try:
        return msgspec.json.decode(body, type=EngineStatus)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error


def parse_metrics(text: str) -> EngineMetrics:
    """Return what the observer needs of a page of metrics.

    Raises:
        ValueError: it is no such page.
    """
    wanted = {prometheus_name(each): each for each in (metrics.OPERATIONS, metrics.ERRORS, metrics.CACHE_LOOKUPS, metrics.MEMORY_LIMIT)}
    sums: dict[Instrument, float] = {}
    hits = 0.0
    for family in _parse_families(text):
        for sample in family.samples:
            instrument = wanted.get(sample.name)
            if instrument is None or not math.isfinite(sample.value):
                continue
            sums[instrument] = sums.get(instrument, 0.0) + sample.value
            if instrument is metrics.CACHE_LOOKUPS and sample.labels.get(_RESULT_LABEL) == _HIT:
                hits += sample.value
    limit = sums.get(metrics.MEMORY_LIMIT, 0.0)
    return EngineMetrics(
        counters=Counters(
            operations=sums.get(metrics.OPERATIONS, 0.0),
            errors=sums.get(metrics.ERRORS, 0.0),
            cache_hits=hits,
            cache_lookups=sums.get(metrics.CACHE_LOOKUPS, 0.0),
        ),
        memory_limit_bytes=int(limit) if limit and math.isfinite(limit) else None,
    )


def _parse_families(text: str) -> Sequence[Metric]:
    try:
        return tuple(text_string_to_metric_families(text))
    except (ValueError, LookupError, TypeError, AttributeError) as error:  # the parser trusts its input
        raise ValueError(f"it is no page of metrics: {type(error).__name__} {error}") from error
