"""The table of metrics, and that its spelling for Prometheus is the exporter's."""

from __future__ import annotations

import re

import pytest
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.sdk.metrics import MeterProvider
from prometheus_client import CollectorRegistry, generate_latest

from tradingbot_contract.metrics import ENGINE, INSTRUMENTS, OBSERVER, Instrument, Kind, prometheus_label, prometheus_name

SYNTHETIC = tuple(
    Instrument(name=f"some.thing{suffix}", kind=kind, unit=unit, description="d", buckets=(1.0,) if kind is Kind.HISTOGRAM else ())
    for kind in Kind
    for unit in ("s", "By", "1", "%", "{bar}", "{order}")
    for suffix in ("", ".seconds", "-x")
)


def exported_name(instrument: Instrument) -> str:
    registry = CollectorRegistry()
    provider = MeterProvider(metric_readers=[PrometheusMetricReader(registry=registry, disable_target_info=True)], shutdown_on_exit=False)
    meter = provider.get_meter("test")
    match instrument.kind:
        case Kind.COUNTER:
            meter.create_counter(instrument.name, instrument.unit).add(1)
        case Kind.UP_DOWN_COUNTER:
            meter.create_up_down_counter(instrument.name, instrument.unit).add(1)
        case Kind.GAUGE:
            meter.create_gauge(instrument.name, instrument.unit).set(1)
        case Kind.HISTOGRAM:
            meter.create_histogram(instrument.name, instrument.unit).record(1)
    text = generate_latest(registry).decode()
    provider.shutdown()
    found = re.search(r"^# TYPE (\S+) ", text, re.MULTILINE)
    assert found
    return found[1]


@pytest.mark.parametrize("instrument", [*INSTRUMENTS, *SYNTHETIC], ids=lambda instrument: f"{instrument.name} {instrument.kind.value}")
def test_the_name_is_the_one_that_the_exporter_makes(instrument: Instrument) -> None:
    assert prometheus_name(instrument) == exported_name(instrument)


def test_a_label_is_spelled_as_the_exporter_spells_it() -> None:
    assert prometheus_label("db.client.connection.pool.name") == "db_client_connection_pool_name"


def test_names_are_unique_in_both_spellings() -> None:
    assert len({instrument.name for instrument in INSTRUMENTS}) == len(INSTRUMENTS)
    assert len({prometheus_name(instrument) for instrument in INSTRUMENTS}) == len(INSTRUMENTS)


def test_engine_and_observer_share_the_table_out() -> None:
    assert ENGINE + OBSERVER == INSTRUMENTS
    assert all(instrument.name.startswith("tradingbot.observer.") for instrument in OBSERVER)


@pytest.mark.parametrize("instrument", INSTRUMENTS, ids=lambda instrument: instrument.name)
def test_each_metric_is_described_and_only_histograms_have_buckets(instrument: Instrument) -> None:
    assert instrument.description.endswith(".")
    assert bool(instrument.buckets) is (instrument.kind is Kind.HISTOGRAM)
    assert list(instrument.buckets) == sorted(set(instrument.buckets))
    assert instrument.unit
