from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import pytest

from tradingbot_contract.document import SpecError
from tradingbot_contract.report import FindingReason
from tradingbot_contract.resources import MemoryMode
from tradingbot_operator.compute import parse_cores
from tradingbot_operator.operations import RemediationMode
from tradingbot_operator.reasons import Reason
from tradingbot_operator.resource import parse_bot

Body = dict[str, Any]


def test_what_is_not_given_has_a_default(make_body: Callable[..., Body]) -> None:
    bot = parse_bot(make_body())
    resources = bot.spec.engine.resources
    assert (resources.requests.memory, resources.requests.cpu, resources.limits.memory, resources.limits.cpu) == (
        "256Mi",
        "100m",
        "512Mi",
        None,
    )
    assert bot.spec.database.storage.size == "1Gi"
    assert bot.spec.health.remediation.mode is RemediationMode.ON
    assert bot.spec.engine.image is None
    assert bot.spec.engine.memory_mode is MemoryMode.AUTO
    assert bot.spec.database.url_secret_ref is None
    assert bot.spec.redis is None
    assert bot.spec.market.news is None


def test_a_reference_to_a_secret_has_a_usual_key(make_body: Callable[..., Body]) -> None:
    bot = parse_bot(make_body(redis={"urlSecretRef": {"name": "shared"}}))
    assert bot.spec.redis is not None
    assert (bot.spec.redis.url_secret_ref.name, bot.spec.redis.url_secret_ref.key, bot.spec.redis.port) == ("shared", "url", 6379)


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"market": {}}, "spec.market: Object missing required field `symbols`"),
        ({"market": {"symbols": []}}, "spec.market.symbols: "),
        ({"market": {"symbols": ["AAPL", "not one"]}}, "spec.market.symbols[1]: "),
        ({"database": {"pool": {"size": 0}}}, "spec.database.pool.size: Expected `int` >= 1"),
        ({"database": {"pool": {"sise": 1}}}, "spec.database.pool: Object contains unknown field `sise`"),
        ({"colour": "red"}, "spec: Object contains unknown field `colour`"),
        ({"engine": {"resources": {"limits": {"memory": "512 megs"}}}}, "spec.engine.resources.limits.memory: "),
        ({"engine": {"resources": {"limits": {"memory": "63Mi"}}}}, "spec.engine.resources.limits: memory must be at least 64Mi"),
        (
            {"engine": {"resources": {"requests": {"memory": "1Gi"}}}},
            "spec.engine.resources: requests.memory must not be more than limits.memory",
        ),
        (
            {"engine": {"resources": {"requests": {"cpu": "1500m"}, "limits": {"cpu": "1.2"}}}},
            "spec.engine.resources: requests.cpu must not be more than limits.cpu",
        ),
        (
            {"engine": {"resources": {"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}}}},
            r"spec: memory: 178Mi are needed \(engine 64Mi, caches 100Mi, pools 14Mi\), the limit is 128Mi: raise engine.resources",
        ),
        ({"redis": {}}, "spec.redis: Object missing required field `urlSecretRef`"),
        ({"redis": {"urlSecretRef": {"name": "Not_A_Name"}}}, "spec.redis.urlSecretRef.name: "),
        ({"database": {"port": 0}}, "spec.database.port: "),
        ({"market": {"symbols": ["AAPL"], "news": {"type": "http"}}}, "spec.market.news: news.type is http, so news.http.url must"),
        ({"prediction": {"finbert": {"source": "one/two/three"}}}, "spec.prediction.finbert.source: "),
        ({"observability": {"otlpEndpoint": "http://user:secret@collector"}}, "spec.observability.otlpEndpoint: "),
        ({"cache": {"pressure": {"growBelowPercent": 90}}}, "spec.cache.pressure: growBelowPercent must be below shrinkAbovePercent"),
        ({"health": {"cpuPercent": {"elevated": 9, "high": 8}}}, "spec.health.cpuPercent: elevated must be below high"),
        ({"health": {"score": {"critical": 65}}}, "spec.health.score: must be in order"),
        ({"health": {"remediation": {"mode": False}}}, "spec.health.remediation.mode: .*write On and Off in quotes"),
        ({"health": {"remediation": {"maxActions": 61}}}, "spec.health.remediation.maxActions: "),
    ],
)
def test_an_error_begins_with_the_path_of_its_field(make_body: Callable[..., Body], sections: Body, message: str) -> None:
    with pytest.raises(SpecError, match="^" + message.replace("[1]", r"\[1\]")):
        parse_bot(make_body(**sections))


@pytest.mark.parametrize("name", ["", "-a", "a-", "7up", "Upper", "a.b", "a" * 41])
def test_a_name_that_no_service_could_have_is_refused(make_body: Callable[..., Body], name: str) -> None:
    body = make_body()
    body["metadata"]["name"] = name
    with pytest.raises(SpecError, match=r"^metadata\.name must be at most 40"):
        parse_bot(body)


@pytest.mark.parametrize("field", ["kind", "apiVersion"])
def test_another_kind_or_version_is_refused(make_body: Callable[..., Body], field: str) -> None:
    with pytest.raises(SpecError, match=r"a TradingBot of tradingbot.dev/v1alpha1 is needed"):
        parse_bot(make_body() | {field: "Other"})
    body = make_body()
    del body[field]
    with pytest.raises(SpecError, match=rf"^{field} is missing: it must be (TradingBot|tradingbot.dev/v1alpha1)$"):
        parse_bot(body)


def test_what_the_api_server_adds_is_no_error(make_body: Callable[..., Body]) -> None:
    body = make_body()
    body["metadata"] |= {"resourceVersion": "7", "managedFields": [], "creationTimestamp": "2026-01-01T00:00:00Z"}
    body["status"] = {"phase": "Running"}
    assert parse_bot(body).metadata.uid == "bot-uid"


@pytest.mark.parametrize(("text", "cores"), [("100m", 0.1), ("2", 2.0), ("0.5", 0.5)])
def test_cores(text: str, cores: float) -> None:
    assert parse_cores(text) == cores


def test_every_finding_has_its_reason_under_the_same_word() -> None:
    assert {finding.value for finding in FindingReason} <= {reason.value for reason in Reason}


def test_reasons_are_words_that_conditions_and_labels_can_carry() -> None:
    assert issubclass(Reason, enum.Enum)
    assert all(reason.value.isalnum() and reason.value[0].isupper() and len(reason.value) <= 64 for reason in Reason)


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        (
            {"lifecycle": {"updatePolicy": "Never"}},
            "spec.lifecycle.updatePolicy: Invalid enum value 'Never': give one of Wait, Proceed, Flatten",
        ),
        (
            {"health": {"remediation": {"excludedPeriods": [{"start": "09:00", "end": "10:00", "days": ["Someday"]}]}}},
            "Invalid enum value 'Someday': give one of Mon, Tue, Wed, Thu, Fri, Sat, Sun",
        ),
    ],
)
def test_a_word_that_is_none_of_a_few_is_answered_with_those(make_body: Callable[..., Any], sections: dict[str, Any], said: str) -> None:
    with pytest.raises(SpecError) as error:
        parse_bot(make_body(**sections))
    assert said in str(error.value)
