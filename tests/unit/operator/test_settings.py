from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from tradingbot_contract.document import SpecError
from tradingbot_operator.monitoring.settings import (
    DashboardSettings,
    Mode,
    MonitoringSettings,
    PodMonitorSettings,
    PrometheusRuleSettings,
)
from tradingbot_operator.settings import MetricsSource, ObserverAccess, settings_from_env

IMAGE = {"TRADINGBOT_OPERATOR_ENGINE_IMAGE": "engine:1"}


def test_what_is_not_set_has_a_default() -> None:
    settings = settings_from_env(IMAGE | {"PATH": "/bin"}, own_namespace="ops")
    assert (settings.engine_image, settings.namespace, settings.namespaces) == ("engine:1", "ops", ())
    assert (settings.observer_access, settings.log_level, settings.port) == (ObserverAccess.DIRECT, "info", 8080)


def test_everything_can_be_set() -> None:
    given = {"NAMESPACES": "b, a,,b", "LOG_LEVEL": "DEBUG", "PORT": "0", "POLL_INTERVAL_SECONDS": "2.5", "OBSERVER_ACCESS": "proxy"}
    settings = settings_from_env(IMAGE | {f"TRADINGBOT_OPERATOR_{name}": value for name, value in given.items()})
    assert settings.namespaces == ("a", "b")
    assert (settings.log_level, settings.port, settings.poll_interval_seconds) == ("debug", 0, 2.5)
    assert settings.observer_access is ObserverAccess.PROXY


def test_the_election_is_on_and_observers_are_asked_unless_told_otherwise() -> None:
    settings = settings_from_env(IMAGE)
    assert (settings.leader_election, settings.lease, settings.metrics_source) == (True, "tradingbot-operator", MetricsSource.DIRECT)
    given = {
        "LEADER_ELECTION": "off",
        "LEASE": "mine",
        "METRICS_SOURCE": "prometheus",
        "PROMETHEUS_URL": "https://prometheus.monitoring:9090/base/",
        "PROMETHEUS_TIMEOUT_SECONDS": "2",
        "PROMETHEUS_MAX_AGE_SECONDS": "90",
        "PROMETHEUS_TOKEN_FILE": "/var/run/token",
        "MAX_UNHEALTHY_PERCENT": "25",
    }
    settings = settings_from_env(IMAGE | {f"TRADINGBOT_OPERATOR_{name}": value for name, value in given.items()})
    assert (settings.leader_election, settings.lease, settings.metrics_source) == (False, "mine", MetricsSource.PROMETHEUS)
    assert settings.prometheus_url == "https://prometheus.monitoring:9090/base"
    assert (settings.prometheus_timeout_seconds, settings.prometheus_max_age_seconds) == (2.0, 90.0)
    assert (settings.prometheus_token_file, settings.max_unhealthy_percent) == ("/var/run/token", 25.0)


def test_monitoring_is_the_tree_of_the_charts_values() -> None:
    assert settings_from_env(IMAGE).monitoring == MonitoringSettings()
    chart = Path(__file__).resolve().parents[3] / "charts/tradingbot-operator/values.yaml"
    values = yaml.safe_load(chart.read_text())["monitoring"]
    assert settings_from_env(IMAGE | {"TRADINGBOT_OPERATOR_MONITORING": json.dumps(values)}).monitoring == MonitoringSettings()
    given = {
        "podMonitor": {"mode": "On", "labels": {"release": "kube-prometheus-stack"}, "interval": "1m"},
        "prometheusRule": {"mode": "Off", "labels": {"example.com/team": "trading"}},
        "dashboards": {"mode": "Auto", "labels": {}, "annotations": {"grafana_folder": "Trading bots"}},
        "runbookBaseURL": "https://wiki.example.com/runbooks/",
        "scrapeNamespaces": ["monitoring", "agents", "monitoring"],
    }
    settings = settings_from_env(IMAGE | {"TRADINGBOT_OPERATOR_MONITORING": json.dumps(given)}).monitoring
    assert settings == MonitoringSettings(
        pod_monitor=PodMonitorSettings(mode=Mode.ON, labels={"release": "kube-prometheus-stack"}, interval="1m"),
        prometheus_rule=PrometheusRuleSettings(mode=Mode.OFF, labels={"example.com/team": "trading"}),
        dashboards=DashboardSettings(labels={}, annotations={"grafana_folder": "Trading bots"}),
        runbook_base_url="https://wiki.example.com/runbooks",
        scrape_namespaces=("agents", "monitoring"),
    )


def test_prometheus_as_the_source_needs_an_address() -> None:
    with pytest.raises(SpecError, match=r"PROMETHEUS_URL is '': give the address"):
        settings_from_env(IMAGE | {"TRADINGBOT_OPERATOR_METRICS_SOURCE": "prometheus"})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ENGINE_IMAGE", "", "ENGINE_IMAGE is not set"),
        ("PORT", "http", "PORT is 'http': give a number"),
        ("PORT", "70000", "from 0 to 65535"),
        ("POLL_INTERVAL_SECONDS", "0", "from 1 to 300"),
        ("OBSERVER_ACCESS", "magic", "give one of direct, proxy"),
        ("METRICS_SOURCE", "tea-leaves", "give one of direct, prometheus"),
        ("PROMETHEUS_URL", "prometheus:9090", "PROMETHEUS_URL is 'prometheus:9090': give the address"),
        ("LEADER_ELECTION", "maybe", "give one of on, off"),
        ("MAX_UNHEALTHY_PERCENT", "101", "from 0 to 100"),
        ("MONITORING", "{", "MONITORING: Input data was truncated"),
        ("MONITORING", '{"podMonitors": {}}', r"MONITORING: Object contains unknown field `podMonitors`"),
        ("MONITORING", '{"podMonitor": {"mode": "on"}}', r"Invalid enum value 'on' - at `\$\.podMonitor\.mode`: give one of Auto, On, Off"),
        ("MONITORING", '{"podMonitor": {"interval": "fast"}}', r"at `\$\.podMonitor\.interval`"),
        ("MONITORING", '{"prometheusRule": {"labels": {"release": "a b"}}}', r"at `\$\.prometheusRule\.labels\[\.\.\.\]`"),
        ("MONITORING", '{"dashboards": {"labels": {"grafana_dashboard": 1}}}', r"at `\$\.dashboards\.labels\[\.\.\.\]`"),
        ("MONITORING", '{"runbookBaseURL": "runbooks"}', r"at `\$\.runbookBaseURL`"),
        ("MONITORING", '{"scrapeNamespaces": ["Monitoring"]}', r"at `\$\.scrapeNamespaces\[0\]`"),
        ("LOG_LEVEL", "loud", "give one of debug"),
        ("NAMESPACE_LIST", "a", "unknown settings: TRADINGBOT_OPERATOR_NAMESPACE_LIST"),
    ],
)
def test_a_setting_that_is_wrong_is_named(name: str, value: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        settings_from_env(IMAGE | {f"TRADINGBOT_OPERATOR_{name}": value})


def test_what_the_kubelet_adds_for_services_is_no_setting() -> None:
    links = {
        "TRADINGBOT_OPERATOR_METRICS_SERVICE_HOST": "10.0.0.1",
        "TRADINGBOT_OPERATOR_METRICS_PORT": "tcp://10.0.0.1:8080",
        "TRADINGBOT_OPERATOR_METRICS_PORT_8080_TCP_ADDR": "10.0.0.1",
    }
    assert settings_from_env(IMAGE | links).port == 8080
