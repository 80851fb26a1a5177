"""An observer beside an engine that hangs, dies, comes back or was never there."""

from __future__ import annotations

import json
import signal
import time
import urllib.error
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from observer_rig import Rig, document

from tradingbot_contract.document import EngineDocument, render_document
from tradingbot_contract.endpoints import ENV_MEMORY_LIMIT
from tradingbot_contract.report import EngineState, ObserverReport


def well(report: ObserverReport) -> bool:
    """Tell whether the engine trades, was measured since, and nothing is wrong with it."""
    trades = report.engine is not None and report.engine.state is EngineState.RUNNING
    return trades and not report.findings and report.sample is not None and report.sample.cpu_percent is not None


def has(reason: str) -> Callable[[ObserverReport], bool]:
    return lambda report: reason in {finding.reason.value for finding in report.findings}


def test_a_well_engine_is_measured_from_outside(rig: Rig) -> None:
    engine = rig.start_engine()
    observer = rig.start_observer()
    report = rig.eventually("the engine is well", well)
    assert report.engine_pid == engine.pid
    assert (report.namespace, report.bot, report.generation, report.interval_seconds) == ("trading", "first", 1, 1.0)
    assert report.engine is not None
    assert report.engine.state is EngineState.RUNNING
    sample = report.sample
    assert sample is not None
    assert sample.memory_bytes is not None
    assert 10 * 2**20 < sample.memory_bytes < 500 * 2**20
    assert sample.response_p95_seconds is not None
    rig.eventually("operations are counted", lambda report: report.sample is not None and report.sample.error_percent == 0.0)

    summary = json.loads(rig.read("/history?hours=1"))
    assert summary["samples"] == pytest.approx(rig.report().samples, abs=1)
    assert summary["peak"]["memoryBytes"] >= summary["average"]["memoryBytes"] > 0
    assert rig.read("/livez") == b"ok\n"
    assert rig.metric("tradingbot_observer_engine_up") == 1.0
    assert rig.metric("tradingbot_observer_engine_memory_bytes") == pytest.approx(sample.memory_bytes, rel=0.5)

    with pytest.raises(urllib.error.HTTPError, match="400"):
        rig.read("/history?hours=never")

    observer.send_signal(signal.SIGTERM)
    assert observer.wait(timeout=60) == 0


def test_a_hung_engine_is_silent_and_is_well_again_when_it_goes_on(rig: Rig) -> None:
    engine = rig.start_engine()
    rig.start_observer()
    rig.eventually("the engine is well", well)

    engine.send_signal(signal.SIGSTOP)
    silent = rig.eventually("it is silent", has("EngineSilent"))
    assert silent.engine_pid == engine.pid, "its process is seen all the same"
    assert "EngineGone" not in rig.reasons()
    assert rig.metric('tradingbot_observer_findings{reason="EngineSilent",severity="critical"}') == 1.0
    later = rig.eventually("samples go on", lambda report: report.samples > silent.samples)
    assert later.sample is not None
    assert later.sample.memory_bytes is not None
    assert later.sample.error_percent is None, "its own account is missing, not zero"
    since = next(finding.since for finding in silent.findings if finding.reason.value == "EngineSilent")
    assert next(finding.since for finding in later.findings if finding.reason.value == "EngineSilent") == since

    engine.send_signal(signal.SIGCONT)
    report = rig.eventually("it is not silent any more", lambda report: not has("EngineSilent")(report))
    assert report.engine_restarts == 0


def test_an_observer_that_was_frozen_does_not_take_that_for_silence(rig: Rig) -> None:
    rig.write(render_document(document(silent_after_seconds=5.0)))
    rig.start_engine()
    observer = rig.start_observer()
    rig.eventually("the engine is well", well)
    observer.send_signal(signal.SIGSTOP)
    time.sleep(6.0)  # what is silent for longer than 5 s is a finding
    observer.send_signal(signal.SIGCONT)
    again = rig.report().observed_at
    rig.eventually("it looks on again", lambda report: report.last_answer_at is not None and report.last_answer_at > again)
    assert "EngineSilent" not in rig.log("tradingbot_observer")


def test_a_killed_engine_is_gone_and_a_new_one_is_counted(rig: Rig) -> None:
    engine = rig.start_engine()
    rig.start_observer()
    rig.eventually("the engine is well", well)

    engine.send_signal(signal.SIGKILL)
    engine.wait()
    gone = rig.eventually("it is gone", has("EngineGone"))
    assert gone.engine_pid is None
    assert gone.engine is not None, "its last words are kept"
    rig.eventually("nothing is measured", lambda report: report.score is None)

    second = rig.start_engine()
    report = rig.eventually("the new engine is well", well)
    assert report.engine_pid == second.pid
    assert report.engine_restarts == 1
    assert rig.metric("tradingbot_observer_engine_restarts_total") == 1.0


def test_an_observer_that_is_first_waits_for_its_engine(rig: Rig) -> None:
    rig.start_observer()
    report = rig.eventually("it answers", lambda _report: True)
    assert (report.engine_pid, report.score, report.findings) == (None, None, ())
    rig.start_engine()
    rig.eventually("the engine is well", well)
    assert rig.report().engine_restarts == 0


def test_only_the_given_process_is_watched(rig: Rig) -> None:
    engine = rig.start_engine()
    rig.start_observer("--engine-pid", str(engine.pid))
    assert rig.eventually("the engine is well", well).engine_pid == engine.pid
    engine.send_signal(signal.SIGKILL)
    engine.wait()
    rig.eventually("it is gone", has("EngineGone"))


def test_a_changed_document_is_taken_live_and_a_bad_one_is_not(rig: Rig, made: EngineDocument) -> None:
    rig.start_engine()
    rig.start_observer()
    rig.eventually("the engine is well", well)

    strict = msgspec.structs.replace(made.health, memory_warning_percent=10.0, silent_after_seconds=5.0)
    changed = msgspec.structs.replace(
        made, generation=2, health=strict, observability=msgspec.structs.replace(made.observability, interval_seconds=2.0)
    )
    rig.write(render_document(changed))
    report = rig.eventually("generation 2 counts", lambda report: report.generation == 2)
    assert report.interval_seconds == 2.0

    rig.write("health: nonsense\n")
    rig.eventually("the bad document is refused", has("DocumentRefused"))
    report = rig.report()
    assert (report.generation, report.interval_seconds) == (2, 2.0)

    rig.write(render_document(changed))
    rig.eventually("nothing is wrong any more", lambda report: not report.findings)


def test_a_live_change_is_acknowledged_to_whoever_waits_for_it(rig: Rig, made: EngineDocument) -> None:
    rig.start_engine()
    rig.start_observer()
    rig.eventually("the engine is well", well)
    for generation in range(2, 8):
        cache = msgspec.structs.replace(made.cache, max_entries=100 + generation)
        rig.write(render_document(msgspec.structs.replace(made, generation=generation, cache=cache)))
        report = rig.acknowledgement(generation)
        assert report.engine is not None
        assert (report.engine.generation, report.engine.document_refusal) == (generation, "")
    assert rig.eventually("it is seen by both", lambda report: report.generation == 7).engine_restarts == 0


def test_a_refusal_of_a_live_change_is_an_answer_too(rig: Rig, made: EngineDocument, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV_MEMORY_LIMIT, str(2**30))
    rig.start_engine()
    rig.start_observer()
    rig.eventually("the engine is well", well)
    too_large = msgspec.structs.replace(made.cache, memory_limit="900Gi")
    rig.write(render_document(msgspec.structs.replace(made, generation=2, cache=too_large)))
    report = rig.acknowledgement(2)
    assert report.engine is not None
    assert (report.engine.generation, report.engine.refused_generation) == (1, 2)
    assert "memory" in report.engine.document_refusal
    rig.write(render_document(msgspec.structs.replace(made, generation=3)))
    report = rig.acknowledgement(3)
    assert report.engine is not None
    assert (report.engine.generation, report.engine.refused_generation, report.engine.document_refusal) == (3, None, "")


def test_who_waits_for_what_does_not_come_gets_the_report_as_it_is(rig: Rig) -> None:
    rig.start_engine()
    rig.start_observer()
    rig.eventually("the engine is well", well)
    report = msgspec.json.decode(rig.read("/health?generation=99&wait=0.2"), type=ObserverReport)
    assert report.engine is not None
    assert report.engine.generation == 1
    with pytest.raises(urllib.error.HTTPError, match="400"):
        rig.read("/health?generation=99")


def test_a_document_that_the_engine_cannot_run_is_a_finding_with_its_words(rig: Rig, made: EngineDocument) -> None:
    rig.write(render_document(msgspec.structs.replace(made, strategy=msgspec.structs.replace(made.strategy, name="tea-leaves"))))
    rig.start_engine()
    rig.start_observer()
    report = rig.eventually("the document is refused", has("DocumentRefused"))
    assert "tea-leaves" in report.findings[0].message


def test_a_port_that_is_taken_is_said_without_a_traceback(rig: Rig, tmp_path: Path) -> None:
    rig.start_observer()
    rig.eventually("it answers", lambda _report: True)
    second = rig.start_observer()
    assert second.wait(timeout=60) == 1
    log = (tmp_path / "tradingbot_observer.log").read_text()
    assert "can't listen on 127.0.0.1" in log
    assert "Traceback" not in log
