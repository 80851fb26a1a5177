"""A document is taken whole or refused whole, whatever its parts say."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec import structs

from tradingbot_contract.document import DatabaseAccess, EngineDocument, SpecError, render_document
from tradingbot_contract.metrics import CONFIG_APPLY_DURATION
from tradingbot_contract.resources import Cache, Http, Pool
from tradingbot_contract.spec import Risk, Strategy
from tradingbot_engine.tuning import Commit, Part, Result, Tuner
from tradingbot_engine.unavailable import UnavailableError

MIB = 2**20


class Resource:
    """Something long-lived with settings, which may fail at any step of a change."""

    def __init__(self, settings: Any) -> None:
        self.settings = settings
        self.changes = 0
        self.error: Exception | None = None

    async def reconfigure(self, settings: Any) -> None:
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        self.settings = settings
        self.changes += 1


class Choosy:
    """A target that checks before it commits."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def prepare(self, document: EngineDocument) -> Commit | None:
        if self.error is not None and document.generation > 1:
            raise self.error
        return None


class Rig:
    def __init__(self, document: EngineDocument, limit_bytes: int | None = None) -> None:
        self.limit_bytes = limit_bytes
        self.pool, self.http = Resource(document.database.pool), Resource(document.http)
        self.risk: list[Risk] = []
        self.choosy = Choosy()
        self.applied: list[int] = []
        self.obeyed: list[int] = []
        self.measured: list[float] = []
        self.tuner = Tuner(
            document,
            [
                Part(document, lambda new: new.database.pool, self.pool.reconfigure),
                Part(document, lambda new: new.risk, self.risk.append),
                Part(document, lambda new: new.http, self.http.reconfigure),
                self.choosy,
            ],
            read_limit_bytes=lambda: self.limit_bytes,
            record=self.record,
            obey=self.obey,
            on_applied=lambda new: self.applied.append(new.generation),
        )

    def record(self, instrument: Any, value: float, _attributes: Any = None) -> None:
        assert instrument is CONFIG_APPLY_DURATION
        self.measured.append(value)

    def obey(self, document: EngineDocument) -> None:
        self.obeyed.append(document.generation)

    def take(self, document: EngineDocument | str) -> bool:
        text = document if isinstance(document, str) else render_document(document)
        return asyncio.run(self.tuner.take(text.encode(), time.perf_counter()))

    @property
    def results(self) -> tuple[int, int, int]:
        changes = self.tuner.changes
        return changes[Result.APPLIED], changes[Result.REFUSED], changes[Result.RESTART]


@pytest.fixture
def before(workshop: Any) -> EngineDocument:
    return workshop.document()


@pytest.fixture
def after(before: EngineDocument) -> EngineDocument:
    """Every live part is another."""
    return structs.replace(
        before, generation=2, database=DatabaseAccess(pool=Pool(size=9)), http=Http(limit=7), risk=Risk(max_order_notional=5.0)
    )


@pytest.fixture
def rig(before: EngineDocument) -> Rig:
    return Rig(before)


def test_it_is_applied_whole(rig: Rig, after: EngineDocument, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert rig.take(after)
    assert (rig.pool.settings, rig.http.settings, rig.risk) == (Pool(size=9), Http(limit=7), [after.risk])
    assert rig.tuner.document == after
    assert rig.applied == [2]
    assert rig.results == (1, 0, 0)
    assert len(rig.measured) == 1
    [record] = caplog.records
    assert record.getMessage() == "document applied"
    assert record.fields["changed"] == "risk,database,http"  # type: ignore[attr-defined]  # set by extra


def test_what_is_as_before_is_left_alone(rig: Rig, before: EngineDocument) -> None:
    assert rig.take(structs.replace(before, generation=2, http=Http(limit=7)))
    assert (rig.pool.changes, rig.http.changes) == (0, 1)
    assert rig.take(structs.replace(before, generation=3, http=Http(limit=7)))
    assert (rig.pool.changes, rig.http.changes) == (0, 1)
    assert rig.tuner.document.generation == 3


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expected `object`"),
        ("{", "parsing"),
        ("generation: 2\n", "missing required field"),
        ("nonsense", "Expected `object`"),
        ("\x00\x01", "character"),
    ],
)
def test_garbage_is_refused_by_reason(rig: Rig, before: EngineDocument, text: str, reason: str) -> None:
    assert rig.take(text)
    assert reason in rig.tuner.refusal
    assert "\n" not in rig.tuner.refusal
    assert rig.tuner.document == before
    assert rig.results == (0, 1, 0)


def test_one_bad_value_refuses_all_of_it(rig: Rig, after: EngineDocument) -> None:
    assert rig.take(render_document(after).replace("size: 9", "size: 900"))
    assert "$.database.pool.size" in rig.tuner.refusal
    assert rig.pool.settings == Pool()
    assert not rig.risk
    assert rig.applied == []


def test_half_of_a_document_is_no_document(rig: Rig, after: EngineDocument) -> None:
    text = render_document(after)
    for length in range(0, text.index("observability:"), 97):  # what comes after it may be left out, so the watch waits for all of it
        rig.take(text[:length])
        assert rig.applied == [], text[:length]


def test_what_does_not_fit_the_container_is_refused(before: EngineDocument, after: EngineDocument) -> None:
    rig = Rig(before, limit_bytes=256 * MIB)
    assert rig.take(structs.replace(after, cache=Cache(memory_limit="1Gi")))
    assert "cache.memoryLimit" in rig.tuner.refusal
    rig.limit_bytes = 2048 * MIB
    assert rig.take(structs.replace(after, cache=Cache(memory_limit="1Gi"), generation=3))
    assert rig.tuner.refusal == ""
    assert rig.applied == [3]


def test_what_needs_a_new_process_is_left_to_one(rig: Rig, before: EngineDocument, after: EngineDocument) -> None:
    assert rig.take(structs.replace(after, strategy=Strategy("rsi-reversion")))
    assert rig.tuner.document == before
    assert rig.pool.changes == 0
    assert rig.results == (0, 0, 1)
    assert rig.tuner.refusal == ""


def test_what_it_may_do_is_obeyed_whatever_becomes_of_the_rest(before: EngineDocument, after: EngineDocument) -> None:
    rig = Rig(before, limit_bytes=256 * MIB)
    rig.take(after)
    rig.take(structs.replace(after, generation=3, strategy=Strategy("rsi-reversion")))
    rig.take(structs.replace(after, generation=4, cache=Cache(memory_limit="1Gi")))
    rig.choosy.error = UnavailableError("not now")
    rig.take(structs.replace(after, generation=5))
    assert rig.obeyed == [2, 3, 4, 5]
    assert rig.applied == [2]
    rig.take("garbage")
    rig.take(render_document(after).replace("size: 9", "size: 900"))
    assert rig.obeyed == [2, 3, 4, 5]


@pytest.mark.parametrize("error", [SpecError("http: no"), UnavailableError("not now"), ZeroDivisionError("a bug")])
@pytest.mark.parametrize("who", ["a target that checks", "a target that changes"])
def test_if_one_part_can_not_none_does(rig: Rig, before: EngineDocument, after: EngineDocument, error: Exception, who: str) -> None:
    (rig.choosy if who == "a target that checks" else rig.http).error = error
    assert rig.take(after) is not isinstance(error, UnavailableError)
    assert rig.tuner.document == before
    assert (rig.pool.settings, rig.http.settings) == (before.database.pool, before.http)
    assert rig.risk in ([], [after.risk, before.risk])
    assert rig.applied == []
    assert rig.results == (0, 1, 0)
    assert rig.tuner.refusal
    rig.choosy.error = rig.http.error = None
    assert rig.take(after)
    assert rig.tuner.refusal == ""
    assert rig.results == (1, 1, 0)
    assert (rig.pool.settings, rig.http.settings) == (after.database.pool, after.http)


def test_a_part_that_can_not_even_be_taken_back_is_with_the_next_document(rig: Rig, before: EngineDocument, after: EngineDocument) -> None:
    rig.http.error = UnavailableError("http is gone")

    async def break_pool(settings: Pool) -> None:
        await Resource.reconfigure(rig.pool, settings)
        rig.pool.error = UnavailableError("and so is the database")

    rig.tuner._targets[0]._reconfigure = break_pool  # type: ignore[attr-defined]  # a Part
    assert not rig.take(after)
    assert rig.pool.settings == after.database.pool
    rig.pool.error = rig.http.error = None
    assert rig.take(structs.replace(before, generation=3))
    assert rig.pool.settings == before.database.pool
    assert rig.http.settings == before.http


def test_a_refusal_is_told_once_however_often_it_is_tried(rig: Rig, after: EngineDocument, caplog: pytest.LogCaptureFixture) -> None:
    rig.http.error = UnavailableError("not now")
    for _ in range(3):
        assert not rig.take(after)
    assert rig.results == (0, 1, 0)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert not rig.take(structs.replace(after, generation=3))
    assert rig.results == (0, 2, 0)


def test_a_bug_is_logged_with_its_traceback(rig: Rig, after: EngineDocument, caplog: pytest.LogCaptureFixture) -> None:
    rig.http.error = ZeroDivisionError("oops")
    rig.take(after)
    assert any(record.exc_info for record in caplog.records)
    assert "ZeroDivisionError" in rig.tuner.refusal


def test_the_document_that_runs_clears_a_refusal_and_is_no_change(rig: Rig, before: EngineDocument) -> None:
    rig.take("garbage")
    rig.take(before)
    assert rig.tuner.refusal == ""
    assert rig.results == (0, 1, 0)


def test_the_file_is_the_truth_though_its_generation_is_earlier(rig: Rig, before: EngineDocument) -> None:
    rig.take(structs.replace(before, generation=5, http=Http(limit=7)))
    rig.take(structs.replace(before, generation=4))
    assert rig.applied == [5, 4]
    assert rig.http.settings == before.http


def test_trading_goes_on_while_a_change_is_made(before: EngineDocument, after: EngineDocument) -> None:
    may_change = asyncio.Event()

    async def scene() -> None:
        async def slow(_settings: Pool) -> None:
            await may_change.wait()

        tuner = Tuner(before, [Part(before, lambda new: new.database.pool, slow)], read_limit_bytes=lambda: None)
        task = asyncio.create_task(tuner.take(render_document(after).encode(), time.perf_counter()))
        for _ in range(100):
            await asyncio.sleep(0)
        assert tuner.document is before
        may_change.set()
        assert await task
        assert tuner.document == after

    asyncio.run(scene())


def test_a_stop_in_the_midst_of_a_change_is_a_stop(before: EngineDocument, after: EngineDocument) -> None:
    async def scene() -> None:
        async def never(_settings: Pool) -> None:
            await asyncio.Event().wait()

        tuner = Tuner(before, [Part(before, lambda new: new.database.pool, never)], read_limit_bytes=lambda: None)
        task = asyncio.create_task(tuner.take(render_document(after).encode(), time.perf_counter()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert tuner.refusal == ""

    asyncio.run(scene())


def test_parts_take_functions_and_coroutines(before: EngineDocument, after: EngineDocument) -> None:
    heard: list[Any] = []

    async def later(settings: Any) -> None:
        heard.append(settings)

    reconfigures: list[Callable[[Any], Awaitable[object] | object]] = [heard.append, later]

    async def scene() -> None:
        for reconfigure in reconfigures:
            part = Part(before, lambda new: new.http, reconfigure)
            commit = await part.prepare(after)
            assert commit is not None
            await commit()
            assert await part.prepare(after) is None

    asyncio.run(scene())
    assert heard == [after.http, after.http]
