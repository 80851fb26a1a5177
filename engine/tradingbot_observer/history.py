"""What the observer remembers: the newest samples and response times, a bounded number of each.

1440 samples are six hours at the default interval of 15 s. Adding one costs the same whatever is remembered.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Final

from msgspec import Struct

from tradingbot_contract.report import Sample
from tradingbot_observer.sampler import percentile

SAMPLES: Final = 1440
RESPONSES: Final = 1000

SECONDS_PER_HOUR: Final = 3600.0


class Measures(Struct, frozen=True, rename="camel", kw_only=True):
    """One figure for each measure of a sample; None: no sample has it."""

    cpu_percent: float | None
    memory_bytes: float | None
    memory_percent: float | None
    error_percent: float | None
    response_p95_seconds: float | None
    cache_hit_percent: float | None
    score: float | None


class Summary(Struct, frozen=True, rename="camel", kw_only=True):
    """The samples of some hours, in short. `peak` is the highest value, `lowest` the lowest, of each measure by itself."""

    hours: float
    samples: int
    first_at: float | None
    last_at: float | None
    average: Measures
    peak: Measures
    lowest: Measures


class History:
    """The newest samples, and of these which are of the engine process that runs now, with its response times."""

    def __init__(self) -> None:
        self._samples: deque[Sample] = deque(maxlen=SAMPLES)
        self._samples_of_process = 0
        self._response_seconds: deque[float] = deque(maxlen=RESPONSES)

    def __len__(self) -> int:
        return len(self._samples)

    def add(self, sample: Sample) -> None:
        """Remember a sample; the oldest goes when there are too many."""
        self._samples.append(sample)
        self._samples_of_process += 1

    def add_response(self, seconds: float) -> None:
        """Remember a response time; the oldest goes when there are too many."""
        self._response_seconds.append(seconds)

    def begin_process(self) -> None:
        """Another process runs from now on, or none: response times and samples until now were another's."""
        self._response_seconds.clear()
        self._samples_of_process = 0

    def newest_of_process(self, count: int) -> tuple[Sample, ...]:
        """Return up to so many of the newest samples of the process that runs now, oldest first."""
        count = min(count, self._samples_of_process)
        return tuple(islice(reversed(self._samples), count))[::-1]

    def response_p95_seconds(self) -> float | None:
        """Return the 95th percentile of the remembered response times."""
        return percentile(self._response_seconds, 0.95)

    def since(self, at: float) -> list[Sample]:
        """Return the samples from this time on, oldest first."""
        return [sample for sample in self._samples if sample.at >= at]

    def summarise(self, hours: float, now: float) -> Summary:
        """Return average, peak and lowest of the samples of the last so many hours before `now`."""
        chosen = self.since(now - hours * SECONDS_PER_HOUR)
        return Summary(
            hours=hours,
            samples=len(chosen),
            first_at=chosen[0].at if chosen else None,
            last_at=chosen[-1].at if chosen else None,
            average=_measures(chosen, _mean),
            peak=_measures(chosen, max),
            lowest=_measures(chosen, min),
        )


def _measures(samples: list[Sample], condense: Callable[[list[float]], float]) -> Measures:
    def condensed(name: str) -> float | None:
        known = _known(getattr(sample, name) for sample in samples)
        return condense(known) if known else None

    return Measures(**{name: condensed(name) for name in Measures.__struct_fields__})


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
