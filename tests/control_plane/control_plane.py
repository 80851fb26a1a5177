"""A real control plane on loopback without containers: etcd, API server and controller manager, each a process with a folder of its own.

Nothing of it is simulated: objects are validated, defaulted, admitted and collected as on a cluster. What a cluster has beyond it, nodes
with their kubelets and a scheduler, is played by :mod:`simulated_kubelet`.

Invariant: the processes never outlive the one that started them, however that ended (see :mod:`server_process`).
"""

from __future__ import annotations

import base64
import json
import secrets
import signal
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import urllib3
import yaml
from cache_folder import Cache, default_cache
from go_builds import GoBuilds
from progress import Progress
from steps import Runner, Step

from api_client import ApiClient
from server_binaries import Binaries
from server_process import HOST, ServerProcess, free_port

USERS: Final = ("admin", "operator", "kubelet", "controllers")
"""Who may do everything, each with a token of its own: the audit log tells them apart."""
RELEASE_NAMESPACE: Final = "tradingbot-system"
INSTALLED: Final = f"system:serviceaccount:{RELEASE_NAMESPACE}:operator-tradingbot-operator"
"""The ServiceAccount of the chart's release `operator` in that namespace. It may do what somebody grants it; its reads are noted, too."""
CONTROLLERS: Final = (
    "statefulset-controller",
    "garbage-collector-controller",
    "namespace-controller",
    "disruption-controller",
    "persistentvolumeclaim-protection-controller",
)

SERVED_SECONDS: Final = 30.0

_AUDIT_POLICY: Final = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {"level": "Metadata", "users": [INSTALLED]},
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Metadata"},
    ],
}


@dataclass(frozen=True)
class _GoPrograms(Binaries):
    """Programs that may have some memory more: most of what they do otherwise is to collect their garbage."""

    def environment(self) -> dict[str, str]:
        return super().environment() | {"GOGC": "400"}


@dataclass(frozen=True)
class Programs:
    """Folders of what was built."""

    etcd: Binaries
    kubernetes: Binaries


def find_programs(cache: Cache | None = None) -> Programs:
    """Return the programs of the test cluster's node; they are built when they are not in the cache."""
    cache = cache or default_cache()
    builds = GoBuilds(cache)
    needed = (builds.etcd, builds.kubernetes)
    progress = Progress()
    runner = Runner(cache, progress)
    if not all(runner.is_built(step) for step in needed):
        with cache.locked():
            runner = Runner(cache, progress)  # another run may have built them while this one waited
            for step in needed:
                runner.result(step)
    etcd, kubernetes = (_folder(runner, step) for step in needed)
    return Programs(etcd, kubernetes)


def _folder(runner: Runner, step: Step) -> Binaries:
    return _GoPrograms(runner.output(step))


class Etcd(ServerProcess):
    """The store. Nothing in it is worth a write to the disk that is waited for."""

    name = "etcd"
    stop_signal = signal.SIGTERM

    def __init__(self, binaries: Binaries) -> None:
        super().__init__(binaries)
        self._peer_port = free_port()

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def command(self) -> list[str]:
        peer = f"http://{HOST}:{self._peer_port}"
        return [
            str(self.binaries.folder / "etcd"), "--data-dir", str(self.folder / "data"), "--unsafe-no-fsync",
            "--listen-client-urls", self.url, "--advertise-client-urls", self.url, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}", "--log-level", "warn",
        ]  # fmt: skip

    def answers(self) -> bool:
        try:
            return urllib3.request("GET", f"{self.url}/health", retries=False, timeout=1.0).status == HTTPStatus.OK
        except urllib3.exceptions.HTTPError:
            return False


class ApiServer(ServerProcess):
    """The API server, with a serving certificate and a key for tokens that were made for it alone."""

    name = "kube-apiserver"
    stop_signal = signal.SIGTERM

    def __init__(self, binaries: Binaries, etcd: Etcd) -> None:
        super().__init__(binaries)
        self._etcd = etcd
        self.tokens = {user: secrets.token_hex(16) for user in (*USERS, INSTALLED)}
        self.audit_path = self.folder / "audit.log"
        lines = [
            f'{token},{user},uid-{user},"{"system:masters" if user in USERS else "system:serviceaccounts"}"'
            for user, token in self.tokens.items()
        ]
        (self.folder / "tokens.csv").write_text("\n".join(lines) + "\n")
        (self.folder / "signing.key").write_text(_made_key())
        (self.folder / "audit-policy.yaml").write_text(yaml.safe_dump(_AUDIT_POLICY))

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def certificate(self) -> Path:
        return self.folder / "certificates" / "apiserver.crt"

    def command(self) -> list[str]:
        key = str(self.folder / "signing.key")
        return [
            str(self.binaries.folder / "kube-apiserver"), "--etcd-servers", self._etcd.url, "--bind-address", HOST,
            "--advertise-address", HOST, "--secure-port", str(self.port), "--cert-dir", str(self.certificate.parent),
            "--token-auth-file", str(self.folder / "tokens.csv"), "--authorization-mode", "RBAC",
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", key,
            "--service-account-signing-key-file", key, "--service-cluster-ip-range", "10.96.0.0/16",
            # Pods of bots have no token, so nobody has to make accounts for them.
            "--disable-admission-plugins", "ServiceAccount,Priority", "--enable-priority-and-fairness=false", "--profiling=false",
            # Some distributions have it on; it asks for a right of its own.
            "--enable-admission-plugins", "OwnerReferencesPermissionEnforcement",
            "--audit-policy-file", str(self.folder / "audit-policy.yaml"), "--audit-log-path", str(self.audit_path),
            "--audit-log-mode", "blocking", "--audit-log-maxsize", "4096", "--endpoint-reconciler-type", "none",
            "--event-ttl", "1h", "--v", "1",
        ]  # fmt: skip

    def answers(self) -> bool:
        if not self.certificate.exists():
            return False
        try:
            return self.client("admin").raw("GET", "/readyz").status == HTTPStatus.OK
        except urllib3.exceptions.HTTPError:
            return False

    def client(self, user: str) -> ApiClient:
        """Return a client of one of :data:`USERS`, or of :data:`INSTALLED`."""
        return ApiClient(self.url, self.certificate, self.tokens[user])

    def kubeconfig(self, user: str) -> Path:
        """Return a file that a client of Kubernetes reads."""
        path = self.folder / f"{user.replace(':', '-')}.kubeconfig"  # in KUBECONFIG a colon stands between two files
        if not path.exists():
            path.write_text(json.dumps(_kubeconfig(self.url, self.certificate, user, self.tokens[user])))
        return path


class ControllerManager(ServerProcess):
    """Those controllers that a bot's children need."""

    name = "kube-controller-manager"
    stop_signal = signal.SIGTERM

    def __init__(self, binaries: Binaries, api: ApiServer) -> None:
        super().__init__(binaries)
        self._api = api

    def command(self) -> list[str]:
        return [
            str(self.binaries.folder / "kube-controller-manager"), "--kubeconfig", str(self._api.kubeconfig("controllers")),
            "--bind-address", HOST, "--secure-port", str(self.port), "--cert-dir", str(self.folder / "certificates"),
            "--controllers", ",".join(CONTROLLERS), "--leader-elect=false", "--kube-api-qps", "1000", "--kube-api-burst", "2000",
            "--concurrent-statefulset-syncs", "10", "--concurrent-gc-syncs", "20", "--concurrent-namespace-syncs", "10",
            "--profiling=false",
        ]  # fmt: skip

    def answers(self) -> bool:
        certificate = self.folder / "certificates" / "kube-controller-manager.crt"
        if not certificate.exists():
            return False
        try:
            with urllib3.PoolManager(ca_certs=str(certificate)) as pool:
                url = f"https://{HOST}:{self.port}/healthz"
                return pool.request("GET", url, retries=False, timeout=1.0).status == HTTPStatus.OK
        except urllib3.exceptions.HTTPError:
            return False


class ControlPlane:
    """The three of them."""

    def __init__(self, programs: Programs) -> None:
        self.etcd = Etcd(programs.etcd)
        self.api_server = ApiServer(programs.kubernetes, self.etcd)
        self.controllers = ControllerManager(programs.kubernetes, self.api_server)

    def start(self, resources: tuple[dict[str, Any], ...] = ()) -> None:
        """Start them in order, each when the one before answers.

        Args:
            resources: definitions of resources that are to be there before the controllers start. Of those that come later the garbage
                collector learns only after half a minute.
        """
        try:
            self.etcd.start()
            self.api_server.start()
            client = self.api_server.client("admin")
            for resource in resources:
                client.create("customresourcedefinitions", None, resource)
                _wait_served(client, resource)
            self.controllers.start()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End them and remove all that they have left."""
        for process in (self.controllers, self.api_server, self.etcd):
            process.close()


def _wait_served(client: ApiClient, resource: dict[str, Any]) -> None:
    spec = resource["spec"]
    path = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
    deadline = time.monotonic() + SERVED_SECONDS
    while client.raw("GET", path).status != HTTPStatus.OK:
        assert time.monotonic() < deadline, f"the API server does not serve {path}"
        time.sleep(0.05)


def _made_key() -> str:
    """Return a private key of the curve P-256 as PEM (RFC 5915). Its public half may be left out, and is."""
    number = (1 + secrets.randbelow(2**255)).to_bytes(32, "big")
    encoded = bytes.fromhex("30310201010420") + number + bytes.fromhex("a00a06082a8648ce3d030107")
    return f"-----BEGIN EC PRIVATE KEY-----\n{base64.encodebytes(encoded).decode()}-----END EC PRIVATE KEY-----\n"


def _kubeconfig(url: str, certificate: Path, user: str, token: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "loopback", "cluster": {"server": url, "certificate-authority": str(certificate)}}],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": "loopback", "context": {"cluster": "loopback", "user": user, "namespace": "default"}}],
        "current-context": "loopback",
    }
