"""What `helm test` says of an installation: nothing but that it is whole, or what is missing and what to do."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tradingbot_operator.installation import Installation, Seen, find_missing_fields, judge
from tradingbot_operator.installation_check import main
from tradingbot_operator.liveness import render_checks
from tradingbot_operator.schema import build_schema

Schema = dict[str, Any]
NAMES = ("tradingbots", "tradingbots/status", "tradingbots/scale")


def served(schema: Schema) -> Seen:
    kind = {"group": "tradingbot.dev", "kind": "TradingBot", "version": "v1alpha1"}
    schemas = {"dev.tradingbot.v1alpha1.TradingBot": schema | {"x-kubernetes-group-version-kind": [kind]}, "other": {"type": "object"}}
    return Seen(200, "{}", {"components": {"schemas": schemas}})


def whole(**changed: Seen) -> Installation:
    parts = {
        "alive": Seen(200, "[+]watches ok\nhealthz check passed\n"),
        "ready": Seen(200, "ok: this operator waits; tradingbot-operator-1 leads\n"),
        "resources": Seen(200, "{}", {"resources": [{"name": name} for name in NAMES]}),
        "openapi": served(build_schema()),
    }
    return Installation(**(parts | changed))


def changed_schema(change: Callable[[Schema], object]) -> Schema:
    schema = copy.deepcopy(build_schema())
    change(schema)
    return schema


def test_a_whole_installation_passes_and_says_who_leads() -> None:
    checks = judge(whole())
    assert all(check.passed for check in checks)
    assert "tradingbot-operator-1 leads" in render_checks(checks, "installation")
    assert render_checks(checks, "installation").endswith("installation check passed\n")


@pytest.mark.parametrize(
    ("found", "failed", "words"),
    [
        (whole(alive=Seen(0, "connection refused")), "operator", "there is no answer: connection refused"),
        (whole(alive=Seen(503, "[-]watches failed: dead\nhealthz check failed\n")), "operator", "[-]watches failed: dead"),
        (whole(ready=Seen(503, "not everything is listed yet\n")), "ready", "not everything is listed yet"),
        (whole(resources=Seen(404, "404 page not found")), "crd", "crds.create=true"),
        (whole(resources=Seen(403, "no")), "crd", "the answer is 403: no"),
        (whole(resources=Seen(200, "", {"resources": [{"name": "tradingbots"}]})), "crd", "has no tradingbots/status, tradingbots/scale"),
        (whole(openapi=Seen(404, "404 page not found")), "fields", "the answer is 404"),
        (whole(openapi=Seen(200, "", {"components": {"schemas": {}}})), "fields", "describes no TradingBot"),
    ],
)
def test_what_is_missing_is_said(found: Installation, failed: str, words: str) -> None:
    (check,) = [check for check in judge(found) if not check.passed]
    assert check.name == failed
    assert words in check.detail


def test_a_crd_that_lacks_fields_is_found_however_deep_they_are() -> None:
    def older(schema: Schema) -> None:
        del schema["properties"]["spec"]["properties"]["risk"]["properties"]["maxOpenOrders"]
        del schema["properties"]["spec"]["properties"]["redis"]
        del schema["properties"]["status"]["properties"]["shards"]["items"]["properties"]["symbols"]

    schema = changed_schema(older)
    assert sorted(find_missing_fields(schema, build_schema())) == ["spec.redis", "spec.risk.maxOpenOrders", "status.shards[].symbols"]
    (check,) = [check for check in judge(whole(openapi=served(schema))) if not check.passed]
    assert "older than this operator" in check.detail
    assert "spec.risk.maxOpenOrders" in check.detail


def test_many_missing_fields_are_counted() -> None:
    schema = changed_schema(lambda schema: schema["properties"]["spec"]["properties"].clear())
    (check,) = [check for check in judge(whole(openapi=served(schema))) if not check.passed]
    assert "more" in check.detail


def test_a_crd_that_knows_more_is_no_fault() -> None:
    schema = changed_schema(lambda schema: schema["properties"]["spec"]["properties"].update(new={"type": "string"}))
    assert all(check.passed for check in judge(whole(openapi=served(schema))))


def test_an_operator_that_does_not_answer_ends_the_program_with_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "127.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "1")
    assert main(["--operator", "http://127.0.0.1:1", "--within", "0"]) == 1
    said = capsys.readouterr().out
    assert said.count("there is no answer") == 4
    assert said.endswith("installation check failed\n")
