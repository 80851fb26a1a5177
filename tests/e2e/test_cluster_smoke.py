"""The cluster itself can do what the operator and its bots build on; without the operator.

A failure here means that the cluster is not what the other tests think it is. All pods start at once, in a namespace
under the restricted Pod Security standard, from the Python image that every node has already.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest

Object = dict[str, Any]
Seen = TypeVar("Seen")

TOOL: Final = Path(__file__).resolve().parents[1] / "cluster" / "cluster.py"
NAMESPACE: Final = "e2e-cluster-smoke"
WITHIN_SECONDS: Final = 60.0
MEBIBYTE: Final = 1 << 20

SERVE_NODE_NAME: Final = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(os.environ["NODE_NAME"].encode())
http.server.ThreadingHTTPServer(("", 8080), Handler).serve_forever()
"""
FETCH: Final = """
import sys, urllib.request
print(urllib.request.urlopen(sys.argv[1], timeout=2).read().decode(), end="")
"""
WRITE_AND_READ: Final = """
import os, pathlib
file = pathlib.Path("/data/kept")
file.write_text("by uid %d" % os.getuid())
print(file.read_text(), end="")
"""
TAKE_200_MEBIBYTES: Final = """
held = [bytearray(1 << 20) for _ in range(200)]
"""
SLEEP: Final = "import signal; signal.pause()"
WATCH_NEIGHBOUR: Final = """
import os, pathlib, signal
found = [
    process for process in pathlib.Path("/proc").iterdir()
    if process.name.isdigit() and b"watched-neighbour" in (process / "cmdline").read_bytes() and process.stat().st_uid == 10001
]
print(len(found), "seen by", os.getuid())
try:
    print((found[0] / "environ").read_bytes())
except PermissionError:
    print("its environment is its own")
"""
PRINT_MEMORY_LIMIT: Final = """
import pathlib
files = [pathlib.Path("/sys/fs/cgroup/memory.max"), pathlib.Path("/sys/fs/cgroup/memory/memory.limit_in_bytes")]
print(next(file.read_text() for file in files if file.exists()), end="")
"""


class Kubectl:
    """kubectl as a user has it after ``eval "$(make -s cluster-env)"``, or the same without that."""

    def __init__(self) -> None:
        if {"KUBECONFIG", "TRADINGBOT_PYTHON_IMAGE"} <= os.environ.keys():
            self.environment = dict(os.environ)
            return
        subprocess.run([sys.executable, TOOL, "up"], check=True)
        exports = subprocess.run([sys.executable, TOOL, "env"], check=True, capture_output=True, text=True).stdout
        shell = subprocess.run(["bash", "-c", f"{exports}\nenv -0"], check=True, capture_output=True, text=True, env=dict(os.environ))
        self.environment = dict(entry.split("=", 1) for entry in shell.stdout.split("\0") if "=" in entry)

    @property
    def image(self) -> str:
        return self.environment["TRADINGBOT_PYTHON_IMAGE"]

    def try_to(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = ["kubectl", "--namespace", NAMESPACE, *arguments]
        return subprocess.run(command, env=self.environment, input=stdin, capture_output=True, text=True, check=False)

    def __call__(self, *arguments: str, stdin: str | None = None) -> str:
        done = self.try_to(*arguments, stdin=stdin)
        assert done.returncode == 0, f"kubectl {' '.join(arguments)}: {done.stderr}"
        return done.stdout

    def apply(self, *objects: Object) -> None:
        self("apply", "--filename=-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))

    def get(self, kind: str, name: str) -> Object:
        found: Object = json.loads(self("get", kind, name, "--output=json"))
        return found

    def await_phase(self, pod: str, phase: str) -> Object:
        return eventually(f"pod {pod} is {phase}", lambda: self.get("pod", pod), lambda found: found["status"].get("phase") == phase)


def eventually(what: str, look: Callable[[], Seen], is_so: Callable[[Seen], bool]) -> Seen:
    deadline = time.monotonic() + WITHIN_SECONDS
    while True:
        seen = look()
        if is_so(seen):
            return seen
        assert time.monotonic() < deadline, f"not within {WITHIN_SECONDS:.0f} s: {what}; last seen: {seen}"
        time.sleep(0.25)


def container(image: str, program: str, *arguments: str, name: str = "main", uid: int = 10001, **more: Any) -> Object:
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", program, *arguments],
        "securityContext": {
            "runAsUser": uid,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        **more,
    }


def pod(name: str, *containers: Object, labels: dict[str, str] | None = None, **spec: Any) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": list(containers), **spec},
    }


def server(name: str, image: str, more_labels: dict[str, str] | None = None, **placement: Any) -> list[Object]:
    """Return a pod that tells its node's name, and a Service before it."""
    labels = {"app": name, **(more_labels or {})}
    node_name = {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    main = container(image, SERVE_NODE_NAME, env=[node_name], readinessProbe=probe)
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": labels, "ports": [{"port": 80, "targetPort": 8080}]},
    }
    return [pod(name, main, labels=labels, **placement), service]


def on_control_plane() -> Object:
    """Return what makes a pod run on the node that is otherwise kept free of them."""
    key = "node-role.kubernetes.io/control-plane"
    return {"nodeSelector": {key: ""}, "tolerations": [{"key": key, "operator": "Exists", "effect": "NoSchedule"}]}


def pod_with_volume(image: str) -> list[Object]:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}},
    }
    writer = container(image, WRITE_AND_READ, volumeMounts=[{"name": "data", "mountPath": "/data"}])
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    return [claim, pod("volume", writer, volumes=[volume], securityContext={"fsGroup": 10001})]


def pod_with_sidecar(image: str) -> Object:
    probe = {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1}
    environment = [{"name": "NODE_NAME", "value": "from the sidecar"}]
    sidecar = container(image, SERVE_NODE_NAME, name="sidecar", restartPolicy="Always", startupProbe=probe, env=environment)
    return pod("sidecar", container(image, FETCH, "http://127.0.0.1:8080"), initContainers=[sidecar])


def pod_with_neighbours(image: str) -> Object:
    watched = container(image, SLEEP, "watched-neighbour", name="watched", restartPolicy="Always")
    watcher = container(image, WATCH_NEIGHBOUR, uid=10002)
    return pod("neighbours", watcher, initContainers=[watched], shareProcessNamespace=True)


def pod_with_limit(name: str, image: str, program: str) -> Object:
    return pod(name, container(image, program, resources={"requests": {"memory": "64Mi"}, "limits": {"memory": "64Mi"}}))


def policies() -> list[Object]:
    """Return what guards one pod from all but its friends, and lets another only ask for names."""
    guard = {
        "podSelector": {"matchLabels": {"app": "guarded"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"friend": "of-guarded"}}}], "ports": [{"port": 8080}]}],
    }
    confine = {
        "podSelector": {"matchLabels": {"app": "confined"}},
        "policyTypes": ["Egress"],
        "egress": [{"ports": [{"port": 53, "protocol": "UDP"}]}],
    }
    metadata = {"guard": guard, "confine": confine}
    api = "networking.k8s.io/v1"
    return [{"apiVersion": api, "kind": "NetworkPolicy", "metadata": {"name": name}, "spec": spec} for name, spec in metadata.items()]


@pytest.fixture
def operator_log() -> None:
    """Replace the fixture which looks into the operator's log: no operator takes part here."""


@pytest.fixture(scope="module")
def kubectl() -> Iterator[Kubectl]:
    """Return kubectl, in a namespace where all pods of this module are starting."""
    kubectl = Kubectl()
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found")
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    kubectl.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": labels}})
    kubectl.apply(
        *server("on-control-plane", kubectl.image, **on_control_plane()),
        *server("on-worker", kubectl.image, {"friend": "of-guarded"}),
        *server("guarded", kubectl.image),
        *server("confined", kubectl.image, **on_control_plane()),
        *policies(),
        *pod_with_volume(kubectl.image),
        pod_with_sidecar(kubectl.image),
        pod_with_neighbours(kubectl.image),
        pod_with_limit("hungry", kubectl.image, TAKE_200_MEBIBYTES),
        pod_with_limit("growing", kubectl.image, SLEEP),
    )
    yield kubectl
    kubectl("delete", "namespace", NAMESPACE, "--wait=false")


def test_names_are_resolved_in_pods(kubectl: Kubectl) -> None:
    kubectl("wait", "--for=condition=Ready", "pod/on-worker", "--timeout=60s")
    resolve = "import socket; print(socket.gethostbyname('kubernetes.default.svc.cluster.local'), end='')"
    cluster_ip = kubectl("get", "service", "kubernetes", "--namespace=default", "--output=jsonpath={.spec.clusterIP}")
    assert kubectl("exec", "on-worker", "--", "python3", "-c", resolve) == cluster_ip


def test_a_volume_of_the_default_class_is_writable_without_root(kubectl: Kubectl) -> None:
    kubectl.await_phase("volume", "Succeeded")
    assert kubectl("logs", "volume") == "by uid 10001"
    assert kubectl.get("pvc", "data")["status"]["phase"] == "Bound"


def test_memory_beyond_the_limit_ends_the_container(kubectl: Kubectl) -> None:
    ended = kubectl.await_phase("hungry", "Failed")["status"]["containerStatuses"][0]["state"]["terminated"]
    # The event that tells the reason gets lost now and then; the signal doesn't.
    assert ended["reason"] == "OOMKilled" or ended["exitCode"] == 137


def test_a_sidecar_runs_before_the_main_container_and_ends_after_it(kubectl: Kubectl) -> None:
    kubectl.await_phase("sidecar", "Succeeded")
    assert kubectl("logs", "sidecar", "--container=main") == "from the sidecar"


def test_a_container_sees_its_neighbours_processes_but_not_their_secrets(kubectl: Kubectl) -> None:
    kubectl.await_phase("neighbours", "Succeeded")
    assert kubectl("logs", "neighbours", "--container=main").splitlines() == ["1 seen by 10002", "its environment is its own"]


def test_memory_limit_grows_in_place(kubectl: Kubectl) -> None:
    kubectl("wait", "--for=condition=Ready", "pod/growing", "--timeout=60s")
    uid = kubectl.get("pod", "growing")["metadata"]["uid"]
    memory = {"requests": {"memory": "128Mi"}, "limits": {"memory": "128Mi"}}
    change = json.dumps({"spec": {"containers": [{"name": "main", "resources": memory}]}})
    kubectl("patch", "pod", "growing", "--subresource=resize", "--type=strategic", "--patch", change)
    eventually(
        "the container's own limit is 128 MiB",
        lambda: kubectl("exec", "growing", "--", "python3", "-c", PRINT_MEMORY_LIMIT).strip(),
        lambda limit: limit == str(128 * MEBIBYTE),
    )
    after = kubectl.get("pod", "growing")
    assert after["metadata"]["uid"] == uid
    assert after["status"]["containerStatuses"][0]["restartCount"] == 0


@pytest.mark.parametrize(("client", "server"), [("on-worker", "on-control-plane"), ("on-control-plane", "on-worker")])
def test_a_service_is_reached_from_the_other_node(kubectl: Kubectl, client: str, server: str) -> None:
    kubectl("wait", "--for=condition=Ready", f"pod/{client}", f"pod/{server}", "--timeout=60s")
    nodes = {name: kubectl.get("pod", name)["spec"]["nodeName"] for name in (client, server)}
    assert nodes[client] != nodes[server]
    fetched = eventually(
        f"{server} answers through its Service",
        lambda: kubectl.try_to("exec", client, "--", "python3", "-c", FETCH, f"http://{server}").stdout,
        bool,  # kube-proxy learns of a Ready pod a moment later than we do
    )
    assert fetched == nodes[server]


@pytest.mark.parametrize(
    ("client", "server", "reaches_it"),
    [
        ("on-worker", "guarded", True),
        ("on-control-plane", "guarded", False),
        ("on-worker", "confined", True),
        ("confined", "on-worker", False),
        ("confined", "on-control-plane", False),
    ],
)
def test_network_policies_are_enforced(kubectl: Kubectl, client: str, server: str, reaches_it: bool) -> None:
    kubectl("wait", "--for=condition=Ready", f"pod/{client}", f"pod/{server}", "--timeout=60s")
    eventually(
        f"{client} {'reaches' if reaches_it else 'is kept from'} {server}",
        lambda: kubectl.try_to("exec", client, "--", "python3", "-c", FETCH, f"http://{server}"),
        # What is kept away gets no answer at all; a name that isn't found would be another error.
        (lambda done: done.returncode == 0) if reaches_it else (lambda done: "timed out" in done.stderr),
    )


def test_pods_below_the_restricted_standard_are_refused(kubectl: Kubectl) -> None:
    refused = kubectl.try_to("run", "careless", f"--image={kubectl.image}", "--dry-run=server")
    assert refused.returncode != 0
    assert 'violates PodSecurity "restricted' in refused.stderr
