"""Both sources on the same fleet, whose observers are their own pages, with a real Prometheus between: the same facts, the same decisions.

And a Prometheus that is gone, hangs, talks nonsense or knows only what is old: then nothing is known, and nothing is decided.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from prometheus_server import PrometheusServer
from tradingbot_contract.document import VERSION
from tradingbot_contract.endpoints import REPORT_PATH
from tradingbot_contract.report import ObserverReport
from tradingbot_operator.bot_status import ConditionStatus, RemediationRecord, Shard
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.health import assess
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_sources.direct import ReportPoller, read_bounded
from tradingbot_operator.metrics_sources.prometheus import PrometheusSource
from tradingbot_operator.metrics_sources.report_view import Target
from tradingbot_operator.reasons import Reason
from tradingbot_operator.remediation import remediate
from tradingbot_operator.remediation.situation import ShardSituation, Situation
from tradingbot_operator.resource import parse_bot
from tradingbot_operator.settings import MetricsSource, OperatorSettings
from tradingbot_operator.world import ContainerFacts, FleetFacts, PodFacts, ReportView

sys.path.insert(0, str(Path(__file__).parent))

from recorded_fleet import NAMESPACE, ObserverPages, record_fleet

RUNNING = {"state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}


@pytest.fixture(scope="module")
def server() -> Iterator[PrometheusServer]:
    with PrometheusServer(scrape_seconds=1.0) as server:
        yield server


class Scene:
    """A fleet's pages, and both sources at work on them."""

    def __init__(self, url: str, *, max_age_seconds: float = 60.0) -> None:
        self.fleet = record_fleet()
        self.pages = {name: ObserverPages(said) for name, said in self.fleet.items()}
        self.ports: dict[str, int] = {}
        self.cache = Cache()
        self.woken: list[BotKey] = []
        self.settings = OperatorSettings(
            engine_image="engine:1",
            metrics_source=MetricsSource.PROMETHEUS,
            prometheus_url=url,
            prometheus_timeout_seconds=2.0,
            prometheus_max_age_seconds=max_age_seconds,
            poll_interval_seconds=0.5,
        )
        self.prometheus = PrometheusSource(self.settings, self.cache, self.woken.append, OperatorMetrics())
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=2.0))
        self.direct = ReportPoller(self.cache, self._ask, lambda _: None, OperatorMetrics(), interval_seconds=0.5)

    async def _ask(self, target: Target, query: str) -> bytes:
        async with self._session.get(f"http://127.0.0.1:{self.ports[target.bot]}{REPORT_PATH}?{query}") as response:
            response.raise_for_status()
            return await read_bounded(response)

    async def start(self) -> None:
        for version, (name, pages) in enumerate(self.pages.items(), 1):
            self.ports[name] = await pages.start()
            self.cache.put(
                {
                    "kind": "Pod",
                    "metadata": {
                        "name": f"{name}-0",
                        "namespace": NAMESPACE,
                        "uid": f"uid-{name}",
                        "resourceVersion": str(version),
                        "ownerReferences": [{"name": name, "controller": True}],
                    },
                    "status": {"podIP": "127.0.0.1", "initContainerStatuses": [{"name": "observer", **RUNNING}]},
                }
            )

    async def stop(self) -> None:
        for pages in self.pages.values():
            await pages.stop()
        await self._session.close()
        await self.prometheus.close()

    def targets(self) -> dict[int, dict[str, str]]:
        return {port: {"namespace": NAMESPACE, "pod": f"{name}-0"} for name, port in self.ports.items()}

    def views(self, source: Any) -> dict[str, ReportView]:
        return {name: source.view(f"uid-{name}") for name in self.fleet}


@asynccontextmanager
async def scene(url: str, **settings: float) -> AsyncIterator[Scene]:
    made = Scene(url, **settings)
    await made.start()
    work = [asyncio.create_task(source.run()) for source in (made.direct, made.prometheus)]
    try:
        yield made
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await made.stop()


async def until(what: str, holds: Callable[[], bool]) -> None:
    try:
        async with asyncio.timeout(60.0):
            while not holds():  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"not within 60 s: {what}") from None


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def start() -> None:
        await scenario()

    asyncio.run(start())


def judge(name: str, view: ReportView, now: float) -> tuple[object, ...]:
    """Return what follows from a view: the verdict, and every decision with its step and reason. Texts may differ."""
    bot = parse_bot(
        {
            "apiVersion": VERSION,
            "kind": "TradingBot",
            "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"bot-{name}", "generation": 3},
            "spec": {
                "strategy": {"name": "ema-cross"},
                "market": {"symbols": ["AAPL", "MSFT"]},
                "lifecycle": {"updatePolicy": "Proceed"},
                "health": {"remediation": {"memoryCeiling": "1Gi"}},
            },
        }
    )
    running = ContainerFacts(running_since=now - 900.0, started=True)
    pod = PodFacts(name=f"{name}-0", uid=f"uid-{name}", ready=True, ready_since=now - 800.0, created_at=now - 1000.0, engine=running)
    verdict = assess(pod, view, bot.spec.health)
    remedy = remediate(
        Situation(
            bot=bot,
            shards=(ShardSituation(name=f"{name}-0", before=Shard(name=f"{name}-0"), pod=pod, view=view, rolling_out=False),),
            record=RemediationRecord(),
            fleet=FleetFacts(judged=15, sick=1),
            max_unhealthy_percent=40.0,
            now=now,
        )
    )
    outcomes = tuple(
        (
            outcome.cause.reason,
            outcome.hold.reason if outcome.hold else None,
            (outcome.decision.action, outcome.decision.reason) if outcome.decision else None,
        )
        for outcome in remedy.outcomes
    )
    return verdict.status, verdict.reason, outcomes, remedy.restart is not None


def without_texts(report: ObserverReport | None) -> ObserverReport | None:
    """Return a report as far as a decision may rest on it."""
    if report is None or report.engine is None:
        return report and msgspec.structs.replace(report, observed_at=0.0, findings=_plain(report))
    refusal, reason = ("" if not text else "…" for text in (report.engine.document_refusal, report.engine.memory_mode_reason))
    engine = msgspec.structs.replace(report.engine, message="", document_refusal=refusal, memory_mode_reason=reason)
    return msgspec.structs.replace(report, observed_at=0.0, findings=_plain(report), engine=engine)


def _plain(report: ObserverReport) -> Any:
    return tuple(msgspec.structs.replace(finding, message="") for finding in report.findings)


def test_both_sources_tell_the_same_and_the_same_is_decided(server: PrometheusServer) -> None:
    async def scenario() -> None:
        async with scene(server.url) as fleet:
            server.set_targets(fleet.targets())
            await until(
                "both have every report",
                lambda: all(view.report for each in (fleet.direct, fleet.prometheus) for view in fleet.views(each).values()),
            )
            direct, prometheus = fleet.views(fleet.direct), fleet.views(fleet.prometheus)
            now = fleet.fleet["well"].observed_at + 10.0
            decided = {}
            for name in fleet.fleet:
                assert without_texts(prometheus[name].report) == without_texts(direct[name].report), name
                assert judge(name, prometheus[name], now) == judge(name, direct[name], now), name
                decided[name] = judge(name, direct[name], now)
            assert {BotKey(NAMESPACE, name) for name in fleet.fleet} == set(fleet.woken)
        # The fleet is worth the comparison only if it makes a difference.
        assert decided["silent"][:2] == (ConditionStatus.FALSE, Reason.ENGINE_SILENT)
        assert {outcome[0] for each in decided.values() for outcome in each[2]} >= {  # type: ignore[attr-defined]
            Reason.ENGINE_SILENT,
            Reason.ENGINE_GONE,
            Reason.MEMORY_HIGH,
            Reason.POOL_EXHAUSTED,
        }
        assert (decided["exhausted"][2], decided["exhausted-and-back"][2], decided["well"][2]) == (decided["exhausted"][2], (), ())
        assert decided["exhausted"][2] != ()

    run(scenario)


def test_an_observer_that_is_gone_frozen_or_of_another_pod_is_unknown(server: PrometheusServer) -> None:
    async def scenario() -> None:
        async with scene(server.url, max_age_seconds=5.0) as fleet:
            server.set_targets(fleet.targets())
            await until("every report is there", lambda: all(view.report for view in fleet.views(fleet.prometheus).values()))
            # A new pod of the same name, at the same address: what its predecessor said is not believed of it.
            assert fleet.prometheus.view("uid-of-the-next-pod").report is None
            fleet.pages["well"].broken = True
            await fleet.pages["silent"].stop()
            fleet.pages["hungry"].frozen = True
            for name, missing in (
                ("well", Reason.OBSERVER_UNREACHABLE),
                ("silent", Reason.OBSERVER_UNREACHABLE),
                ("hungry", Reason.REPORT_STALE),
            ):
                uid = f"uid-{name}"
                # On a slow machine Prometheus itself may be late for a moment, which is another reason to know nothing.
                await until(
                    f"{name} is unknown for {missing.value}",
                    lambda uid=uid, missing=missing: (view := fleet.prometheus.view(uid)).report is None and view.missing is missing,  # type: ignore[misc]
                )
                view = fleet.prometheus.view(uid)
                assert judge(name, view, fleet.fleet["well"].observed_at)[2:] == ((), False)
            await until("the others are as they were", lambda: fleet.prometheus.view("uid-gone").report is not None)

    run(scenario)


def test_a_prometheus_that_is_paused_or_killed_makes_everything_unknown_until_it_is_back(server: PrometheusServer) -> None:
    async def scenario() -> None:
        async with scene(server.url, max_age_seconds=5.0) as fleet:
            server.set_targets(fleet.targets())

            def known() -> int:
                return sum(view.report is not None for view in fleet.views(fleet.prometheus).values())

            await until("every report is there", lambda: known() == len(fleet.fleet))
            for harm, mend in ((server.pause, server.resume), (server.kill, server.start)):
                harm()
                # What Prometheus was late with before is unknown for its age at first.
                await until(
                    "nothing is known, because of Prometheus",
                    lambda: {view.missing for view in fleet.views(fleet.prometheus).values()} == {Reason.PROMETHEUS_UNREACHABLE},
                )
                assert known() == 0
                for name, view in fleet.views(fleet.prometheus).items():
                    assert judge(name, view, fleet.fleet["well"].observed_at)[2:] == ((), False)
                await asyncio.to_thread(mend)
                await until("every report is there again", lambda: known() == len(fleet.fleet))

    run(scenario)


@pytest.mark.parametrize(
    "body",
    [
        b"garbage",
        b'{"status":"error","errorType":"bad_data","error":"no"}',
        b'{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}',
        b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"many"]}]}}',
        b'{"status":"success","warnings":["one of the stores did not answer"],"data":{"resultType":"vector","result":[]}}',
        b"[" * 100_000,
        b'{"x":' + b"[" * 100_000,
    ],
    ids=["garbage", "error", "scalar", "no number", "partial", "nested", "nested in what nobody reads"],
)
def test_nonsense_is_never_taken_for_an_answer(body: bytes) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    async def scenario() -> None:
        app = web.Application()
        app.router.add_post("/api/v1/query", answer)
        runner = web.AppRunner(app)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            async with scene(f"http://127.0.0.1:{runner.addresses[0][1]}") as fleet:
                await until("it is noticed", lambda: fleet.prometheus.view("uid-well").missing is Reason.PROMETHEUS_UNREACHABLE)
                assert not any(view.report for view in fleet.views(fleet.prometheus).values())
                assert ": answer " not in fleet.prometheus.view("uid-well").detail, "it is the answer that makes no sense, not its status"
        finally:
            await runner.cleanup()

    run(scenario)
