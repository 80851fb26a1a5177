"""What observers, Prometheus and the API server may give the operator: read, or refused with a reason, and nothing else.

The API server holds every object to its schema, so what comes from it has the right types; within them anything may stand. Observers and
a Prometheus may send any bytes.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutation import TREES, encoded, mutated_bytes, mutated_tree, refusal

from tradingbot_contract import metrics
from tradingbot_contract.document import VERSION
from tradingbot_contract.metrics import prometheus_label, prometheus_name
from tradingbot_contract.report import EngineState, EngineStatus, Finding, FindingReason, ObserverReport, Sample, Severity
from tradingbot_operator.bot_status import TradingBotStatus, parse_status, render_status
from tradingbot_operator.cache import Cache
from tradingbot_operator.claims import read_claims
from tradingbot_operator.judgement import _stored_revision
from tradingbot_operator.kinds import ObjectKey
from tradingbot_operator.lease import build_lease, next_record, read_record, seconds_until_free, see
from tradingbot_operator.metrics_sources.report_view import Answers, Target, acknowledges, add_report, build_view, fingerprint, parse_report
from tradingbot_operator.metrics_sources.series import READ, QueryAnswer, read_round
from tradingbot_operator.metrics_sources.series import Sample as Seen
from tradingbot_operator.names import config_name, document_key
from tradingbot_operator.observe import read_status
from tradingbot_operator.pod_facts import read_pod_facts
from tradingbot_operator.resource import parse_bot

NOW = 1_790_000_000.0
TARGET = Target(namespace="trading", bot="first", pod="first-0", uid="u", ip="10.0.0.1")
REPORT = ObserverReport(
    namespace="trading", bot="first", shard=0, pod_uid="u", observed_at=NOW, generation=1, observer_started_at=NOW - 100,
    interval_seconds=15.0, engine_pid=7, engine_restarts=0, last_answer_at=NOW, score=95.0,
    findings=(Finding(FindingReason.CPU_HIGH, Severity.WARNING, "CPU is 90 %", NOW - 5),),
    sample=Sample(at=NOW, cpu_percent=90.0, memory_bytes=2**26),
    engine=EngineStatus(state=EngineState.RUNNING, generation=1, started_at=NOW - 50, heartbeat_at=NOW, symbols=("A",)),
)  # fmt: skip
SHOWN = msgspec.to_builtins(REPORT)


@given(mutated_tree(SHOWN).map(encoded) | mutated_bytes([encoded(SHOWN)]) | st.integers(1, 60_000).map(lambda depth: b'{"a":' * depth))
def test_a_report_is_understood_or_refused(body: bytes) -> None:
    report, _ = refusal(lambda: parse_report(body, TARGET), ValueError)
    if report is None:
        return
    view = build_view(add_report(Answers(since=0.0), report, now=1.0), now=2.0)
    hash(fingerprint(view, closely=True))
    acknowledges(view, 1)


def _series(name: str, labels: dict[str, str], value: object) -> dict[str, Any]:
    return {"metric": {"__name__": name, "pod": "first-0"} | labels, "value": [NOW, value]}


_WORDS = {"state": "Running", "reason": "CPUHigh", "severity": "warning", "use": "held"}
ANSWER = {
    "status": "success",
    "data": {
        "resultType": "vector",
        "result": [
            _series(prometheus_name(each), {label: _WORDS.get(label, "0") for label in map(prometheus_label, each.attributes)}, "1")
            for each in READ
        ],
    },
}
VALUES = st.sampled_from(["NaN", "+Inf", "-Inf", "1e308", "-1", "0", "1", "1e400", "²", "", "x"]) | st.floats().map(str)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Answers of a Prometheus whose series are all there, with odd values and labels."""
    tree: dict[str, Any] = msgspec.json.decode(encoded(ANSWER))
    words = st.sampled_from(["0", "trading", "Running", "CPUHigh", "warning", "held", "busy", "", "²"]) | st.text(max_size=5)
    for series in draw(st.lists(st.sampled_from(tree["data"]["result"]), max_size=8)):
        series["value"][1] = draw(VALUES)
        label = draw(st.sampled_from(sorted(series["metric"])))
        if label != "__name__" and draw(st.booleans()):
            series["metric"][label] = draw(words)
    return encoded(tree)


@given(answers() | mutated_tree(ANSWER).map(encoded) | mutated_bytes([encoded(ANSWER)]))
def test_an_answer_of_prometheus_gives_reports_or_says_what_is_wrong(body: bytes) -> None:
    def read() -> None:
        samples = msgspec.json.decode(body, type=QueryAnswer).samples()
        info = prometheus_name(metrics.OBSERVER_INFO)
        found = read_round([sample for sample in samples if sample.labels.get("__name__") == info], samples)
        assert all(found.broken.values())
        assert not found.broken.keys() & found.readings.keys()

    refusal(read, ValueError)


@pytest.mark.parametrize("value", ["+Inf", "-Inf", "NaN"])
@pytest.mark.parametrize("name", [prometheus_name(each) for each in READ])
def test_a_figure_without_an_end_is_none(name: str, value: str) -> None:
    tree: dict[str, Any] = msgspec.json.decode(encoded(ANSWER))
    for series in tree["data"]["result"]:
        if series["metric"]["__name__"] == name:
            series["value"][1] = value
    samples = msgspec.json.decode(encoded(tree), type=QueryAnswer).samples()
    ages = [Seen(sample.labels, NOW, 1.0) for sample in samples if sample.labels["__name__"] == prometheus_name(metrics.OBSERVER_INFO)]
    found = read_round(ages, samples)
    assert found.readings.keys() | found.broken.keys() == {"0"}


STORED = b"apiVersion: tradingbot.dev/v1alpha1\nrevision: 0123abcd\nmarket: {symbols: [A]}\n"


@given(mutated_bytes([STORED]) | st.sampled_from([b"[" * 100_000, b"revision: !!bool x", b"a: &a [*a]", b"revision: 7"]))
def test_a_document_that_somebody_has_changed_in_the_cluster_has_a_revision_or_none(text: bytes) -> None:
    bot = parse_bot(
        {
            "apiVersion": VERSION,
            "kind": "TradingBot",
            "metadata": {"name": "first", "namespace": "trading"},
            "spec": {"strategy": {"name": "ema-cross"}, "market": {"symbols": ["A"], "feed": {"replay": {}}}},
        }
    )
    stored = {ObjectKey("ConfigMap", config_name(bot)): {"data": {document_key(bot, 0): text.decode(errors="replace")}}}
    assert isinstance(_stored_revision(stored, bot, 0), str)


TIMES = st.sampled_from(["2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-01-01T00:00:00.123456Z"])
WORDS = st.text(max_size=10)
NUMBERS = st.integers(-(2**31), 2**31 - 1)


def some(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with any of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


METADATA = st.fixed_dictionaries(
    {"name": WORDS, "namespace": WORDS, "uid": WORDS, "resourceVersion": st.integers(0, 2**63).map(str)},
    optional={
        "annotations": st.dictionaries(WORDS, WORDS, max_size=2), "labels": st.dictionaries(WORDS, WORDS, max_size=2),
        "creationTimestamp": TIMES, "deletionTimestamp": TIMES, "generation": NUMBERS, "finalizers": st.lists(WORDS, max_size=2),
    },
)  # fmt: skip
ENDED = some({"exitCode": NUMBERS, "signal": NUMBERS, "reason": WORDS | st.just("OOMKilled"), "startedAt": TIMES, "finishedAt": TIMES})
STATE = some({"running": some({"startedAt": TIMES}), "waiting": some({"reason": WORDS, "message": WORDS}), "terminated": ENDED})
QUANTITIES = st.dictionaries(st.sampled_from(["memory", "cpu"]), st.sampled_from(["512Mi", "1e3", "100m", "0", "1500000k"]))
CONTAINER = some(
    {
        "name": st.sampled_from(["engine", "observer"]) | WORDS, "state": STATE, "lastState": STATE, "restartCount": NUMBERS,
        "started": st.booleans(), "resources": some({"limits": QUANTITIES, "requests": QUANTITIES}),
    }
)  # fmt: skip
KINDS = st.sampled_from(["PodScheduled", "Ready", "PodResizePending", "PodResizeInProgress"]) | WORDS
CONDITION = st.fixed_dictionaries(
    {"type": KINDS, "status": st.sampled_from(["True", "False", "Unknown"])},
    optional={"reason": WORDS | st.sampled_from(["Unschedulable", "Error"]), "message": WORDS, "lastTransitionTime": st.none() | TIMES},
)
POD_STATUS = some(
    {
        "conditions": st.lists(CONDITION, max_size=3), "phase": WORDS, "podIP": WORDS, "containerStatuses": st.lists(CONTAINER, max_size=3),
        "initContainerStatuses": st.lists(CONTAINER, max_size=3),
    }
)  # fmt: skip
POD = st.fixed_dictionaries(
    {"kind": st.just("Pod"), "apiVersion": st.just("v1"), "metadata": METADATA},
    optional={"spec": some({"nodeName": WORDS, "containers": st.lists(CONTAINER, max_size=2)}), "status": POD_STATUS},
)


@given(POD)
def test_every_pod_that_there_can_be_has_facts(pod: dict[str, Any]) -> None:
    facts = read_pod_facts(pod)
    assert (facts.name, facts.uid) == (pod["metadata"]["name"], pod["metadata"]["uid"])
    Cache().put(pod)


SHARD = some({"symbols": st.lists(WORDS, max_size=2), "leaving": st.lists(WORDS, max_size=2)})
BOT = st.fixed_dictionaries(
    {"kind": st.just("TradingBot"), "apiVersion": st.just(VERSION), "metadata": METADATA},
    optional={
        "spec": some({"broker": some({"account": WORDS}), "market": some({"symbols": st.lists(WORDS, max_size=2)})}),
        "status": some({"account": WORDS, "claimed": st.lists(WORDS, max_size=2), "shards": st.lists(SHARD, max_size=2)}),
    },
)


@given(BOT)
def test_every_stored_bot_has_claims_or_none(bot: dict[str, Any]) -> None:
    claims = read_claims(bot)
    assert "" not in claims
    Cache().put(bot)


@given(mutated_tree(msgspec.to_builtins(TradingBotStatus())) | TREES)
def test_a_status_that_cannot_be_read_counts_as_none(tree: object) -> None:
    if isinstance(tree, dict):
        status, _ = refusal(lambda: parse_status(tree), ValueError)
        if status is not None:
            render_status(status)
        assert isinstance(read_status({"metadata": {"name": "first"}, "status": tree}), TradingBotStatus)


@given(
    some({
        "holderIdentity": st.none() | WORDS, "leaseDurationSeconds": st.none() | NUMBERS, "acquireTime": st.none() | TIMES,
        "renewTime": st.none() | TIMES, "leaseTransitions": st.none() | NUMBERS,
    })
)  # fmt: skip
def test_every_lease_that_there_can_be_is_free_at_some_time(spec: dict[str, Any]) -> None:
    lease = {"metadata": {"resourceVersion": "1"}, "spec": spec}
    sighting = see(None, lease, now=10.0)
    assert 0.0 <= seconds_until_free(sighting, "me", now=10.0) < 2**31
    taken = next_record(read_record(lease), "me", at_seconds=NOW)
    assert build_lease("ns", "lease", taken)["spec"]["holderIdentity"] == "me"
