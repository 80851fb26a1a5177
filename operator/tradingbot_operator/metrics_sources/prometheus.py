"""Asks one Prometheus for what all observers have told it: a few queries for the whole fleet, once each interval.

All queries of a round are about one moment of Prometheus' own clock, so that facts of two scrapes of a pod are never mixed. What comes
back is read by :mod:`~tradingbot_operator.metrics_sources.series`. A Prometheus that is gone, slow, or talks nonsense makes every report
missing, after the time for which the last ones may still count; it is never taken for a sick bot.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

import aiohttp
import msgspec
from msgspec.structs import replace

from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_sources.direct import read_bounded
from tradingbot_operator.metrics_sources.fleet_view import Known, build_known_view, take_failure, take_round
from tradingbot_operator.metrics_sources.report_view import acknowledges, fingerprint
from tradingbot_operator.metrics_sources.series import AGES_QUERY, FACTS_QUERY, QueryAnswer, Round, Sample, read_round
from tradingbot_operator.reasons import Reason
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.world import PodFacts, ReportView

ANSWER_LIMIT_BYTES: Final = 256 * 1024 * 1024
ATTENDED_SECONDS: Final = 30.0
"""How long a round is made every second, when somebody waits for what a pod says. Prometheus knows it only after its next scrape."""
ATTENTION_SECONDS: Final = 1.0
_TURN_SECONDS: Final = 5.0
_QUERY_PATH: Final = "/api/v1/query"

_logger = logging.getLogger(__name__)


class PrometheusError(Exception):
    """A round of queries gave nothing that can be used."""


class PrometheusSource:
    """All observers of the operator's bots, as a Prometheus knows them."""

    def __init__(self, settings: OperatorSettings, cache: Cache, wake: Callable[[BotKey], None], metrics: OperatorMetrics) -> None:
        self._cache = cache
        self._wake = wake
        self._metrics = metrics
        self._url = settings.prometheus_url
        self._token_file = settings.prometheus_token_file
        self._interval_seconds = settings.poll_interval_seconds
        self._max_age_seconds = settings.prometheus_max_age_seconds
        timeout = aiohttp.ClientTimeout(total=settings.prometheus_timeout_seconds)
        self._session = aiohttp.ClientSession(timeout=timeout)
        self._known = Known()
        self._seen: dict[str, tuple[object, ...]] = {}
        """What a pod's bot was last woken for, by the pod's uid."""
        self._expected: dict[str, int] = {}
        self._attended_until: dict[str, float] = {}
        self._hurry = asyncio.Event()
        self._told = ""
        self.turned_at: float | None = None

    def view(self, pod_uid: str) -> ReportView:
        """Return what is known of a pod now."""
        return build_known_view(self._known, pod_uid, now=time.monotonic(), max_age_seconds=self._max_age_seconds)

    def expect(self, pod_uid: str, generation: int) -> None:
        """Ask every second until a pod's engine says that it runs a generation, or for half a minute."""
        self._expected[pod_uid] = generation
        self.attend(pod_uid)

    def attend(self, pod_uid: str) -> None:
        """Ask every second for a while, and wake the pod's bot also when its positions or orders change."""
        self._attended_until[pod_uid] = time.monotonic() + ATTENDED_SECONDS
        self._hurry.set()

    async def run(self) -> None:
        """Ask, until cancelled."""
        while True:
            self.turned_at = time.monotonic()
            await self._round()
            pods = {pod.uid: (bot, pod) for bot, pod in self._cache.all_pods()}
            self._tell(pods)
            await self._pause()

    async def close(self) -> None:
        await self._session.close()

    async def _round(self) -> None:
        started = time.perf_counter()
        try:
            found = await self._ask()
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, PrometheusError) as error:
            self._metrics.polls.labels("prometheus", "unreachable").inc()
            self._known = take_failure(self._known, self._describe(error))
            if self._told != self._known.error:
                self._told = self._known.error
                _logger.warning("Prometheus can't be used", extra={"fields": {"error": self._told}})
            return
        self._metrics.polls_prometheus.observe(time.perf_counter() - started)
        self._metrics.polls.labels("prometheus", "answered").inc(len(found.readings))
        self._metrics.polls.labels("prometheus", "invalid").inc(len(found.broken))
        if self._told:
            self._told = ""
            _logger.info("Prometheus answers again")
        self._known = take_round(self._known, found, now=time.monotonic())

    async def _ask(self) -> Round:
        ages = await self._query(AGES_QUERY, None)
        self.turned_at = time.monotonic()
        if not ages:
            return read_round((), ())
        return read_round(ages, await self._query(FACTS_QUERY, ages[0].at))

    async def _query(self, query: str, at: float | None) -> tuple[Sample, ...]:
        form = {"query": query} | ({"time": f"{at:.3f}"} if at is not None else {})
        headers = {"Authorization": f"Bearer {self._token()}"} if self._token_file else {}
        async with self._session.post(f"{self._url}{_QUERY_PATH}", data=form, headers=headers, allow_redirects=False) as response:
            body = await read_bounded(response, ANSWER_LIMIT_BYTES)
            if response.status != HTTPStatus.OK:
                raise PrometheusError(f"answer {response.status}: {body[:200].decode(errors='replace').strip()}")
        try:
            answer = msgspec.json.decode(body, type=QueryAnswer)
        except RecursionError as error:
            raise PrometheusError("the answer is nested too deeply") from error
        if answer.warnings:
            # A proxy before several of them says so when one of them did not answer.
            raise PrometheusError(f"the answer is not whole: {'; '.join(answer.warnings)[:200]}")
        return answer.samples()

    def _token(self) -> str:
        return Path(self._token_file).read_text().strip()

    def _tell(self, pods: dict[str, tuple[BotKey, PodFacts]]) -> None:
        """Wake the bots of which something else is known, and forget the pods that are gone."""
        now = time.monotonic()
        for uid, (bot, _) in pods.items():
            view = self.view(uid)
            if acknowledges(view, self._expected.get(uid, 0)):
                self._expected.pop(uid, None)
            seen = fingerprint(view, closely=now < self._attended_until.get(uid, 0.0))
            if seen != self._seen.get(uid, (Reason.NOT_STARTED,)):
                self._wake(bot)
            self._seen[uid] = seen
        for known in (self._seen, self._expected, self._attended_until):
            for uid in known.keys() - pods.keys():
                del known[uid]
        self._known = replace(self._known, pods={uid: heard for uid, heard in self._known.pods.items() if uid in pods})

    async def _pause(self) -> None:
        """Wait for the next round; somebody who begins to wait for a pod's word ends it."""
        started = time.monotonic()
        while (left := started + self._interval() - time.monotonic()) > 0.0:
            self.turned_at = time.monotonic()
            self._hurry.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, _TURN_SECONDS)):
                    await self._hurry.wait()

    def _interval(self) -> float:
        now = time.monotonic()
        attended = any(until > now for until in self._attended_until.values())
        return min(ATTENTION_SECONDS, self._interval_seconds) if attended else self._interval_seconds

    def _describe(self, error: Exception) -> str:
        match error:
            case TimeoutError():
                problem = "no answer in time"
            case ValueError():
                problem = f"the answer can't be understood: {error}"
            case _:
                problem = str(error) or type(error).__name__
        return f"Prometheus at {self._url}: {problem}"
