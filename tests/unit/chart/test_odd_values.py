"""Values that are allowed and unusual: what comes of them is what Kubernetes and the operator take, or they are refused by the schema."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tradingbot_operator.settings import settings_from_env

Helm = Callable[..., subprocess.CompletedProcess[str]]
_LONGEST_LABEL = 63


class Strict(yaml.SafeLoader):
    """A loader that refuses a key that is there twice, as kustomize and the API server's strict decoder do."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(set(keys)) == len(keys), f"twice: {sorted(key for key in set(keys) if keys.count(key) > 1)}, line {node.start_mark.line}"
        return super().construct_mapping(node, deep)


Strict.add_constructor(
    yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, lambda loader, node: Strict.construct_mapping(loader, node, deep=True)
)


def names(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield what must be a string in every object: names, namespaces, labels."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"name", "namespace", "serviceAccountName", "priorityClassName", "secretName"}:
                yield key, value
            if key in {"labels", "matchLabels", "annotations"} and isinstance(value, dict):
                yield from value.items()
            if key == "resourceNames":
                yield from ((key, each) for each in value)
            yield from names(value)
    elif isinstance(node, list):
        for each in node:
            yield from names(each)


@pytest.mark.parametrize(
    "values",
    [
        {"commonLabels": {"team": "a", "desk": "b"}, "podLabels": {"team": "c"}},
        {"watchNamespaces": ["123", "1e3", "on"]},
        {"fullnameOverride": "123", "nameOverride": "1e3"},
        {"nameOverride": "a" * 63},
        {"priorityClassName": "123", "serviceAccount": {"name": "123"}},
        {
            "metrics": {
                "source": "prometheus",
                "prometheus": {"url": "http://p:9090", "tokenSecretRef": {"name": "123", "key": "1"}},
            }
        },
        {"topologySpreadConstraints": [{"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule", "labelSelector": {}}]},
    ],
)
def test_what_looks_like_a_number_stays_a_name_and_no_key_is_there_twice(
    helm: Helm, chart: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(values))
    done = helm("template", "2024", str(chart), "--namespace", "456", "--values", str(file))
    assert done.returncode == 0, done.stderr
    for manifest in yaml.load_all(done.stdout, Loader=Strict):
        if manifest and manifest["kind"] != "CustomResourceDefinition":
            wrong = [(key, value) for key, value in names(manifest) if not isinstance(value, str)]
            assert not wrong, manifest["kind"]
            assert all(len(value) <= _LONGEST_LABEL for value in manifest["metadata"]["labels"].values()), manifest["kind"]


def test_a_pods_own_label_wins_over_the_common_one(helm: Helm, chart: Path) -> None:
    settings = ("--set", "commonLabels.team=a,commonLabels.desk=b,podLabels.team=c")
    done = helm("template", "rel", str(chart), "--show-only", "templates/deployment.yaml", *settings)
    labels = yaml.safe_load(done.stdout)["spec"]["template"]["metadata"]["labels"]
    assert (labels["team"], labels["desk"], labels["app.kubernetes.io/component"]) == ("c", "b", "operator")


@pytest.mark.parametrize(
    "values",
    [
        {"monitoring": {"podMonitor": {"labels": {"release": "my prometheus"}}}},
        {"monitoring": {"prometheusRule": {"labels": {"a b": "c"}}}},
        {"monitoring": {"dashboards": {"annotations": {"grafana folder": "Trading"}}}},
        {"monitoring": {"dashboards": {"annotations": {"grafana_folder": "Our own / Trading"}}}},
        {"monitoring": {"runbookBaseURL": "https:///runbooks"}},
        {"monitoring": {"runbookBaseURL": "https://wiki"}},
        {"monitoring": {"runbookBaseURL": "https://wiki.example.com/a?b=/c"}},
        {"monitoring": {"podMonitor": {"interval": "1m"}}},
        {"metrics": {"source": "prometheus", "prometheus": {"url": "http://:9090"}}},
        {"metrics": {"source": "prometheus", "prometheus": {"url": "http:///prometheus"}}},
        {"metrics": {"source": "prometheus", "prometheus": {"url": "https://[fd00::1]:9090/base"}}},
        {"metrics": {"source": "prometheus", "prometheus": {"url": "https://user:word@prometheus.monitoring"}}},
        {"metrics": {"source": "prometheus", "prometheus": {"url": "http://prometheus:9090/?a=b"}}},
        {"pollIntervalSeconds": 0.5},
        {"pollIntervalSeconds": 2.5, "maxUnhealthyPercent": 33.3},
    ],
)
def test_what_the_schema_lets_through_the_operator_takes(helm: Helm, chart: Path, tmp_path: Path, values: dict[str, Any]) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps(values))
    done = helm("template", "rel", str(chart), "--show-only", "templates/deployment.yaml", "--values", str(file))
    if done.returncode != 0:
        assert "don't meet the specifications of the schema" in done.stderr
        return
    (container,) = yaml.safe_load(done.stdout)["spec"]["template"]["spec"]["containers"]
    settings_from_env({variable["name"]: variable["value"] for variable in container["env"]})


@pytest.mark.parametrize("label", ["app.kubernetes.io/name", "app.kubernetes.io/instance", "helm.sh/chart"])
@pytest.mark.parametrize("value", ["commonLabels", "podLabels"])
def test_a_label_of_the_charts_own_cannot_be_another(helm: Helm, chart: Path, value: str, label: str) -> None:
    done = helm("template", "rel", str(chart), "--set-json", f"{value}={json.dumps({label: 'x'})}")
    assert done.returncode != 0
    assert value in done.stderr
