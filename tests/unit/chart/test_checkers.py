"""The chart and the manifests before the checkers that users of Kubernetes trust: helm lint, helm-unittest, kubeconform, kustomize."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_schemas import LOCATION, write_crd_schemas

ROOT = Path(__file__).resolve().parents[3]
MANIFESTS = ROOT / "manifests"
CI_VALUES = sorted((ROOT / "charts" / "tradingbot-operator" / "ci").glob("*-values.yaml"))

Program = Callable[..., subprocess.CompletedProcess[str]]
Conform = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def conform(program: Program, kubernetes_schemas: Path, tmp_path_factory: pytest.TempPathFactory) -> Conform:
    """Return a function that runs kubeconform, with Kubernetes' and our own schema, offline."""
    own = tmp_path_factory.mktemp("schemas")
    write_crd_schemas(yaml.safe_load((MANIFESTS / "crd.yaml").read_text()), own)
    locations = [word for folder in (kubernetes_schemas, own) for word in ("-schema-location", f"{folder}/{LOCATION}")]

    def run(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return program("kubeconform", "-summary", *locations, *arguments, stdin=stdin)

    return run


def test_there_are_values_to_check() -> None:
    assert len(CI_VALUES) >= 5


@pytest.mark.parametrize("values", CI_VALUES, ids=lambda path: path.name.removesuffix("-values.yaml"))
def test_helm_and_kubernetes_find_nothing_wrong_with_the_chart(helm: Program, conform: Conform, chart: Path, values: Path) -> None:
    linted = helm("lint", "--strict", str(chart), "--values", str(values))
    assert linted.returncode == 0, linted.stdout + linted.stderr
    rendered = helm("template", "operator", str(chart), "--namespace", "tradingbot-system", "--values", str(values))
    assert rendered.returncode == 0, rendered.stderr
    done = conform("-", stdin=rendered.stdout)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Skipped: 0" in done.stdout


def test_kubernetes_finds_nothing_wrong_with_the_manifests(conform: Conform) -> None:
    files = [str(path) for path in sorted(MANIFESTS.rglob("*.yaml")) if path.name != "kustomization.yaml"]
    done = conform(*files)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Skipped: 0" in done.stdout


@pytest.mark.parametrize(
    ("manifest", "named"),
    [
        ("{apiVersion: v1, kind: Service, metadata: {name: x}, spec: {port: []}}", "port"),
        ("{apiVersion: apps/v1, kind: Deployment, metadata: {name: x}, spec: {replicas: two}}", "replicas"),
        ("{apiVersion: tradingbot.dev/v1alpha1, kind: TradingBot, metadata: {name: x}, spec: {strategi: {}}}", "strategi"),
        ("{apiVersion: example/v1, kind: Unheard, metadata: {name: x}}", "could not find schema"),
    ],
)
def test_what_is_wrong_would_be_found(conform: Conform, manifest: str, named: str) -> None:
    done = conform("-", stdin=manifest)
    assert done.returncode != 0
    assert named in done.stdout


def test_the_charts_own_tests_pass(program: Program, chart: Path) -> None:
    # Without this file every snapshot would be taken anew, and be right.
    assert (chart / "tests" / "__snapshot__" / "snapshots_test.yaml.snap").is_file()
    done = program("helm-unittest", "--strict", str(chart))
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "updated" not in done.stdout


def test_each_value_of_the_chart_is_tried_by_some_file_of_values(chart: Path) -> None:
    def leaves(node: Any, path: str = "") -> Iterator[str]:
        if isinstance(node, dict) and node:
            for key, child in node.items():
                yield from leaves(child, f"{path}.{key}" if path else key)
        else:
            yield path

    tried = {leaf for values in CI_VALUES for leaf in leaves(yaml.safe_load(values.read_text()))}
    known = leaves(yaml.safe_load((chart / "values.yaml").read_text()))
    # A tag is what a digest replaces; the chart's own tests have it.
    assert {leaf for leaf in known if not any(_is_within(leaf, one) for one in tried)} == {"image.tag", "engineImage.tag"}


def _is_within(leaf: str, tried: str) -> bool:
    return tried == leaf or tried.startswith(f"{leaf}.") or leaf.startswith(f"{tried}.")


def test_install_yaml_is_what_the_chart_makes() -> None:
    command = [sys.executable, str(ROOT / "charts" / "install_manifest.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_manifests_are_a_base_of_kustomize(program: Program, tmp_path: Path) -> None:
    whole = list(yaml.safe_load_all((MANIFESTS / "install.yaml").read_text()))
    done = program("kubectl", "kustomize", str(MANIFESTS))
    assert done.returncode == 0, done.stderr
    assert sorted(map(_name, yaml.safe_load_all(done.stdout))) == sorted(map(_name, whole))
    # What docs/how-to/install.md tells people to write.
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["base"],
        "namespace": "trading",
        "images": [{"name": "tradingbot/operator", "newName": "registry.example/operator", "newTag": "v1"}],
        "replicas": [{"name": "tradingbot-operator", "count": 3}],
    }
    (tmp_path / "base").symlink_to(MANIFESTS)
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    done = program("kubectl", "kustomize", "--load-restrictor", "LoadRestrictionsNone", str(tmp_path))
    assert done.returncode == 0, done.stderr
    changed = {_name(found): found for found in yaml.safe_load_all(done.stdout)}
    deployment = changed["Deployment", "tradingbot-operator"]
    assert deployment["spec"]["replicas"] == 3
    assert deployment["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/operator:v1"
    assert changed["ClusterRoleBinding", "tradingbot-operator"]["subjects"][0]["namespace"] == "trading"
    assert ("Namespace", "trading") in changed


def _name(manifest: dict[str, Any]) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]
