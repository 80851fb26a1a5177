"""An installation's objects for monitoring, on a real API server with the real definitions of the Prometheus operator's resources."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import pytest
import yaml

from api_client import Object
from audit_log import AuditLog
from bot_rig import Rig, eventually
from built_programs import monitoring_crds
from tradingbot_operator.handlers import build_kopf_settings
from tradingbot_operator.kube import Kube
from tradingbot_operator.metrics import OperatorMetrics
from tradingbot_operator.monitoring.bundle import read_bundle
from tradingbot_operator.monitoring.keeper import MonitoringKeeper
from tradingbot_operator.monitoring.settings import MonitoringSettings, parse_monitoring
from tradingbot_operator.settings import OperatorSettings
from tradingbot_operator.term import Term, endless_term

NAME = "prod"
OFF = parse_monitoring(json.dumps({kind: {"mode": "Off"} for kind in ("podMonitor", "prometheusRule", "dashboards")}))
ON = parse_monitoring(json.dumps({kind: {"mode": "On"} for kind in ("podMonitor", "prometheusRule", "dashboards")}))
PLURALS = ("podmonitors", "prometheusrules", "configmaps")


class Installation:
    """A namespace with the Deployment of an operator, and what the operator has made beside it."""

    def __init__(self, rig: Rig, namespace: str) -> None:
        self.rig = rig
        self.namespace = namespace
        self.metrics = OperatorMetrics()
        labels = {"app.kubernetes.io/instance": NAME}
        container = {"name": "operator", "image": "tradingbot/operator:1", "ports": [{"name": "http", "containerPort": 8080}]}
        template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
        spec = {"selector": {"matchLabels": labels}, "template": template}
        deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}, "spec": spec}
        self.deployment = rig.api.create("deployments", namespace, deployment)

    def look(self, settings: MonitoringSettings | None = None, *, times: int = 1, term: Term | None = None) -> list[bool]:
        """Let one operator look; return for each time whether all went well."""
        chosen = OperatorSettings(
            engine_image="e:1", namespace=self.namespace, lease=NAME, monitoring=settings or MonitoringSettings(), namespaces=("a", "b")
        )

        async def scenario() -> list[bool]:
            async with Kube(build_kopf_settings(), self.metrics, term or endless_term()) as kube:
                keeper = MonitoringKeeper(kube, chosen, self.metrics)
                return [await keeper.look() for _ in range(times)]

        return asyncio.run(scenario())

    def found(self) -> dict[str, Object]:
        """Return what there is, by plural and name."""
        served = [plural for plural in PLURALS if plural == "configmaps" or _is_served(self.rig, plural)]
        items = [(plural, item) for plural in served for item in self.rig.api.items(plural, self.namespace)]
        return {f"{plural} {item['metadata']['name']}": item for plural, item in items if item["metadata"]["name"].startswith(NAME)}

    def shown(self, kind: str, state: str) -> float | None:
        return self.metrics.registry.get_sample_value("tradingbot_operator_monitoring_objects", {"kind": kind, "state": state})


def _is_served(rig: Rig, plural: str) -> bool:
    return rig.api.raw("GET", f"/apis/monitoring.coreos.com/v1/{plural}").status == HTTPStatus.OK


def _is_discovered(rig: Rig, plural: str) -> bool:
    answer = rig.api.raw("GET", "/apis/monitoring.coreos.com/v1")
    return answer.status == HTTPStatus.OK and plural in {resource["name"] for resource in answer.body["resources"]}


@contextmanager
def definitions(rig: Rig) -> Iterator[None]:
    """Have the Prometheus operator's resources in the cluster for a while: other tests know none."""
    manifests: list[Object] = [yaml.safe_load(path.read_text()) for path in monitoring_crds().values()]
    try:
        for manifest in manifests:
            rig.api.create("customresourcedefinitions", None, manifest)
        for plural in ("podmonitors", "prometheusrules"):
            eventually(f"{plural} are served", lambda plural=plural: _is_served(rig, plural) and _is_discovered(rig, plural))
        yield
    finally:
        for manifest in manifests:
            rig.api.delete("customresourcedefinitions", manifest["metadata"]["name"], None)
        eventually(
            "the definitions are gone", lambda: not _is_discovered(rig, "podmonitors") and not _is_discovered(rig, "prometheusrules")
        )


@pytest.fixture
def installation(rig: Rig, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Installation:
    monkeypatch.setenv("KUBECONFIG", str(rig.plane.api_server.kubeconfig("operator")))
    return Installation(rig, namespace)


@pytest.fixture
def writes(rig: Rig, namespace: str) -> Callable[[], list[str]]:
    """Return a function that gives what operators have changed since it was last asked."""
    log = [rig.audit()]

    def since() -> list[str]:
        found = [f"{write.verb} {write.resource} {write.name}" for write in log[0].writes(namespace=namespace)]
        log[0] = AuditLog(rig.plane.api_server.audit_path)
        return found

    return since


def expected() -> set[str]:
    boards = {f"configmaps {NAME}-dashboard-{name}" for name in read_bundle().dashboards}
    return {f"podmonitors {NAME}-bots", f"podmonitors {NAME}-operators", f"prometheusrules {NAME}"} | boards


def test_objects_come_and_go_with_kinds_settings_and_the_release(
    rig: Rig, installation: Installation, writes: Callable[[], list[str]]
) -> None:
    assert installation.look() == [True]
    assert (installation.found(), writes()) == ({}, []), "without the kinds there is nothing to make"
    with definitions(rig):
        assert installation.look() == [True]
        made = installation.found()
        assert set(made) == expected()
        assert {write.partition(" ")[0] for write in writes()} == {"patch"}
        for item in made.values():
            (owner,) = item["metadata"]["ownerReferences"]
            assert (owner["kind"], owner["uid"]) == ("Deployment", installation.deployment["metadata"]["uid"])
        bots = made[f"podmonitors {NAME}-bots"]["spec"]
        assert bots["namespaceSelector"] == {"matchNames": ["a", "b"]}
        assert installation.shown("PodMonitor", "present") == 2.0

        # What the real definitions had dropped or filled in otherwise would be put back with each look.
        assert installation.look(times=5) == [True] * 5
        assert writes() == [], "a look that finds nothing to do writes nothing"

        rig.api.patch("podmonitors", f"{NAME}-bots", installation.namespace, {"spec": {"sampleLimit": 1}})
        rig.api.delete("prometheusrules", NAME, installation.namespace)
        assert installation.look(times=2) == [True, True]
        assert writes() == [f"patch podmonitors {NAME}-bots", f"patch prometheusrules {NAME}"]
        assert installation.found()[f"podmonitors {NAME}-bots"]["spec"] == bots

        assert installation.look(OFF, times=2) == [True, True]
        assert installation.found() == {}
        assert {write.partition(" ")[0] for write in writes()} == {"delete"}
        assert installation.look() == [True]
    assert installation.look() == [True]
    assert installation.found() == {}, "the kinds are gone, and with them what needs them"
    assert installation.shown("ConfigMap", "present") == 0.0


def test_who_does_not_lead_changes_nothing_and_says_that_it_could_not(installation: Installation, writes: Callable[[], list[str]]) -> None:
    assert installation.look(ON, term=Term()) == [False]
    assert (installation.found(), writes()) == ({}, [])
    assert installation.shown("ConfigMap", "failed") == float(len(read_bundle().dashboards))
    failures = "tradingbot_operator_monitoring_failures_total"
    assert installation.metrics.registry.get_sample_value(failures, {"kind": "ConfigMap"}) == float(len(read_bundle().dashboards))


def test_what_is_asked_for_and_can_not_be_is_said_once(installation: Installation, caplog: pytest.LogCaptureFixture) -> None:
    assert installation.look(ON, times=3) == [True] * 3
    (said,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert said.startswith("`monitoring` asks for PodMonitor and PrometheusRule (mode On), and the cluster does not know that kind")
    assert installation.shown("PodMonitor", "unsupported") == 2.0
    assert {key.partition(" ")[0] for key in installation.found()} <= {"configmaps"}


def test_somebody_else_s_object_stays_as_it_is(rig: Rig, installation: Installation, caplog: pytest.LogCaptureFixture) -> None:
    name = f"{NAME}-dashboard-fleet"
    theirs: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"mine": "1"}}
    rig.api.create("configmaps", installation.namespace, theirs)
    assert installation.look(ON, times=2) == [True, True]
    assert installation.look(OFF) == [True]
    assert installation.found()[f"configmaps {name}"]["data"] == {"mine": "1"}
    assert sum("is not this operator's" in record.getMessage() for record in caplog.records) == 1


def test_with_the_release_everything_goes_and_an_operator_that_still_runs_makes_nothing_anew(rig: Rig, installation: Installation) -> None:
    namespace = installation.namespace
    settings = OperatorSettings(engine_image="e:1", namespace=namespace, lease=NAME, monitoring=ON)
    boards = {key for key in expected() if key.startswith("configmaps")}

    async def scenario() -> None:
        async with Kube(build_kopf_settings(), installation.metrics, endless_term()) as kube:
            keeper = MonitoringKeeper(kube, settings, installation.metrics)
            await keeper.look()
            assert set(installation.found()) == boards
            rig.api.delete("deployments", NAME, namespace)
            await asyncio.to_thread(eventually, "the objects are collected", lambda: not installation.found())
            await keeper.look()
            assert installation.found() == {}

    asyncio.run(scenario())


def test_of_two_operators_the_one_that_leads_makes_them_within_its_first_look(rig: Rig, namespace: str) -> None:
    installation = Installation(rig, namespace)
    election = {"LEADER_ELECTION": "on", "NAMESPACE": namespace, "LEASE": NAME}
    with definitions(rig), rig.operator(namespace, **election) as leader:
        eventually("the objects are there", lambda: set(installation.found()) == expected(), explain=leader.log)
        with rig.operator(namespace, **election) as other:
            page = other.page("/metrics") or ""
            assert "tradingbot_operator_leader 0.0" in page
            assert "tradingbot_operator_monitoring_objects{" not in page
            assert 'tradingbot_operator_api_calls_total{code="200",verb="PATCH"}' not in page
        assert 'tradingbot_operator_monitoring_objects{kind="PodMonitor",state="present"} 2.0' in (leader.page("/metrics") or "")
        assert leader.bad_lines() == []
