"""Planted secrets never get through, in whatever form they stand; what a helper needs does."""

from __future__ import annotations

import base64
import json
import string
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tradingbot_cli.bundle.redaction import KNOWN_VARIABLES, REDACTED, Redactor
from tradingbot_contract.log import _render

NAMES = (
    "password",
    "DB_PASSWORD",
    "dbPassword",
    "api_key",
    "API-KEY",
    "apiKey",
    "exchangeApiSecret",
    "secret",
    "token",
    "auth.token",
    "refreshToken",
    "private_key",
    "aws_access_key_id",
    "passphrase",
    "Authorization",
    "cookie",
    "credentials",
    "x-mbx-signature",
)
LETTERS = string.ascii_letters + string.digits
# Long enough not to stand in the text around it by chance, and of every kind of character that a generator of passwords takes.
WORDS = st.text(alphabet=LETTERS, min_size=8, max_size=60).filter(lambda text: any(map(str.isdigit, text)))
ODD = (
    st.text(alphabet=LETTERS + "!#$%&()*+,-./:;<=>?@[]^_{|}~", min_size=8, max_size=60)
    .map(lambda text: f"Zq9{text}")
    .filter(lambda text: REDACTED not in text)
)
ANY = (
    st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=8, max_size=60)
    .map(lambda text: f"Zq9{text}")
    .filter(lambda text: REDACTED not in text)
)
NAME = st.sampled_from(NAMES)


def clean(text: str) -> str:
    return Redactor().redact_text(text)


def tree(value: Any) -> str:
    return str(yaml.safe_dump(Redactor().redact_structure(value), allow_unicode=True))


def assert_hidden(secret: str, text: str) -> None:
    """Neither it, nor any piece of it that is long enough to tell."""
    assert secret not in text
    for start in range(len(secret) - 7):
        piece = secret[start : start + 8]
        assert piece not in text, piece


@given(NAME, ODD, st.sampled_from(["=", ": ", ":", " = "]))
def test_what_stands_after_the_name_of_a_credential_in_a_log_goes(name: str, secret: str, between: str) -> None:
    assert_hidden(secret, clean(f"2026-01-02T03:04:05Z INFO connects {name}{between}{secret} host=db-0\nnext line"))


@given(NAME, ANY)
def test_what_the_product_s_own_log_writes_as_a_field_goes(name: str, secret: str) -> None:
    assert secret not in clean(f"2026-01-02T03:04:05Z INFO connects {name}={_render(secret)} host=db-0")


@given(NAME, ANY, st.sampled_from([(",", ":"), (", ", ": ")]))
def test_what_stands_in_json_under_such_a_name_goes(name: str, secret: str, separators: tuple[str, str]) -> None:
    text = json.dumps({"before": 1, name: secret, "after": "kept"}, separators=separators, ensure_ascii=False)
    shown = clean(f"page: {text}")
    assert secret not in shown
    assert json.dumps(secret, ensure_ascii=False)[1:-1] not in shown
    assert "kept" in shown


@given(st.sampled_from(["postgresql", "redis", "https", "amqp"]), WORDS, ODD.filter(lambda text: not set(text) & set("<>")))
def test_user_and_password_of_an_address_go(scheme: str, user: str, password: str) -> None:
    shown = clean(f"can't reach {scheme}://{user}:{password}@db.example:5432/name?sslmode=require: timed out")
    assert_hidden(password, shown)
    assert f"{scheme}://{REDACTED}@db.example:5432/name?sslmode=require" in shown


@given(st.sampled_from(["Bearer", "bearer", "Basic"]), WORDS)
def test_what_a_header_of_authorization_says_goes(scheme: str, secret: str) -> None:
    assert_hidden(secret, clean(f"> Authorization: {scheme} {secret}\n> Host: venue"))
    assert_hidden(secret, clean(f"headers={{'authorization': '{scheme} {secret}'}}"))


@given(st.binary(min_size=32, max_size=64))
def test_long_strings_that_nobody_chose_go_without_any_name(secret: bytes) -> None:
    text = base64.b64encode(secret).decode()
    if all(any(map(test, text)) for test in (str.islower, str.isupper, str.isdigit)) and "/" not in text and "+" not in text:
        assert_hidden(text, clean(f"used {text} for it"))
    assert_hidden(secret.hex(), clean(f"used {secret.hex()} for it"))


@given(WORDS, WORDS)
def test_keys_in_pem_and_web_tokens_go(first: str, second: str) -> None:
    key = f"-----BEGIN RSA PRIVATE KEY-----\n{first}\n{second}\n-----END RSA PRIVATE KEY-----"
    shown = clean(f"reads\n{key}\nthen goes on")
    assert_hidden(first, shown)
    assert_hidden(second, shown)
    assert "then goes on" in shown
    assert_hidden(second, clean(f"-----BEGIN PRIVATE KEY-----\n{second}"))
    assert_hidden(first, clean(f"asks with eyJhbGciOi.eyJ{first}.{second}"))


@given(st.text(alphabet=string.ascii_uppercase + "_", min_size=1, max_size=20), ANY)
def test_of_an_environment_only_known_variables_keep_their_value(name: str, secret: str) -> None:
    pod = {
        "spec": {"containers": [{"env": [{"name": f"MY_{name}", "value": secret}, {"name": "TRADINGBOT_POD_NAME", "value": "first-0"}]}]}
    }
    shown = tree(pod)
    assert secret not in shown
    assert "first-0" in shown


def test_addresses_of_databases_are_no_known_variables() -> None:
    assert not {"TRADINGBOT_DATABASE_URL", "TRADINGBOT_REDIS_URL"} & KNOWN_VARIABLES


@given(NAME, ANY)
def test_annotations_that_hold_an_object_as_json_are_looked_through(name: str, secret: str) -> None:
    inner = json.dumps({"spec": {name: secret, "env": 1}}, ensure_ascii=False)
    assert secret not in tree({"metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": inner, name: secret}}})


@given(NAME, st.recursive(ANY, lambda inner: st.lists(inner, min_size=1, max_size=2) | st.fixed_dictionaries({"x": inner}), max_leaves=3))
def test_whatever_stands_under_the_name_of_a_credential_goes(name: str, content: Any) -> None:
    def leaves(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        return [leaf for each in (value if isinstance(value, list) else value.values()) for leaf in leaves(each)]

    shown = tree({"data": {"deep": [{name: content}]}})
    for leaf in leaves(content):
        assert leaf not in shown


@pytest.mark.parametrize(
    "kept",
    [
        "2026-01-02T03:04:05.678Z INFO serving host=0.0.0.0 port=8080",
        "2026-01-02T03:04:05.678Z WARNING refused reason=\"strategy.name: there is no built-in strategy 'x'\"",
        "image: ghcr.io/tradingbot/engine@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "containerID: containerd://9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "uid: 5d5ba1d0-1f3e-4a54-9f70-5c4c1de3e111",
        "automountServiceAccountToken: false",
        "tokenExpirationSeconds: 3607",
        "tb-cdd41e28db-0-347 buy AAPL 12.5",
        'tradingbot_engine_bars_total{bot="first",symbol="BTC/USDT"} 12345',
        "Traceback: tradingbot_engine.strategy.interface.Strategy has no on_bar",
        "secretKeyRef:",
        "http://127.0.0.1:8080/status",
        '"equity":100000.5,"drawdown":0.01',
        "the-name-of-a-pod-that-is-rather-long-0 on node kind-control-plane-worker-2",
    ],
)
def test_what_helps_stays(kept: str) -> None:
    redactor = Redactor()
    assert redactor.redact_text(kept) == kept
    assert redactor.count == 0


@given(NAME, WORDS, WORDS, st.sampled_from(["|", ">-", "|2"]))
def test_a_block_of_yaml_under_such_a_name_goes_and_what_follows_stays(name: str, first: str, second: str, mark: str) -> None:
    shown = clean(f"  {name}: {mark}\n    {first}\n    {second}\nnext: kept")
    assert_hidden(first, shown)
    assert_hidden(second, shown)
    assert shown.endswith("\nnext: kept")


def test_a_name_with_nothing_on_its_line_takes_nothing_of_the_next() -> None:
    text = "imagePullSecrets:\n  description: Secrets with which the node pulls the image.\n"
    assert clean(text) == text


def test_names_of_secrets_and_switches_stay_in_objects() -> None:
    spec = {
        "database": {"urlSecretRef": {"name": "db", "key": "url"}},
        "imagePullSecrets": [{"name": "registry"}],
        "automountServiceAccountToken": False,
        "projected": {"sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}}]},
        "prediction": {"maxTokens": 256},
        "env": [{"name": "TRADINGBOT_DATABASE_URL", "valueFrom": {"secretKeyRef": {"name": "db", "key": "url"}}}],
        "volumes": [{"name": "v", "secret": {"secretName": "tls", "optional": True}}],
    }
    assert Redactor().redact_structure(spec) == spec


def test_managed_fields_are_noise_and_go() -> None:
    assert Redactor().redact_structure({"metadata": {"name": "x", "managedFields": [{"manager": "kubectl"}]}}) == {
        "metadata": {"name": "x"}
    }


@given(ANY)
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = clean(f"password={text} token: x")
    assert clean(once) == once
