"""Asks every observer for its report, again and again, in one loop: spread over time, many at once, each with a time limit.

An observer that is well is asked at the operator's interval, one that is not (or not yet) every second. One whose engine's document has
just been changed is asked to answer when the engine runs it. Whatever comes back is judged by
:mod:`~tradingbot_operator.metrics_sources.report_view`; a bot is woken only when that changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import aiohttp
import msgspec

from tradingbot_contract.endpoints import OBSERVER_PORT, REPORT_PATH
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.kube import Kube
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_sources.report_view import (
    Answers,
    Target,
    acknowledges,
    add_failure,
    add_report,
    build_view,
    fingerprint,
    is_calm,
    parse_report,
)
from tradingbot_operator.world import PodFacts, ReportView

TIMEOUT_SECONDS: Final = 2.0
AT_ONCE: Final = 64
ANSWER_LIMIT_BYTES: Final = 256 * 1024
ATTENTION_SECONDS: Final = 1.0
"""How often a target that is not calm is asked."""
ATTENDED_SECONDS: Final = 30.0
"""How long one that somebody waits for is asked that often."""
EXPECTED_SECONDS: Final = 10.0
"""How long an engine is expected to run a new document soon; after that the usual attention has to do."""
WAIT_SECONDS: Final = 1.0
"""How long an observer may hold an answer back until the engine runs what is expected."""
EXPECTED_PAUSE_SECONDS: Final = 0.2
"""Between two questions to one that doesn't hold its answer back."""
_TURN_SECONDS: Final = 0.2

Ask = Callable[[Target, str], Awaitable[bytes]]
"""Returns the body of a target's answer to a query; raises what aiohttp raises, or TimeoutError."""


class _State:
    """What is known of one target."""

    __slots__ = ("answers", "asked", "attended_until", "bot", "due", "expected", "expected_until", "ready", "seen", "target")

    def __init__(self, bot: BotKey, target: Target) -> None:
        self.bot = bot
        self.target = target
        self.answers = Answers(since=time.monotonic())
        self.ready = False
        """Whether the kubelet finds the engine ready; one that is not gets attention."""
        self.due = 0.0
        self.asked = False
        """Whether an answer is on its way."""
        self.seen: tuple[object, ...] = ()
        """What its bot was last woken for."""
        self.attended_until = 0.0
        self.expected = 0
        """Generation that the engine should soon say it runs."""
        self.expected_until = 0.0

    def expects(self, view: ReportView, now: float) -> bool:
        """Return whether the engine should say soon, and has not said, that it runs a document."""
        return now < self.expected_until and not acknowledges(view, self.expected)


class ReportPoller:
    """All observers of the operator's bots."""

    def __init__(
        self, cache: Cache, ask: Ask, wake: Callable[[BotKey], None], metrics: OperatorMetrics, *, interval_seconds: float
    ) -> None:
        self._cache = cache
        self._ask = ask
        self._wake = wake
        self._metrics = metrics
        self._interval_seconds = interval_seconds
        self._states: dict[str, _State] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._hurry = asyncio.Event()
        self.turned_at: float | None = None

    def view(self, pod_uid: str) -> ReportView:
        """Return what is known from a pod's observer now."""
        state = self._states.get(pod_uid)
        return build_view(state.answers, now=time.monotonic()) if state else ReportView()

    def expect(self, pod_uid: str, generation: int) -> None:
        """Ask a pod at once, and again and again, until its engine says that it runs a generation, or for ten seconds."""
        state = self._states.get(pod_uid)
        if state is not None:
            state.expected = generation
            state.expected_until = time.monotonic() + EXPECTED_SECONDS
            state.due = 0.0
            self._hurry.set()

    def attend(self, pod_uid: str) -> None:
        """Ask a pod every second for a while, and wake its bot also when its positions or orders change."""
        state = self._states.get(pod_uid)
        if state is not None:
            now = time.monotonic()
            state.attended_until = now + ATTENDED_SECONDS
            state.due = min(state.due, now + ATTENTION_SECONDS)

    async def run(self) -> None:
        """Ask, until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                now = self.turned_at = time.monotonic()
                self._follow(self._cache.all_pods())
                for state in self._states.values():
                    if state.due <= now and not state.asked:
                        state.asked = True
                        group.create_task(self._ask_one(state))
                self._hurry.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_TURN_SECONDS):
                        await self._hurry.wait()

    def _follow(self, pods: Iterable[tuple[BotKey, PodFacts]]) -> None:
        """Take up new targets and forget those that are gone."""
        current = {pod.uid: (bot, pod) for bot, pod in pods if _can_be_asked(pod)}
        for uid in self._states.keys() - current.keys():
            del self._states[uid]
        for uid, (bot, pod) in current.items():
            target = Target(namespace=bot.namespace, bot=bot.name, pod=pod.name, uid=pod.uid, ip=pod.ip)
            state = self._states.get(uid)
            if state is None or state.target != target:
                state = self._states[uid] = _State(bot, target)
            if state.ready and not pod.ready:
                state.due = 0.0
            state.ready = pod.ready

    async def _ask_one(self, state: _State) -> None:
        while True:
            asked_at = time.monotonic()
            expected = state.expects(build_view(state.answers, now=asked_at), asked_at)
            async with self._slots:
                state.answers = await self._next_answers(state, f"wait={WAIT_SECONDS:g}&generation={state.expected}" if expected else "")
            now = time.monotonic()
            view = build_view(state.answers, now=now)
            self._tell(state, view, closely=now < state.attended_until)
            if not state.expects(view, now):
                break
            await asyncio.sleep(asked_at + EXPECTED_PAUSE_SECONDS - now)
        seconds = self._interval_seconds
        if not state.ready or not is_calm(view) or now < state.attended_until:
            seconds = min(ATTENTION_SECONDS, seconds)
        # Spread, or all bots of an operator that starts would be asked in the same moment for ever.
        state.due = now + seconds * random.uniform(0.9, 1.1)  # noqa: S311 - it spreads load, it hides nothing
        state.asked = False

    def _tell(self, state: _State, view: ReportView, *, closely: bool) -> None:
        seen = fingerprint(view, closely=closely)
        if seen != state.seen:
            state.seen = seen
            self._wake(state.bot)

    async def _next_answers(self, state: _State, query: str) -> Answers:
        try:
            body = await self._ask(state.target, query)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._metrics.polls.labels("direct", "unreachable").inc()
            return add_failure(state.answers, _describe(error, state.target), invalid=False)
        try:
            report = parse_report(body, state.target)
        except (msgspec.DecodeError, ValueError) as error:
            self._metrics.polls.labels("direct", "invalid").inc()
            return add_failure(state.answers, str(error), invalid=True)
        self._metrics.polls.labels("direct", "answered").inc()
        return add_report(state.answers, report, now=time.monotonic())


def _can_be_asked(pod: PodFacts) -> bool:
    return bool(pod.ip) and pod.observer.running_since is not None and not pod.terminating


def _describe(error: Exception, target: Target) -> str:
    """Return what went wrong, for people: aiohttp's own words speak of its settings."""
    match error:
        case aiohttp.ClientConnectorError():
            problem = error.os_error.strerror or str(error.os_error)
        case aiohttp.ClientResponseError():
            problem = f"answer {error.status}"
        case TimeoutError():
            problem = f"no answer within {TIMEOUT_SECONDS:g} s"
        case _:
            problem = str(error) or type(error).__name__
    return f"the observer of pod {target.pod} at {target.ip}:{OBSERVER_PORT}: {problem}"


class DirectAccess:
    """Asks a target at its pod's address."""

    def __init__(self) -> None:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
        self._session = aiohttp.ClientSession(timeout=timeout, connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30))

    async def ask(self, target: Target, query: str = "") -> bytes:
        host = f"[{target.ip}]" if ":" in target.ip else target.ip
        async with self._session.get(f"http://{host}:{OBSERVER_PORT}{_page(query)}", allow_redirects=False) as response:
            response.raise_for_status()
            return await read_bounded(response)

    async def close(self) -> None:
        await self._session.close()


class ProxyAccess:
    """Asks a target through the API server, for an operator outside the cluster."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    async def ask(self, target: Target, query: str = "") -> bytes:
        request = self._kube.open_proxy(target.namespace, target.pod, OBSERVER_PORT, _page(query), timeout_seconds=TIMEOUT_SECONDS)
        async with request as response:
            response.raise_for_status()
            return await read_bounded(response)

    async def close(self) -> None:
        """Do nothing: the session is the client's."""


def _page(query: str) -> str:
    return f"{REPORT_PATH}?{query}" if query else REPORT_PATH


async def read_bounded(response: aiohttp.ClientResponse, limit_bytes: int = ANSWER_LIMIT_BYTES) -> bytes:
    """Return the body; one that is too long is cut, and so can't be understood."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(16 * 1024):
        body += chunk
        if len(body) > limit_bytes:
            break
    return bytes(body[:limit_bytes])
