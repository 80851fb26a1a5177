"""Quantities, times and settings: a figure, or the documented error, whatever the text."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st
from mutation import TREES, encoded, mutated_bytes, mutated_tree, refusal

from tradingbot_contract.document import BotIdentity, SpecError
from tradingbot_contract.quantity import PATTERN, parse_bytes
from tradingbot_engine.database.address import parse_database_address
from tradingbot_engine.feed.reader import parse_time_ms
from tradingbot_engine.telemetry.otlp import read_interval_seconds
from tradingbot_observer.sinks.pages import parse_hours, parse_patience, parse_span
from tradingbot_observer.sources.http import EngineAddress
from tradingbot_operator.monitoring.settings import parse_monitoring

TEXTS = st.text(max_size=40) | mutated_bytes([b"512Mi", b"1.5Gi", b"2026-01-02T03:04:05Z", b"1577836800000", b"15"]).map(
    lambda data: data.decode(errors="replace")
)


@given(TEXTS)
def test_a_quantity_is_bytes_or_an_error_exactly_where_the_schema_says_so(text: str) -> None:
    try:
        count = parse_bytes(text)
    except ValueError:
        assert re.search(PATTERN, text) is None or len(text) > 20
    else:
        assert count >= 0
        assert re.search(PATTERN, text) is not None


@given(TEXTS)
@example("9" * 5000)
@example("9" * 20)
def test_a_time_is_milliseconds_that_fit_or_an_error(text: str) -> None:
    try:
        time_ms = parse_time_ms(text)
    except ValueError:
        return
    assert -(2**63) <= time_ms < 2**63


@given(st.dictionaries(st.sampled_from(["hours", "points", "generation", "wait", "other"]), TEXTS, max_size=3))
def test_a_question_to_the_observer_is_understood_or_refused(query: dict[str, str]) -> None:
    for parse in (parse_hours, parse_patience, parse_span):
        try:
            parse(query)  # type: ignore[operator]
        except ValueError as error:
            str(error).encode()


@given(TEXTS)
@example("9" * 5000)
def test_an_interval_of_the_environment_is_a_time_above_zero(text: str) -> None:
    assert read_interval_seconds({"OTEL_METRIC_EXPORT_INTERVAL": text}) > 0


@given(mutated_bytes([b"http://127.0.0.1:8080/x", b"http://[::1]:8080"]))
def test_an_address_of_an_engine_is_one_or_an_error(url: bytes) -> None:
    try:
        address = EngineAddress.parse(url.decode(errors="replace"))
    except ValueError:
        return
    assert address.host


@given(mutated_bytes([b"postgresql://user:se-cret@host:5432/name?sslmode=require"]))
@example(b"postgresql://user:se-cret@host:5432/postgresql://user:se-cret@host:5432/name")
@example(b"postgresql://user:se-cret@host:5432/name?ostgresql://user:se-cret@host:5432/name?sslmode=require")
def test_an_address_of_a_database_is_one_or_an_error_without_the_password(url: bytes) -> None:
    bot = BotIdentity(namespace="trading", name="first", uid="u")
    address, said = refusal(lambda: parse_database_address(url.decode(errors="replace"), Path("/data"), "file", bot), SpecError)
    assert address or "se-cret" not in said
    assert address is None or "se-cret" not in address.redacted


@given(mutated_tree({"podMonitor": {"mode": "Auto", "labels": {"a": "b"}, "interval": "15s"}, "scrapeNamespaces": ["monitoring"]}) | TREES)
def test_settings_of_monitoring_are_read_or_refused(tree: object) -> None:
    refusal(lambda: parse_monitoring(encoded(tree).decode(errors="replace")), SpecError)
