from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Helm = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("replica=2", "replica"),
        ("replicas=0", "replicas"),
        ("metrics.source=tea", "source"),
        ("metrics.source=prometheus", "url"),
        ("metrics.prometheus.url=prometheus:9090", "url"),
        ("metrics.prometheus.tokenSecretRef.name=x", "tokenSecretRef"),
        ("maxUnhealthyPercent=200", "maxUnhealthyPercent"),
        ("image.tga=1", "tga"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("logLevel=loud", "logLevel"),
        ("watchNamespaces=desk-a", "watchNamespaces"),
        ("watchNamespaces={Desk}", "watchNamespaces"),
        ("crds.create=perhaps", "create"),
        ("crds.kept=true", "kept"),
        ("resources.limit.memory=1Gi", "limit"),
        ("nodeSelector.size=3", "nodeSelector"),
        ("image.digest=sha256:12", "digest"),
        ("monitoring.podMonitor.mode=Maybe", "mode"),
        ("monitoring.podMonitor.interval=soon", "interval"),
        ("monitoring.runbookBaseURL=wiki", "runbookBaseURL"),
        ("podDisruptionBudget.maxUnavailable=0", "maxUnavailable"),
        ("podDisruptionBudget.minAvailable=1", "minAvailable"),
        ("networkPolicy.apiServerPorts={}", "apiServerPorts"),
        ("fullnameOverride=Bots", "fullnameOverride"),
        ("topologySpreadConstraints[0].maxSkew=1", "topologyKey"),
    ],
)
def test_a_value_that_means_nothing_is_refused_by_name(helm: Helm, chart: Path, setting: str, named: str) -> None:
    done = helm("template", "operator", str(chart), "--set", setting)
    assert done.returncode != 0
    assert named in done.stderr


def test_the_schema_refuses_unknown_values_on_every_level_that_is_ours(chart: Path) -> None:
    # What Helm passes and what Kubernetes itself checks may hold anything.
    theirs = {"global", "claims", "tolerations", "nodeAffinity", "podAffinity", "podAntiAffinity", "topologySpreadConstraints"}
    theirs |= {"from", "to", "ports"}  # of the NetworkPolicy's additional rules

    def closed(name: str, node: dict[str, Any]) -> None:
        if node.get("type") == "object":
            assert "additionalProperties" in node, name
        for key, child in node.get("properties", {}).items():
            if key not in theirs:
                closed(key, child)
        if "items" in node:
            closed(name, node["items"])

    schema = json.loads((chart / "values.schema.json").read_text())
    closed("values", schema)
    for name, shared in schema["$defs"].items():
        closed(name, shared)
