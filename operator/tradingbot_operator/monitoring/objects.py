"""Builds the objects that one installation gives to Prometheus and Grafana.

Whatever scrapes, a bot's series have the labels `namespace`, `pod`, `container`, `bot` and `job="tradingbot"`, an operator's `namespace`,
`pod` and `job="tradingbot-operator"`: rules and dashboards rely on nothing else. No object carries the label by which the operator finds
the children of bots.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import Struct

from tradingbot_contract.endpoints import ENGINE_CONTAINER, METRICS_PATH, OBSERVER_CONTAINER
from tradingbot_operator.desired.children import manifest_hash
from tradingbot_operator.kinds import CONFIG_MAP, POD_MONITOR, PROMETHEUS_RULE, Kind, ObjectKey
from tradingbot_operator.monitoring.bundle import Bundle, parse_groups, with_runbooks_at
from tradingbot_operator.monitoring.settings import MonitoringSettings
from tradingbot_operator.names import COMPONENT_LABEL, DESIRED_HASH, INSTANCE_LABEL, MANAGED_SELECTOR, NAME_LABEL

Manifest = dict[str, Any]

OPERATOR_PORT_NAME: Final = "http"
BOT_SAMPLES: Final = 10_000
"""Most series of one scrape of an engine or observer: many times what the largest has. A page that has more is refused whole."""
OPERATOR_SAMPLES: Final = 500_000
"""The same for an operator, which has some for each bot."""
LABELS: Final = 64
"""Most labels of one series."""


class Installation(Struct, frozen=True, kw_only=True):
    """Whose objects they are."""

    name: str
    """Of the release's objects, and of the operator's Deployment."""
    namespace: str
    bot_namespaces: tuple[str, ...] = ()
    """Where its bots are; empty: anywhere."""
    owner: dict[str, str] | None = None
    """Reference to the Deployment, with which the objects go; None: there is none, as on a developer's machine."""
    operator_pods: dict[str, str] | None = None
    """Labels by which the Deployment finds its pods."""


def build_objects(settings: MonitoringSettings, bundle: Bundle, installation: Installation) -> tuple[Manifest, ...]:
    """Return everything that may be made, each with the hash of its rendering; what is wanted of it is decided elsewhere."""
    found = [_bots_monitor(settings, installation)]
    if installation.operator_pods:
        found.append(_operators_monitor(settings, installation))
    found.append(_rule(settings, bundle, installation))
    found += [_dashboard(settings, name, text, installation) for name, text in bundle.dashboards.items()]
    for manifest in found:
        manifest["metadata"]["annotations"] = {**manifest["metadata"].get("annotations", {}), DESIRED_HASH: manifest_hash(manifest)}
    return tuple(found)


def object_keys(bundle: Bundle, installation: Installation) -> tuple[ObjectKey, ...]:
    """Return every object that this operator may have made."""
    name = installation.name
    monitors = (ObjectKey(POD_MONITOR.name, f"{name}-bots"), ObjectKey(POD_MONITOR.name, f"{name}-operators"))
    boards = (ObjectKey(CONFIG_MAP.name, _dashboard_name(name, each)) for each in bundle.dashboards)
    return (*monitors, ObjectKey(PROMETHEUS_RULE.name, name), *boards)


def _bots_monitor(settings: MonitoringSettings, installation: Installation) -> Manifest:
    managed, _, operator = MANAGED_SELECTOR.partition("=")
    labels = {NAME_LABEL: "tradingbot", COMPONENT_LABEL: "engine", managed: operator}
    names = installation.bot_namespaces
    relabelings = [
        {"action": "replace", "sourceLabels": ["__meta_kubernetes_pod_label_app_kubernetes_io_instance"], "targetLabel": "bot"},
        *_job("tradingbot", "endpoint"),
    ]
    spec = {
        "namespaceSelector": {"matchNames": list(names)} if names else {"any": True},
        "selector": {"matchLabels": labels},
        "sampleLimit": BOT_SAMPLES,
        "labelLimit": LABELS,
        "podMetricsEndpoints": [_endpoint(port, settings, relabelings) for port in (ENGINE_CONTAINER, OBSERVER_CONTAINER)],
    }
    metadata = _metadata(f"{installation.name}-bots", installation, settings.pod_monitor.labels)
    return _manifest(POD_MONITOR, metadata, spec=spec)


def _operators_monitor(settings: MonitoringSettings, installation: Installation) -> Manifest:
    spec = {
        "namespaceSelector": {"matchNames": [installation.namespace]},
        "selector": {"matchLabels": dict(installation.operator_pods or {})},
        "sampleLimit": OPERATOR_SAMPLES,
        "labelLimit": LABELS,
        "podMetricsEndpoints": [_endpoint(OPERATOR_PORT_NAME, settings, _job("tradingbot-operator", "endpoint|container"))],
    }
    metadata = _metadata(f"{installation.name}-operators", installation, settings.pod_monitor.labels)
    return _manifest(POD_MONITOR, metadata, spec=spec)


def _endpoint(port: str, settings: MonitoringSettings, relabelings: list[dict[str, Any]]) -> dict[str, Any]:
    return {"port": port, "path": METRICS_PATH, "interval": settings.pod_monitor.interval, "relabelings": relabelings}


def _job(name: str, dropped: str) -> list[dict[str, Any]]:
    return [
        {"action": "replace", "targetLabel": "job", "replacement": name},
        # What the Prometheus operator adds and nothing needs.
        {"action": "labeldrop", "regex": dropped},
    ]


def _rule(settings: MonitoringSettings, bundle: Bundle, installation: Installation) -> Manifest:
    groups = parse_groups(with_runbooks_at(bundle.rules, settings.runbook_base_url))
    metadata = _metadata(installation.name, installation, settings.prometheus_rule.labels)
    return _manifest(PROMETHEUS_RULE, metadata, spec={"groups": groups})


def _dashboard(settings: MonitoringSettings, name: str, text: str, installation: Installation) -> Manifest:
    wanted = settings.dashboards
    metadata = _metadata(_dashboard_name(installation.name, name), installation, wanted.labels)
    if wanted.annotations:
        metadata["annotations"] = dict(wanted.annotations)
    data = {f"tradingbot-{name}.json": with_runbooks_at(text, settings.runbook_base_url)}
    return _manifest(CONFIG_MAP, metadata, data=data)


def _dashboard_name(installation: str, name: str) -> str:
    return f"{installation}-dashboard-{name}"


def _metadata(name: str, installation: Installation, labels: dict[str, str]) -> dict[str, Any]:
    own = {
        NAME_LABEL: "tradingbot-operator",
        INSTANCE_LABEL: installation.name,
        COMPONENT_LABEL: "monitoring",
        "app.kubernetes.io/part-of": "tradingbot",
    }
    metadata: dict[str, Any] = {"name": name, "namespace": installation.namespace, "labels": labels | own}
    if installation.owner is not None:
        metadata["ownerReferences"] = [dict(installation.owner)]
    return metadata


def _manifest(kind: Kind, metadata: dict[str, Any], **content: Any) -> Manifest:
    built: Manifest = msgspec.to_builtins({"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata, **content})
    return built
