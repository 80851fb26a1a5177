"""Harm that nobody in a pod can do to it, done from its node: stop and kill processes, cut the network, take the API server away.

A node is a container of the test cluster's Docker engine. What can be undone is undone at the end of the block that it was done for.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Final

from rig.kube import Kube, KubectlError, Object
from rig.waiting import eventually
from tradingbot_contract.endpoints import OBSERVER_PORT

CONTROL_PLANE: Final = "node-role.kubernetes.io/control-plane"
API_SERVER: Final = "kube-apiserver"

# All processes of a pod, whatever container they are of, have its uid in the path of their cgroup.
_FIND: Final = """
for folder in $(grep -l "pod$1" /proc/[0-9]*/cgroup 2>/dev/null); do
    pid=${folder#/proc/}; pid=${pid%/cgroup}
    if tr '\\0' ' ' < /proc/$pid/cmdline | grep -q -- "$2"; then echo $pid; fi
done
"""
# The kubelet asks its probes from the pod's gateway, which is the node itself: it goes on reaching a pod that nobody else reaches.
_CUT: Final = """
set -e
gateway=$(nsenter -t $1 -n ip route show default | cut -d' ' -f3)
nsenter -t $1 -n iptables -w -A INPUT -i lo -j ACCEPT
nsenter -t $1 -n iptables -w -A OUTPUT -o lo -j ACCEPT
nsenter -t $1 -n iptables -w -A INPUT -s $gateway -j ACCEPT
nsenter -t $1 -n iptables -w -A OUTPUT -d $gateway -j ACCEPT
nsenter -t $1 -n iptables -w -A INPUT -j DROP
nsenter -t $1 -n iptables -w -A OUTPUT -j DROP
"""
_CUT_PORT: Final = """
set -e
nsenter -t $1 -n iptables -w -A INPUT ! -i lo -p tcp --dport $2 -j DROP
"""
_REPLACE_PORT: Final = """
set -e
nsenter -t $1 -n iptables -w -t nat -A PREROUTING -p tcp --dport $2 -j REDIRECT --to-ports $3
"""
_MEND: Final = "nsenter -t $1 -n iptables -w -F; nsenter -t $1 -n iptables -w -t nat -F"


def on_node(kube: Kube, node: str, script: str, *arguments: str) -> str:
    """Run a shell script on a node and return what it printed.

    Raises:
        KubectlError: it ended with an error.
    """
    return kube.run("docker", "exec", node, "sh", "-c", script, "sh", *arguments)


def find_pids(kube: Kube, pod: Object, program: str = "") -> list[str]:
    """Return the processes of a pod whose command line contains a text, as their node numbers them."""
    return on_node(kube, pod["spec"]["nodeName"], _FIND, pod["metadata"]["uid"], program).split()


def signal_pod(kube: Kube, pod: Object, program: str, which: signal.Signals) -> float:
    """Send a signal to the processes of a pod whose command line contains a text; return when, in seconds since the epoch.

    Raises:
        AssertionError: there is none.
    """
    return signal_pods(kube, [pod], program, which)


def signal_pods(kube: Kube, pods: Sequence[Object], program: str, which: signal.Signals) -> float:
    """Send a signal to such processes of many pods, all at once on each node; return when, in seconds since the epoch.

    Raises:
        AssertionError: a pod has none.
    """
    by_node: dict[str, list[str]] = defaultdict(list)
    for pod in pods:
        pids = find_pids(kube, pod, program)
        assert pids, f"no process of {pod['metadata']['name']} is {program!r}"
        by_node[pod["spec"]["nodeName"]] += pids
    sent = time.time()
    for node, pids in by_node.items():
        on_node(kube, node, f"kill -{int(which)} {' '.join(pids)}")
    return sent


@contextlib.contextmanager
def stopped(kube: Kube, pod: Object, program: str) -> Iterator[None]:
    """Stop processes of a pod for the length of the block: they keep their connections and answer nothing."""
    signal_pod(kube, pod, program, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_pod(kube, pod, program, signal.SIGCONT)


@contextlib.contextmanager
def network_cut(kube: Kube, pod: Object) -> Iterator[None]:
    """Cut a pod off for the length of the block, from all but its own node, whose kubelet looks after it."""
    with _filtered(kube, pod, _CUT):
        yield


@contextlib.contextmanager
def observer_cut(kube: Kube, pod: Object) -> Iterator[None]:
    """Let nobody from outside reach a pod's observer for the length of the block; all else of its network works."""
    with _filtered(kube, pod, _CUT_PORT, str(OBSERVER_PORT)):
        yield


@contextlib.contextmanager
def observer_replaced(kube: Kube, pod: Object, port: int) -> Iterator[None]:
    """Let another port of the pod answer in its observer's place for the length of the block, on new connections."""
    with _filtered(kube, pod, _REPLACE_PORT, str(OBSERVER_PORT), str(port)):
        yield


@contextlib.contextmanager
def _filtered(kube: Kube, pod: Object, script: str, *arguments: str) -> Iterator[None]:
    node = pod["spec"]["nodeName"]
    # The first process of a pod keeps its network, and lives as long as the pod.
    keeper = min(find_pids(kube, pod), key=int)
    try:
        on_node(kube, node, script, keeper, *arguments)
        yield
    finally:
        with contextlib.suppress(KubectlError):  # the pod is gone, and its network with it
            on_node(kube, node, _MEND, keeper)


def restart_api_server(kube: Kube) -> None:
    """Kill the API server as a crash would, and wait until its node's kubelet has brought another one up."""
    (node,) = {item["metadata"]["name"] for item in kube.items("nodes", None, labelSelector=CONTROL_PLANE)}
    (before,) = on_node(kube, node, f"pgrep -x {API_SERVER}").split()
    on_node(kube, node, f"kill -9 {before}")

    def ready() -> bool:
        try:
            (now,) = on_node(kube, node, f"pgrep -x {API_SERVER}").split()
            return now != before and kube.kubectl("get", "--raw", "/readyz").strip() == "ok"
        except (KubectlError, ValueError):
            return False

    eventually("there is an API server again", ready, within_seconds=180.0)
