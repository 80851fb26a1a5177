from __future__ import annotations

import pytest

from tradingbot_engine.telemetry.otlp import read_interval_seconds


@pytest.mark.parametrize(
    ("given", "seconds"),
    [({}, 15.0), ("", 15.0), ("1000", 1.0), (" 250 ", 0.25), ("0", 15.0), ("-5", 15.0), ("often", 15.0), ("1e3", 15.0)],
)
def test_the_time_between_exports_is_opentelemetrys_or_ours(given: str | dict[str, str], seconds: float) -> None:
    environment = given if isinstance(given, dict) else {"OTEL_METRIC_EXPORT_INTERVAL": given}
    assert read_interval_seconds(environment) == seconds
