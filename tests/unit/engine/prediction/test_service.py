"""The service: modes, what lowers them, and that each text is judged once without holding the event loop up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tiny_model
from tradingbot_contract.document import SpecError
from tradingbot_contract.resources import MemoryMode
from tradingbot_engine.prediction.mode import Role, estimate_model_bytes, mode_of, parse_memory_mode, roles_in
from tradingbot_engine.prediction.sentiment import Passage, Sentiment, Source
from tradingbot_engine.prediction.service import PredictionService

Build = Callable[..., PredictionService]
NEWS, TWEET = Passage("gain"), Passage("gain", Source.SOCIAL)
DEADLINE_SECONDS = 60.0


async def judged_by(service: PredictionService) -> tuple[str, str]:
    """Return what judges news, and what judges social text."""
    news, tweet = await service.score([NEWS, TWEET])
    return news.model, tweet.model


async def loaded(service: PredictionService) -> None:
    """Wait until what can be loaded is."""
    assert service._loading is not None
    await service._loading


def run(scenario: Any) -> Any:
    return asyncio.run(asyncio.wait_for(scenario, DEADLINE_SECONDS))


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [str(record.fields["reason"]) for record in caplog.records if record.levelno == logging.WARNING]  # type: ignore[attr-defined]  # what `extra` adds


@pytest.fixture
def finbert(tmp_path: Path) -> Path:
    return tiny_model.write_model(tmp_path / "finbert")


@pytest.fixture
def social(tmp_path: Path) -> Path:
    return tiny_model.write_model(tmp_path / "social", labels=("negative", "neutral", "positive"))


@pytest.mark.parametrize(
    ("mode", "judges"),
    [
        (MemoryMode.FULL, ("finbert", "social")),
        (MemoryMode.AUTO, ("finbert", "social")),
        (MemoryMode.FINBERT_ONLY, ("finbert", "finbert")),
        (MemoryMode.MINIMAL, ("lexicon", "lexicon")),
    ],
)
def test_who_judges_in_each_mode(service: Build, finbert: Path, social: Path, mode: MemoryMode, judges: tuple[str, str]) -> None:
    async def scenario() -> None:
        one = service(finbert, social, mode=mode)
        one.start()
        assert await judged_by(one) == judges
        assert one.mode is (MemoryMode.FULL if mode is MemoryMode.AUTO else mode)
        assert (one.mode_reason, one.notes) == ("", [])
        await one.close()

    run(scenario())


def test_auto_takes_what_the_budget_has_room_for(service: Build, finbert: Path, social: Path, caplog: pytest.LogCaptureFixture) -> None:
    weights = (finbert / "model.onnx").stat().st_size, (social / "model.onnx").stat().st_size
    first, second = estimate_model_bytes(weights[0], first=True), estimate_model_bytes(weights[1], first=False)

    async def scenario() -> None:
        for budget_bytes, mode in (
            (first + second, MemoryMode.FULL),
            (first + second - 1, MemoryMode.FINBERT_ONLY),
            (first - 1, MemoryMode.MINIMAL),
        ):
            one = service(finbert, social, mode=MemoryMode.AUTO, budget_bytes=budget_bytes)
            one.start()
            await one.score([NEWS])
            assert (one.mode, one.mode_reason) == (mode, "")
            await one.close()

    run(scenario())
    assert not warnings(caplog)


def test_without_models_the_lexicon_judges_and_nobody_is_warned(service: Build, caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        for mode in (MemoryMode.AUTO, MemoryMode.MINIMAL):
            one = service(mode=mode)
            one.start()
            assert await judged_by(one) == ("lexicon", "lexicon")
            assert (one.mode, one.mode_reason, one.notes) == (MemoryMode.MINIMAL, "", [])
            await one.close()
        explicit = service(mode=MemoryMode.FULL)
        assert explicit.notes == [
            "engine.memoryMode: Full uses prediction.finbert and prediction.social, not set: what is left judges in its place"
        ]
        await explicit.close()

    run(scenario())
    assert not warnings(caplog)


class TestLowered:
    """A mode falls with one warning, and there is an answer all the same."""

    def test_a_missing_social_model_leaves_finbert(self, service: Build, finbert: Path, caplog: pytest.LogCaptureFixture) -> None:
        async def scenario() -> None:
            one = service(finbert, "/nowhere/social")
            one.start()
            for _ in range(3):
                assert await judged_by(one) == ("finbert", "finbert")
            assert one.mode is MemoryMode.FINBERT_ONLY
            assert one.mode_reason == "social: there is no folder /nowhere/social: mount the model there"
            assert dict(one.failures) == {Role.SOCIAL: 1}
            await one.close()

        run(scenario())
        assert warnings(caplog) == ["social: there is no folder /nowhere/social: mount the model there"]

    def test_a_broken_finbert_leaves_the_lexicon(
        self, service: Build, finbert: Path, social: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (finbert / "model.onnx").write_bytes(b"not found\n")

        async def scenario() -> None:
            one = service(finbert, social)
            one.start()
            assert await judged_by(one) == ("lexicon", "lexicon")
            assert one.mode is MemoryMode.MINIMAL
            await one.close()

        run(scenario())
        [warning] = warnings(caplog)
        assert "model.onnx can't be used" in warning

    def test_a_missing_package(
        self, service: Build, finbert: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)  # what an image without the extra has

        async def scenario() -> None:
            one = service(finbert, mode=MemoryMode.FINBERT_ONLY)
            one.start()
            assert await judged_by(one) == ("lexicon", "lexicon")
            await one.close()

        run(scenario())
        assert warnings(caplog) == ["finbert: the engine's image has no onnxruntime: use the image for sentiment (extra `sentiment`)"]

    def test_a_model_that_fails_in_use(self, service: Build, finbert: Path, social: Path, caplog: pytest.LogCaptureFixture) -> None:
        class Faulty:
            fingerprint = "f"

            def __init__(self, inner: Any) -> None:
                self.close = inner.close

            def judge(self, texts: Any) -> Any:
                raise MemoryError(f"{len(texts)} texts")

        async def scenario() -> None:
            one = service(finbert, social)
            one.start()
            await one.score([NEWS])
            judge = one._judge
            judge._models[Role.SOCIAL] = Faulty(judge._models[Role.SOCIAL])  # type: ignore[assignment]  # as much of it as is used
            assert (await one.score([TWEET]))[0].model == "finbert"
            assert one.mode is MemoryMode.FINBERT_ONLY
            judge._models[Role.FINBERT] = Faulty(judge._models[Role.FINBERT])  # type: ignore[assignment]  # the same
            assert [found.model for found in await one.score([Passage("loss"), Passage("gains", Source.SOCIAL)])] == ["lexicon"] * 2
            assert one.mode is MemoryMode.MINIMAL
            assert dict(one.failures) == {Role.SOCIAL: 1, Role.FINBERT: 1}
            await one.close()

        run(scenario())
        assert warnings(caplog) == [
            "social: it failed in use (MemoryError: 1 texts)",
            "finbert: it failed in use (MemoryError: 2 texts)",
        ]

    def test_short_memory_takes_one_rung_at_a_time_and_a_larger_limit_gives_them_back(
        self, service: Build, finbert: Path, social: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def scenario() -> None:
            one = service(finbert, social, budget_bytes=2**30)
            one.start()
            await one.score([NEWS])
            assert await one.lower_mode() is MemoryMode.FINBERT_ONLY
            assert await judged_by(one) == ("finbert", "finbert")
            assert await one.lower_mode() is MemoryMode.MINIMAL
            assert await judged_by(one) == ("lexicon", "lexicon")
            assert await one.lower_mode() is None
            assert one.mode_reason == "memory is short"
            one.reconsider(2**30)
            assert one.mode is MemoryMode.MINIMAL
            one.reconsider(2**31)
            assert one._loading is not None
            await one._loading
            assert await judged_by(one) == ("finbert", "social")
            assert one.mode_reason == ""
            await one.close()

        run(scenario())
        assert warnings(caplog) == ["memory is short"]

    def test_lowered_while_it_loads_it_stays_lowered(self, service: Build, finbert: Path) -> None:
        async def scenario() -> None:
            one = service(finbert)
            one.start()
            await one.lower_mode()
            assert await judged_by(one) == ("lexicon", "lexicon")
            assert one._judge.loaded == frozenset()
            await one.close()

        run(scenario())


class TestChanged:
    """The mode that the spec asks for changes while news is judged."""

    def test_both_ways_through_every_mode(self, service: Build, finbert: Path, social: Path, caplog: pytest.LogCaptureFixture) -> None:
        async def scenario() -> None:
            one = service(finbert, social, mode=MemoryMode.FULL)
            one.start()
            assert await judged_by(one) == ("finbert", "social")
            for mode, judges in (
                (MemoryMode.FINBERT_ONLY, ("finbert", "finbert")),
                (MemoryMode.MINIMAL, ("lexicon", "lexicon")),
                (MemoryMode.AUTO, ("finbert", "social")),
                (MemoryMode.MINIMAL, ("lexicon", "lexicon")),
                (MemoryMode.FINBERT_ONLY, ("finbert", "finbert")),
                (MemoryMode.FULL, ("finbert", "social")),
            ):
                await one.set_mode(mode, None)
                await loaded(one)
                assert await judged_by(one) == judges
                assert one.mode_reason == ""
            await one.close()

        run(scenario())
        assert not warnings(caplog)

    def test_a_lower_mode_has_given_its_models_up_when_it_is_acknowledged(self, service: Build, finbert: Path, social: Path) -> None:
        async def scenario() -> None:
            one = service(finbert, social)
            one.start()
            await one.score([NEWS])
            await one.set_mode(MemoryMode.FINBERT_ONLY, None)
            assert one._judge.loaded == {Role.FINBERT}
            await one.close()

        run(scenario())

    def test_auto_gives_up_what_there_is_no_room_for_any_more(self, service: Build, finbert: Path, social: Path) -> None:
        first = estimate_model_bytes((finbert / "model.onnx").stat().st_size, first=True)

        async def scenario() -> None:
            one = service(finbert, social, mode=MemoryMode.FULL)
            one.start()
            assert await judged_by(one) == ("finbert", "social")
            await one.set_mode(MemoryMode.AUTO, first)
            assert await judged_by(one) == ("finbert", "finbert")
            await one.set_mode(MemoryMode.AUTO, 10 * first)
            await loaded(one)
            assert await judged_by(one) == ("finbert", "social")
            await one.set_mode(MemoryMode.AUTO, first - 1)
            assert await judged_by(one) == ("lexicon", "lexicon")
            await one.close()

        run(scenario())

    def test_what_short_memory_has_lowered_only_a_higher_mode_raises(self, service: Build, finbert: Path, social: Path) -> None:
        async def scenario() -> None:
            one = service(finbert, social, mode=MemoryMode.FULL)
            one.start()
            await one.score([NEWS])
            await one.lower_mode()
            await one.lower_mode()
            assert (one.mode, one.mode_reason) == (MemoryMode.MINIMAL, "memory is short")
            await one.set_mode(MemoryMode.FINBERT_ONLY, None)
            await loaded(one)
            assert (one.mode, one.mode_reason) == (MemoryMode.MINIMAL, "memory is short")
            await one.set_mode(MemoryMode.MINIMAL, None)
            assert (one.mode, one.mode_reason) == (MemoryMode.MINIMAL, "")
            await one.set_mode(MemoryMode.FULL, None)
            await loaded(one)
            assert (one.mode, one.mode_reason) == (MemoryMode.FULL, "")
            await one.close()

        run(scenario())

    def test_a_model_that_is_missing_is_told_only_where_it_is_asked_for(self, service: Build, finbert: Path) -> None:
        async def scenario() -> None:
            one = service(finbert, "/nowhere/social")
            one.start()
            await one.score([NEWS])
            assert one.mode_reason.startswith("social: ")
            await one.set_mode(MemoryMode.FINBERT_ONLY, None)
            assert one.mode_reason == ""
            await one.set_mode(MemoryMode.FULL, None)
            assert one.mode_reason.startswith("social: ")
            await one.close()

        run(scenario())

    def test_raised_while_a_hub_is_waited_for_it_does_not_wait_out_the_pause(
        self, service: Build, finbert: Path, social: Path, hub: Any
    ) -> None:
        hub.models["owner/name"] = finbert
        hub.failing = True

        async def scenario() -> None:
            one = service("owner/name", social, mode=MemoryMode.FINBERT_ONLY, environment={"HF_ENDPOINT": hub.address})
            one.start()
            assert await judged_by(one) == ("lexicon", "lexicon")
            hub.failing = False
            await one.set_mode(MemoryMode.FULL, None)
            while one.mode is not MemoryMode.FULL:  # noqa: ASYNC110 - the service tells nobody
                await asyncio.sleep(0.01)
            await one.close()

        run(scenario())

    def test_changed_before_it_has_begun_it_begins_with_the_new_mode(self, service: Build, finbert: Path, social: Path) -> None:
        async def scenario() -> None:
            one = service(finbert, social)
            await one.set_mode(MemoryMode.FINBERT_ONLY, None)
            one.start()
            assert await judged_by(one) == ("finbert", "finbert")
            await one.close()

        run(scenario())


class TestOnce:
    """Equal texts are judged once."""

    def test_however_many_ask_at_the_same_time(self, service: Build, finbert: Path, cache: Any) -> None:
        async def scenario() -> None:
            one = service(finbert, mode=MemoryMode.FINBERT_ONLY)
            one.start()
            texts = [Passage(f"gain {'the ' * (number % 7)}") for number in range(50)]
            answers = await asyncio.gather(*(one.score(texts) for _ in range(20)))
            assert all(answer == answers[0] for answer in answers)
            assert one.texts["finbert"] == len(set(texts)) == 7
            assert len(cache.kept) == 7
            assert await one.score(texts[:7]) == answers[0][:7]
            assert one.texts["finbert"] == 7
            await one.close()

        run(scenario())

    def test_another_model_does_not_get_the_answers_of_the_one_before(self, service: Build, finbert: Path) -> None:
        async def scenario() -> tuple[Sentiment, Sentiment]:
            found = []
            for boost in (0.0, 5.0):
                tiny_model.write_weights(finbert / "model.onnx", boost=boost)
                one = service(finbert, mode=MemoryMode.FINBERT_ONLY)
                one.start()
                found += await one.score([Passage("loss")])
                await one.close()
            return found[0], found[1]

        before, after = run(scenario())
        assert before.score < 0 < after.score

    def test_who_gives_up_waiting_takes_nothing_from_others(self, service: Build, finbert: Path) -> None:
        async def scenario() -> None:
            one = service(finbert, mode=MemoryMode.FINBERT_ONLY)
            one.start()
            await one.score([NEWS])
            impatient = asyncio.create_task(one.score([Passage("soar")]))
            patient = asyncio.create_task(one.score([Passage("soar"), Passage("fall")]))
            await asyncio.sleep(0)
            impatient.cancel()
            assert len(await patient) == 2
            await one.close()

        run(scenario())


def test_a_text_that_comes_while_the_one_before_is_put_away_is_judged(service: Build, finbert: Path) -> None:
    async def scenario() -> None:
        one = service(finbert, mode=MemoryMode.FINBERT_ONLY)
        one.start()
        for number in range(50):
            assert (await one.score([Passage(f"gain {number}")]))[0].model == "finbert"
        await one.close()

    run(scenario())


def test_the_event_loop_turns_while_texts_are_judged(service: Build, finbert: Path) -> None:
    async def scenario() -> None:
        one = service(finbert, mode=MemoryMode.FINBERT_ONLY, batch_size=256)
        one.start()
        await one.score([NEWS])
        turns = 0
        scoring = asyncio.create_task(one.score([Passage(f"gain {number}") for number in range(3000)]))
        while not scoring.done():
            turns += 1
            await asyncio.sleep(0)
        assert turns > 50
        await one.close()

    run(scenario())


def test_patience_with_models_has_an_end(service: Build, finbert: Path, hub: Any, caplog: pytest.LogCaptureFixture) -> None:
    hub.models["owner/name"] = finbert
    hub.gate.clear()

    async def scenario() -> None:
        one = service("owner/name", mode=MemoryMode.FINBERT_ONLY, environment={"HF_ENDPOINT": hub.address}, patience_seconds=0.05)
        one.start()
        assert await judged_by(one) == ("lexicon", "lexicon")
        hub.gate.set()
        while one.mode is not MemoryMode.FINBERT_ONLY:  # noqa: ASYNC110 - the service tells nobody
            await asyncio.sleep(0.01)
        assert await judged_by(one) == ("finbert", "finbert")
        await one.close()

    run(scenario())
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "models aren't there yet: the lexicon judges until they are"
    ]


def test_a_hub_that_is_away_is_asked_again(
    service: Build, finbert: Path, hub: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradingbot_engine.prediction.service._FIRST_RETRY_SECONDS", 0.05)
    hub.models["owner/name"] = finbert
    hub.failing = True

    async def scenario() -> None:
        one = service("owner/name", mode=MemoryMode.FINBERT_ONLY, environment={"HF_ENDPOINT": hub.address})
        one.start()
        assert await judged_by(one) == ("lexicon", "lexicon")
        assert one.mode_reason.startswith("finbert: owner/name can't be fetched: ")
        hub.failing = False
        while one.mode is not MemoryMode.FINBERT_ONLY:  # noqa: ASYNC110 - the service tells nobody
            await asyncio.sleep(0.01)
        assert one.mode_reason == ""
        await one.close()

    run(scenario())
    assert len(warnings(caplog)) == 1


def test_closing_ends_a_download(service: Build, finbert: Path, hub: Any) -> None:
    hub.models["owner/name"] = finbert
    hub.gate.clear()

    async def scenario() -> None:
        one = service("owner/name", mode=MemoryMode.FINBERT_ONLY, environment={"HF_ENDPOINT": hub.address})
        one.start()
        waiting = asyncio.create_task(one.score([NEWS]))
        while not any("resolve" in path for path in hub.requests):  # noqa: ASYNC110 - nor does the hub
            await asyncio.sleep(0.01)
        await one.close()  # the download itself would never end
        waiting.cancel()

    run(scenario())


@pytest.mark.parametrize(
    ("spec", "environment", "mode"),
    [
        (MemoryMode.AUTO, {}, MemoryMode.AUTO),
        (MemoryMode.FULL, {"TRADINGBOT_MEMORY_MODE": ""}, MemoryMode.FULL),
        (MemoryMode.FULL, {"TRADINGBOT_MEMORY_MODE": "Minimal"}, MemoryMode.MINIMAL),
    ],
)
def test_the_environment_wins_over_the_spec(spec: MemoryMode, environment: dict[str, str], mode: MemoryMode) -> None:
    assert parse_memory_mode(spec, environment) is mode


def test_a_mode_that_there_is_not_is_the_users_mistake() -> None:
    with pytest.raises(SpecError, match=r"TRADINGBOT_MEMORY_MODE is 'full': use Auto, Full, FinBERTOnly, Minimal"):
        parse_memory_mode(MemoryMode.AUTO, {"TRADINGBOT_MEMORY_MODE": "full"})


def test_modes_are_a_ladder() -> None:
    rungs = [set(roles_in(mode)) for mode in (MemoryMode.FULL, MemoryMode.FINBERT_ONLY, MemoryMode.MINIMAL)]
    assert rungs[0] > rungs[1] > rungs[2]
    assert [mode_of(frozenset(roles)) for roles in rungs] == [MemoryMode.FULL, MemoryMode.FINBERT_ONLY, MemoryMode.MINIMAL]
