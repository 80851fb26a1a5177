"""The poller against real servers on real sockets: one that answers, one that hangs, one that talks nonsense."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import aiohttp
import msgspec

from tradingbot_contract.endpoints import REPORT_PATH
from tradingbot_contract.serving import JSON, Answer, PageServer
from tradingbot_operator.cache import BotKey, Cache
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.metrics_sources.direct import ANSWER_LIMIT_BYTES, ReportPoller, read_bounded
from tradingbot_operator.metrics_sources.report_view import Target
from tradingbot_operator.reasons import Reason

Make = Callable[..., Any]
CALM = BotKey("bots", "calm")


class Scene(NamedTuple):
    """A poller at work, the cache that it follows, and the bots that it has woken."""

    poller: ReportPoller
    cache: Cache
    woken: list[BotKey]


RUNNING = {"state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}


def pod(version: int = 1, **metadata: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {
            "name": "calm-0",
            "namespace": "bots",
            "uid": "pod-1",
            "resourceVersion": str(version),
            "ownerReferences": [{"name": "calm", "controller": True}],
        }
        | metadata,
        "status": {"podIP": "127.0.0.1", "initContainerStatuses": [{"name": "observer", **RUNNING}]},
    }


def polled(
    body: Callable[[], Awaitable[Answer]],
    check: Callable[[Scene], Awaitable[None]],
    *,
    asked_for: Callable[[Mapping[str, str]], None] = lambda _: None,
    interval_seconds: float = 0.05,
    patience_seconds: float = 60.0,
) -> None:
    """Run a poller against a server whose report page is given; `asked_for` is told what each question says.

    A server that answers is given all the time that a slow machine may need; only who hangs is given up.
    """

    async def page(query: Mapping[str, str]) -> Answer:
        asked_for(query)
        return await body()

    async def scenario() -> None:
        server = PageServer({}, queries={REPORT_PATH: page})
        port = await server.start("127.0.0.1", 0)
        cache, woken = Cache(), list[BotKey]()
        cache.put(pod())
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=patience_seconds)) as session:

            async def ask(target: Target, query: str) -> bytes:
                async with session.get(f"http://{target.ip}:{port}{REPORT_PATH}?{query}") as response:
                    response.raise_for_status()
                    return await read_bounded(response)

            poller = ReportPoller(cache, ask, woken.append, OperatorMetrics(), interval_seconds=interval_seconds)
            task = asyncio.create_task(poller.run())
            try:
                await check(Scene(poller, cache, woken))
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await server.stop()

    asyncio.run(scenario())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60.0):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


def test_a_report_arrives_and_wakes_the_bot_once(make_report: Make) -> None:
    asked = 0

    async def page() -> Answer:
        nonlocal asked
        asked += 1
        return Answer(200, JSON, msgspec.json.encode(make_report(observed_at=float(asked))))

    async def check(scene: Scene) -> None:
        assert scene.poller.view("pod-1").missing is Reason.NOT_STARTED
        await until(lambda: asked >= 4)
        assert scene.poller.view("pod-1").report is not None
        assert scene.woken == [CALM]
        scene.cache.remove(pod(2))
        await until(lambda: scene.poller.view("pod-1").report is None)

    polled(page, check)


def test_nonsense_makes_a_report_unknown() -> None:
    async def page() -> Answer:
        return Answer(200, JSON, b'{"hello": ')

    async def check(scene: Scene) -> None:
        await until(lambda: bool(scene.woken))
        assert scene.poller.view("pod-1").missing is Reason.REPORT_INVALID

    polled(page, check)


def test_the_report_of_another_bot_is_not_believed(make_report: Make) -> None:
    async def page() -> Answer:
        return Answer(200, JSON, msgspec.json.encode(make_report(pod_uid="somebody-elses")))

    async def check(scene: Scene) -> None:
        await until(lambda: bool(scene.woken))
        view = scene.poller.view("pod-1")
        assert view.missing is Reason.REPORT_INVALID
        assert "somebody-elses" in view.detail

    polled(page, check)


def test_an_observer_that_hangs_or_fails_is_asked_again_and_not_believed() -> None:
    asked = 0

    async def hang() -> Answer:
        nonlocal asked
        asked += 1
        await asyncio.Event().wait()
        raise AssertionError("it is not waited for")

    async def fail() -> Answer:
        nonlocal asked
        asked += 1
        return Answer(503, JSON, b"{}")

    async def check(scene: Scene) -> None:
        before = asked
        await until(lambda: asked >= before + 2)
        assert scene.poller.view("pod-1").report is None
        assert scene.woken == [CALM]

    polled(hang, check, patience_seconds=0.2)
    polled(fail, check)


def test_an_answer_without_end_is_cut() -> None:
    async def page() -> Answer:
        return Answer(200, JSON, b" " * (ANSWER_LIMIT_BYTES * 4))

    async def check(scene: Scene) -> None:
        await until(lambda: bool(scene.woken))
        assert scene.poller.view("pod-1").missing is Reason.REPORT_INVALID

    polled(page, check)


def test_a_pod_without_a_running_observer_or_on_its_way_out_is_not_asked() -> None:
    asked = 0

    async def page() -> Answer:
        nonlocal asked
        asked += 1
        return Answer(200, JSON, b"{}")

    async def check(scene: Scene) -> None:
        scene.cache.put(pod(2, deletionTimestamp="2026-01-01T00:00:00Z"))
        await asyncio.sleep(0.5)
        before = asked
        await asyncio.sleep(0.5)
        assert asked == before

    polled(page, check)


def ready_pod(version: int = 2) -> dict[str, Any]:
    made = pod(version)
    made["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return made


def test_an_engine_that_should_run_a_new_document_is_asked_until_it_says_so(make_report: Make) -> None:
    questions: list[Mapping[str, str]] = []
    generation = 1

    async def page() -> Answer:
        report = make_report(observed_at=float(len(questions)))
        return Answer(200, JSON, msgspec.json.encode(msgspec.structs.replace(report, engine=with_generation(report.engine, generation))))

    async def check(scene: Scene) -> None:
        nonlocal generation
        scene.cache.put(ready_pod())
        await until(lambda: scene.poller.view("pod-1").report is not None)
        # It is well, and so it would not be asked for an hour.
        before = len(questions)
        scene.poller.expect("pod-1", 2)
        await until(lambda: len(questions) >= before + 3)
        assert {question["generation"] for question in questions[before:]} == {"2"}
        generation = 2
        scene.woken.clear()
        await until(lambda: scene.woken == [CALM])
        asked = len(questions)
        await asyncio.sleep(0.5)
        assert len(questions) == asked, "it has said what was waited for"
        scene.poller.expect("unknown", 2)

    polled(page, check, asked_for=questions.append, interval_seconds=3600.0)


def with_generation(engine: Any, generation: int) -> Any:
    return msgspec.structs.replace(engine, generation=generation)


def test_a_bot_that_waits_for_positions_is_woken_when_they_change_and_no_other_is(make_report: Make) -> None:
    positions = 3
    asked = 0

    async def page() -> Answer:
        nonlocal asked
        asked += 1
        report = make_report(observed_at=float(asked))
        engine = msgspec.structs.replace(report.engine, open_positions=positions)
        return Answer(200, JSON, msgspec.json.encode(msgspec.structs.replace(report, engine=engine)))

    async def change() -> None:
        nonlocal positions
        positions -= 1
        before = asked
        await until(lambda: asked >= before + 3)

    async def check(scene: Scene) -> None:
        scene.cache.put(ready_pod())
        await until(lambda: scene.poller.view("pod-1").report is not None)
        scene.woken.clear()
        await change()
        assert scene.woken == []
        scene.poller.attend("pod-1")
        await until(lambda: scene.woken == [CALM])
        scene.woken.clear()
        await change()
        assert scene.woken == [CALM]

    polled(page, check)
