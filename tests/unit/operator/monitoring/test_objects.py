"""The objects of an installation, field by field."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradingbot_operator.kinds import key_of
from tradingbot_operator.monitoring.bundle import Bundle, read_bundle
from tradingbot_operator.monitoring.objects import Installation, Manifest, build_objects, object_keys
from tradingbot_operator.monitoring.settings import (
    RUNBOOK_BASE_URL,
    DashboardSettings,
    MonitoringSettings,
    PodMonitorSettings,
    PrometheusRuleSettings,
)
from tradingbot_operator.names import DESIRED_HASH, MANAGED_BY_LABEL

OWNER = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "prod", "uid": "u-1"}
PODS = {"app.kubernetes.io/name": "tradingbot-operator", "app.kubernetes.io/instance": "prod"}
INSTALLATION = Installation(name="prod", namespace="ops", owner=OWNER, operator_pods=PODS)
RULES = f"""
groups:
  - name: tradingbot
    rules:
      - alert: TradingBotDown
        expr: up == 0
        annotations: {{runbook_url: "{RUNBOOK_BASE_URL}/TradingBotDown.md"}}
"""
BUNDLE = Bundle(rules=RULES, dashboards={"fleet": json.dumps({"uid": "tradingbot-fleet", "link": f"{RUNBOOK_BASE_URL}/A.md"})})


def build(settings: MonitoringSettings | None = None, installation: Installation = INSTALLATION) -> dict[str, Manifest]:
    return {str(key_of(manifest)): manifest for manifest in build_objects(settings or MonitoringSettings(), BUNDLE, installation)}


def relabeled(endpoint: dict[str, Any], discovered: dict[str, str]) -> dict[str, str]:
    """Return the labels that Prometheus would give a target, by its rules for the actions that are used here."""
    labels = dict(discovered)
    for rule in endpoint["relabelings"]:
        match rule["action"]:
            case "replace":
                source = ";".join(labels.get(name, "") for name in rule.get("sourceLabels", ()))
                labels[rule["targetLabel"]] = rule.get("replacement", source)
            case "labeldrop":
                labels = {name: value for name, value in labels.items() if not re.fullmatch(rule["regex"], name)}
            case other:
                raise AssertionError(other)
    return {name: value for name, value in labels.items() if not name.startswith("__")}


def test_the_objects_are_those_that_the_operator_may_have_made_and_go_with_its_deployment() -> None:
    built = build()
    names = ["PodMonitor prod-bots", "PodMonitor prod-operators", "PrometheusRule prod", "ConfigMap prod-dashboard-fleet"]
    assert list(built) == names == [str(key) for key in object_keys(BUNDLE, INSTALLATION)]
    for manifest in built.values():
        metadata = manifest["metadata"]
        assert (metadata["namespace"], metadata["ownerReferences"]) == ("ops", [OWNER])
        assert metadata["annotations"][DESIRED_HASH]
        assert MANAGED_BY_LABEL not in metadata["labels"], "or the operator would take it for the child of a bot"


def test_bots_are_scraped_at_both_ports_with_the_labels_that_rules_and_dashboards_rely_on() -> None:
    spec = build()["PodMonitor prod-bots"]["spec"]
    assert spec["namespaceSelector"] == {"any": True}
    assert [endpoint["port"] for endpoint in spec["podMetricsEndpoints"]] == ["engine", "observer"]
    for endpoint in spec["podMetricsEndpoints"]:
        assert (endpoint["path"], endpoint["interval"]) == ("/metrics", "15s")
        discovered = {
            "__meta_kubernetes_pod_label_app_kubernetes_io_instance": "momentum",
            "namespace": "alpha", "pod": "momentum-0", "container": endpoint["port"], "endpoint": endpoint["port"], "job": "ops/prod-bots",
        }  # fmt: skip
        expected = {"namespace": "alpha", "pod": "momentum-0", "container": endpoint["port"], "bot": "momentum", "job": "tradingbot"}
        assert relabeled(endpoint, discovered) == expected


def test_operators_are_scraped_by_the_labels_of_their_deployment() -> None:
    spec = build()["PodMonitor prod-operators"]["spec"]
    assert (spec["namespaceSelector"], spec["selector"]) == ({"matchNames": ["ops"]}, {"matchLabels": PODS})
    (endpoint,) = spec["podMetricsEndpoints"]
    discovered = {"namespace": "ops", "pod": "prod-abc", "container": "operator", "endpoint": "http", "job": "ops/prod-operators"}
    assert relabeled(endpoint, discovered) == {"namespace": "ops", "pod": "prod-abc", "job": "tradingbot-operator"}


def test_an_operator_for_some_namespaces_has_only_their_bots_scraped() -> None:
    some = msgspec.structs.replace(INSTALLATION, bot_namespaces=("alpha", "beta"))
    assert build(installation=some)["PodMonitor prod-bots"]["spec"]["namespaceSelector"] == {"matchNames": ["alpha", "beta"]}


def test_without_a_deployment_there_is_no_owner_and_no_operator_to_scrape() -> None:
    built = build(installation=Installation(name="prod", namespace="ops"))
    assert "PodMonitor prod-operators" not in built
    assert all("ownerReferences" not in manifest["metadata"] for manifest in built.values())


def test_the_settings_are_in_the_objects_and_never_win_over_what_finds_them() -> None:
    labels = {"release": "stack", "app.kubernetes.io/component": "mine"}
    settings = MonitoringSettings(
        pod_monitor=PodMonitorSettings(labels=labels, interval="1m"),
        prometheus_rule=PrometheusRuleSettings(labels=labels),
        dashboards=DashboardSettings(labels=labels, annotations={"grafana_folder": "Trading", DESIRED_HASH: "mine"}),
    )
    built = build(settings)
    for manifest in built.values():
        assert manifest["metadata"]["labels"]["release"] == "stack"
        assert manifest["metadata"]["labels"]["app.kubernetes.io/component"] == "monitoring"
        assert manifest["metadata"]["annotations"][DESIRED_HASH] != "mine"
    assert built["ConfigMap prod-dashboard-fleet"]["metadata"]["annotations"]["grafana_folder"] == "Trading"
    assert {endpoint["interval"] for endpoint in built["PodMonitor prod-bots"]["spec"]["podMetricsEndpoints"]} == {"1m"}
    assert {"grafana_dashboard": "1"}.items() <= build()["ConfigMap prod-dashboard-fleet"]["metadata"]["labels"].items()


def test_runbooks_are_where_the_installation_has_them() -> None:
    built = build(MonitoringSettings(runbook_base_url="https://wiki.example.com/runbooks"))
    (rule,) = built["PrometheusRule prod"]["spec"]["groups"][0]["rules"]
    assert rule["annotations"]["runbook_url"] == "https://wiki.example.com/runbooks/TradingBotDown.md"
    text = built["ConfigMap prod-dashboard-fleet"]["data"]["tradingbot-fleet.json"]
    assert json.loads(text)["link"] == "https://wiki.example.com/runbooks/A.md"


def test_another_rendering_has_another_hash() -> None:
    one, other = build(), build(MonitoringSettings(pod_monitor=PodMonitorSettings(interval="30s")))
    differing = {key for key in one if one[key]["metadata"]["annotations"] != other[key]["metadata"]["annotations"]}
    assert differing == {"PodMonitor prod-bots", "PodMonitor prod-operators"}


def test_what_comes_with_the_operator_is_whole_and_fits_into_the_api_server() -> None:
    bundle = read_bundle()
    assert {"fleet", "bot", "operator"} == set(bundle.dashboards)
    built = build_objects(MonitoringSettings(), bundle, INSTALLATION)
    assert built[2]["spec"]["groups"]
    for name, text in bundle.dashboards.items():
        assert json.loads(text)["uid"] == f"tradingbot-{name}"
    # etcd takes 1.5 MiB, a ConfigMap 1 MiB.
    assert max(len(json.dumps(manifest)) for manifest in built) < 900_000


def test_no_alert_links_to_a_runbook_that_an_installation_could_not_move() -> None:
    for group in msgspec.yaml.decode(read_bundle().rules)["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                assert rule["annotations"]["runbook_url"] == f"{RUNBOOK_BASE_URL}/{rule['alert']}.md"


@pytest.mark.parametrize(("rules", "dashboard"), [("- a", "{}"), ("groups: 1", "{}"), ("groups: []", "{"), ("groups: [", "{}")])
def test_a_broken_bundle_is_refused(tmp_path: Path, rules: str, dashboard: str) -> None:
    (tmp_path / "rules.yaml").write_text(rules)
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "dashboards" / "fleet.json").write_text(dashboard)
    with pytest.raises(ValueError, match=r"."):
        read_bundle(tmp_path)
