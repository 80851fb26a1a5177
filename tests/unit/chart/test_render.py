from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tradingbot_operator.settings import MetricsSource, OperatorSettings, settings_from_env

Manifest = dict[str, Any]
Render = Callable[..., list[Manifest]]
Helm = Callable[..., subprocess.CompletedProcess[str]]

ROOT = Path(__file__).resolve().parents[3]


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def pod_specs(manifests: list[Manifest]) -> Iterator[Manifest]:
    for manifest in manifests:
        if manifest["kind"] == "Pod":
            yield manifest["spec"]
        elif "template" in manifest.get("spec", {}):
            yield manifest["spec"]["template"]["spec"]


def rules(manifests: list[Manifest]) -> Iterator[Manifest]:
    for manifest in of_kind(manifests, "ClusterRole") + of_kind(manifests, "Role"):
        yield from manifest["rules"]


def test_the_default_release_is_one_of_each_object(render: Render) -> None:
    kinds = sorted(manifest["kind"] for manifest in render())
    assert kinds == [
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "Deployment",
        "NetworkPolicy",
        "PodDisruptionBudget",
        "Role",
        "Role",
        "RoleBinding",
        "RoleBinding",
        "Service",
        "ServiceAccount",
    ]


def test_every_namespaced_object_goes_into_the_release_namespace(render: Render) -> None:
    for manifest in render():
        if manifest["kind"] not in {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition"}:
            assert manifest["metadata"]["namespace"] == "tradingbot-system", manifest["kind"]


@pytest.mark.parametrize("settings", [(), ("watchNamespaces={desk-a,desk-b}",)], ids=["all namespaces", "two namespaces"])
def test_no_permission_is_a_wildcard(render: Render, settings: tuple[str, ...]) -> None:
    found = list(rules(render(*settings)))
    assert found
    for rule in found:
        for key in ("apiGroups", "resources", "verbs"):
            assert rule[key], rule
            assert not any("*" in entry for entry in rule[key]), rule
        assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"]), rule
        assert not {"secrets", "nodes", "clusterroles", "pods/exec"} & set(rule["resources"]), rule


def test_with_namespaces_named_nothing_reaches_beyond_them(render: Render) -> None:
    manifests = render("watchNamespaces={desk-a,desk-b}")
    assert not of_kind(manifests, "ClusterRole")
    assert not of_kind(manifests, "ClusterRoleBinding")
    operator, own = "operator-tradingbot-operator", "tradingbot-system"
    for kind in ("Role", "RoleBinding"):
        named = {(manifest["metadata"]["namespace"], manifest["metadata"]["name"]) for manifest in of_kind(manifests, kind)}
        assert named == {("desk-a", operator), ("desk-b", operator), (own, f"{operator}-election"), (own, f"{operator}-monitoring")}


def test_an_operator_that_runs_bots_in_its_own_namespace_has_all_roles_there(render: Render) -> None:
    roles = [manifest["metadata"]["name"] for manifest in of_kind(render("watchNamespaces={tradingbot-system}"), "Role")]
    assert len(set(roles)) == len(roles) == 3


def test_the_operator_may_do_what_it_does_and_nothing_else(render: Render) -> None:
    allowed = {
        (resource, verb)
        for rule in of_kind(render(), "ClusterRole")[0]["rules"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    children = ("statefulsets", "services", "configmaps", "persistentvolumeclaims", "poddisruptionbudgets", "networkpolicies")
    made = {(child, verb) for child in children for verb in ("get", "list", "watch", "create", "patch", "delete")}
    pods = {("pods", verb) for verb in ("get", "list", "watch", "patch", "delete")} | {("pods/resize", "patch")}
    bots = {("tradingbots", verb) for verb in ("get", "list", "watch", "patch")}
    assert allowed == made | pods | bots | {
        ("tradingbots/status", "patch"),
        ("tradingbots/finalizers", "update"),
        ("events", "create"),
        ("events", "patch"),
    }


def test_the_operator_may_use_the_lease_that_it_is_told_and_no_other(render: Render) -> None:
    manifests = render()
    (role,) = [role for role in of_kind(manifests, "Role") if role["metadata"]["name"].endswith("-election")]
    create, use = role["rules"]
    assert (create["resources"], create["verbs"]) == (["leases"], ["create"])
    assert (use["resources"], use["verbs"]) == (["leases"], ["get", "update"])
    (pod,) = pod_specs(manifests)
    told = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}
    assert use["resourceNames"] == [told["TRADINGBOT_OPERATOR_LEASE"]]


@pytest.mark.parametrize("settings", [(), ("watchNamespaces={desk-a}",)], ids=["all namespaces", "one namespace"])
def test_every_binding_gives_an_existing_role_to_the_operator(render: Render, settings: tuple[str, ...]) -> None:
    manifests = render(*settings)
    account = of_kind(manifests, "ServiceAccount")[0]["metadata"]
    roles = {manifest["metadata"]["name"] for manifest in of_kind(manifests, "ClusterRole") + of_kind(manifests, "Role")}
    for binding in of_kind(manifests, "ClusterRoleBinding") + of_kind(manifests, "RoleBinding"):
        assert binding["roleRef"]["name"] in roles
        assert binding["subjects"] == [{"kind": "ServiceAccount", "name": account["name"], "namespace": account["namespace"]}]
    (pod,) = pod_specs(manifests)
    assert pod["serviceAccountName"] == account["name"]


def test_pods_keep_the_restricted_pod_security_standard(render: Render) -> None:
    specs = list(pod_specs(render()))
    assert specs
    for spec in specs:
        assert not any(spec.get(key) for key in ("hostNetwork", "hostPID", "hostIPC"))
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] > 0
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert all(set(volume) & {"emptyDir", "configMap", "secret", "projected"} for volume in spec.get("volumes", []))
        for container in spec["containers"] + spec.get("initContainers", []):
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["readOnlyRootFilesystem"] is True
            assert context["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"]["memory"]


def test_there_are_two_operators_on_two_nodes_if_there_are_two_and_one_is_always_there(render: Render) -> None:
    (deployment,) = of_kind(render(), "Deployment")
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    (preferred,) = deployment["spec"]["template"]["spec"]["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    selector = preferred["podAffinityTerm"]["labelSelector"]["matchLabels"]
    assert selector == deployment["spec"]["selector"]["matchLabels"]
    (deployment,) = of_kind(render("replicas=1", "affinity.nodeAffinity.x=y"), "Deployment")
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["template"]["spec"]["affinity"] == {"nodeAffinity": {"x": "y"}}


def test_prometheus_as_the_source_comes_with_its_address_and_token(render: Render) -> None:
    def pod(*settings: str) -> tuple[OperatorSettings, Manifest]:
        (found,) = pod_specs(render(*settings))
        return settings_from_env({entry["name"]: entry["value"] for entry in found["containers"][0]["env"]}), found

    settings, plain = pod()
    assert settings.metrics_source is MetricsSource.DIRECT
    assert [volume["name"] for volume in plain["volumes"]] == ["tmp"]
    source = (
        "metrics.source=prometheus",
        "metrics.prometheus.url=http://prometheus:9090",
        "metrics.prometheus.maxAgeSeconds=90",
    )
    settings, plain = pod(*source)
    assert settings.metrics_source is MetricsSource.PROMETHEUS
    assert (settings.prometheus_url, settings.prometheus_max_age_seconds) == ("http://prometheus:9090", 90.0)
    assert (settings.prometheus_token_file, [volume["name"] for volume in plain["volumes"]]) == ("", ["tmp"])
    settings, mounted = pod(*source, "metrics.prometheus.tokenSecretRef.name=prometheus", "metrics.prometheus.tokenSecretRef.key=bearer")
    (volume,) = [volume for volume in mounted["volumes"] if volume["name"] == "prometheus-token"]
    assert volume["secret"] == {"secretName": "prometheus", "items": [{"key": "bearer", "path": "token"}]}
    (mount,) = [mount for mount in mounted["containers"][0]["volumeMounts"] if mount["name"] == "prometheus-token"]
    assert settings.prometheus_token_file == f"{mount['mountPath']}/token"


def test_the_selectors_find_the_pod(render: Render) -> None:
    manifests = render("podLabels.team=quants")
    (deployment,) = of_kind(manifests, "Deployment")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert labels["team"] == "quants"
    (service,) = of_kind(manifests, "Service")
    for selector in (deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"]):
        assert selector.items() <= labels.items()
    ports = {port["name"] for port in deployment["spec"]["template"]["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= ports


def test_the_operator_is_told_its_namespaces(render: Render) -> None:
    def told(*settings: str) -> str:
        (pod,) = pod_specs(render(*settings))
        environment = {entry["name"]: str(entry["value"]) for entry in pod["containers"][0]["env"]}
        return environment["TRADINGBOT_OPERATOR_NAMESPACES"]

    assert told() == ""
    assert told("watchNamespaces={desk-a,desk-b}") == "desk-a,desk-b"


def test_the_operator_understands_every_variable_that_it_is_given(render: Render) -> None:
    (pod,) = pod_specs(render("watchNamespaces={desk-a,desk-b}", "logLevel=debug"))
    given = {entry["name"]: entry["value"] for entry in pod["containers"][0]["env"]}
    settings = settings_from_env(given)
    assert settings.namespaces == ("desk-a", "desk-b")
    assert settings.log_level == "debug"


def test_images_are_of_the_distribution_unless_told_otherwise(render: Render) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    def images(*settings: str) -> tuple[str, str]:
        (pod,) = pod_specs(render(*settings))
        (container,) = pod["containers"]
        environment = {entry["name"]: entry["value"] for entry in container["env"]}
        return container["image"], environment["TRADINGBOT_OPERATOR_ENGINE_IMAGE"]

    assert images() == (f"tradingbot/operator:{version}", f"tradingbot/engine:{version}")
    told = images("image.repository=r.example/op", "image.tag=v1", "engineImage.repository=r.example/en", "engineImage.tag=v2")
    assert told == ("r.example/op:v1", "r.example/en:v2")


def test_the_crd_stays_when_the_release_goes(render: Render) -> None:
    (crd,) = of_kind(render(), "CustomResourceDefinition")
    assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    (crd,) = of_kind(render("crds.keep=false"), "CustomResourceDefinition")
    assert "helm.sh/resource-policy" not in crd["metadata"].get("annotations", {})
    assert not of_kind(render("crds.create=false"), "CustomResourceDefinition")
