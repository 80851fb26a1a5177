"""What the API server itself refuses, so that a typing error never reaches an engine: the message names the field."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from rig.bots import manifest
from rig.kube import Kube, KubectlError, Object
from rig.release import ROOT
from tradingbot_contract.document import SpecError
from tradingbot_operator.resource import parse_bot


def changed(path: str, value: Any) -> Object:
    """Return a good bot with one field of its spec set to something, or taken away (None)."""
    bot = manifest("refused")
    node = bot["spec"]
    *parents, last = path.split(".")
    for parent in parents:
        node = node.setdefault(parent, {})
    if value is None:
        del node[last]
    else:
        node[last] = value
    return bot


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("strategy", None, "spec.strategy: Required value"),
        ("market.symbols", None, "spec.market.symbols: Required value"),
        ("market.symbols", [], "spec.market.symbols"),
        ("market.symbols", ["AAPL", "AAPL"], "spec.market.symbols[1]: Duplicate value"),
        ("market.symbols", ["not a symbol"], "spec.market.symbols[0]"),
        ("market.timeframe", "one day", "spec.market.timeframe"),
        ("market.feed.replay.speed", -1, "spec.market.feed.replay.speed"),
        ("market.feed.type", "carrier-pigeon", 'spec.market.feed.type: Unsupported value: "carrier-pigeon"'),
        ("market.symbol", "AAPL", 'unknown field "spec.market.symbol"'),
        ("database.pool.size", 0, "spec.database.pool.size"),
        ("health.cpuPercent", {"elevated": 90, "high": 80}, "spec.health.cpuPercent: Invalid value: elevated must be below high"),
        ("health.score", {"critical": 65}, "must be in order: critical < warning < unhealthy"),
        ("engine.resources.limits.memory", "512 megs", "spec.engine.resources.limits.memory"),
        ("engine.resources.limits.memory", "16Mi", "memory must be at least 64Mi"),
        ("engine.resources.requests.memory", "1Gi", "spec.engine.resources: Invalid value: requests.memory must not be more than"),
        ("database.storage.size", "lots", "spec.database.storage.size"),
        ("health.remediation.maxActions", 0, "spec.health.remediation.maxActions"),
        ("engine.memoryMode", "Most", 'spec.engine.memoryMode: Unsupported value: "Most"'),
        ("database.pool.preset", "huge", "spec.database.pool.preset"),
        ("database.port", 65536, "spec.database.port"),
        ("database.urlSecretRef", {"key": "url"}, "spec.database.urlSecretRef.name: Required value"),
        ("database.retry.attempts", 0, "spec.database.retry.attempts"),
        ("redis", {}, "spec.redis.urlSecretRef: Required value"),
        ("redis", {"urlSecretRef": {"name": "redis"}, "pool": {"maxConnections": 0}}, "spec.redis.pool.maxConnections"),
        ("http.limit", 0, "spec.http.limit"),
        ("cache.memoryLimit", "much", "spec.cache.memoryLimit"),
        ("cache.memoryLimit", "10Gi", "spec: Invalid value: memory: 64Mi for the engine"),
        (
            "cache.pressure",
            {"growBelowPercent": 85},
            "spec.cache.pressure: Invalid value: growBelowPercent must be below shrinkAbovePercent",
        ),
        ("cache.ttlSeconds", 60, 'unknown field "spec.cache.ttlSeconds"'),
        ("market.news", {"type": "file"}, "spec.market.news: Invalid value: news.type is file, so news.file.data must name the file"),
        ("market.news", {"type": "http"}, "spec.market.news: Invalid value: news.type is http, so news.http.url must name the address"),
        ("market.news", {"type": "http", "http": {"url": "news.example"}}, "spec.market.news.http.url"),
        ("prediction.finbert", {}, "spec.prediction.finbert.source: Required value"),
        ("prediction.finbert", {"source": "one/two/three"}, "spec.prediction.finbert.source"),
        ("observability.otlpEndpoint", "http://user:secret@collector:4318", "spec.observability.otlpEndpoint"),
    ],
)
def test_a_bad_spec_is_refused_with_a_message_that_names_the_field(kube: Kube, namespace: str, path: str, value: Any, message: str) -> None:
    with pytest.raises(KubectlError) as refusal:
        kube.kubectl("-n", namespace, "apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(changed(path, value)))
    assert message in str(refusal.value)
    # Where there is no API server, the typed model refuses the same.
    with pytest.raises(SpecError):
        parse_bot(changed(path, value))


def test_the_bot_that_all_of_these_change_is_itself_accepted(kube: Kube, namespace: str) -> None:
    kube.kubectl("-n", namespace, "apply", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(manifest("refused")))
    parse_bot(manifest("refused"))


@pytest.mark.parametrize(
    ("before", "after", "allowed"),
    [
        ({}, {"urlSecretRef": {"name": "postgres"}}, False),
        ({"urlSecretRef": {"name": "postgres"}}, {}, False),
        ({"urlSecretRef": {"name": "postgres"}}, {"urlSecretRef": {"name": "another", "key": "address"}}, True),
        ({"storage": {"size": "1Gi"}}, {"storage": {"size": "512Mi"}}, False),
    ],
    ids=["to-postgres", "from-postgres", "another-secret", "smaller-volume"],
)
def test_a_journal_is_never_left_behind(kube: Kube, namespace: str, before: Object, after: Object, *, allowed: bool) -> None:
    bot = manifest("moves", database=before)
    kube.apply(bot, namespace=namespace)
    try:
        bot["spec"]["database"] = after
        refusal = _refusal_of_replacing(kube, namespace, bot)
        assert (refusal is None) is allowed, refusal
        assert refusal is None or "spec.database" in refusal
    finally:
        kube.kubectl("-n", namespace, "delete", "tradingbot", "moves", "--wait=false")


def _refusal_of_replacing(kube: Kube, namespace: str, bot: Object) -> str | None:
    """Return why the API server does not take the bot in the place of the one that is there; None if it takes it."""
    deadline = time.monotonic() + 30.0
    while True:
        try:
            kube.kubectl("-n", namespace, "replace", "--dry-run=server", "-f", "-", stdin=yaml.safe_dump(bot))
        except KubectlError as error:
            # The operator wrote its status between kubectl's two requests.
            if "the object has been modified" not in str(error) or time.monotonic() > deadline:
                return str(error)
        else:
            return None


@pytest.mark.parametrize("sample", sorted((ROOT / "manifests" / "samples").glob("*.yaml")), ids=lambda path: path.name)
def test_every_sample_is_accepted(kube: Kube, namespace: str, sample: Path) -> None:
    kube.kubectl("-n", namespace, "apply", "--dry-run=server", "-f", str(sample))


def described_fields(kube: Kube, path: str) -> list[str]:
    """Return all fields below a path that ``kubectl explain`` shows, and check that each has a description."""
    text = kube.kubectl("explain", path)
    assert "DESCRIPTION:\n    <empty>" not in text, f"{path} has no description"
    fields: list[str] = []
    lines = text.partition("FIELDS:\n")[2].splitlines()
    for index, line in enumerate(lines):
        if line.startswith("  ") and line[2:3].strip() and "\t" in line:
            name, kind = line.strip().split("\t")
            explanation = next(
                (later.strip() for later in lines[index + 1 :] if later.strip() and not later.strip().startswith("enum:")), ""
            )
            assert explanation, f"{path}.{name} has no description"
            assert "<no description>" not in explanation, f"{path}.{name} has no description"
            if "Object" in kind:
                fields.append(f"{path}.{name}")
    return fields


def test_kubectl_explain_describes_every_field(kube: Kube) -> None:
    waiting = ["tradingbot.spec", "tradingbot.status"]
    seen = 0
    while waiting:
        path = waiting.pop()
        waiting += described_fields(kube, path)
        seen += 1
    assert seen > 10, "the schema has more levels than that"
