"""Gathers what a support bundle holds: of each bot its resource, children, pods, Events, logs and pages; of the operator the same.

What can't be read (no rights, a pod that is gone, nothing that answers) is noted and passed over: a bundle is made when things are broken.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import yaml

from tradingbot_cli.bundle.archive import Archive
from tradingbot_cli.cluster import Cluster
from tradingbot_cli.connection import ApiError, Object
from tradingbot_cli.errors import FailedError, RefusedError
from tradingbot_contract.endpoints import (
    ENGINE_CONTAINER,
    ENGINE_PORT,
    HISTORY_PATH,
    METRICS_PATH,
    OBSERVER_CONTAINER,
    OBSERVER_PORT,
    OPERATOR_PORT,
    PERFORMANCE_PATH,
    REPORT_PATH,
    STATUS_PATH,
)
from tradingbot_operator.kinds import CHILD_KINDS, DEPLOYMENT, EVENT, POD
from tradingbot_operator.names import COMPONENT_LABEL
from tradingbot_operator.resource import GROUP, PLURAL

CRD_PATH: Final = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{PLURAL}.{GROUP}"
_TAIL_LINES: Final = "5000"
_OPERATOR: Final = "operator"
_OPERATOR_VARIABLE: Final = "TRADINGBOT_OPERATOR"
_ENGINE_PAGES: Final = ((STATUS_PATH, "status.json"), (PERFORMANCE_PATH, "performance.json"), (METRICS_PATH, "engine-metrics.txt"))
_OBSERVER_PAGES: Final = (
    (REPORT_PATH, "report.json"),
    (f"{HISTORY_PATH}?hours=24", "history.json"),
    (METRICS_PATH, "observer-metrics.txt"),
)

Note = Callable[[str], None]
"""Is told what is read now."""


class _Place(NamedTuple):
    """A pod, and where in the archive it goes."""

    cluster: Cluster
    """In the pod's namespace."""
    archive: Archive
    note: Note
    pod: str
    folder: str


def gather_common(cluster: Cluster, archive: Archive, version: str, note: Note) -> None:
    """Add what is the same for all bots: versions, the CRD, the operator."""
    note("versions and CRD")
    connection = cluster.connection
    versions: dict[str, Any] = {"commandLine": version, "cluster": connection.name}
    with _attempt(archive, "the cluster's version"):
        versions["apiServer"] = connection.ask("GET", "/version")
    archive.add_structure("versions.yaml", "versions of the command line and of the API server", versions)
    with _attempt(archive, "the CRD"):
        # As text: what stands under a field that is called a secret here is its description.
        crd = connection.ask("GET", CRD_PATH)
        crd["metadata"].pop("managedFields", None)
        archive.add_text("crd.yaml", "the CRD as the cluster has it", yaml.safe_dump(crd, sort_keys=False, width=140))
    note("operator")
    operators: list[Object] = []
    with _attempt(archive, "the operator's pods"):
        operators = _find_operators(cluster)
        if not operators:
            archive.note_missing("the operator", "no pod of it was found")
    for pod in operators:
        metadata = pod["metadata"]
        place = _Place(_inside(cluster, metadata["namespace"]), archive, note, metadata["name"], f"operator/{metadata['name']}")
        archive.add_structure(f"{place.folder}/pod.yaml", "pod of the operator", pod)
        _add_logs(place, _containers(pod))
        _add_pages(place, OPERATOR_PORT, ((METRICS_PATH, "metrics.txt"),))
    for namespace in sorted({pod["metadata"]["namespace"] for pod in operators}):
        with _attempt(archive, f"Deployments in {namespace}"):
            found = cluster.list_objects(DEPLOYMENT, namespace, labelSelector=f"{COMPONENT_LABEL}={_OPERATOR}")
            archive.add_structure(f"operator/deployments-{namespace}.yaml", "Deployment of the operator", found)


def gather_bot(cluster: Cluster, archive: Archive, bot: Mapping[str, Any], note: Note) -> None:
    """Add all of a bot."""
    name, namespace = bot["metadata"]["name"], bot["metadata"]["namespace"]
    inside = _inside(cluster, namespace)
    folder = f"bots/{namespace}/{name}"
    note(f"{namespace}/{name}")
    archive.add_structure(f"{folder}/bot.yaml", "resource, with its status", bot)
    with _attempt(archive, f"Events of {name}"):
        archive.add_structure(f"{folder}/events.yaml", "its Events", inside.list_events(bot))
    for kind in CHILD_KINDS:
        with _attempt(archive, f"{kind.name} of {name}"):
            for child in inside.list_children(name, kind):
                path = f"{folder}/children/{kind.name}-{child['metadata']['name']}.yaml"
                archive.add_structure(path, f"its {kind.name}", child)
    pods: list[Object] = []
    with _attempt(archive, f"pods of {name}"):
        pods = inside.list_pods(name)
    for pod in pods:
        pod_name = pod["metadata"]["name"]
        place = _Place(inside, archive, note, pod_name, f"{folder}/pods/{pod_name}")
        archive.add_structure(f"{place.folder}/pod.yaml", "pod", pod)
        with _attempt(archive, f"Events of pod {pod_name}"):
            events = inside.list_objects(EVENT, namespace, fieldSelector=f"involvedObject.uid={pod['metadata']['uid']}")
            archive.add_structure(f"{place.folder}/events.yaml", "Events of the pod", events)
        _add_logs(place, _containers(pod))
        _add_pages(place, ENGINE_PORT, _ENGINE_PAGES)
        _add_pages(place, OBSERVER_PORT, _OBSERVER_PAGES)


def _add_logs(place: _Place, containers: Iterable[str]) -> None:
    for container in containers:
        what = f"log of {place.pod}, {container}"
        place.note(what)
        with _attempt(place.archive, what):
            _add_log(place, container, f"{container}.log", "log, at most 5,000 lines", timestamps="true")
        try:
            _add_log(place, container, f"{container}-previous.log", "log before the last restart", previous="true")
        except ApiError as error:
            if error.status not in {HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND}:  # else it has not been restarted
                place.archive.note_missing(f"{what}, before its last restart", str(error))


def _add_log(place: _Place, container: str, file: str, what: str, **query: str) -> None:
    lines = place.cluster.read_log(place.pod, container=container, tailLines=_TAIL_LINES, **query)
    place.archive.add_text(f"{place.folder}/{file}", what, b"\n".join(lines).decode(errors="replace"))


def _add_pages(place: _Place, port: int, pages: Iterable[tuple[str, str]]) -> None:
    for path, file in pages:
        with _attempt(place.archive, f"page {path} of {place.pod}"):
            page = place.cluster.read_page(place.pod, port, path)
            place.archive.add_text(f"{place.folder}/{file}", f"page {path}", page.decode(errors="replace"))


def _find_operators(cluster: Cluster) -> list[Object]:
    found = cluster.list_objects(POD, None, labelSelector=f"{COMPONENT_LABEL}={_OPERATOR}")
    return [pod for pod in found if any(_is_ours(container) for container in pod["spec"]["containers"])]


def _is_ours(container: Mapping[str, Any]) -> bool:
    variables = [str(variable.get("name", "")) for variable in container.get("env") or ()]
    return any(name.startswith(_OPERATOR_VARIABLE) for name in variables) or "tradingbot" in str(container.get("image", ""))


def _containers(pod: Mapping[str, Any]) -> list[str]:
    """Return the containers that write a log; a native sidecar is an init container that goes on."""
    spec = pod["spec"]
    named = [container["name"] for container in (*(spec.get("initContainers") or ()), *spec["containers"])]
    known = {ENGINE_CONTAINER, OBSERVER_CONTAINER}
    return [name for name in named if name in known] or named


def _inside(cluster: Cluster, namespace: str) -> Cluster:
    inside = Cluster(cluster.connection)
    inside.namespace = namespace
    return inside


@contextlib.contextmanager
def _attempt(archive: Archive, what: str) -> Iterator[None]:
    try:
        yield
    except (FailedError, RefusedError) as error:
        archive.note_missing(what, str(error))
