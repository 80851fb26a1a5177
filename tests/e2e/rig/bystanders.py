"""Pods beside the bots under test: one that listens, and ones from which a test tries to get somewhere.

They run nothing but Python, and keep the restricted Pod Security standard.
"""

from __future__ import annotations

import json
from typing import Final

from rig.kube import Kube, Object

TRY_SECONDS: Final = 3.0

_LISTEN: Final = """
import socketserver, sys, threading
class Quiet(socketserver.BaseRequestHandler):
    def handle(self): pass
class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
for port in map(int, sys.argv[1:]):
    threading.Thread(target=Server(("0.0.0.0", port), Quiet).serve_forever).start()
"""
_SLEEP: Final = "import time; time.sleep(3600)"
_TRY: Final = """
import concurrent.futures, json, socket, sys
def attempt(place):
    host, _, port = place.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout={seconds}).close()
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return str(error)
    return "open"
places = sys.argv[1:]
with concurrent.futures.ThreadPoolExecutor(len(places)) as pool:
    print(json.dumps(dict(zip(places, pool.map(attempt, places)))))
"""


def build_listener(kube: Kube, name: str, *ports: int) -> Object:
    """Return a pod that takes connections at these ports."""
    return _pod(kube, name, _LISTEN, *map(str, ports))


def build_visitor(kube: Kube, name: str) -> Object:
    """Return a pod that does nothing of its own."""
    return _pod(kube, name, _SLEEP)


def try_places(kube: Kube, namespace: str, pod: str, places: list[str], *, container: str = "main") -> dict[str, str]:
    """Try to connect from a container to places, each `host:port`; return `open`, `no answer` or the error of each."""
    command = ("-n", namespace, "exec", pod, "-c", container, "--", "python3", "-c", _TRY.format(seconds=TRY_SECONDS))
    found: dict[str, str] = json.loads(kube.kubectl(*command, *places))
    return found


def _pod(kube: Kube, name: str, program: str, *arguments: str) -> Object:
    security = {
        "runAsNonRoot": True,
        "runAsUser": 10_003,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "main",
        "image": kube.environment["TRADINGBOT_PYTHON_IMAGE"],
        "imagePullPolicy": "Never",
        "command": ["python3", "-c", program, *arguments],
        "securityContext": security,
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1, "containers": [container]},
    }
